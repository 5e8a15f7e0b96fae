from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import comb

from gocv.core import PlateId, Product, ShelfId, Store, WeightEvent
from gocv.shelf import ExplainSettings, explain

SETTINGS = ExplainSettings()


def plate(number):
    return PlateId(1, 1, number)


def store_of(*placed):
    """A store of (name, grams, plates) products."""
    products = {name: Product(name, name, grams) for name, grams, _ in placed}
    return Store(products, {}, {name: frozenset(map(plate, on)) for name, _, on in placed if on})


def event_of(grams, sd_g=1.0, covariance_g2=None):
    """An event from grams by plate number."""
    plates = tuple(map(plate, grams))
    noise = np.eye(len(plates)) * sd_g**2 if covariance_g2 is None else covariance_g2
    delta_g = np.array([float(g) for g in grams.values()])
    return WeightEvent("e", ShelfId(1, 1), 1.0, 2.0, 1.5, plates, delta_g, noise, 1.0)


def best(grams, store, **kwargs):
    return explain(event_of(grams, **kwargs), store)[0]


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
    @pytest.mark.parametrize(
        ("grams", "items"),
        [
            ({1: -351}, (("cola", 1),)),
            ({2: -349}, (("cola", 1),)),
            ({1: -702}, (("cola", 2),)),
            ({1: -350, 2: -352}, (("cola", 2),)),
            ({5: -182}, (("crisps", 3),)),
            ({1: 352}, (("cola", -1),)),
            ({3: 1045}, (("water", -2),)),
            ({1: -351, 8: -119}, (("cola", 1), ("tea", 1))),
            ({1: -351, 8: -241}, (("cola", 1), ("tea", 2))),
            ({3: -521, 8: 119}, (("tea", -1), ("water", 1))),
            ({5: -25, 6: -36}, (("crisps", 1),)),
            ({8: -100, 9: -21}, (("tea", 1),)),
            ({8: -121, 9: -6, 7: 5.5, 10: -5.2}, (("tea", 1),)),
            ({7: -333}, (("mystery", 1),)),
            ({10: 121}, (("tea", -1),)),
            ({10: -95, 12: 521}, (("soap", 1), ("water", -1))),
            ({8: -3000}, ()),
            ({12: 4321}, ()),
            ({4: -300}, ()),
            ({1: -900, 8: 777}, ()),
        ],
        ids=[
            *("take", "take from its other plate", "two from one plate", "two from two plates", "three"),
            *("put back", "two put back", "two products", "two products, two of one", "swap"),
            *("astride its own plates", "astride a plate beside", "cross-talk", "no weight on file"),
            *("displaced", "take and displaced", "far too heavy", "foreign object", "no product there", "foreign swap"),
        ],
    )
    def test_the_best_explanation(self, grams, items):
        assert best(grams, SHOP).items == items

    @pytest.mark.parametrize("grams", [{1: -351}, {1: 351}, {1: -400, 8: 5}])
    def test_an_empty_planogram_explains_nothing(self, grams):
        (only,) = explain(event_of(grams), Store({"tea": Product("tea", "Tea", 351)}, {}, {}))
        assert only.items == ()
        assert only.probability == 1

    def test_twins_share_the_probability(self):
        twins = store_of(("red", 100, [1]), ("blue", 100, [1]), ("other", 300, [1]))
        found = explain(event_of({1: -100}), twins)
        assert {x.items for x in found[:2]} == {(("red", 1),), (("blue", 1),)}
        assert found[0].probability == pytest.approx(found[1].probability, rel=1e-9)
        assert found[0].probability == pytest.approx(0.5, abs=0.01)

    def test_where_it_was_parts_products_of_like_weight(self):
        shop = store_of(("left", 100, [1, 2]), ("right", 100, [3, 4]))
        found = {x.items: x.probability for x in explain(event_of({1: -10, 2: -80, 3: -10}), shop)}
        assert found[(("left", 1),)] > 10 * found.get((("right", 1),), 0)

    def test_a_weight_on_file_of_nothing_counts_as_unknown(self):
        assert best({1: -77}, store_of(("thing", 0.0, [1]), ("stone", 900, [1]))).items == (("thing", 1),)

    def test_an_exact_catalogue_and_exact_scales_are_no_special_case(self):
        exact = ExplainSettings(unit_spread=0, catalogue_error=0)
        found = explain(event_of({1: -350.0}, sd_g=0.0), SHOP, exact)
        assert found[0].items == (("cola", 1),)
        assert math.fsum(x.probability for x in found) == pytest.approx(1)


class TestOrder:
    def test_the_closer_the_weight_the_more_probable(self):
        rival = [store_of(("a", 300, [1]), ("b", 300 + off, [1])) for off in (2, 5, 10, 20, 40, 80)]
        odds = [{x.items: x.probability for x in explain(event_of({1: -300}), s)}[(("a", 1),)] for s in rival]
        assert odds == sorted(odds)

    def test_the_more_spread_on_file_the_wider_a_product_reaches(self):
        found = []
        for sd_g in (1.0, 10.0, 30.0):
            shop = Store({"a": Product("a", "a", 300, sd_g)}, {}, {"a": frozenset({plate(1)})})
            found.append({x.items: x.probability for x in explain(event_of({1: -360}), shop)}[(("a", 1),)])
        assert found == sorted(found)
        assert found[0] < 0.05 < 0.95 < found[-1]

    @pytest.mark.parametrize("setting", ["repeat", "second_product", "displaced", "unknown"])
    def test_a_prior_moves_its_own_explanations(self, setting):
        grams, mine = {
            "repeat": ({5: -118, 10: -6}, (("crisps", 2),)),
            "second_product": ({5: -62, 10: -93}, (("crisps", 1), ("soap", 1))),
            "displaced": ({8: 100}, (("soap", -1),)),
            "unknown": ({8: -140}, ()),
        }[setting]
        found = [
            {x.items: x.probability for x in explain(event_of(grams), SHOP, ExplainSettings(**{setting: value}))}.get(
                mine, 0.0
            )
            for value in (1e-4, 1e-2, 0.9)
        ]
        assert found == sorted(found)
        assert found[0] < found[-1]


def dirichlet(sizes_g):
    """Density of grams (N, k) with fractions from Dirichlet(0.6), given their sum."""
    k, total_g = sizes_g.shape[1], sizes_g.sum(axis=1)
    norm = math.gamma(0.6 * k) / math.gamma(0.6) ** k
    return norm * np.prod((sizes_g / total_g[:, None]) ** -0.4, axis=1) / total_g ** (k - 1)


def density_of(grams, noise, parts):
    """The formula of the module, written out: p(d | parts) for each row of (N, P) grams, over all labels of plates.

    `parts` are (units, mean_g, sd_g, own rows, beside rows); mean_g is NaN where no weight is on file.
    """
    grams = np.atleast_2d(grams)
    crosstalk_sd = np.sqrt(np.diag(noise) + 4 + (0.02 * np.abs(grams).sum(axis=1, keepdims=True)) ** 2)
    crosstalk = stats.norm.pdf(grams, 0, crosstalk_sd)
    total = np.zeros(len(grams))
    for labels in itertools.product(range(-1, len(parts)), repeat=grams.shape[1]):
        density = np.prod(crosstalk[:, np.array(labels) == -1], axis=1)
        for k, (units, mean_g, sd_g, own, beside) in enumerate(parts):
            rows = np.flatnonzero(np.array(labels) == k)
            on, by = [r for r in rows if r in own], [r for r in rows if r in beside]
            if len(on) + len(by) < len(rows) or not on:
                density = density * 0
                break
            size = np.where(np.sign(grams) == -np.sign(units), np.abs(grams), np.nan)
            sum_g = size[:, rows].sum(axis=1)
            density = density * 0.5 ** len(on) / sum(0.5**s for s in range(1, len(own) + 1)) / comb(len(own), len(on))
            density *= 0.5 ** len(by) / sum(0.5**s for s in range(len(beside) + 1)) / comb(len(beside), len(by))
            if math.isnan(mean_g):
                density *= stats.expon.pdf(sum_g, scale=1000)
            else:
                sd_of_sum = math.sqrt(sd_g**2 + noise[np.ix_(rows, rows)].sum())
                density *= stats.norm.pdf(sum_g, abs(units) * mean_g, sd_of_sum)
            density *= dirichlet(size[:, on])
            if by:
                density *= dirichlet(size[:, by]) * stats.beta.pdf(size[:, on].sum(axis=1) / sum_g, 8, 0.5) / sum_g
        total += np.nan_to_num(density)
    return total


def log_density(grams, noise, parts):
    (density,) = density_of(grams, noise, parts)
    return math.log(density) if density > 0 else -math.inf


def oracle(event, store):
    """Posteriors by the written-out formula."""
    plates, grams, noise = event.plates, event.delta_g, event.covariance_g2
    crosstalk_sd = np.sqrt(np.diag(noise) + 4 + (0.02 * np.abs(grams).sum()) ** 2)
    anything = np.exp(-np.abs(grams) / 1000) / 2000
    unknown = 0.5 * stats.norm.pdf(grams, 0, crosstalk_sd) + 0.5 * anything
    scores = {(): math.log(0.01) + float(np.log(unknown).sum())}
    parts = []
    for name, on in store.planogram.items():
        product = store.products[name]
        own = [r for r, p in enumerate(plates) if p in on]
        beside_plates = {p._replace(plate=p.plate + k) for p in on for k in (-1, 1)} - on
        beside = [r for r, p in enumerate(plates) if p in beside_plates]
        known = product.weight_g > 0
        for units in range(-5, 6) if own else (-1,):
            if units == 0 or (not known and abs(units) > 1) or (not own and not known):
                continue
            n = abs(units)
            sd_g = math.sqrt(n * (0.01 * product.weight_g) ** 2 + (0.03 * n * product.weight_g) ** 2)
            reach = (own, beside) if own else (list(range(len(plates))), [])
            prior = math.log(0.2) * (n - 1) if own else math.log(0.1 / len(store.planogram))
            parts.append((name, prior, (units, product.weight_g, sd_g, *reach)))
    for name, prior, part in parts:
        key = ((name, part[0]),)
        scores[key] = np.logaddexp(scores.get(key, -np.inf), prior + log_density(grams, noise, [part]))
    for (a, prior_a, part_a), (b, prior_b, part_b) in itertools.combinations(parts, 2):
        if a != b:
            key = tuple(sorted([(a, part_a[0]), (b, part_b[0])]))
            score = prior_a + prior_b + math.log(0.05) + log_density(grams, noise, [part_a, part_b])
            scores[key] = np.logaddexp(scores.get(key, -np.inf), score)
    peak = max(scores.values())
    whole = math.fsum(math.exp(s - peak) for s in scores.values())
    return {items: math.exp(s - peak) / whole for items, s in scores.items()}


SMALL = store_of(("a", 100, [1, 2]), ("b", 60, [2]), ("c", 160, [4]), ("d", float("nan"), [1]), ("e", 41, [9]))


class TestExactness:
    @pytest.mark.parametrize(
        "grams",
        [
            {1: -100},
            {1: -60, 2: -41},
            {1: -100, 2: -60},
            {1: -101, 2: -55, 3: -8},
            {2: 61, 3: 7, 4: -158},
            {1: 40, 2: -60, 4: -6},
            {2: -500, 4: 333},
        ],
    )
    def test_it_agrees_with_the_formula_written_out(self, grams):
        mixing = np.random.default_rng(len(grams)).normal(0, 2, (len(grams), len(grams)))
        event = event_of(grams, covariance_g2=mixing @ mixing.T + np.eye(len(grams)))
        expected = oracle(event, SMALL)
        found = {x.items: x.probability for x in explain(event, SMALL)}
        for items, probability in expected.items():
            assert found.get(items, 0.0) == pytest.approx(probability, abs=3e-6), items

    @pytest.mark.parametrize(
        "part",
        [
            (1, 200.0, 8.0, [0, 1], []),
            (1, 200.0, 8.0, [0], [1]),
            (1, 200.0, 8.0, [0], []),
            (-2, 120.0, 9.0, [0, 1], []),
            (-1, float("nan"), 0.0, [1], [0]),
        ],
        ids=["two own plates", "own and beside", "own and elsewhere", "put down", "no weight on file"],
    )
    def test_the_likelihood_is_a_density(self, part):
        # Nodes crowd towards zero, where fractions do, and reach as far as the total may.
        far = np.linspace(21, 400, 500) if part[1] == part[1] else np.geomspace(21, 2e4, 500)
        line = np.concatenate([np.geomspace(1e-9, 20, 400), far])
        line = np.concatenate([-line[::-1], line])
        x, y = np.meshgrid(line, line, indexing="ij")
        density = density_of(np.stack([x.ravel(), y.ravel()], axis=1), np.eye(2), [part]).reshape(x.shape)
        assert np.trapezoid(np.trapezoid(density, line, axis=1), line) == pytest.approx(1, abs=0.03)

    def test_many_plates_with_noise_explain_as_the_few(self):
        noisy = {n: 5.5 * (-1) ** n for n in range(1, 13)} | {3: -521}
        assert best(noisy, SHOP).items == (("water", 1),)


class TestProperties:
    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_what_always_holds(self, data):
        numbers = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=12, unique=True))
        size = st.floats(5, 5000) | st.sampled_from([60.0, 95.0, 120.0, 350.0, 470.0, 520.0])
        sign = st.sampled_from([-1, 1])
        grams = {n: data.draw(sign) * data.draw(size) for n in numbers}
        event = event_of(grams, sd_g=data.draw(st.floats(0.1, 10)))
        found = explain(event, SHOP)
        assert math.fsum(x.probability for x in found) == pytest.approx(1, abs=1e-9)
        assert [x.probability for x in found] == sorted((x.probability for x in found), reverse=True)
        assert len({x.items for x in found}) == len(found)
        for x in found:
            assert list(x.items) == sorted(x.items)
            assert len({p for p, _ in x.items}) == len(x.items) <= 2
            assert all(units != 0 for _, units in x.items)

        order = data.draw(st.permutations(range(len(numbers))))
        shuffled = WeightEvent(
            event.id,
            event.shelf,
            *(event.start_s, event.end_s, event.time_s),
            tuple(event.plates[i] for i in order),
            event.delta_g[list(order)],
            event.covariance_g2[np.ix_(order, order)],
            1.0,
        )
        other_way = Store(dict(reversed(SHOP.products.items())), {}, dict(reversed(SHOP.planogram.items())))
        again = explain(shuffled, other_way)
        assert [x.items for x in again] == [x.items for x in found]
        np.testing.assert_array_equal([x.probability for x in again], [x.probability for x in found])
