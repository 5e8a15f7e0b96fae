"""The two gondolas of AIM3S: exactly the products, weights, spreads and plates that were published."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.sim.layout import StoreLayout
from gocv.sim.stores.from_config import read_store

CONFIGS = Path(__file__).parents[3] / "configs" / "sim" / "stores"
PUBLISHED = [
    ("aim3s_household.yaml", "gondola_A_7eleven_household_33", (33, 5, 82)),
    ("aim3s_candy.yaml", "gondola_B_candy_48", (48, 8, 212)),
]


@pytest.mark.parametrize(("name", "key", "counts"), PUBLISHED)
def test_a_store_has_the_published_size(name: str, key: str, counts: tuple[int, int, int]) -> None:
    layout = read_store(CONFIGS / name)
    products, shelves, units = counts
    (gondola,) = layout.gondolas.values()
    assert (len(layout.store.products), len(gondola.heights_m), gondola.plates) == (products, shelves, 12)
    assert len(layout.store.plates) == 12 * shelves
    assert sum(facing.units or 0 for facing in layout.facings) == units
    assert len(layout.cameras) == 4


@pytest.mark.parametrize(("name", "key", "counts"), PUBLISHED)
def test_products_are_those_published(shared_data: Path, name: str, key: str, counts: object) -> None:
    facts = json.loads((shared_data / "aim3s" / "layout_facts.json").read_text())[key]
    layout = read_store(CONFIGS / name)
    assert set(layout.store.products) == {identity(fact) for fact in facts}
    for fact in facts:
        product = layout.store.products[identity(fact)]
        assert product.name == fact["name"]
        assert product.weight_g == pytest.approx(fact["mean_g"] or np.nan, abs=0, nan_ok=True)
        sd_g = np.nan if fact["sd_g"] is None else fact["sd_g"]
        assert product.weight_sd_g == pytest.approx(sd_g, abs=0, nan_ok=True)
        published = {(1, where["shelf"], plate) for where in fact["where"] for plate in where["plates"]}
        assert layout.store.planogram[product.id] == published


def identity(fact: dict[str, Any]) -> str:
    return f"aim3s-{fact['id']:02d}" if fact["upc"] == "-" else str(fact["upc"])


@pytest.mark.parametrize("name", [name for name, *_ in PUBLISHED])
def test_units_weigh_what_is_on_file_or_what_is_assumed_where_nobody_weighed_them(name: str) -> None:
    layout = read_store(CONFIGS / name)
    articles = {facing.article.id: facing.article for facing in layout.facings}
    unweighed = {a.id for a in articles.values() if np.isnan(a.product.weight_g)}
    assert len(unweighed) == (2 if "candy" in name else 0)
    for article in articles.values():
        assert article.weight_sd_g > 0
        if article.id in unweighed:
            assert 40 < article.weight_g < 50
        else:
            assert article.weight_g == article.product.weight_g


@pytest.mark.parametrize("name", [name for name, *_ in PUBLISHED])
def test_rooms_lie_side_by_side_and_boundaries_on_shared_plates_in_their_middle(name: str) -> None:
    layout = read_store(CONFIGS / name)
    shared = 0
    for row in by_shelf(layout).values():
        for one, other in itertools.pairwise(row):
            assert one.right_m <= other.left_m + 1e-9
            common = one.plate_ids() & other.plate_ids()
            if len(common) == 1:
                middle = (next(iter(common)).plate - 0.5) * 0.1
                assert one.right_m == pytest.approx(middle) == pytest.approx(other.left_m)
                shared += 1
    assert shared >= 20


@pytest.mark.parametrize("name", [name for name, *_ in PUBLISHED])
def test_every_camera_sees_the_front_of_the_gondola(name: str) -> None:
    layout = read_store(CONFIGS / name)
    (gondola,) = layout.gondolas.values()
    front = [gondola.point(along, 0.0, h + 0.05) for along in (0.1, 0.6, 1.1) for h in gondola.heights_m]
    for camera in layout.cameras.values():
        pixels, depth = camera.project(np.stack(front))
        assert (depth > 0).all()
        seen = ((pixels >= 0) & (pixels <= [camera.width_px - 1, camera.height_px - 1])).all(axis=1)
        assert seen.mean() >= 0.8


def by_shelf(layout: StoreLayout) -> dict[Any, list[Any]]:
    rows = defaultdict(list)
    for facing in layout.facings:
        rows[facing.shelf].append(facing)
    return {shelf: sorted(row, key=lambda f: f.left_m) for shelf, row in rows.items()}
