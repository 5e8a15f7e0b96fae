from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gocv.core import UNKNOWN, Plate, PlateId, Product, ShelfId, Store, WeightEvent
from gocv.shelf import Candidates, ExplainSettings, UnitWeights, explain

SETTINGS = ExplainSettings()
ERRORS = dict(zip(("small", "middle", "large"), SETTINGS.file_errors, strict=True))


def plate(number):
    return PlateId(1, 1, number)


def store_of(*placed, plates=range(1, 13)):
    """A store of (name, grams, plates) products on one shelf."""
    products = {name: Product(name, name, grams) for name, grams, _ in placed}
    there = {plate(n): Plate.unsurveyed(plate(n)) for n in plates}
    return Store(products, there, {name: frozenset(map(plate, on)) for name, _, on in placed if on})


def event_of(grams, sd_g=1.0, whole_shelf=False):
    """An event from grams by plate number."""
    if whole_shelf:
        still = np.random.default_rng(3).normal(0, sd_g, 12)
        grams = {n: grams.get(n, still[n - 1]) for n in range(1, 13)}
    plates = tuple(map(plate, grams))
    delta_g = np.array([float(g) for g in grams.values()])
    return WeightEvent("e", ShelfId(1, 1), 1.0, 2.0, 1.5, plates, delta_g, np.eye(len(plates)) * sd_g**2, 1.0)


def by_items(found):
    """Probability by items, at home or not."""
    total = {}
    for x in found:
        total[x.items] = total.get(x.items, 0.0) + x.probability
    return total


SHOP = store_of(
    ("cola", 350, [1, 2]),
    ("water", 520, [3]),
    ("crisps", 60, [5, 6]),
    ("tea", 120, [8]),
    ("soap", 95, [10]),
    ("gum", 15, [12]),
    ("mystery", float("nan"), [7]),
)


class TestScenarios:
    @pytest.mark.parametrize("whole_shelf", [False, True])
    @pytest.mark.parametrize(
        ("grams", "items"),
        [
            pytest.param({1: -351}, (("cola", 1),), id="take"),
            pytest.param({2: -349}, (("cola", 1),), id="take from its other plate"),
            pytest.param({1: -200, 2: -151}, (("cola", 1),), id="astride its plates"),
            pytest.param({2: -200, 3: -151}, (("cola", 1),), id="astride a neighbour's plate"),
            pytest.param({1: -702}, (("cola", 2),), id="two from one column"),
            pytest.param({1: -350, 2: -352}, (("cola", 2),), id="two from columns side by side"),
            pytest.param({5: -182}, (("crisps", 3),), id="three"),
            pytest.param({1: 352}, (("cola", -1),), id="put back"),
            pytest.param({3: 1045}, (("water", -2),), id="two put back"),
            pytest.param({3: -430}, (("water", 1),), id="leant on the frame"),
            pytest.param({8: -121, 9: -2.2, 7: -2.1, 10: -2}, (("tea", 1),), id="cross-talk"),
            pytest.param({1: -351, 8: -119}, (("cola", 1), ("tea", 1)), id="both hands"),
            pytest.param({1: -351, 8: -241}, (("cola", 1), ("tea", 2)), id="both hands, two in one"),
            pytest.param({1: -100, 2: -400, 3: -370}, (("cola", 1), ("water", 1)), id="neighbours that share a plate"),
            pytest.param({3: -521, 8: 119}, (("tea", -1), ("water", 1)), id="one taken, one put back"),
            pytest.param({1: -351, 8: -119, 10: -95}, (("cola", 1), ("soap", 1), ("tea", 1)), id="three products"),
            pytest.param(
                {1: -100, 2: -400, 3: -370, 10: 95},
                (("cola", 1), ("soap", -1), ("water", 1)),
                id="three, mixed, two of them on one plate",
            ),
            pytest.param({7: -333}, (("mystery", 1),), id="no weight on file"),
            pytest.param({8: -120, 2: 5.3, 5: -4.5}, (("tea", 1),), id="two plates that stay off for no reason"),
            pytest.param({3: -2.0, 4: 1.0}, (), id="nothing"),
            pytest.param({5: 21, 6: -20}, (), id="pushed to the next plate"),
            pytest.param({12: 4321}, ((UNKNOWN, -1),), id="something foreign is put there"),
            pytest.param({1: -913, 11: 777}, ((UNKNOWN, 1),), id="something foreign for something foreign"),
        ],
    )
    def test_the_best_explanation(self, grams, items, whole_shelf):
        candidates = Candidates(put=frozenset({"tea", "soap"}))
        best = explain(event_of(grams, whole_shelf=whole_shelf), SHOP, candidates=candidates)[0]
        assert best.items == items

    def test_what_somebody_holds_may_be_put_anywhere_and_nothing_else(self):
        event = event_of({8: 96}, whole_shelf=True)
        soap = Candidates(home=frozenset(), put=frozenset({"soap"}))
        (best, *_) = explain(event, SHOP, candidates=soap)
        assert best.items == (("soap", -1),)
        assert not best.parts[0].at_home
        assert explain(event, SHOP, candidates=Candidates(frozenset(), put=frozenset()))[0].items == ((UNKNOWN, -1),)

    def test_what_stands_in_a_wrong_place_is_taken_from_there(self):
        event = event_of({12: -96}, whole_shelf=True)
        assert explain(event, SHOP, candidates=Candidates(put=frozenset()))[0].items != (("soap", 1),)
        best = explain(event, SHOP, candidates=Candidates(away=frozenset({"soap"}), put=frozenset()))[0]
        assert best.items == (("soap", 1),)
        assert not best.parts[0].at_home

    def test_twins_share_the_probability(self):
        twins = store_of(("red", 100, [1]), ("blue", 100, [1]), ("other", 300, [1]))
        found = by_items(explain(event_of({1: -100, 2: 0.3}), twins))
        assert found[(("red", 1),)] == pytest.approx(found[(("blue", 1),)], rel=1e-9)
        assert found[(("red", 1),)] == pytest.approx(0.5, abs=0.02)

    def test_where_it_was_parts_products_of_like_weight(self):
        shop = store_of(("left", 100, [2, 3]), ("right", 100, [4, 5]))
        found = by_items(explain(event_of({2: -10, 3: -80, 4: -10}), shop))
        assert found[(("left", 1),)] > 3 * found[(("right", 1),)]


class TestParts:
    def test_grams_and_shares_are_what_was_measured(self):
        (part,) = explain(event_of({1: -130, 2: -223, 3: 0.4}), SHOP)[0].parts
        assert part.grams == pytest.approx(353, abs=3)
        assert part.shares == pytest.approx((130 / 353, 223 / 353, 0), abs=0.01)
        assert 0 < part.sd_g < 4

    def test_two_parts_have_their_own_plates(self):
        tea, water = explain(event_of({3: -521, 8: 119}), SHOP)[0].parts
        assert (tea.product, water.product) == ("tea", "water")
        assert tea.shares == pytest.approx((0, 1), abs=0.02)
        assert water.shares == pytest.approx((1, 0), abs=0.02)
        assert (tea.grams, water.grams) == (pytest.approx(119, abs=2.5), pytest.approx(521, abs=6))

    def test_two_parts_of_one_plate_have_shares_of_it(self):
        cola, water = explain(event_of({1: -100, 2: -400, 3: -370}), SHOP)[0].parts
        assert cola.grams + water.grams == pytest.approx(870, abs=15)
        assert cola.shares[0] > 0.2 > water.shares[0]
        assert cola.shares[1] > 0.3


def one_plate(delta_g, sd_g, *placed):
    """Explanations of a change of a shelf of one plate, by items."""
    shop = store_of(*placed, plates=[1])
    found = explain(event_of({1: delta_g}, sd_g), shop, candidates=Candidates(put=frozenset()))
    return {x.items: x for x in found}


def noise_g2(sd_g):
    return sd_g**2 + SETTINGS.still_g**2 + 1e-4


def components(weight_g, units):
    """(share, mean, variance) of what units of a product weigh, as the docstring says; the leaning ones apart."""
    spread_g2 = units * (SETTINGS.unit_spread * weight_g) ** 2
    upright = [(p, units * weight_g, (units * e * weight_g) ** 2 + spread_g2) for e, p in SETTINGS.file_errors]
    return upright, (units * weight_g, upright[0][2])


class TestDensity:
    """On one plate nothing is hidden: the density can be written down."""

    @pytest.mark.parametrize(("delta_g", "units"), [(-100, 1), (-103, 1), (-97, 1), (-201, 2), (-170, 2)])
    def test_one_part_on_one_plate(self, delta_g, units):
        found = one_plate(delta_g, 2.0, ("a", 100, [1]))[(("a", units),)]
        upright, (mean_g, variance_g2) = components(100, units)
        leaning = min(SETTINGS.frame_lean * units, 0.5)
        density = (1 - leaning) * sum(
            p * stats.norm.pdf(-delta_g, m, math.sqrt(v + noise_g2(2.0))) for p, m, v in upright
        )
        lost = (np.arange(2000) + 0.5) / 2000 * SETTINGS.frame_share * 100
        density += leaning * stats.norm.pdf(-delta_g, mean_g - lost, math.sqrt(variance_g2 + noise_g2(2.0))).mean()
        assert found.log_density == pytest.approx(math.log(density), abs=0.06)

    def test_two_parts_on_one_plate(self):
        found = one_plate(-430, 2.0, ("a", 100, [1]), ("b", 330, [1]))[(("a", 1), ("b", 1))]
        density = sum(
            (1 - SETTINGS.frame_lean) ** 2 * p * q * stats.norm.pdf(430, m + n, math.sqrt(v + w + noise_g2(2.0)))
            for p, m, v in components(100, 1)[0]
            for q, n, w in components(330, 1)[0]
        )
        assert found.log_density == pytest.approx(math.log(density), abs=0.05)

    def test_nothing_on_one_plate_is_noise(self):
        found = one_plate(1.0, 2.0, ("a", 100, [1]))[()]
        log_noise = stats.norm.logpdf(1.0, 0, math.sqrt(noise_g2(2.0)))
        assert found.log_density == pytest.approx(log_noise + math.log1p(-SETTINGS.pushed), abs=1e-6)

    @pytest.mark.parametrize("items", [(("a", 1),), ((UNKNOWN, 1),)])
    def test_it_is_a_density_over_two_plates(self, items):
        """All changes that there can be have a probability of 1 together."""
        shop = store_of(("a", 60, [1, 2]), plates=[1, 2])
        exact = ExplainSettings(crosstalk=0, crosstalk_sd=0)
        weights, step_g, total = UnitWeights(shop, exact), 3.0, 0.0
        for one in np.arange(-87, 40, step_g):
            for other in np.arange(-87, 40, step_g):
                event = event_of({1: one, 2: other}, sd_g=3.0)
                for x in explain(event, shop, exact, candidates=Candidates(put=frozenset()), weights=weights):
                    total += math.exp(x.log_density) * step_g**2 if x.items == items else 0.0
        # Weights of what is unknown reach far beyond the grid, either way.
        expected = (0.9, 1.08) if items[0][0] == "a" else (0.0, 0.5)
        assert expected[0] < total < expected[1]

    def test_plates_that_are_not_listed_did_not_change(self):
        """As readings of 0 whose peak is 1."""
        shop = store_of(("a", 300, [3, 4]), plates=[3, 4])
        both = dataclasses.replace(event_of({3: -150, 4: 0}), covariance_g2=np.diag([1, SETTINGS.unlisted_g**2]))
        crosstalk_g2 = (SETTINGS.crosstalk_sd * 150) ** 2
        peak = stats.norm.pdf(0, 0, math.sqrt(SETTINGS.unlisted_g**2 + SETTINGS.still_g**2 + crosstalk_g2))
        listed, unlisted = (
            {x.items: x.log_density for x in explain(event, shop)} for event in (both, event_of({3: -150.0}))
        )
        for items in ((), (("a", 1),)):
            assert unlisted[items] == pytest.approx(listed[items] - math.log(peak), abs=1e-3)


class TestOrder:
    def test_the_closer_the_weight_the_more_probable(self):
        rivals = [store_of(("a", 300, [1]), ("b", 300 + off, [1])) for off in (2, 5, 10, 20, 40, 80)]
        odds = [by_items(explain(event_of({1: -300}), s))[(("a", 1),)] for s in rivals]
        assert odds == sorted(odds)
        assert odds[0] < 0.6 < 0.95 < odds[-1]

    @pytest.mark.parametrize(
        ("setting", "grams", "items"),
        [
            ("repeat", {5: -118, 10: -6}, (("crisps", 2),)),
            ("another", {5: -62, 10: -93}, (("crisps", 1), ("soap", 1))),
            ("put_away", {8: 100}, (("soap", -1),)),
            ("unknown", {8: -140}, ((UNKNOWN, 1),)),
            ("nothing", {8: -9}, ()),
        ],
    )
    def test_a_prior_moves_its_own_explanations_and_no_likelihood(self, setting, grams, items):
        found = [explain(event_of(grams), SHOP, ExplainSettings(**{setting: value})) for value in (1e-3, 0.03, 0.9)]
        odds = [by_items(x).get(items, 0.0) for x in found]
        assert odds == sorted(odds)
        assert odds[0] < odds[-1]
        densities = [[x.log_density for x in each if x.items == items] for each in found]
        assert densities[1] == pytest.approx(densities[2])


class TestBadInput:
    @pytest.mark.parametrize("grams", [{1: -351}, {1: 351}, {1: -400, 8: 5}])
    def test_an_empty_planogram(self, grams):
        found = explain(event_of(grams), Store({"tea": Product("tea", "Tea", 351)}, {}, {}))
        assert found[0].items == ((UNKNOWN, 1 if grams[1] < 0 else -1),)
        assert {x.items for x in found} >= {()}

    def test_no_plates_at_all(self):
        event = event_of({})
        assert math.fsum(x.probability for x in explain(event, SHOP)) == pytest.approx(1)

    def test_a_planogram_that_names_plates_that_are_not_there(self):
        shop = store_of(("a", 300, [11, 12, 13, 14]), ("b", 100, [77]), ("c", 50, [1]))
        assert explain(event_of({11: -130, 12: -170}), shop)[0].items == (("a", 1),)

    def test_a_store_without_plates(self):
        shop = dataclasses.replace(SHOP, plates={})
        assert explain(event_of({1: -351}), shop)[0].items == (("cola", 1),)

    def test_a_plate_that_gave_no_number_may_have_carried_anything(self):
        event = event_of({1: -120.0, 2: math.nan})
        assert explain(event, SHOP)[0].items == (("cola", 1),)
        assert all(math.isfinite(x.log_density) for x in explain(event, SHOP))

    @pytest.mark.parametrize("weight_g", [0.0, math.nan])
    def test_no_weight_on_file(self, weight_g):
        shop = store_of(("thing", weight_g, [1]), ("stone", 900, [1]))
        assert explain(event_of({1: -77}), shop)[0].items == (("thing", 1),)

    def test_an_exact_catalogue_and_exact_scales(self):
        exact = ExplainSettings(unit_spread=0, file_errors=((0.0, 1.0),), still_g=0)
        found = explain(event_of({1: -350.0}, sd_g=0.0), SHOP, exact)
        assert found[0].items == (("cola", 1),)
        assert math.fsum(x.probability for x in found) == pytest.approx(1)

    def test_candidates_that_the_store_does_not_know(self):
        odd = Candidates(home=frozenset({"x", "cola"}), away=frozenset({"y"}), put=frozenset({"z", "tea"}))
        assert explain(event_of({1: -351}), SHOP, candidates=odd)[0].items == (("cola", 1),)


class TestProperties:
    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(st.integers(1, 12), st.floats(-900, 900), min_size=1, max_size=6),
        st.floats(0.1, 8),
        st.booleans(),
    )
    def test_what_always_holds(self, grams, sd_g, whole_shelf):
        event = event_of(grams, sd_g, whole_shelf)
        found = explain(event, SHOP)
        probability = [x.probability for x in found]
        assert math.fsum(probability) == pytest.approx(1)
        assert probability == sorted(probability, reverse=True)
        assert {()} <= {x.items for x in found}
        assert sum(UNKNOWN in dict(x.items) for x in found) == 1
        keys = [(x.items, tuple(p.at_home for p in x.parts)) for x in found]
        assert len(set(keys)) == len(keys)
        for x in found:
            assert math.isfinite(x.log_density)
            assert len({p.product for p in x.parts}) == len(x.parts) <= 3
            for part in x.parts:
                assert part.units != 0
                assert part.grams >= 0
                assert part.sd_g > 0
                assert len(part.shares) == len(event.plates)
                assert math.fsum(part.shares) == pytest.approx(1)
                assert min(part.shares) >= 0

    @settings(max_examples=25, deadline=None)
    @given(st.permutations(list(range(12))))
    def test_the_order_of_the_plates_does_not_matter(self, order):
        event = event_of({2: -200, 3: -151, 8: -119}, whole_shelf=True)
        shuffled = dataclasses.replace(
            event,
            plates=tuple(event.plates[i] for i in order),
            delta_g=event.delta_g[order],
            covariance_g2=event.covariance_g2[np.ix_(order, order)],
        )
        one, other = explain(event, SHOP)[0], explain(shuffled, SHOP)[0]
        assert one.items == other.items
        assert one.log_density == pytest.approx(other.log_density, abs=1e-6)
        for a, b in zip(one.parts, other.parts, strict=True):
            assert b.shares == pytest.approx([a.shares[i] for i in order], abs=1e-6)


def test_its_probabilities_can_be_believed():
    """Of events drawn at random, as many are explained rightly as the probabilities say."""
    rng = np.random.default_rng(5)
    shop = store_of(*((f"p{k}", 100 + 4.0 * k, [k + 1, k + 2]) for k in range(11)))
    weights, right, said = UnitWeights(shop), 0, 0.0
    for _ in range(300):
        k = int(rng.integers(11))
        unit_g = (100 + 4.0 * k) * (1 + 0.03 * rng.standard_normal())
        on = np.clip((np.arange(1, 13) + 1 - (k + 1 + rng.uniform(0.0, 1.2))) / 0.8, 0, 1)
        delta_g = -unit_g * np.diff(np.concatenate([[0.0], on])) + rng.normal(0, 2, 12)
        event = event_of(dict(enumerate(delta_g, 1)), sd_g=2.0)
        best = explain(event, shop, candidates=Candidates(put=frozenset()), weights=weights)[0]
        said += best.probability
        right += best.items == ((f"p{k}", 1),)
    assert 0.6 < right / 300 < 0.99
    assert said / 300 == pytest.approx(right / 300, abs=0.06)


def test_many_things_that_may_stand_in_wrong_places_do_not_hide_what_two_people_put_down():
    many = [(f"other {n}", 37.0 + 11 * n, []) for n in range(60)]
    store = store_of(("gum", 53, [1]), ("milk", 358, []), *many)
    event = event_of({1: 53, 5: 240, 6: 118})
    away = frozenset(name for name, _, _ in many)
    found = explain(event, store, candidates=Candidates(None, away, frozenset({"gum", "milk"})))
    assert by_items(found)[("gum", -1), ("milk", -1)] > 0.8
