from __future__ import annotations

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.data.nanostore import read_labels
from gocv.metrics import ReceiptScore, match_shoppers, score_receipts

CARTS = st.dictionaries(st.sampled_from("pqr"), st.integers(1, 3), max_size=3)
PREDICTED = st.dictionaries(st.sampled_from(["a", "b", "x", "y", "z"]) | st.none(), CARTS, max_size=4)
TRUE = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), CARTS, max_size=3)


class TestScore:
    @pytest.mark.parametrize(
        ("predicted", "true", "counts", "f1"),
        [
            ({}, {}, (0, 0, 0), 1.0),
            ({"a": {}}, {"a": {}}, (0, 0, 0), 1.0),
            ({"a": {}}, {}, (0, 0, 0), 1.0),
            ({"a": {"tea": 1}}, {"a": {}}, (0, 1, 0), 0.0),
            ({"a": {}}, {"a": {"tea": 1}}, (0, 0, 1), 0.0),
            ({"a": {"tea": 1}}, {"a": {"tea": 1}}, (1, 1, 1), 1.0),
            ({"a": {"tea": 2}}, {"a": {"tea": 1}}, (1, 2, 1), 2 / 3),
            ({"a": {"tea": 1, "milk": 1}}, {"a": {"tea": 1, "soap": 1}}, (1, 2, 2), 0.5),
            ({"a": {"tea": 1}, "b": {}}, {"a": {}, "b": {"tea": 1}}, (0, 1, 1), 0.0),
            ({"x": {"tea": 1}}, {"a": {"tea": 1}}, (1, 1, 1), 1.0),
            ({"x": {"tea": 1}, "y": {"milk": 1}}, {"a": {"milk": 1}, "b": {"tea": 1}}, (2, 2, 2), 1.0),
            ({"a": {"tea": 1}, "x": {"tea": 1}}, {"a": {"milk": 1}}, (0, 2, 1), 0.0),
            ({None: {"tea": 1}}, {"a": {"tea": 1}}, (0, 1, 1), 0.0),
            ({"a": {"tea": 0, "milk": -2}}, {"a": {"milk": 1}}, (0, 0, 1), 0.0),
        ],
        ids=[
            *("nothing", "a correct empty receipt", "a stranger with nothing", "charged for nothing", "missed"),
            *("right", "one too many", "one of two", "the wrong shopper", "a shopper of another name"),
            *("two of other names", "a stranger too many", "nobody named", "no units"),
        ],
    )
    def test_units_are_counted(self, predicted, true, counts, f1):
        score = score_receipts(predicted, true)
        assert score == ReceiptScore(*counts)
        assert score.f1 == pytest.approx(f1)

    @given(predicted=PREDICTED, true=TRUE)
    def test_what_always_holds(self, predicted, true):
        score = score_receipts(predicted, true)
        assert 0 <= score.true_positives <= min(score.predicted, score.true)
        assert 0 <= score.f1 <= 1
        assert score_receipts(true, true).f1 == 1
        backwards = score_receipts(dict(reversed(predicted.items())), dict(reversed(true.items())))
        assert backwards == score

    @given(predicted=PREDICTED, true=TRUE)
    def test_shoppers_of_other_names_are_matched_as_well_as_can_be(self, predicted, true):
        partner = match_shoppers(predicted, true)
        assert all(partner[s] == s for s in predicted if s in true)
        assert len(set(partner.values())) == len(partner)
        assert None not in partner
        strangers = [s for s in predicted if s is not None and s not in true]
        left_over = [s for s in true if s not in predicted]
        assert sum(s in partner for s in strangers) == min(len(strangers), len(left_over))

        def agree(pairs):
            return sum((Counter(predicted[s]) & Counter(true[t])).total() for s, t in pairs)

        padded = [*left_over, *[None] * len(strangers)]
        best = max(
            agree((s, t) for s, t in zip(strangers, chosen, strict=True) if t is not None)
            for chosen in itertools.permutations(padded, len(strangers))
        )
        assert agree((s, t) for s, t in partner.items() if s in strangers) == best


INCOMPLETE = {"BASELINE-9", "BASELINE-16", "BASELINE-19", "BASELINE-24", "TEAM-99-DAY-2-TEST-1"}
"""Recordings whose published labels lack events."""

LOST_A_DIGIT = {"120130": "1201303"}
"""Barcodes of the labels that lack their last digit; many lack their leading zeros."""


class TestTheCompetition:
    @pytest.fixture
    def scored(self, shared_data):
        return json.loads((shared_data / "nanostore/labels/winner_scored_receipts.json").read_text())

    def test_the_winner_scores_what_the_competition_gave_it(self, scored, shared_data):
        """Receipts that follow from the labelled events, against those that the winner handed in."""
        labels = read_labels(shared_data / "nanostore/labels").events
        compared = 0
        for case in scored:
            name = case["testcase"]
            if name not in labels or name in INCOMPLETE:
                continue
            true, predicted = {}, {}
            for event in labels[name]:
                cart = true.setdefault(event.shopper, Counter())
                for product in event.products:
                    barcode = product.id.lstrip("0")
                    cart[LOST_A_DIGIT.get(barcode, barcode)] += -1 if event.returned else 1
            for receipt in case["receipts"]:
                cart = predicted.setdefault(receipt["target_id"], Counter())
                for item in receipt["products"]:
                    cart[item["barcode"].lstrip("0")] += item["quantity"]
            assert score_receipts(predicted, true).f1 == pytest.approx(case["f1"]), name
            compared += 1
        assert compared == 17

    def test_the_ranking_is_the_mean_over_the_baseline_cases(self, scored):
        assert np.mean([c["f1"] for c in scored if c["testcase"].startswith("BASELINE")]) == pytest.approx(
            0.844, abs=5e-4
        )
