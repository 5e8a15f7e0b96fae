from __future__ import annotations

import pytest

from gocv.bench.methods import Found
from gocv.bench.store_scores import JudgedReceipt, asked, figures, risk_of, score
from gocv.core import CartEvent, PlateId, Receipt, ReceiptLine, ShelfId
from gocv.data.recording import Truth, TruthEvent, TruthName, TruthReceipt

PLATE = PlateId(1, 2, 3)
SHELF = ShelfId(1, 2)


def truth(carts, events=(), names=()):
    return Truth(tuple(events), tuple(TruthReceipt(s, c) for s, c in carts.items()), (), tuple(names))


def receipt(shopper, cart, probability=0.9, review=False, left_s=10.0, released_s=12.0):
    lines = tuple(ReceiptLine(p, p, n, probability, ()) for p, n in cart.items())
    return Receipt(shopper, lines, probability, review, (), left_s, released_s)


def found(units, moves=(), stated=()):
    return Found(units, tuple(moves), {"e": SHELF}, tuple(stated))


@pytest.mark.parametrize(
    ("units", "carts", "exact"),
    [
        ({"a": {"tea": 1}}, {"a": {"tea": 1}}, [True]),
        ({"a": {"tea": 2}}, {"a": {"tea": 1}}, [False]),
        ({"a": {}}, {"a": {}}, [True]),
        ({}, {"a": {}}, [True]),
        ({}, {"a": {"tea": 1}}, [False]),
        ({"a": {}, None: {"tea": 1}}, {"a": {}}, [True, False]),
        ({"a": {}, None: {}}, {"a": {}}, [True]),
        ({"a": {}, "a.2": {"tea": 1}}, {"a": {"tea": 1}}, [False, False]),
        ({"a": {"tea": 1}, "a.2": {}}, {"a": {"tea": 1}}, [True]),
        ({"x": {"tea": 1}}, {"a": {"tea": 1}}, [True]),
        ({"staff-1": {"tea": 1}, "a": {}}, {"a": {}}, [True]),
        ({"staff-1.2": {"tea": 1}, "a": {}}, {"a": {}}, [True]),
    ],
    ids=[
        *("right", "one too many", "nothing taken", "no receipt, nothing taken", "no receipt"),
        *("nobody was charged", "nobody's empty one", "half a visit under another name", "an empty half"),
        *("another name", "staff", "staff under another name"),
    ],
)
def test_which_receipts_are_exact(units, carts, exact):
    restocked = TruthEvent(1.0, "staff-1", "tea", -3, (PLATE,))
    names = [TruthName(0.0, "staff-1.2", "staff-1"), TruthName(0.0, "a.2", "a")]
    scored = score(found(units), truth(carts, [restocked], names))
    assert [r.exact for r in scored.receipts] == exact
    assert (
        "staff-1" in units or "staff-1.2" in units or scored.predicted == sum(sum(c.values()) for c in units.values())
    )


def test_staff_are_charged_nothing():
    restocked = TruthEvent(1.0, "staff-1", "tea", -3, (PLATE,))
    assert score(found({"staff-1": {"tea": 5}, "a": {}}), truth({"a": {}}, [restocked])).f1 == 1


def test_events_are_those_at_shelves_under_true_names():
    happened = [
        TruthEvent(5.0, "a", "tea", 1, (PLATE,)),
        TruthEvent(9.0, "b", "milk", -1, (PLATE,)),
        TruthEvent(20.0, "a", "tea", -1, (), "hand_over", "b"),
    ]
    moves = [
        CartEvent("e", 5.5, "x", "tea", 1, 0.9),
        CartEvent("e", 9.0, None, "milk", -1, 0.9),
        CartEvent("e", 30.0, "a", "tea", 1, 0.9),
        CartEvent("handed", 20.0, "a", "tea", -1, 0.9),
    ]
    names = [TruthName(0.0, "x", "b"), TruthName(4.0, "x", "a"), TruthName(6.0, "x", "b")]
    row = figures([score(found({"a": {}}, moves), truth({"a": {}, "b": {}}, happened, names))])
    assert (row["event_precision"], row["event_recall"]) == (pytest.approx(2 / 3), 1)
    assert (row["event_identification"], row["event_who"]) == (1, 0.5)


def test_counts_are_summed_before_they_are_divided_but_for_macro_f1():
    one = score(found({"a": {"tea": 1}}), truth({"a": {"tea": 1}}))
    other = score(found({"a": {"tea": 1}}), truth({"a": {"tea": 1, "milk": 4}}))
    row = figures([one, other])
    assert row["macro_f1"] == pytest.approx((1 + 2 / 6) / 2)
    assert row["micro_f1"] == pytest.approx(4 / 8)
    assert row["exact"] == 0.5
    assert "calibration_error" not in row


def test_what_is_never_reviewed_counts_among_the_unreviewed():
    carts = {"a": {"tea": 1}, "b": {"tea": 1}, "c": {"tea": 1}, "unseen": {"tea": 1}}
    stated = [
        receipt("a", {"tea": 1}, 0.99),
        receipt("b", {"tea": 1}, 0.6, review=True, released_s=15.0),
        receipt("c", {"tea": 2}, 0.5, review=True, left_s=float("nan")),
    ]
    units = {r.shopper: {line.product: line.quantity for line in r.items} for r in stated}
    scored = score(found(units, stated=stated), truth(carts))
    assert scored.receipts[3] == JudgedReceipt(exact=False)
    row = figures([scored])
    assert row["reviews_per_1000"] == 500
    assert row["error_among_unreviewed"] == 0.5
    assert row["hindsight_reviews_per_1000"] == 1000
    assert (row["wait_s_p50"], row["wait_s_p95"]) == (3.5, pytest.approx(4.85))
    assert row["calibration_error"] == pytest.approx((0.01 + 0.4 + 0.5) / 3)


def test_hindsight_finds_the_best_threshold():
    stated = [receipt(name, {"tea": 1 + (p < 0.5)}, p) for name, p in (("a", 0.9), ("b", 0.6), ("c", 0.4), ("d", 0.3))]
    units = {r.shopper: {line.product: line.quantity for line in r.items} for r in stated}
    scored = score(found(units, stated=stated), truth({name: {"tea": 1} for name in "abcd"}))
    row = figures([scored])
    assert (row["hindsight_reviews_per_1000"], row["hindsight_threshold"]) == (500, 0.6)
    assert risk_of([scored]).risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 2])


def test_answers_are_counted_per_receipt():
    after = found({"a": {"tea": 1}}, stated=[receipt("a", {"tea": 1}, review=True)])
    known = truth({"a": {"tea": 1}, "b": {"tea": 1}})
    got = asked(after, 3, known)
    assert (got.questions, got.receipts, got.exact, got.unsure) == (3, 2, 1, 1)
    row = figures([score(after, known).model_copy(update={"asked": got})])
    assert (row["questions_per_1000"], row["exact_after_answers"]) == (1500, 0.5)
    assert row["reviews_per_1000_after_answers"] == 500
