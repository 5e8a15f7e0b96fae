from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gocv.core import DataError, PlateId, Product, Store
from gocv.shelf.baselines import (
    identify,
    labelled_change,
    location_probability,
    normal_overlap,
    product_order,
    weight_probability,
)

PLATES = tuple(PlateId(1, 2, k) for k in range(1, 13))


def store_of(*placed, elsewhere=()):
    """A store of (name, grams, sd, plates of shelf 1/2) products, and others that stand nowhere."""
    products = {name: Product(name, name, grams, sd_g) for name, grams, sd_g, *_ in (*elsewhere, *placed)}
    return Store(products, {}, {name: frozenset(PLATES[k - 1] for k in on) for name, _, _, on in placed})


def change(**grams):
    """(12,) grams from p1=..., p2=..."""
    delta_g = np.zeros(12)
    for name, value in grams.items():
        delta_g[int(name[1:]) - 1] = value
    return delta_g


SHOP = store_of(
    ("cola", 350.0, 2.0, [1, 2, 3]),
    ("tea", 100.0, 1.0, [3, 4]),
    ("soap", 100.0, 1.0, [7]),
    ("gum", 15.0, 0.0, [12]),
)


class TestOverlap:
    @settings(max_examples=150, deadline=None)
    @given(
        mean=st.floats(-50, 50),
        sd_a=st.floats(0.05, 20),
        sd_b=st.one_of(st.floats(0.05, 20), st.floats(1 - 1e-9, 1 + 1e-9).map(lambda x: -x)),
    )
    def test_it_is_the_integral_of_the_smaller_density(self, mean, sd_a, sd_b):
        sd_b = -sd_b * sd_a if sd_b < 0 else sd_b  # nearly as wide, where the closed form is hardest
        low, high = min(mean - 9 * sd_a, -9 * sd_b), max(mean + 9 * sd_a, 9 * sd_b)
        x = np.unique(
            np.concatenate([np.linspace(low, high, 20_001), *(m + s * GRID for m, s in [(mean, sd_a), (0, sd_b)])])
        )
        y = np.minimum(stats.norm.pdf(x, mean, sd_a), stats.norm.pdf(x, 0, sd_b))
        expected = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
        assert normal_overlap(mean, sd_a, 0, sd_b) == pytest.approx(expected, abs=2e-5)
        assert normal_overlap(0, sd_b, mean, sd_a) == pytest.approx(expected, abs=2e-5)

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ((5, 2), (5, 2), 1.0),
            ((0, 1), (3, 1), 2 * stats.norm.cdf(-1.5)),
            ((0, 1), (1e4, 1), 0.0),
            ((0, 1), (0, 1e6), 0.0),
            ((0, 1), (0, 1 + 1e-14), 1.0),
        ],
        ids=["the same", "as wide", "far apart", "much wider", "hardly wider"],
    )
    def test_limits(self, a, b, expected):
        assert normal_overlap(*a, *b) == pytest.approx(expected, abs=1e-5)

    def test_far_tails_keep_their_digits(self):
        assert normal_overlap(0, 1, 40, 1) == pytest.approx(2 * stats.norm.cdf(-20), rel=1e-9)

    def test_arrays_broadcast_and_nan_stays(self):
        found = normal_overlap([[0.0], [np.nan]], 1.0, [0.0, 1.0, 2.0], 1.0)
        assert found.shape == (2, 3)
        assert np.isnan(found[1]).all()
        assert found[0, 0] == 1


GRID = np.linspace(-9, 9, 4001)


class TestWeight:
    def test_every_product_of_the_store_and_a_gram_at_least(self):
        shop = store_of(
            ("b", 100.0, 0.1, [1]), ("a", 104.0, 3.0, [2]), elsewhere=[("x", 100.0, np.nan), ("y", np.nan, np.nan)]
        )
        assert product_order(shop) == ("b", "a", "x", "y")
        expected = [*normal_overlap([100, 104, 100], [1, 3, 1], 101, 1), 0.0]
        np.testing.assert_allclose(weight_probability(-101.0, shop), expected)
        np.testing.assert_allclose(weight_probability(101.0, shop), expected)

    def test_two_units_are_not_thought_of(self):
        found = identify(change(p7=-200.0), PLATES, SHOP)
        assert found.by_weight is None
        assert found.by_location == "soap"
        assert found.by_both is None


class TestLocation:
    @pytest.mark.parametrize(
        ("grams", "cell", "expected"),
        [
            ({"p1": -350}, 1, [1, 0, 0, 0]),
            ({"p3": -100}, 1, [0.5, 0.5, 0, 0]),
            ({"p2": -60, "p3": -40}, 1, [100 / 140, 40 / 140, 0, 0]),
            ({"p4": -100}, 2, [0.5, 0.5, 0, 0]),
            ({"p8": -100}, 2, [0, 0, 1, 0]),
            ({"p8": -100}, 3, [0, 0, 1, 0]),
            ({"p3": -60, "p4": 55}, 2, [0, 0, 0, 0]),
            ({"p3": -60, "p4": 50}, 2, [0.5, 0.5, 0, 0]),
            ({"p3": -60, "p5": -40}, 4, [60 / 160, 60 / 160, 40 / 160, 0]),
            ({"p1": -100}, 6, [0.5, 0.5, 0, 0]),
            ({"p9": -100}, 12, [0.25] * 4),
            ({"p9": -100}, 1, [0] * 4),
            ({"p7": -800, "p12": -7}, 1, [0, 0, 1 - 7 / 807, 0]),
            ({"p7": -800, "p12": -9}, 1, [0, 0, 800 / 809, 9 / 809]),
            ({"p7": -100, "p12": -5}, 1, [0, 0, 1, 0]),
        ],
        ids=[
            *("one plate", "a plate that two share", "two plates", "the cell reaches a neighbour", "cell of two"),
            *(
                "cell of three",
                "a cell that cancels",
                "a cell that nearly cancels",
                "two cells of four",
                "half a shelf",
            ),
            *("the whole shelf", "nothing stands there", "under a hundredth", "over a hundredth", "under five grams"),
        ],
    )
    def test_sums_over_cells(self, grams, cell, expected):
        found = location_probability(change(**grams), PLATES, SHOP, plates_per_cell=cell)
        np.testing.assert_allclose(found, expected)

    def test_every_plate_may_count(self):
        found = location_probability(change(p7=-90, p12=-4), PLATES, SHOP, min_plate_g=0)
        np.testing.assert_allclose(found, [0, 0, 90 / 94, 4 / 94])

    def test_plates_of_other_shelves_do_not_count(self):
        other = tuple(PlateId(1, 3, p.plate) for p in PLATES)
        assert not location_probability(change(p1=-350), other, SHOP).any()

    def test_the_order_of_plates_does_not_matter(self):
        order = np.random.default_rng(0).permutation(12)
        delta_g = change(p2=-60, p3=-40)
        found = location_probability(delta_g[order], [PLATES[k] for k in order], SHOP, plates_per_cell=2)
        np.testing.assert_allclose(found, location_probability(delta_g, PLATES, SHOP, plates_per_cell=2))

    @pytest.mark.parametrize(
        ("delta_g", "plates"),
        [(np.zeros(11), PLATES), (np.full(12, np.nan), PLATES), (np.zeros(2), (PlateId(1, 1, 1), PlateId(1, 2, 1)))],
        ids=["too few", "not finite", "two shelves"],
    )
    def test_what_does_not_fit_is_refused(self, delta_g, plates):
        with pytest.raises(DataError):
            identify(delta_g, plates, SHOP)


class TestBoth:
    def test_place_parts_what_weighs_the_same(self):
        found = identify(change(p7=-100), PLATES, SHOP)
        assert found.products == ("cola", "tea", "soap", "gum")
        assert (found.by_weight, found.by_location, found.by_both) == ("tea", "soap", "soap")
        np.testing.assert_allclose(found.both, found.weight * found.location)

    def test_weight_parts_what_stands_together(self):
        found = identify(change(p3=-350), PLATES, SHOP)
        assert (found.by_location, found.by_both) == ("cola", "cola")
        assert identify(change(p3=100), PLATES, SHOP).by_both == "tea"

    def test_ties_go_to_the_first_in_the_planogram(self):
        first = store_of(("b", 100.0, 1.0, [1]), ("a", 100.0, 1.0, [1]), elsewhere=[("c", 100.0, 1.0)])
        found = identify(change(p1=-100), PLATES, first)
        assert (found.by_weight, found.by_location, found.by_both) == ("b", "b", "b")

    def test_nothing_fits(self):
        found = identify(change(p9=-5000), PLATES, SHOP)
        assert (found.by_weight, found.by_location, found.by_both) == (None, None, None)
        assert not found.both.any()


class TestLabelledChange:
    def test_means_of_a_second_outside_the_event(self):
        weight_g = np.zeros((400, 2))
        weight_g[:140] = [10.0, 500.0]  # before the window of the level before
        weight_g[140:200] = [20.0, 1000.0]
        weight_g[200:250] = 7777.0
        weight_g[250:310] = [50.0, 400.0]
        weight_g[310:] = -3333.0
        np.testing.assert_allclose(labelled_change(weight_g, 200, 250), [30.0, -600.0])

    @pytest.mark.parametrize(("begin", "end"), [(59, 100), (100, 341), (200, 199)])
    def test_windows_outside_the_samples_are_refused(self, begin, end):
        with pytest.raises(DataError):
            labelled_change(np.zeros((400, 2)), begin, end)
        assert labelled_change(np.zeros((400, 2)), 60, 340).shape == (2,)


def test_a_real_shelf_of_published_products_is_told_apart_without_noise(shared_data):
    """The 33 products of the paper's gondola, one unit of mean weight taken of each."""
    facts = json.loads((shared_data / "aim3s" / "layout_facts.json").read_text(encoding="utf-8"))
    listed = facts["gondola_A_7eleven_household_33"]
    products = {p["upc"]: Product(p["upc"], p["name"], p["mean_g"], p["sd_g"] or 0.0) for p in listed}
    planogram = {
        p["upc"]: frozenset(PlateId(1, w["shelf"], k) for w in p["where"] for k in w["plates"]) for p in listed
    }
    store = Store(products, {}, planogram)
    right = []
    for upc, on in planogram.items():
        plate = min(on)
        plates = tuple(PlateId(1, plate.shelf, k) for k in range(1, 13))
        delta_g = -products[upc].weight_g * np.array([p == plate for p in plates])
        right.append(identify(delta_g, plates, store).by_both == upc)
    assert len(right) == 33
    assert np.mean(right) > 0.9
