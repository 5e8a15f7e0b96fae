"""A calibration moved into the store's frame."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import DataError
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration import ReferencePoint, align_floor, floor_errors, move_cameras

SIZE = {"width_px": 640, "height_px": 480, "focal_px": 400.0}
TRUE = {
    "a": PinholeCamera.look_at([0, 0, 2.7], [3, 3, 0.5], **SIZE),
    "b": PinholeCamera.look_at([6, 4, 2.6], [3, 2, 0.5], **SIZE),
}
ELSEWHERE = move_cameras(TRUE, [0.7, 3.0, -2.0])
PLACES = np.random.default_rng(0).uniform([1, 1], [5, 4], (200, 2))


def point(camera: str, x: float, y: float) -> ReferencePoint:
    u, v = TRUE[camera].floor_to_pixels([[x, y]])[0]
    return ReferencePoint(camera, (u, v), (x, y))


@pytest.mark.parametrize(
    "references",
    [
        {"reference_points": [point("a", 2, 2), point("b", 4, 2.5)]},
        {"reference_cameras": {"a": (0, 0), "b": (6, 4)}},
        {"reference_points": [point("a", 2, 2)], "reference_cameras": {"b": (6, 4)}},
    ],
)
def test_two_known_places_bring_the_frame_back(references) -> None:
    found, off = align_floor(ELSEWHERE, **references)
    np.testing.assert_allclose(off, 0, atol=1e-9)
    for name, camera in TRUE.items():
        np.testing.assert_allclose(found[name].camera_T_world, camera.camera_T_world, atol=1e-9)


def test_a_wrong_reference_is_far_off() -> None:
    wrong = [point("a", 2, 2), point("a", 3, 2), point("b", 4, 2.5), ReferencePoint("b", (320, 300), (9.0, 9.0))]
    off = align_floor(ELSEWHERE, reference_points=wrong)[1]
    assert off.argmax() == 3
    assert off[3] > 1


@pytest.mark.parametrize(
    ("references", "problem"),
    [
        ({"reference_points": [point("a", 2, 2)]}, "1 references"),
        ({"reference_points": [point("a", 2, 2), point("b", 2, 2)]}, "2 references"),
        ({"reference_cameras": {"a": (0, 0), "c": (6, 4)}}, "no camera 'c'"),
        ({"reference_points": [point("a", 2, 2), ReferencePoint("a", (320, -9000), (1, 1))]}, "look at the floor"),
    ],
)
def test_what_fixes_no_frame_is_refused(references, problem) -> None:
    with pytest.raises(DataError, match=problem):
        align_floor(ELSEWHERE, **references)


def test_floor_errors_forgive_the_frame_and_nothing_else() -> None:
    assert max(own.max() for own in floor_errors(ELSEWHERE, TRUE, PLACES).values()) < 1e-6
    shifted = {**ELSEWHERE, "b": move_cameras({"b": ELSEWHERE["b"]}, [0.0, 0.5, 0.0])["b"]}
    errors = floor_errors(shifted, TRUE, PLACES)
    assert 0.3 < sum(np.median(own) for own in errors.values()) < 0.6
