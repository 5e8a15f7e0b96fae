"""A lens from chessboards that were drawn through a known one."""

from __future__ import annotations

import functools
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gocv.core import DataError, MissingDependencyError
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration.board import calibrate_board

INNER, SQUARE_M = (8, 6), 0.03
WIDTH, HEIGHT, FOCAL = 512, 384, 420.0
DISTORTION = (-0.12, 0.02, 0.0004, -0.0003, 0.0)


def camera(position: list[float]) -> PinholeCamera:
    return PinholeCamera.look_at(
        position, [0.02, 0.0, 0.0], width_px=WIDTH, height_px=HEIGHT, focal_px=FOCAL, distortion=DISTORTION
    )


@functools.cache
def rays() -> np.ndarray:
    """(9, 384, 512, 3) nine rays of each pixel in the camera's frame: the lens is the same in all pictures."""
    offsets = np.stack(np.meshgrid(*[np.array([-1, 0, 1]) / 3] * 2), axis=-1).reshape(-1, 1, 1, 2)
    grid = np.stack(np.meshgrid(np.arange(float(WIDTH)), np.arange(float(HEIGHT))), axis=-1)
    flat = camera([0.0, -0.3, 0.3]).undistort(grid + offsets)
    return np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1)


def picture(position: list[float], warp: float = 0.0) -> np.ndarray:
    """The board lies on the floor in the world's middle; a pixel is the mean over its rays."""
    seen = camera(position)
    world = rays() @ seen.camera_T_world[:3, :3]
    xy = seen.position_m[:2] - world[..., :2] * seen.position_m[2] / world[..., 2:]
    xy = xy + warp * np.sin(xy[..., ::-1] * 25)
    column, row = (np.floor(xy[..., k] / SQUARE_M + (INNER[k] + 1) / 2) for k in (0, 1))
    on_board = (column >= 0) & (column <= INNER[0]) & (row >= 0) & (row <= INNER[1])
    shade = np.where(on_board & ((column + row) % 2 == 0), 20.0, 230.0).mean(axis=0)
    shade = gaussian_filter(shade, 0.7)  # no lens is sharper than its pixels
    noise = np.random.default_rng(0).normal(0, 2, shade.shape)
    return np.repeat(np.clip(shade + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


PLACES = [
    [0.05, -0.24, 0.22],
    [0.26, 0.05, 0.22],
    [-0.22, 0.03, 0.24],
    [0.04, 0.24, 0.2],
    [0.18, -0.17, 0.22],
    [-0.16, -0.17, 0.24],
    [0.17, 0.18, 0.2],
    [0.02, -0.06, 0.38],
]


@pytest.fixture(scope="module")
def pictures() -> dict[str, np.ndarray]:
    return {f"{i}.png": picture(place) for i, place in enumerate(PLACES)}


def test_the_lens_is_found_and_the_bent_board_is_named(pictures) -> None:
    bent = {
        **pictures,
        "bent.png": picture([0.15, 0.2, 0.3], warp=0.004),
        "blank.png": np.zeros((HEIGHT, WIDTH, 3), np.uint8),
    }
    found = calibrate_board(bent, INNER, SQUARE_M)
    assert found.lens.matrix is not None
    assert found.lens.distortion is not None
    np.testing.assert_allclose(np.diagonal(found.lens.matrix)[:2], FOCAL, rtol=0.005)
    np.testing.assert_allclose(found.lens.matrix[:2, 2], [(WIDTH - 1) / 2, (HEIGHT - 1) / 2], atol=3)
    assert abs(found.lens.distortion[0] - DISTORTION[0]) < 0.02
    assert found.rms_px < 0.2
    assert max(found.focal_sd_px) < 5
    problems = {told.name: told.problem for told in found.pictures if told.problem}
    assert set(problems) == {"bent.png", "blank.png"}
    assert "px off" in problems["bent.png"]
    assert problems["blank.png"] == "the board was not found"


def test_too_few_pictures_are_refused(pictures) -> None:
    few = dict(list(pictures.items())[:4])
    with pytest.raises(DataError, match="used in 4 of 4 pictures"):
        calibrate_board(few, INNER, SQUARE_M)


def test_a_board_seen_straight_on_only_is_refused() -> None:
    flat = {f"{i}.png": picture([0.02, -0.02 - 0.002 * i, 0.38 + 0.01 * i]) for i in range(5)}
    with pytest.raises(DataError, match="do not fix the focal length"):
        calibrate_board(flat, INNER, SQUARE_M)


def test_pictures_of_two_cameras_are_refused(pictures) -> None:
    with pytest.raises(DataError, match="one size"):
        calibrate_board({**pictures, "x": np.zeros((100, 100), np.uint8)}, INNER, SQUARE_M)


def test_without_opencv_it_says_what_to_install(pictures, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gocv\[calibrate\]"):
        calibrate_board(pictures, INNER, SQUARE_M)
