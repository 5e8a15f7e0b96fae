"""Points in polygons, areas, distances to boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.geometry import distance_to_box, points_in_polygon, polygon_area, rodrigues

SQUARE = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
BOW_TIE = [[0.0, 0.0], [2.0, 2.0], [2.0, 0.0], [0.0, 2.0]]
L_SHAPE = [[0.0, 0.0], [3.0, 0.0], [3.0, 1.0], [1.0, 1.0], [1.0, 3.0], [0.0, 3.0]]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("polygon", "point", "expected"),
    [
        (SQUARE, [1, 1], True),
        (SQUARE, [3, 1], False),
        (SQUARE, [0, 1], True),
        (SQUARE, [1, 0], True),
        (SQUARE, [0, 0], True),
        (SQUARE, [2, 1], False),
        (SQUARE, [1, 2], False),
        (SQUARE, [2, 2], False),
        (SQUARE, [np.nan, 1], False),
        (SQUARE, [1, np.nan], False),
        ([*SQUARE, SQUARE[0]], [1, 1], True),
        (L_SHAPE, [2, 2], False),
        (L_SHAPE, [0.5, 2], True),
        (BOW_TIE, [0.2, 1], True),
        (BOW_TIE, [1, 0.2], False),
    ],
)
def test_point_in_polygon(polygon, point, expected: bool, reverse: bool) -> None:
    outline = polygon[::-1] if reverse else polygon
    assert points_in_polygon([point], outline).tolist() == [expected]


@given(
    st.lists(st.tuples(st.floats(0, 4), st.floats(0, 4)), min_size=1, max_size=30),
    st.tuples(st.floats(0.5, 3.5), st.floats(0.5, 3.5)),
)
def test_polygons_that_tile_share_out_every_point(points, middle) -> None:
    ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]
    tiles = [[ring[i], ring[(i + 1) % 4], middle] for i in range(4)]
    points = np.array([*points, middle, *ring, *[np.mean([r, middle], axis=0) for r in ring]])
    owners = np.sum([points_in_polygon(points, tile) for tile in tiles], axis=0)
    np.testing.assert_array_equal(owners, points_in_polygon(points, ring).astype(int))


def test_polygon_against_a_sampled_area() -> None:
    angles = np.sort(np.random.default_rng(0).uniform(0, 2 * np.pi, 9))
    star = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(0.4, 1, 9)[:, None]
    side = (np.arange(400) + 0.5) / 200 - 1
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert points_in_polygon(grid, star).mean() * 4 == pytest.approx(polygon_area(star), abs=2e-3)


def test_polygon_area_does_not_depend_on_place_or_direction() -> None:
    assert polygon_area(L_SHAPE) == 5
    assert polygon_area(L_SHAPE[::-1]) == 5
    assert polygon_area(np.array(L_SHAPE) + 1e8) == 5


@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(0, 2)] * 3),
)
def test_distance_to_box_equals_the_nearest_corner_or_sample(centre, turn, size) -> None:
    rotation = rodrigues(turn)
    points = np.random.default_rng(0).uniform(-4, 4, (20, 3))
    distance = distance_to_box(points, centre, rotation, size)
    # The nearest point of the box, in store coordinates: clamp along each of the box's own axes.
    nearest = np.tile(np.array(centre, float), (20, 1))
    for axis in range(3):
        along = (points - centre) @ rotation[:, axis]
        nearest += np.clip(along, -size[axis] / 2, size[axis] / 2)[:, None] * rotation[:, axis]
    np.testing.assert_allclose(distance, np.linalg.norm(points - nearest, axis=1), atol=1e-9)
    # No point of the box is nearer than that.
    inside = centre + (np.random.default_rng(1).uniform(-0.5, 0.5, (50, 3)) * size) @ rotation.T
    assert (np.linalg.norm(points[:, None] - inside, axis=2) >= distance[:, None] - 1e-9).all()
    np.testing.assert_allclose(distance_to_box(inside, centre, rotation, size), 0, atol=1e-12)


def test_distance_keeps_leading_shape_and_nan() -> None:
    points = np.zeros((2, 5, 3))
    points[1, 2, 0] = np.nan
    distance = distance_to_box(points, [0, 0, 1], np.eye(3), [1, 1, 1])
    assert distance.shape == (2, 5)
    assert np.isnan(distance).sum() == 1
    assert distance[0, 0] == 0.5
    assert distance_to_box([], [0, 0, 1], np.eye(3), [1, 1, 1]).shape == (0,)
    assert points_in_polygon([], SQUARE).shape == (0,)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: points_in_polygon([[0, 0]], [[0, 0], [1, 1]]), "polygon"),
        (lambda: points_in_polygon([[0, 0]], [[0, 0], [1, np.inf], [2, 0]]), "not finite"),
        (lambda: points_in_polygon([0, 0], SQUARE), "points"),
        (lambda: polygon_area([]), "polygon"),
        (lambda: distance_to_box([[0, 0, 0]], [0, 0, 0], np.eye(3), [1, -1, 1]), "size"),
        (lambda: distance_to_box([[0, 0, 0]], [0, 0, np.nan], np.eye(3), [1, 1, 1]), "centre"),
        (lambda: distance_to_box([[0, 0, 0]], [0, 0, 0], np.eye(2), [1, 1, 1]), "rotation"),
    ],
)
def test_errors_name_what_is_wrong(call, named: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert named in str(caught.value)
