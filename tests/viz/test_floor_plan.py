"""The plan of cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.core import Zone
from gocv.geometry import PinholeCamera, points_in_polygon
from gocv.viz import draw_floor_plan, visible_floor

SIZE = {"width_px": 640, "height_px": 480, "focal_px": 400.0}
CORNER = PinholeCamera.look_at([0, 0, 2.7], [3, 3, 0.5], **SIZE)


def test_the_visible_floor_is_what_is_in_the_picture_and_near() -> None:
    view = visible_floor(CORNER, 6.0)
    places = np.random.default_rng(0).uniform(-1, 7, (4000, 2))
    pixels = CORNER.floor_to_pixels(places)
    inside = ((pixels >= 0) & (pixels <= [639, 479])).all(axis=1) & (np.hypot(*places.T) < 6)
    assert 0.1 < inside.mean() < 0.9
    assert (points_in_polygon(places, view) == inside).mean() > 0.995


def test_a_camera_that_looks_down_sees_a_rectangle_around_itself() -> None:
    view = visible_floor(PinholeCamera.look_at([2, 1, 3], [2, 1, 0], **SIZE), 20.0)
    np.testing.assert_allclose(np.ptp(view, axis=0), [639 * 3 / 400, 479 * 3 / 400])
    np.testing.assert_allclose((view.max(axis=0) + view.min(axis=0)) / 2, [2, 1])


@pytest.mark.parametrize("target", [[3, 3, 30], [0.001, 0, 9]])
def test_a_camera_that_looks_up_sees_no_floor(target) -> None:
    assert visible_floor(PinholeCamera.look_at([0, 0, 2.7], target, **SIZE), 6.0).shape == (0, 2)


def test_the_plan_shows_every_camera_in_its_colour(tmp_path: Path) -> None:
    other = PinholeCamera.look_at([6, 4, 2.7], [3, 2, 0.5], **SIZE)
    zone = Zone("shop", np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 4.0], [0.0, 4.0]]))
    common = {"zones": [zone], "walked_m": [[2.0, 2.0], [2.1, 2.0], [np.nan, 1.0]], "title": "Shop"}
    draw_floor_plan(tmp_path / "one.png", cameras={"a": CORNER}, **common)
    draw_floor_plan(tmp_path / "two.png", cameras={"a": CORNER, "b": other}, suspects={"b": "moved"}, **common)
    one, two = (np.asarray(Image.open(tmp_path / f"{n}.png").convert("RGB")).astype(int) for n in ("one", "two"))
    orange = np.array([0xD5, 0x5E, 0x00])
    assert (np.abs(two - orange).max(axis=2) < 12).sum() > 100
    assert (np.abs(one - orange).max(axis=2) < 12).sum() == 0


def test_a_plan_of_nothing_is_a_picture_too(tmp_path: Path) -> None:
    draw_floor_plan(tmp_path / "plan.png", cameras={})
    with Image.open(tmp_path / "plan.png") as picture:
        assert picture.size == (1100, 820)
