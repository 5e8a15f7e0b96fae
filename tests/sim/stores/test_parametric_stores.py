"""Stores made up from numbers."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from gocv.core import ConfigError
from gocv.data.config import build
from gocv.sim.layout import StoreLayout
from gocv.sim.scales import SHAKY
from gocv.sim.stores.families import make_families
from gocv.sim.stores.floor_checks import overlap, standing_places
from gocv.sim.stores.parametric import ParametricStore

LARGEST = {"aisles": 5, "gondolas_per_row": 8, "shelves": 5, "plates_per_shelf": 12, "products": 2000}

stores = st.builds(
    ParametricStore,
    seed=st.integers(0, 99),
    aisles=st.integers(1, 3),
    gondolas_per_row=st.integers(1, 3),
    shelves=st.integers(1, 8),
    plates_per_shelf=st.integers(4, 14),
    pitch_m=st.sampled_from([0.08, 0.1, 0.15]),
    aisle_m=st.floats(1.2, 3.0),
    products=st.integers(1, 8),
    shared_boundaries=st.floats(0, 1),
    same_weight=st.floats(0, 0.5),
    near_weight=st.floats(0, 0.5),
    ceiling_m=st.floats(2.4, 4.0),
)


@settings(max_examples=30, deadline=None)
@given(stores)
def test_any_store_is_whole(options: ParametricStore) -> None:
    layout = made(options)
    assume(layout is not None)
    assert layout is not None
    assert len(layout.store.products) == len(layout.store.planogram) == options.products
    assert len(layout.facings) == options.facings
    assert len(layout.store.plates) == options.plates
    assert all(plates for plates in layout.store.planogram.values())
    check_rooms(layout)
    check_floor(layout)


def made(options: ParametricStore) -> StoreLayout | None:
    """The store, or None where its products are too wide."""
    try:
        return options.layout()
    except ConfigError:
        return None


def check_rooms(layout: StoreLayout) -> None:
    rows = defaultdict(list)
    for facing in layout.facings:
        rows[facing.shelf].append(facing)
        gondola = layout.gondolas[facing.shelf.gondola]
        assert 0 <= facing.left_m < facing.right_m <= gondola.length_m + 1e-9
        assert facing.right_m - facing.left_m >= facing.article.width_m
        assert 1 <= facing.plates <= 5
        touched = np.arange(
            int(facing.left_m / gondola.pitch_m + 1e-6), np.ceil(facing.right_m / gondola.pitch_m - 1e-6)
        )
        assert {plate.plate - 1 for plate in facing.plate_ids()} == set(touched.astype(int).tolist())
    for row in rows.values():
        row.sort(key=lambda f: f.left_m)
        for one, other in itertools.pairwise(row):
            assert one.right_m <= other.left_m + 1e-9


def check_floor(layout: StoreLayout) -> None:
    for gondola in layout.gondolas.values():
        assert layout.is_free(standing_places(gondola)).all()
    assert not any(overlap(a, b) for a, b in itertools.combinations(layout.gondolas.values(), 2))
    assert layout.is_free(np.array([layout.door_m])).all()
    for camera in layout.cameras.values():
        assert (camera.position_m > 0).all()
        assert (camera.position_m < [*layout.size_m, layout.ceiling_m]).all()
    x, y = (np.linspace(0.02, size - 0.02, 40) for size in layout.size_m)
    for height_m in (0.0, 0.95):
        places = np.stack([*(axis.ravel() for axis in np.meshgrid(x, y)), np.full(1600, height_m)], axis=1)
        seen = np.zeros(len(places), dtype=bool)
        for camera in layout.cameras.values():
            pixels, _ = camera.project(places)
            seen |= ((pixels >= 0) & (pixels <= [camera.width_px - 1, camera.height_px - 1])).all(axis=1)
        assert seen.all()


def test_the_largest_store_is_made_in_seconds_and_the_same_every_time() -> None:
    began = time.perf_counter()
    layout = ParametricStore(**LARGEST).layout()
    assert time.perf_counter() - began < 5.0
    assert (len(layout.store.products), len(layout.store.plates), len(layout.facings)) == (2000, 4800, 2200)
    check_rooms(layout)
    check_floor(layout)
    again = ParametricStore(**LARGEST).layout()
    assert again.facings == layout.facings
    assert ParametricStore(**LARGEST, seed=1).layout().facings != layout.facings
    grams = np.array([product.weight_g for product in layout.store.products.values()])
    assert (grams >= 15).all()
    assert (grams <= 2000).all()
    assert np.percentile(grams, 10) < 60
    assert np.percentile(grams, 95) > 600


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_boundaries_are_shared_as_often_as_wanted(share: float) -> None:
    layout = ParametricStore(products=150, shared_boundaries=share, second_facings=0.0).layout()
    rows = sorted(layout.facings, key=lambda f: (f.shelf, f.left_m))
    touching = [(a, b) for a, b in itertools.pairwise(rows) if a.shelf == b.shelf and np.isclose(a.right_m, b.left_m)]
    both = sum(bool(a.plate_ids() & b.plate_ids()) for a, b in touching)
    assert len(touching) > 60
    assert both / len(touching) == pytest.approx(share, abs=0.05)
    on = Counter(plate for facing in rows for plate in facing.plate_ids())
    assert sum(n > 1 for n in on.values()) == both


@pytest.mark.parametrize("seed", range(3))
def test_families_are_what_their_kind_says(seed: int) -> None:
    families = make_families(400, 0.2, 0.3, np.random.default_rng(seed))
    assert sum(len(family.articles) for family in families) == 400
    ids = [article.id for family in families for article in family.articles]
    assert len(set(ids)) == 400
    for family in families:
        weights = [article.product.weight_g for article in family.articles]
        sizes = {(a.width_m, a.depth_m, a.height_m, a.form) for a in family.articles}
        assert len(sizes) == 1
        if family.kind == "unique":
            assert len(weights) == 1
            continue
        assert 2 <= len(weights) <= 6
        assert len({article.colour for article in family.articles}) == len(weights)
        steps = np.diff(weights)
        if family.kind == "same_weight":
            assert (steps == 0).all()
        else:
            assert ((steps >= 1.85) & (steps <= 5.15)).all()
    kinds = Counter(f.kind for f in families for _ in f.articles)
    assert kinds == {"same_weight": 80, "near_weight": 120, "unique": 200}
    candies = [a.weight_g for f in families if f.department == "Candy" for a in f.articles]
    assert min(candies) >= 40
    assert max(candies) <= 110


def test_second_facings_pegs_and_shaken_gondolas_are_as_many_as_wanted() -> None:
    layout = ParametricStore(products=100, second_facings=0.2, pegs=1.0, shaky=0.25).layout()
    places = Counter(facing.article.id for facing in layout.facings)
    assert Counter(places.values()) == {1: 80, 2: 20}
    hung = {f.article.id for f in layout.facings if f.display == "peg"}
    light = {a.id for a in (f.article for f in layout.facings) if a.form in ("bag", "box") and a.weight_g < 60}
    assert hung
    assert light <= hung
    assert all(f.article.weight_g < 120 for f in layout.facings if f.display == "peg")
    assert sum(gondola.noise == SHAKY for gondola in layout.gondolas.values()) == 2
    none = ParametricStore(products=100, pegs=0.0).layout()
    assert {facing.display for facing in none.facings} == {"shelf"}


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        ({"products": 0}, "products", "greater than or equal to 1"),
        ({"products": 2001}, "products", "less than or equal to 2000"),
        ({"products": 500}, "products", "at most 436 would"),
        ({"aisles": 0}, "aisles", "greater than or equal to 1"),
        ({"aisles": 10, "gondolas_per_row": 10}, "plates_per_shelf", "more than 5000"),
        ({"same_weight": 0.6, "near_weight": 0.6}, "near_weight", "more than 1 together"),
        ({"aisle_m": 0.5}, "aisle_m", "greater than or equal to 1.2"),
        ({"seed": -1}, "seed", "greater than or equal to 0"),
        ({"shared_boundaries": 1.5}, "shared_boundaries", "less than or equal to 1"),
        ({"prodcts": 5}, "prodcts", "'products'"),
    ],
)
def test_impossible_numbers_are_refused_with_their_key(values, key, message) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        build(ParametricStore, values)
    assert refused.value.key == key
    with pytest.raises(ValidationError):
        ParametricStore(**values)


def test_products_that_are_too_wide_for_the_plates_that_there_are_are_refused() -> None:
    options = ParametricStore(products=430, second_facings=0.0, pitch_m=0.05)
    with pytest.raises(ConfigError, match="do not fit on 480 plates") as refused:
        options.layout()
    assert refused.value.key == "products"
