"""receipts.json and back."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gocv.core import Account, DataError, Receipt, ReceiptLine
from gocv.data.files import write_json
from gocv.pipeline.receipts import read_receipts, read_run, receipts_json

NAMES = st.text(max_size=3)
PAIRS = st.lists(st.tuples(NAMES, st.integers(-3, 3)), max_size=2).map(tuple)
MOVES = st.dictionaries(NAMES, st.lists(st.tuples(NAMES, NAMES, st.integers(-3, 3)), max_size=2).map(tuple), max_size=2)
SIX, TWELVE = (st.integers(0, 10**n).map(lambda i, n=n: i / 10**n) for n in (6, 12))
RECEIPTS = st.builds(
    Receipt,
    NAMES | st.none(),
    st.lists(st.builds(ReceiptLine, NAMES, NAMES, st.integers(1, 9), SIX, st.tuples(NAMES)), max_size=2).map(tuple),
    SIX,
    st.booleans(),
    st.lists(st.builds(Account, PAIRS, TWELVE, MOVES), max_size=2).map(tuple),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(receipts=st.lists(RECEIPTS, max_size=3).map(tuple))
def test_what_is_written_is_read(tmp_path, receipts):
    file = tmp_path / "receipts.json"
    write_json(file, receipts_json("r", receipts, {}))
    assert read_receipts(file) == receipts


def test_times_that_are_not_known_are_null(tmp_path):
    file = tmp_path / "receipts.json"
    write_json(file, receipts_json("r", [Receipt("ann", (), 0.5, True)], {}))
    assert json.loads(file.read_text())["receipts"][0]["left_s"] is None
    (found,) = read_receipts(file)
    assert math.isnan(found.left_s)
    assert math.isnan(found.released_s)


def test_rare_accounts_keep_their_probabilities(tmp_path):
    file = tmp_path / "receipts.json"
    write_json(file, receipts_json("r", [Receipt("ann", (), 1.0, True, (Account((), 3.21e-9, {}),))], {}))
    assert read_receipts(file)[0].accounts[0].probability == 3.21e-9


def test_names_and_evidence(tmp_path):
    file = tmp_path / "receipts.json"
    receipt = Receipt(
        "ann",
        (ReceiptLine("1", "Tea", 1, 0.9, ("e",)),),
        0.9,
        False,
        (Account((("1", 1), ("2", 1)), 0.9, {"e": (("bob", "3", 1),)}),),
    )
    names = {str(i): f"product {i}" for i in range(5)}
    write_json(file, receipts_json("r", [receipt], {"fusion": []}, {"e": {"start_s": 1.0}}, names))
    found = read_run(file)
    assert list(found["names"]) == ["1", "2", "3"]
    assert found["evidence"] == {"e": {"start_s": 1.0}}
    assert found["report"] == {"fusion": []}


def test_an_older_file_is_read(tmp_path):
    file = tmp_path / "receipts.json"
    line = {"product": "7", "name": "Cola", "quantity": 2, "probability": 0.9, "events": ["e1"]}
    old = {"shopper": "ann", "items": [line], "probability": 0.8, "needs_review": True}
    file.write_text(json.dumps({"recording": "r", "receipts": [old], "report": {}}))
    (found,) = read_receipts(file)
    assert found.items == (ReceiptLine("7", "Cola", 2, 0.9, ("e1",)),)
    assert (found.shopper, found.probability, found.needs_review, found.accounts) == ("ann", 0.8, True, ())
    assert math.isnan(found.left_s)
    assert read_run(file)["names"] == read_run(file)["evidence"] == {}


GOOD = {"shopper": "ann", "items": [], "probability": 0.8, "needs_review": True}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot be read"),
        ("[]", "key 'receipts'"),
        ('{"receipts": 3}', "key 'receipts'"),
        ('{"receipts": [], "names": []}', "key 'names'"),
        (json.dumps({"receipts": [GOOD, {"items": []}]}), r"key 'receipts\.1': lacks 'shopper'"),
        (json.dumps({"receipts": [GOOD | {"items": [{"events": [], "what": 1}]}]}), r"key 'receipts\.0'"),
        (json.dumps({"receipts": [GOOD | {"accounts": [{"cart": [[1]]}]}]}), r"key 'receipts\.0'"),
        (json.dumps({"receipts": [3]}), r"key 'receipts\.0'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, message):
    file = tmp_path / "receipts.json"
    file.write_text(content)
    with pytest.raises(DataError, match=rf"receipts\.json.*{message}"):
        read_receipts(file)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match=r"receipts\.json"):
        read_receipts(tmp_path / "receipts.json")
