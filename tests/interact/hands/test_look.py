from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS, FloorTracks, Frame
from gocv.geometry import PinholeCamera
from gocv.interact.crops import HandPaths, hand_times
from gocv.interact.hands import OnnxHandEncoder, look_at_hands

VIEW = {"width_px": 320, "height_px": 240, "focal_px": 200}
OVER = PinholeCamera.look_at([0, 0, 3], [0, 0, 0], **VIEW)
FAR = PinholeCamera.look_at([90, 0, 3], [99, 0, 0], **VIEW)


@pytest.fixture(scope="module")
def encoder() -> OnnxHandEncoder:
    return OnnxHandEncoder(threads=1)


@pytest.fixture
def paths() -> HandPaths:
    """Right wrists of two who stand still from 0 to 0.2 s."""
    joints = np.full((4, len(JOINTS), 3), np.nan)
    joints[:, JOINTS.index("r_wrist")] = [[0, 0, 1.0], [0, 0, 1.0], [0.5, 0, 1.0], [0.5, 0, 1.0]]
    return HandPaths(FloorTracks.sightings(("ann", "bob"), [0.0, 0.2, 0.0, 0.2], [0, 0, 1, 1], joints_m=joints))


def frame(time_s: float) -> Frame:
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    return Frame(image, "over", time_s, 0)


def test_each_hand_in_the_picture_has_a_row(paths: HandPaths, encoder: OnnxHandEncoder) -> None:
    found = look_at_hands(frame(0.1), OVER, paths, encoder)
    assert (found.shoppers, found.cameras) == (("ann", "bob"), ("over",))
    assert (found.shopper.tolist(), found.hand.tolist(), found.camera.tolist()) == ([0, 1], [1, 1], [0, 0])
    assert found.time_s.tolist() == [0.1, 0.1]
    assert found.side_px[0] == pytest.approx(0.42 * 200 / 2, rel=1e-3)
    assert found.vector.shape == (2, encoder.length)
    assert not np.allclose(found.vector[0], found.vector[1], atol=1e-3)


def test_only_hands_that_are_asked_for_are_looked_at(paths: HandPaths, encoder: OnnxHandEncoder) -> None:
    times = hand_times(paths, ["bob"], [1], [0.0], [0.1])
    assert look_at_hands(frame(0.05), OVER, paths, encoder, only=times).shopper.tolist() == [1]
    assert len(look_at_hands(frame(0.15), OVER, paths, encoder, only=times)) == 0


@pytest.mark.parametrize(("camera", "time_s"), [(FAR, 0.1), (OVER, 9.0)])
def test_a_frame_without_hands_has_no_rows(
    paths: HandPaths, encoder: OnnxHandEncoder, camera: PinholeCamera, time_s: float
) -> None:
    found = look_at_hands(frame(time_s), camera, paths, encoder)
    assert found.vector.shape == (0, encoder.length)
