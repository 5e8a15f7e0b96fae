"""Which keypoints a camera does not see."""

from __future__ import annotations

import numpy as np

from gocv.data.poses import COCO17
from gocv.geometry import PinholeCamera
from gocv.sim.body import body
from gocv.sim.layout import Gondola, StoreLayout
from gocv.sim.scene import Scene
from gocv.sim.shoppers import Motion
from gocv.sim.sight import hidden_keypoints, way_in
from gocv.sim.sightings import presence

NOW = np.array([1.0])
NOSE, NEAR = COCO17.index("nose"), [COCO17.index(f"r_{n}") for n in ("shoulder", "elbow", "wrist")]
FAR = [COCO17.index(f"l_{n}") for n in ("shoulder", "elbow", "wrist")]


def standing(name: str, x_m: float, y_m: float, height_m: float = 1.75) -> Motion:
    """Facing along y."""
    ones = np.ones((60, 1))
    return Motion(name, height_m, 0.0, ones * [[x_m, y_m]], ones * [[0.0, 1.0]], ())


def at(x_m: float, y_m: float, towards_m: tuple[float, float] = (3.0, 3.0), height_m: float = 1.4) -> PinholeCamera:
    return PinholeCamera.look_at([x_m, y_m, height_m], [*towards_m, 1.0], width_px=640, height_px=480, focal_px=300)


def hidden(camera: PinholeCamera, *motions: Motion, gondolas: tuple[Gondola, ...] = ()) -> np.ndarray:
    layout = StoreLayout.build(gondolas, (), zones=(), size_m=(6.0, 6.0), door_m=(0.15, 3.0))
    return hidden_keypoints(layout, camera, presence(Scene(layout, motions, frozenset(), (), 5.0), NOW))


def test_a_face_is_seen_from_the_front_and_not_from_behind() -> None:
    person = standing("a", 3.0, 3.0)
    assert not hidden(at(3.0, 5.8), person).any()
    assert hidden(at(3.0, 0.2), person)[0, NOSE]


def test_the_own_body_hides_the_far_arm_and_not_the_near_one() -> None:
    found = hidden(at(5.8, 3.0), standing("a", 3.0, 3.0))[0]
    assert found[FAR[0]]
    assert not found[NEAR].any()


def test_who_stands_behind_somebody_larger_is_hidden_and_not_the_other() -> None:
    far, near = hidden(at(3.0, 5.8), standing("far", 3.0, 2.6, 1.5), standing("near", 3.0, 3.6, 1.9))
    assert far.mean() > 0.7
    assert not near.any()


def test_a_shelf_hides_legs_behind_it_and_a_missing_camera_view_hides_nothing() -> None:
    shelf = Gondola(1, (2.0, 3.6), 0.0, 20, (0.2, 0.6))
    found = hidden(at(3.0, 5.8), standing("a", 3.0, 3.0), gondolas=(shelf,))[0]
    assert found[15:].all()  # ankles
    assert not found[:7].any()
    assert not hidden(at(3.0, 5.8, towards_m=(3.0, 9.0)), standing("a", 3.0, 3.0), gondolas=(shelf,)).any()
    assert hidden(at(3.0, 5.8)).shape == (0, 17)


def test_a_hand_in_a_shelf_is_seen_from_the_front_unless_a_shelf_is_between() -> None:
    gondola = Gondola(1, (0.0, 0.0), 0.0, plates=20, heights_m=(0.2, 0.8, 1.4))
    points = np.array([[1.0, 0.2, 1.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [1.0, 0.3, 0.7]])
    front = way_in(np.array([1.0, -3.0, 1.0]), points, [gondola])
    np.testing.assert_allclose(front, [3.0 / 3.2, 1.0, 1.0, 3.0 / 3.3])
    above = way_in(np.array([1.0, -0.5, 1.5]), points, [gondola])
    assert above[0] < 1.0
    assert above[3] == 1.0  # the shelf at 0.8 m
    np.testing.assert_array_equal(way_in(np.array([1.0, 3.0, 1.0]), points, [gondola]), 1.0)
    np.testing.assert_array_equal(way_in(np.array([1.0, -3.0, 1.0]), points, []), 1.0)


def test_a_wrist_that_reaches_into_a_shelf_is_seen_and_one_behind_its_back_is_not() -> None:
    person = standing("a", 3.0, 3.0)
    wrist = body(person, NOW).keypoints_m[0, NEAR[2]]
    corner = (wrist[0] + 0.5, wrist[1] + 0.2)
    behind = Gondola(1, corner, np.pi, 10, (0.2, wrist[2] + 0.2))
    open_to_it = Gondola(2, (wrist[0] - 0.5, wrist[1] - 0.2), 0.0, 10, (0.2, wrist[2] + 0.2))
    for gondola, expected in ((open_to_it, False), (behind, True)):
        camera = at(float(wrist[0]), 0.2, (float(wrist[0]), 3.0), float(wrist[2]))
        assert hidden(camera, person, gondolas=(gondola,))[0, NEAR[2]] == expected
