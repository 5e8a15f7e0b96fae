from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS, ConfigError, DataError, FloorTracks
from gocv.geometry import PinholeCamera
from gocv.interact.crops import HandPaths, HandTimes, cut, hand_squares, hand_times

CAMERA = PinholeCamera.look_at([0, 0, 3], [0, 0, 0], width_px=641, height_px=361, focal_px=400)


def tracks(rows: list[tuple[float, int, tuple[float, float, float]]], elbow: bool = True) -> FloorTracks:
    """Rows of time, shopper and left wrist; the elbow is 0.25 m from it towards -x."""
    joints = np.full((len(rows), len(JOINTS), 3), np.nan)
    for i, (_, _, wrist) in enumerate(rows):
        joints[i, JOINTS.index("l_wrist")] = wrist
        if elbow:
            joints[i, JOINTS.index("l_elbow")] = np.array(wrist) - [0.25, 0, 0]
    return FloorTracks.sightings(("ann", "bob"), [row[0] for row in rows], [row[1] for row in rows], joints_m=joints)


def test_a_hand_lies_beyond_its_wrist_on_the_line_from_the_elbow() -> None:
    places = HandPaths(tracks([(1.0, 0, (0.5, 0.2, 1.0))]), beyond_wrist_m=0.1).at(1.0)
    np.testing.assert_allclose(places[0, 0], [0.6, 0.2, 1.0])
    assert np.isnan(places[0, 1]).all()
    assert np.isnan(places[1]).all()


def test_a_hand_without_an_elbow_is_at_its_wrist() -> None:
    bare = tracks([(1.0, 0, (0.5, 0.2, 1.0))], elbow=False)
    assert np.isfinite(bare.joints_m[0, JOINTS.index("l_wrist")]).all()
    joints = bare.joints_m.copy()
    joints[0, JOINTS.index("l_elbow")] = joints[0, JOINTS.index("l_wrist")]
    same = FloorTracks.sightings(bare.shoppers, bare.time_s, bare.shopper, joints_m=joints)
    for rows in (bare, same):
        np.testing.assert_allclose(HandPaths(rows).at(1.0)[0, 0], [0.5, 0.2, 1.0])


@pytest.mark.parametrize(("time_s", "x_m"), [(1.0, 0.1), (1.1, 0.2), (1.05, 0.15), (0.9, None), (1.2, None)])
def test_between_two_rows_a_hand_moves_in_a_straight_line(time_s: float, x_m: float | None) -> None:
    paths = HandPaths(tracks([(1.1, 0, (0.2, 0, 1)), (1.0, 0, (0.1, 0, 1))]), beyond_wrist_m=0.0)
    found = paths.at(time_s)[0, 0]
    if x_m is None:
        assert np.isnan(found).all()
    else:
        np.testing.assert_allclose(found, [x_m, 0, 1])


def test_nothing_is_guessed_across_a_long_gap() -> None:
    paths = HandPaths(tracks([(1.0, 0, (0.1, 0, 1)), (1.6, 0, (0.2, 0, 1))]))
    assert np.isnan(paths.at(1.3)).all()


def test_a_square_is_centred_on_the_hand_and_measured_at_its_distance() -> None:
    paths = HandPaths(tracks([(0.0, 0, (0.3, -0.2, 1.0))]), beyond_wrist_m=0.0)
    found = hand_squares(paths, CAMERA, 0.0, side_m=0.4)
    (middle,), _ = CAMERA.project([[0.3, -0.2, 1.0]])
    np.testing.assert_allclose((found.xyxy[0, :2] + found.xyxy[0, 2:]) / 2, middle, atol=1e-3)
    assert found.side_px[0] == pytest.approx(0.4 * 400 / 2.0, rel=1e-4)
    assert (found.shopper.tolist(), found.hand.tolist()) == ([0], [0])


@pytest.mark.parametrize("wrist", [(0.0, 0.0, 3.5), (5.0, 0.0, 1.0), (0.0, 2.0, 1.0)], ids=["behind", "aside", "above"])
def test_hands_outside_the_picture_have_no_square(wrist: tuple[float, float, float]) -> None:
    assert len(hand_squares(HandPaths(tracks([(0.0, 0, wrist)])), CAMERA, 0.0)) == 0


def test_small_squares_are_left_out() -> None:
    paths = HandPaths(tracks([(0.0, 0, (0, 0, 1.0))]))
    assert len(hand_squares(paths, CAMERA, 0.0, side_m=0.4, least_px=79)) == 1
    assert len(hand_squares(paths, CAMERA, 0.0, side_m=0.4, least_px=81)) == 0
    with pytest.raises(ConfigError, match="above 0"):
        hand_squares(paths, CAMERA, 0.0, side_m=0)


@pytest.mark.parametrize(("hand", "time_s", "count"), [(0, 1.0, 1), (-1, 1.0, 1), (1, 1.0, 0), (0, 3.0, 0)])
def test_only_hands_that_are_asked_for_are_looked_at(hand: int, time_s: float, count: int) -> None:
    paths = HandPaths(tracks([(t, 0, (0, 0, 1.0)) for t in (1.0, 3.0)]))
    times = hand_times(paths, ["ann", "nobody"], [hand, 0], [0.5, 0.0], [1.5, 9.0])
    assert len(times) == 1
    assert len(hand_squares(paths, CAMERA, time_s, only=times)) == count


def test_no_shoppers_are_valid() -> None:
    paths = HandPaths(FloorTracks.empty(shoppers=()))
    assert len(hand_squares(paths, CAMERA, 0.0)) == 0
    assert len(hand_squares(paths, CAMERA, 0.0, only=HandTimes.empty())) == 0
    assert cut(np.zeros((4, 4, 3), np.uint8), np.empty((0, 4)), 8).shape == (0, 8, 8, 3)


def test_a_crop_is_the_part_of_the_picture() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cut(image, [[10, 5, 26, 21]], 16)[0], image[5:21, 10:26])


def test_beyond_its_edge_the_picture_goes_on_as_at_the_edge() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, 0] = 200
    (crop,) = cut(image, [[-8, 4, 8, 20]], 16)
    assert (crop[:, :9] == 200).all()
    assert (crop[:, 9:] == 0).all()


def test_squares_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        cut(np.zeros((4, 4, 3), np.uint8), [[0, 0, np.nan, 4]], 8)
    with pytest.raises(DataError, match="H, W, 3"):
        cut(np.zeros((4, 4), np.uint8), [[0, 0, 4, 4]], 8)
