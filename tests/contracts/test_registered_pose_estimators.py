"""What holds for every estimator of poses that is registered, as it comes without any setting."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

import numpy as np
import pytest

from gocv.core import Detections, Frame, PoseEstimator

PARTS = list(entry_points(group="gocv.pose_estimators"))


@pytest.fixture(scope="module", params=PARTS, ids=lambda entry: entry.name)
def estimator(request: pytest.FixtureRequest) -> PoseEstimator:
    entry: EntryPoint = request.param
    made = entry.load()()
    assert isinstance(made, PoseEstimator)
    return made


def frames() -> list[Frame]:
    rng = np.random.default_rng(0)
    return [
        Frame(rng.integers(0, 256, (*size, 3), dtype=np.uint8), "1", 0.1 * i, i)
        for i, size in enumerate([(60, 80), (90, 50), (60, 80)])
    ]


def boxes(*xyxy: tuple[float, float, float, float]) -> Detections:
    rows = np.array(xyxy, np.float32).reshape(-1, 4)
    return Detections(rows, np.ones(len(rows)), np.zeros(len(rows)))


PEOPLE = [boxes((5, 5, 40, 55), (-9, 10, 20, 90)), boxes((0, 0, 50, 90)), boxes()]


def test_it_names_its_keypoints(estimator: PoseEstimator) -> None:
    assert len(set(estimator.keypoints)) == len(estimator.keypoints) > 0


def test_each_box_has_a_row_and_what_is_not_seen_is_nan(estimator: PoseEstimator) -> None:
    found = estimator.estimate(frames(), PEOPLE)
    assert [len(poses) for poses in found] == [2, 1, 0]
    for poses in found:
        assert poses.score.shape[1:] == (len(estimator.keypoints),) or not len(poses)
        assert ((poses.score >= 0) & (poses.score <= 1)).all()
        np.testing.assert_array_equal(np.isfinite(poses.keypoints_px).all(axis=2), poses.score > 0)


def test_people_together_are_as_people_alone(estimator: PoseEstimator) -> None:
    together = estimator.estimate(frames(), PEOPLE)
    for frame, people, found in zip(frames(), PEOPLE, together, strict=True):
        alone = [estimator.estimate([frame], [people[i : i + 1]])[0] for i in range(len(people))]
        for i, one in enumerate(alone):
            np.testing.assert_allclose(one.score[0], found.score[i], atol=1e-4)
            np.testing.assert_allclose(one.keypoints_px[0], found.keypoints_px[i], atol=0.05)


def test_no_frames_have_no_poses_and_pictures_are_left_as_they_were(estimator: PoseEstimator) -> None:
    assert estimator.estimate([], []) == []
    given = frames()
    estimator.estimate(given, PEOPLE)
    for frame, original in zip(given, frames(), strict=True):
        np.testing.assert_array_equal(frame.image, original.image)
