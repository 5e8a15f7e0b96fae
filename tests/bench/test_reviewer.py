from __future__ import annotations

import numpy as np
import pytest

from gocv.bench.reviewer import review
from gocv.core import Account, PlateId, Receipt, ReceiptLine
from gocv.data.files import write_json
from gocv.data.recording import Truth, TruthEvent, TruthName, TruthReceipt
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.review import ReviewPolicy
from gocv.pipeline.receipts import receipts_json

PLATE = PlateId(1, 2, 3)
EVIDENCE = {
    "e1": {"start_s": 4.0, "end_s": 6.0, "shelf": "1/2"},
    "e2": {"start_s": 20.0, "end_s": 21.0, "shelf": "1/2"},
}


def receipt(shopper, *ways):
    """Ways are (probability, moves of e1)."""
    accounts = []
    for probability, moves in ways:
        own = sorted((p, n) for s, p, n in moves if s == shopper)
        accounts.append(Account(tuple(own), probability, {"e1": tuple(moves)}))
    best = max(accounts, key=lambda account: account.probability)
    lines = tuple(ReceiptLine(p, p, n, best.probability, ("e1",)) for p, n in best.cart)
    return Receipt(shopper, lines, best.probability, True, tuple(accounts), 30.0, 31.0)


@pytest.fixture
def asks(tmp_path):
    def ask(receipts, truth):
        line = np.array([-20.0, 20.0])
        Calibrator(line, line, np.array([100, 100]), {}).save(tmp_path / "calibrator.json")
        ReviewPolicy(0.95, 0.005, 0.95, 1000, 900, 1, {}).save(tmp_path / "review.json")
        write_json(tmp_path / "receipts.json", receipts_json("r", receipts, {}, EVIDENCE))
        told, questions = review(tmp_path, truth)
        return {r.shopper: ({x.product: x.quantity for x in r.items}, r.needs_review) for r in told}, questions

    return ask


def truth(*events, names=()):
    return Truth(tuple(events), tuple(TruthReceipt(s, {}) for s in ("ann", "bob")), (), names)


def taken(time_s, shopper, product):
    return TruthEvent(time_s, shopper, product, 1, (PLATE,))


WHAT = [receipt("ann", (0.6, [("ann", "tea", 1)]), (0.4, [("ann", "milk", 1)]))]
WHO = [
    receipt("ann", (0.6, [("ann", "tea", 1)]), (0.4, [("bob", "tea", 1)])),
    receipt("bob", (0.6, [("ann", "tea", 1)]), (0.4, [("bob", "tea", 1)])),
]


@pytest.mark.parametrize(
    ("receipts", "happened", "found", "questions"),
    [
        (WHAT, truth(taken(5, "ann", "milk")), {"ann": ({"milk": 1}, False)}, 1),
        (WHAT, truth(taken(5, "ann", "tea")), {"ann": ({"tea": 1}, False)}, 1),
        (WHAT, truth(taken(7.9, "ann", "milk")), {"ann": ({"milk": 1}, False)}, 1),
        (WHAT, truth(taken(8.1, "ann", "milk")), {"ann": ({"tea": 1}, True)}, 1),
        (WHAT, truth(taken(5, "ann", "soap")), {"ann": ({"tea": 1}, True)}, 1),
        (WHO, truth(taken(5, "bob", "tea")), {"ann": ({}, False), "bob": ({"tea": 1}, False)}, 1),
        (
            WHO,
            truth(taken(5, "ann", "tea"), names=(TruthName(0, "bob", "ann"), TruthName(0, "ann", "bob"))),
            {"ann": ({}, False), "bob": ({"tea": 1}, False)},
            1,
        ),
        (
            WHO,
            truth(taken(5, "ann", "tea"), taken(5.1, "bob", "tea")),
            {"ann": ({"tea": 1}, True), "bob": ({}, True)},
            1,
        ),
        ([receipt("ann", (1.0, [("ann", "tea", 1)]))], truth(), {"ann": ({"tea": 1}, True)}, 0),
    ],
    ids=[
        *("the rarer one", "as it stands", "close in time", "too far in time", "none of these", "who"),
        *("who, under mixed up names", "both of them: no single answer", "nothing to ask"),
    ],
)
def test_truthful_answers(asks, receipts, happened, found, questions):
    assert asks(receipts, happened) == (found, questions)


def test_sure_receipts_are_not_asked_about(asks):
    sure = [r.__class__(r.shopper, r.items, r.probability, False, r.accounts, r.left_s, r.released_s) for r in WHAT]
    assert asks(sure, truth(taken(5, "ann", "milk"))) == ({"ann": ({"tea": 1}, False)}, 0)
