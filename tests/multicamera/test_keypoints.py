"""Keypoints of a pose estimator as the joints of a recording."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.core import JOINTS, DataError, Poses
from gocv.data.poses import COCO17
from gocv.multicamera import joint_sd_px, joints_of_coco17

AT = {name: i for i, name in enumerate(COCO17)}


def pose(**given: tuple[float, float, float]) -> Poses:
    """x, y and score of the keypoints that are seen."""
    pixels, score = np.full((1, 17, 2), np.nan), np.zeros((1, 17))
    for name, (x, y, sure) in given.items():
        pixels[0, AT[name]], score[0, AT[name]] = (x, y), sure
    return Poses(pixels, score)


def joint(poses: Poses, name: str) -> tuple[list[float], float]:
    found = joints_of_coco17(poses)
    k = JOINTS.index(name)
    return found.keypoints_px[0, k].tolist(), pytest.approx(float(found.score[0, k]))


def test_arms_are_taken_over_as_they_are() -> None:
    for side in "lr":
        for part in ("shoulder", "elbow", "wrist"):
            name = f"{side}_{part}"
            assert joint(pose(**{name: (3.0, 4.0, 0.75)}), name) == ([3.0, 4.0], 0.75)


@pytest.mark.parametrize(
    ("seen", "place", "score"),
    [
        ({"l_ear": (10, 5, 0.9), "r_ear": (20, 7, 0.6), "nose": (40, 40, 1)}, [15, 6], 0.6),
        ({"l_ear": (10, 5, 0.9), "r_ear": (20, 7, 0.1), "nose": (40, 40, 1)}, [10, 5], 0.9),
        ({"nose": (40, 41, 0.5)}, [40, 41], 0.5),
    ],
)
def test_the_head_is_between_the_ears_as_far_as_they_are_seen(
    seen: dict[str, tuple[float, float, float]], place: list[float], score: float
) -> None:
    assert joint(pose(**seen), "head") == (place, score)


def test_the_neck_takes_both_shoulders() -> None:
    assert joint(pose(l_shoulder=(0, 0, 0.5), r_shoulder=(10, 4, 0.75)), "neck") == ([5.0, 2.0], 0.5)
    one = joints_of_coco17(pose(l_shoulder=(0, 0, 0.5)))
    assert np.isnan(one.keypoints_px[0, JOINTS.index("neck")]).all()
    assert one.score[0, JOINTS.index("neck")] == 0


def test_nobody_and_nothing_seen_are_valid() -> None:
    assert joints_of_coco17(pose()[:0]).keypoints_px.shape == (0, 8, 2)
    assert np.isnan(joints_of_coco17(pose()).keypoints_px).all()


def test_other_keypoints_are_refused() -> None:
    with pytest.raises(DataError, match="13 keypoints"):
        joints_of_coco17(Poses(np.zeros((1, 13, 2)), np.zeros((1, 13))))


def test_errors_are_in_proportion_to_the_person() -> None:
    sd_px = joint_sd_px([[0, 0, 50, 100], [0, 0, 100, 200]])
    np.testing.assert_allclose(sd_px[1], 2 * sd_px[0])
    assert sd_px[0, JOINTS.index("l_wrist")] == pytest.approx(0.062 * np.sqrt(0.53 * 5000 / 2))
    assert joint_sd_px(np.empty((0, 4))).shape == (0, 8)
