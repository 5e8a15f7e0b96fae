"""The store that is simulated: its layout, its products, its units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError, ShelfId
from gocv.sim.assortment import assortment
from gocv.sim.layout import demo_layout
from gocv.sim.stock import Stock

LAYOUT = demo_layout()


def test_barcodes_are_unique_text_with_right_check_digits_and_some_leading_zeros() -> None:
    ids = [article.product.id for article in assortment()]
    assert len(set(ids)) == len(ids) == 40
    for barcode in ids:
        assert len(barcode) == 13
        assert sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(barcode)) % 10 == 0
    assert {barcode.startswith("0") for barcode in ids} == {True, False}


def test_products_weigh_and_vary_like_groceries() -> None:
    products = [article.product for article in assortment()]
    assert all(40.0 <= p.weight_g <= 800.0 and 0.004 <= p.weight_sd_g / p.weight_g <= 0.011 for p in products)


def test_facings_lie_within_their_shelves_and_do_not_overlap() -> None:
    taken = [plate for facing in LAYOUT.facings for plate in facing.plate_ids()]
    assert len(taken) == len(set(taken))
    assert set(taken) < set(LAYOUT.store.plates)
    assert {len(facing.plate_ids()) for facing in LAYOUT.facings} <= {2, 3, 4}


def test_plates_are_a_pitch_apart_and_their_axes_look_away_from_the_shopper() -> None:
    middle = np.array(LAYOUT.size_m) / 2
    for gondola in LAYOUT.gondolas.values():
        plates = [LAYOUT.store.plates[p] for p in gondola.plate_ids(ShelfId(gondola.number, 1))]
        centres = np.stack([plate.centre_m for plate in plates])
        apart = np.tile(0.1 * gondola.rotation[:, 0], (len(plates) - 1, 1))
        np.testing.assert_allclose(np.diff(centres, axis=0), apart, atol=1e-12)
        assert (centres[:, :2].mean(axis=0) - middle) @ gondola.outlook > 0
        assert not LAYOUT.is_free(centres[:, :2]).any()
        assert LAYOUT.is_free(gondola.point(0.3, -0.5, 0.0)[None, :2]).all()


def test_plates_carry_the_weight_of_the_units_even_of_those_astride() -> None:
    stock = Stock(LAYOUT, np.random.default_rng(0))
    for gondola in LAYOUT.gondolas.values():
        for shelf in gondola.shelf_ids():
            units = [(f, stock.count(f.article.product.id, shelf)) for f in LAYOUT.facings if f.shelf == shelf]
            expected = sum(count * f.article.product.weight_g for f, count in units)
            loads = stock.loads_g(shelf)
            assert loads.min() >= 0.0
            assert loads.max() < 20_000
            assert loads.sum() == pytest.approx(expected, rel=0.01)


def test_some_columns_stand_astride_so_that_the_planogram_is_not_the_whole_truth() -> None:
    stock = Stock(LAYOUT, np.random.default_rng(0))
    blank = 0.0
    for gondola in LAYOUT.gondolas.values():
        for shelf in gondola.shelf_ids():
            loads = stock.loads_g(shelf)
            planned = {p for f in LAYOUT.facings if f.shelf == shelf for p in f.plate_ids()}
            blank += sum(g for p, g in zip(gondola.plate_ids(shelf), loads, strict=True) if p not in planned)
    assert blank > 50.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.tuples(st.integers(0, 50), st.integers(1, 2)), min_size=1, max_size=8))
def test_what_leaves_a_shelf_is_in_the_cart_and_comes_back_whole(seed, takes) -> None:
    stock = Stock(LAYOUT, np.random.default_rng(seed))
    start = sum(stock.loads_g(s).sum() for g in LAYOUT.gondolas.values() for s in g.shelf_ids())
    moved = []
    for index, quantity in takes:
        facing = LAYOUT.facings[index]
        product = facing.article.product.id
        if stock.count(product, facing.shelf) < quantity:
            continue
        before = stock.loads_g(facing.shelf)
        movement = stock.take("someone", product, quantity, facing.shelf, facing.centre_m)
        np.testing.assert_allclose(stock.loads_g(facing.shelf) - before, movement.delta_g, atol=1e-9)
        assert movement.delta_g.max() <= 0.0
        assert movement.plates
        moved.append((product, quantity))
    assert sum(stock.cart("someone").values()) == sum(quantity for _, quantity in moved)
    for product, quantity in moved:
        stock.put_back("someone", product, quantity, ShelfId(3, 2), 0.45)
    end = sum(stock.loads_g(s).sum() for g in LAYOUT.gondolas.values() for s in g.shelf_ids())
    assert stock.cart("someone") == {}
    assert end == pytest.approx(start)


def test_nothing_is_taken_that_is_not_there_nor_put_back_that_is_not_held() -> None:
    stock = Stock(LAYOUT, np.random.default_rng(0))
    facing = LAYOUT.facings[0]
    product = facing.article.product.id
    with pytest.raises(DataError, match="stand on shelf 1/1"):
        stock.take("someone", product, 500, facing.shelf, 0.1)
    with pytest.raises(DataError, match="the cart of someone holds 0"):
        stock.put_back("someone", product, 1, facing.shelf, 0.1)
