from __future__ import annotations

import numpy as np
import pytest

from gocv.detect.pose.decode import decode


def normal(x: float, y: float, spread: float = 1.0, size: tuple[int, int] = (24, 20)) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return -0.5 * ((columns - x) ** 2 + (rows - y) ** 2) / spread**2


@pytest.mark.parametrize(("x", "y"), [(7.0, 11.0), (7.3, 11.0), (9.9, 3.4), (4.5, 20.5)])
def test_places_between_cells_are_found(x: float, y: float) -> None:
    found = decode(normal(x, y)[None, None] + 5.0, np.array([[8.0]]))
    assert found.points[0, 0] == pytest.approx([x, y], abs=0.12)
    assert found.score[0, 0] > 0.9


def test_a_place_at_the_border_stays_within_the_map() -> None:
    found = decode(np.stack([normal(0, 0), normal(19, 23)])[None], np.full((1, 2), 8.0))
    assert (found.points >= 0).all()
    assert (found.points[0, 1] <= [19, 23]).all()


def test_what_is_not_sure_scores_less() -> None:
    sharp, wide, two = normal(10, 10), normal(10, 10, 4.0), np.logaddexp(normal(4, 4), normal(15, 18))
    one = decode(np.stack([sharp, wide, two])[None], np.full((1, 3), 8.0)).score[0]
    assert one[0] > 0.9
    assert one[1] < 0.5
    assert one[2] == pytest.approx(one[0] / 2, rel=0.1)
    assert decode(sharp[None, None], np.array([[-2.0]])).score[0, 0] < 0.13


def test_nobody_has_no_keypoints() -> None:
    found = decode(np.empty((0, 17, 48, 40)), np.empty((0, 17)))
    assert found.points.shape == (0, 17, 2)
    assert found.score.shape == (0, 17)
