"""`gocv review` on run folders written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from gocv.cli.app import app
from gocv.core import Account, Answer, Receipt, ReceiptLine
from gocv.data.files import write_json
from gocv.fusion.answers import read_labels
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.review import ReviewPolicy
from gocv.pipeline.receipts import receipts_json

COLA, TEA = "0714", "0630"


def review(*arguments: str | Path):
    return CliRunner().invoke(app, ["review", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Cola or tea in e1, taken by ann; e2, a cola, by ann or bob."""
    ann, bob = [], []
    for product, p in ((COLA, 0.7), (TEA, 0.3)):
        for who, q in (("ann", 0.4), ("bob", 0.6)):
            moves = {"e1": (("ann", product, 1),), "e2": ((who, COLA, 1),)}
            units = {product: 1}
            if who == "ann":
                units[COLA] = units.get(COLA, 0) + 1
            ann.append(Account(tuple(sorted(units.items())), p * q, moves))
    for who, q in (("ann", 0.4), ("bob", 0.6)):
        bob.append(Account(((COLA, 1),) if who == "bob" else (), q, {"e2": ((who, COLA, 1),)}))
    receipts = [
        Receipt("ann", (ReceiptLine(COLA, "Cola", 1, 0.42, ("e1",)),), 0.42, True, tuple(ann), 60.0, 61.0),
        Receipt("bob", (ReceiptLine(COLA, "Cola", 1, 0.6, ("e2",)),), 0.6, True, tuple(bob), 50.0, 51.0),
    ]
    evidence = {
        "e2": {"start_s": 9.5, "end_s": 10.4, "shelf": "1/5", "plates": ["1/5/3"], "total_g": -355.0, "cameras": ["c4"]}
    }
    report = {"fusion": [{"where": "event e1", "problem": "odd"}]}
    names = {COLA: "Cola", TEA: "Green tea"}
    write_json(tmp_path / "receipts.json", receipts_json("r", receipts, report, evidence, names))
    return tmp_path


def test_questions_are_listed_best_first(folder):
    done = review(folder)
    assert done.exit_code == 0
    assert done.output.index("e2:who") < done.output.index("e1:what")
    for text in ("Who moved something on shelf 1/5 at 9.5 s?", "1 × Green tea taken", "9.5-10.4 s", "-355 g", "c4"):
        assert text in done.output
    assert not (folder / "labels.jsonl").exists()


def test_as_json(folder):
    found = json.loads(review(folder, "--json", "--limit", "1").output)["questions"]
    assert [q["id"] for q in found] == ["e2:who"]
    (question,) = found
    assert question["gain"] == pytest.approx(0.4 + 0.7 - 0.42, abs=1e-6)
    assert question["receipts"] == ["bob", "ann"]
    assert [(c["choice"], c["text"], c["probability"]) for c in question["choices"]] == [
        (1, "bob", pytest.approx(0.6)),
        (2, "ann", pytest.approx(0.4)),
    ]
    assert question["evidence"]["cameras"] == ["c4"]


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ("e2:who=1", Answer("e2", "bob")),
        ("e2:who=ann", Answer("e2", "ann")),
        ("e2:who=nobody", Answer("e2", "")),
        ("e2:who=nothing", Answer("e2", items=())),
        ("e1:what=2", Answer("e1", items=((TEA, 1),))),
        (f"e1:what={COLA}", Answer("e1", items=((COLA, 1),))),
        (f"e1:what=2x{COLA}, -1 x {TEA}", Answer("e1", items=((TEA, -1), (COLA, 2)))),
        ("e1:what=?", Answer("e1", items=(("?", 1),))),
    ],
)
def test_an_answer_is_kept(folder, given, answer):
    done = review(folder, "--answer", given)
    assert done.exit_code == 0, done.output
    assert read_labels(folder / "labels.jsonl") == (answer,)
    label = json.loads((folder / "labels.jsonl").read_text())
    assert label["about"]["question"] == given.partition("=")[0]
    assert "answered" in label["about"]


def test_the_receipts_that_follow(folder):
    found = json.loads(review(folder, "--answer", "e2:who=ann", "--json").output)
    assert found["answer"] == {"event": "e2", "shopper": "ann", "items": None}
    carts = {r["shopper"]: {i["product"]: i["quantity"] for i in r["items"]} for r in found["receipts"]}
    assert carts == {"ann": {COLA: 2}, "bob": {}}
    assert found["receipts"][0]["probability"] == pytest.approx(0.7, abs=2e-3)
    assert [q["id"] for q in json.loads(review(folder, "--json").output)["questions"]] == ["e1:what"]
    found = json.loads(review(folder, "--answer", f"e1:what={TEA}", "--json").output)
    ann = found["receipts"][0]
    assert {i["name"]: i["quantity"] for i in ann["items"]} == {"Cola": 1, "Green tea": 1}
    assert ann["probability"] > 0.99
    assert "nothing to ask" in review(folder).output


def test_the_runs_own_calibrator_and_policy_judge(folder):
    Calibrator.fit(np.full(1000, 0.999), np.ones(1000)).save(folder / "calibrator.json")
    ReviewPolicy(0.99, 0.005, 0.95, 1000, 1000, 0).save(folder / "review.json")
    found = json.loads(review(folder, "--answer", "e2:who=bob", "--json").output)["receipts"]
    assert [r["needs_review"] for r in found] == [True, False]  # of ann's e1 something odd is reported
    assert found[1]["probability"] == pytest.approx(1000.5 / 1001, abs=1e-6)
    found = json.loads(review(folder, "--answer", "e1:what=1", "--json").output)["receipts"]
    assert [r["needs_review"] for r in found] == [False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("e2", "'e2' is no question (expected QUESTION=CHOICE, such as e2:who=1)"),
        ("e3:who=ann", "'e3:who' is no question"),
        ("e2:who=Ann", "there is no shopper 'Ann' (expected 'ann')"),
        ("e2:who=3", "there is no shopper '3'"),
        ("e1:what=0713", "no product '0713' (expected '0714')"),
        (f"e1:what={COLA},{COLA}", "each product once"),
        (f"e1:what=0x{COLA}", "will not do"),
        ("e1:what=", "no product ''"),
    ],
)
def test_refusals(folder, given, message):
    done = review(folder, "--answer", given)
    assert done.exit_code == 1
    assert message in done.output
    assert not (folder / "labels.jsonl").exists()


def test_no_run(tmp_path):
    done = review(tmp_path)
    assert done.exit_code == 1
    assert "receipts.json" in done.output


def test_an_older_run_has_nothing_to_ask(folder):
    file = folder / "receipts.json"
    written = json.loads(file.read_text())
    for receipt in written["receipts"]:
        for key in ("accounts", "left_s", "released_s"):
            del receipt[key]
    file.write_text(json.dumps({key: written[key] for key in ("recording", "receipts", "report")}))
    assert "nothing to ask" in review(folder).output
