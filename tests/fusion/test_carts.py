from __future__ import annotations

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from gocv.core import Explanation, PlateId, ShelfId, WeightEvent
from gocv.fusion.carts import UNKNOWN, Evidence, Move, infer_carts

WIDE = 10**6


def event(time_s, grams=-100.0, probability=0.999):
    plates = (PlateId(1, 1, 1),)
    return WeightEvent(
        f"e{time_s}", ShelfId(1, 1), time_s, time_s, time_s, plates, np.array([grams]), np.eye(1), probability
    )


def evidence(time_s, who, *explanations, **kwargs):
    return Evidence(event(time_s, **kwargs), who, [Explanation(items, p) for items, p in explanations])


def random_evidence(seed, shoppers=3, events=3):
    rng = np.random.default_rng(seed)
    found = []
    for k in range(events):
        seen = rng.choice(shoppers, rng.integers(0, shoppers + 1), replace=False)
        who = {None: 0.05, **{int(s): float(rng.uniform(0.05, 1)) for s in np.sort(seen)}}
        choices = [(("a", 1),), (("b", 1),), (("a", -1),), (("a", -1), ("b", 1)), (("b", -2),), ()]
        picked = rng.choice(len(choices), 3, replace=False)
        weights = rng.dirichlet(np.ones(3))
        listed = [Explanation(choices[i], float(w)) for i, w in zip(picked, weights, strict=True)]
        grams = float(rng.choice([-100, 100]))
        found.append(Evidence(event(float(k), grams, float(rng.uniform(0.5, 1))), who, listed))
    return found


def all_accounts(known, foreign):
    """Every account with its weight: (moves, carts by shopper, weight)."""
    per_event = []
    for e in known:
        whole = sum(e.who.values())
        moves = [(Move(None, ()), 1 - e.event.probability)]
        for shopper, likelihood in e.who.items():
            for x in e.explanations:
                items = x.items or ((UNKNOWN, 1 if e.event.total_g < 0 else -1),)
                moves.append((Move(shopper, items), e.event.probability * likelihood / whole * x.probability))
        per_event.append(moves)
    for chosen in itertools.product(*per_event):
        carts, weight = defaultdict(lambda: defaultdict(int)), 1.0
        for move, prior in chosen:
            weight *= prior
            for product, units in move.items if move.shopper is not None else ():
                cart = carts[move.shopper]
                cart[product] += units
                if cart[product] < 0:
                    weight *= foreign
                    cart[product] = 0
        left = {s: tuple(sorted((p, n) for p, n in cart.items() if n)) for s, cart in carts.items()}
        yield tuple(move for move, _ in chosen), left, weight


class TestExactness:
    @pytest.mark.parametrize("seed", range(25))
    def test_it_agrees_with_going_through_all_accounts(self, seed):
        known = random_evidence(seed)
        found = infer_carts(known, foreign=0.03, beam=WIDE)
        listed = list(all_accounts(known, 0.03))
        whole = math.fsum(weight for _, _, weight in listed)
        involved = {s for e in known for s in e.who if s is not None}
        assert found.cart_probability.keys() == found.carts.keys() == involved
        for shopper in involved:
            expected = defaultdict(float)
            for _, carts, weight in listed:
                expected[carts.get(shopper, ())] += weight / whole
            assert found.cart_probability[shopper] == pytest.approx(dict(expected), abs=1e-9)
        for row in range(len(known)):
            expected = defaultdict(float)
            for moves, _, weight in listed:
                expected[moves[row]] += weight / whole
            assert found.move_probability[row] == pytest.approx(dict(expected), abs=1e-9)
        best = max(weight for _, _, weight in listed)
        moves, carts, _ = next(a for a in listed if a[0] == found.moves)
        assert next(weight for m, _, weight in listed if m == moves) == pytest.approx(best, rel=1e-9)
        assert found.carts == {s: carts.get(s, ()) for s in involved}

    @pytest.mark.parametrize("seed", range(10))
    def test_what_the_beam_drops_counts_as_doubt(self, seed):
        known = random_evidence(seed, events=6)
        narrow, wide = (infer_carts(known, foreign=0.03, beam=b) for b in (3, WIDE))
        for shopper, carts in wide.cart_probability.items():
            assert math.fsum(carts.values()) == pytest.approx(1, abs=1e-9)
            assert math.fsum(narrow.cart_probability[shopper].values()) < 1

    def test_no_events_no_carts(self):
        found = infer_carts([], foreign=0.01, beam=9)
        assert (found.moves, found.carts, found.cart_probability) == ((), {}, {})


class TestWhatItInfers:
    def test_a_return_tells_who_had_it(self):
        """Two shoppers were as near to the take; only one of them was near the return."""
        take = evidence(1.0, {0: 1.0, 1: 1.0}, ((("a", 1),), 1.0))
        back = evidence(2.0, {1: 1.0}, ((("a", -1),), 1.0), grams=100.0)
        alone = infer_carts([take], foreign=0.01, beam=9)
        both = infer_carts([take, back], foreign=0.01, beam=9)
        assert alone.move_probability[0][Move(1, (("a", 1),))] == pytest.approx(0.4995, abs=1e-3)
        assert both.move_probability[0][Move(1, (("a", 1),))] > 0.98
        assert both.carts == {0: (), 1: ()}

    def test_a_return_tells_what_was_taken(self):
        take = evidence(1.0, {0: 1.0}, ((("a", 1),), 0.6), ((("b", 1),), 0.4))
        back = evidence(2.0, {0: 1.0}, ((("b", -1),), 1.0), grams=100.0)
        found = infer_carts([take, back], foreign=0.01, beam=9)
        assert found.moves[0] == Move(0, (("b", 1),))

    @pytest.mark.parametrize(("nobody", "who"), [(1e-3, 0), (0.5, None)])
    def test_what_is_not_in_the_cart_is_put_down_at_a_cost(self, nobody, who):
        found = infer_carts(
            [evidence(1.0, {None: nobody, 0: 1.0}, ((("a", -1),), 1.0), grams=100.0)], foreign=0.01, beam=9
        )
        assert found.moves[0].shopper == who
        assert found.carts == {0: ()}

    def test_probably_nothing_at_all(self):
        found = infer_carts([evidence(1.0, {0: 1.0}, ((("a", 1),), 1.0), probability=0.1)], foreign=0.01, beam=9)
        assert found.moves == (Move(None, ()),)
        assert found.cart_probability[0] == pytest.approx({(): 0.9, (("a", 1),): 0.1})

    def test_something_unknown_is_carried_about(self):
        take, back = (evidence(t, {0: 1.0}, ((), 1.0), grams=g) for t, g in ((1.0, -77.0), (2.0, 77.0)))
        assert infer_carts([take], foreign=0.01, beam=9).carts == {0: ((UNKNOWN, 1),)}
        assert infer_carts([take, back], foreign=0.01, beam=9).carts == {0: ()}

    def test_equal_explanations_add_up(self):
        found = infer_carts([evidence(1.0, {0: 1.0}, ((("a", 1),), 0.5), ((("a", 1),), 0.5))], foreign=0.01, beam=9)
        assert found.move_probability[0][Move(0, (("a", 1),))] == pytest.approx(0.999)

    def test_a_long_chain_of_shoppers_stays_exact_and_small(self):
        """Each event is shared by two neighbours in a queue: all hang together, few at a time."""
        known = [evidence(float(k), {k: 1.0, k + 1: 0.5}, ((("a", 1),), 0.9), ((("b", 1),), 0.1)) for k in range(400)]
        found = infer_carts(known, foreign=0.01, beam=64)
        assert len(found.carts) == 401
        for carts in found.cart_probability.values():
            assert math.fsum(carts.values()) == pytest.approx(1, abs=1e-9)
        assert found.cart_probability[0][()] == pytest.approx(1 - 0.999 * 2 / 3, abs=1e-9)
