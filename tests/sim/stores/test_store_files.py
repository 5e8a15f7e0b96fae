"""Stores in YAML files: what they become, and what is refused."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import ConfigError, ShelfId
from gocv.sim.scales import SHAKY, ScaleNoise
from gocv.sim.stores.from_config import read_store
from gocv.sim.stores.rooms import rooms

GOOD: dict[str, Any] = {
    "size_m": [4.0, 3.0],
    "door_m": [0.15, 1.0],
    "zones": [{"name": "entrance", "polygon_m": [[0, 0], [1, 0], [1, 2]]}],
    "gondolas": [
        {"number": 1, "corner_m": [1.4, 2.55], "plates": 12, "heights_m": [0.3, 0.7, 1.1], "noise": "shaky"},
        {"number": 4, "corner_m": [3.6, 1.6], "yaw_deg": -90, "plates": 8, "heights_m": [0.4], "noise": {"sd_g": 1.5}},
    ],
    "products": [
        {"id": "007", "name": "Tea", "weight_g": 120.0, "weight_sd_g": 1.5, "real_weight_g": 131.0, "price": 2.5},
        {"id": "8", "name": "Soda", "weight_g": 350, "form": "can", "colour": [255, 0, 0], "height_m": 0.115},
        {"id": "9", "name": "Oats", "weight_g": 500.0, "weight_sd_g": 0.0},
    ],
    "facings": [
        {"product": "007", "shelf": "1/2", "plates": [1, 2, 3]},
        {"product": "8", "shelf": "1/2", "plates": [3, 4], "units": 5},
        {"product": "9", "shelf": "1/2", "plates": [6], "left_m": 0.52, "right_m": 0.61},
        {"product": "007", "shelf": "4/1", "plates": [8], "display": "peg"},
    ],
    "cameras": [{"name": "one", "position_m": [0.5, 0.5, 2.7], "look_at_m": [2.0, 2.0, 1.0], "fov_deg": 90}],
}
REMOVE = object()


def written(folder: Path, *edits: tuple[str, Any]) -> Path:
    """The good store, with some keys changed, as a file."""
    values = copy.deepcopy(GOOD)
    for key, value in edits:
        *path, last = [int(part) if part.isdigit() else part for part in key.split(".")]
        target: Any = values
        for part in path:
            target = target[part]
        if value is REMOVE:
            del target[last]
        elif isinstance(target, list) and last == len(target):
            target.append(value)
        else:
            target[last] = value
    file = folder / "store.yaml"
    file.write_text(yaml.safe_dump(values))
    return file


def test_a_file_becomes_the_store_that_it_describes(tmp_path: Path) -> None:
    layout = read_store(written(tmp_path))
    assert sorted(layout.gondolas) == [1, 4]
    assert len(layout.store.plates) == 3 * 12 + 8
    assert layout.gondolas[1].noise == SHAKY
    assert layout.gondolas[4].noise == dataclasses.replace(ScaleNoise(), sd_g=1.5)
    assert layout.gondolas[4].yaw_rad == pytest.approx(-math.pi / 2)
    assert layout.size_m == (4.0, 3.0)
    assert {str(p) for p in layout.store.planogram["007"]} == {"1/2/1", "1/2/2", "1/2/3", "4/1/8"}
    assert [f.display for f in layout.facings] == ["shelf", "shelf", "shelf", "peg"]
    assert layout.facings[1].units == 5
    camera = layout.cameras["one"]
    np.testing.assert_allclose(camera.position_m, [0.5, 0.5, 2.7])
    assert camera.matrix[0, 0] == pytest.approx(320.0)


def test_a_room_is_as_the_file_says_or_ends_in_the_middle_of_a_shared_plate(tmp_path: Path) -> None:
    facings = read_store(written(tmp_path)).facings
    assert [(round(f.left_m, 6), round(f.right_m, 6)) for f in facings[:3]] == [(0.0, 0.25), (0.25, 0.4), (0.52, 0.61)]
    moved = read_store(written(tmp_path, ("facings.0.right_m", 0.22))).facings
    assert (moved[0].right_m, moved[1].left_m) == (0.22, 0.22)
    moved = read_store(written(tmp_path, ("facings.1.left_m", 0.28))).facings
    assert (moved[0].right_m, moved[1].left_m) == (0.28, 0.28)


def test_units_are_what_the_file_says_they_are_and_the_catalogue_may_be_wrong(tmp_path: Path) -> None:
    layout = read_store(written(tmp_path))
    tea, soda, oats = (layout.facings[i].article for i in range(3))
    assert (tea.product.weight_g, tea.weight_g, tea.weight_sd_g) == (120.0, 131.0, 1.5)
    assert math.isnan(soda.product.weight_sd_g)
    assert soda.weight_sd_g == pytest.approx(0.006 * 350)
    assert (soda.form, soda.colour, soda.height_m) == ("can", (255, 0, 0), 0.115)
    assert oats.product.weight_sd_g == 0.0
    assert oats.weight_sd_g == pytest.approx(3.0)
    unknown = read_store(written(tmp_path, ("products.0.weight_g", None))).facings[0].article
    assert math.isnan(unknown.product.weight_g)
    assert unknown.weight_g == 131.0


def test_sizes_that_are_left_out_fit_the_narrowest_place_and_are_the_same_every_time(tmp_path: Path) -> None:
    first, again = (read_store(written(tmp_path)).facings for _ in range(2))
    assert [repr(f.article) for f in first] == [repr(f.article) for f in again]  # NaN is not equal to itself
    tea, oats = first[0].article, first[2].article
    assert tea.width_m <= 0.1
    assert oats.width_m <= 0.09 + 1e-9
    assert tea.height_m <= 0.4


REFUSED: list[tuple[str, Any, str, str]] = [
    ("size_m", [4.0, -3.0], "size_m.1", "greater than 0"),
    ("door_m", [5.0, 1.0], "door_m", "outside"),
    ("door_m", [2.0, 2.7], "door_m", "blocked"),
    ("door_m", [0.05, 1.0], "door_m", "blocked"),
    ("zones", [], "zones", "entrance"),
    ("gondolas.1.number", 1, "gondolas.1.number", "twice"),
    ("gondolas.0.heights_m", [0.3, 0.3, 0.9], "gondolas.0.heights_m", "above the one before"),
    ("gondolas.0.heights_m", [0.3, 0.9, 0.6], "gondolas.0.heights_m", "above the one before"),
    ("gondolas.0.heights_m", [0.3, 0.9, 2.6], "gondolas.0.heights_m", "under the ceiling"),
    ("gondolas.0.corner_m", [1.4, 2.8], "gondolas.0.corner_m", "through a wall"),
    ("gondolas.1.corner_m", [2.3, 2.7], "gondolas.1.corner_m", "in each other"),
    ("gondolas.0.yaw_deg", 180, "gondolas.0.yaw_deg", "nobody can stand in front of gondola 1"),
    ("gondolas.1.plates", 0, "gondolas.1.plates", "greater than or equal to 1"),
    ("gondolas.0.noise", "loud", "gondolas.0.noise", "'quiet', 'shaky'"),
    ("gondolas.0.noise", {"sd_g": -1.0}, "gondolas.0.noise.sd_g", "from 0"),
    ("gondolas.0.noise", {"sd": 1.0}, "gondolas.0.noise.sd", "'sd_g'"),
    ("gondolas.0.noise", {"spill": 0.1}, "gondolas.0.noise.spill", "two numbers"),
    ("gondolas.0.noise", 3, "gondolas.0.noise", "is no noise"),
    ("products.0.id", 7, "products.0.id", "valid string"),
    ("products.1.id", "007", "products.1.id", "twice"),
    ("products.1.weight_g", 0, "products.1.weight_g", "greater than 0"),
    ("products.1.weight_g", None, "products.1.weight_g", "nobody knows"),
    ("products.1.weight_sd_g", -1, "products.1.weight_sd_g", "greater than or equal to 0"),
    ("products.1.form", "tube", "products.1.form", "'bottle'"),
    ("products.1.colour", [0, 0, 256], "products.1.colour.2", "less than or equal to 255"),
    ("products.1.weigth_g", 5, "products.1.weigth_g", "'weight_g'"),
    ("products.3", {"id": "10", "name": "Rice", "weight_g": 9}, "products.3.id", "no plate"),
    ("facings.0.product", "7", "facings.0.product", "'007'"),
    ("facings.0.shelf", "one", "facings.0.shelf", "gondola/shelf"),
    ("facings.0.shelf", "2/1", "facings.0.shelf", "gondolas [1, 4]"),
    ("facings.0.shelf", "1/4", "facings.0.shelf", "shelf 1 to 3"),
    ("facings.3.plates", [8, 9], "facings.3.plates", "plates 1 to 8"),
    ("facings.3.plates", [6, 8], "facings.3.plates", "two facings"),
    ("facings.3.plates", [], "facings.3.plates", "at least 1"),
    ("facings.3.display", "hook", "facings.3.display", "'peg'"),
    ("facings.2.left_m", 0.38, "facings.2.left_m", "where 8 stands"),
    ("facings.2.left_m", 0.61, "facings.2.right_m", "no room"),
    ("facings.2.right_m", 1.3, "facings.2.right_m", "where the shelf ends"),
    ("facings.3.right_m", 0.65, "facings.3.right_m", "no room"),
    ("facings.2.plates", [9], "facings.2.left_m", "none of its plates"),
    ("cameras.0.position_m", [0.5, 4.0, 2.7], "cameras.0.position_m", "in a wall"),
    ("cameras.0.position_m", [2.0, 2.7, 1.0], "cameras.0.position_m", "inside gondola 1"),
    ("cameras.0.look_at_m", [0.5, 0.5, 2.7], "cameras.0.look_at_m", "looks at itself"),
    ("cameras.0.fov_deg", 180, "cameras.0.fov_deg", "less than 170"),
    ("cameras.1", {**GOOD["cameras"][0], "width_px": 100}, "cameras.1.name", "twice"),
    ("gondolas", REMOVE, "gondolas", "required"),
    ("facing", [], "facing", "'facings'"),
]


@pytest.mark.parametrize(("key", "value", "named", "message"), REFUSED)
def test_what_is_wrong_is_named_with_file_and_key(
    tmp_path: Path, key: str, value: object, named: str, message: str
) -> None:
    file = written(tmp_path, (key, value))
    with pytest.raises(ConfigError) as refused:
        read_store(file)
    assert refused.value.file == str(file)
    assert refused.value.key == named
    assert message in str(refused.value)


def test_gondolas_may_touch_side_by_side_and_back_to_back(tmp_path: Path) -> None:
    beside = [("gondolas.1.corner_m", [0.6, 2.55]), ("gondolas.1.yaw_deg", 0)]
    assert len(read_store(written(tmp_path, *beside)).gondolas) == 2
    with pytest.raises(ConfigError, match="in each other"):
        read_store(written(tmp_path, ("gondolas.1.corner_m", [0.65, 2.55]), ("gondolas.1.yaw_deg", 0)))


def test_a_facing_in_the_middle_of_another_needs_a_room_of_its_own(tmp_path: Path) -> None:
    edits = [("facings.0.plates", [1, 2, 3, 4, 5]), ("facings.1.plates", [1, 2, 3, 4]), ("facings.2.plates", [2])]
    bare = [(f"facings.2.{side}_m", REMOVE) for side in ("left", "right")]
    with pytest.raises(ConfigError) as refused:
        read_store(written(tmp_path, *edits, *bare, ("facings.4", {"product": "8", "shelf": "1/2", "plates": [3]})))
    assert (refused.value.key or "").startswith("facings.")


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 2)), min_size=1, max_size=8))
def test_rooms_of_rows_that_share_at_most_their_ends_are_disjoint_and_on_their_plates(widths) -> None:
    spans, first = [], 1
    for width, shared in widths:
        last = first + width
        spans.append((first, last))
        first = last + (1 if shared == 2 else 0)
    found = rooms(spans)
    for (left, right), (begin, end) in zip(found, spans, strict=True):
        assert begin - 1 <= left < right <= end
    for (_, right), (left, _) in itertools.pairwise(found):
        assert right <= left


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([(1, 2), (2, 2), (2, 3)], [(0, 4 / 3 + 1 / 12), (17 / 12, 19 / 12), (19 / 12, 3)]),
        ([(2, 4), (1, 2)], [(1.5, 4), (0, 1.5)]),
        ([(7, 8), (7, 8), (9, 9)], [(6, 7), (7, 8), (8, 9)]),
        ([(1, 1), (1, 1), (1, 1)], [(0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1)]),
    ],
)
def test_rooms_of_hard_cases(spans, expected) -> None:
    found = rooms(spans)
    assert len(found) == len(expected)
    for room, wanted in zip(found, expected, strict=True):
        assert room == pytest.approx(wanted)


def test_shelf_ids_are_read_from_text(tmp_path: Path) -> None:
    assert {f.shelf for f in read_store(written(tmp_path)).facings} == {ShelfId(1, 2), ShelfId(4, 1)}
