from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, DataError, Detections, Frame, PoseEstimator
from gocv.data.pictures import read_picture
from gocv.data.poses import COCO17
from gocv.data.video import VideoReader
from gocv.detect.pose import DefaultPose
from gocv.metrics.poses import correct_keypoints

SIDES = [COCO17.index("l_wrist"), COCO17.index("r_wrist")]


@pytest.fixture(scope="module")
def net() -> DefaultPose:
    return DefaultPose(threads=1)


def boxes(*xyxy: list[float]) -> Detections:
    return Detections(np.array(xyxy).reshape(-1, 4), np.ones(len(xyxy)), np.zeros(len(xyxy)))


def frame(seed: int, size: tuple[int, int] = (90, 120)) -> Frame:
    return Frame(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8), "camera", 0.0, seed)


def test_the_default_is_an_estimator_of_cocos_keypoints(net: DefaultPose) -> None:
    assert isinstance(net, PoseEstimator)
    assert net.keypoints == COCO17


def test_a_row_for_each_box_of_each_frame_whatever_goes_together() -> None:
    """Batches of two people give what one by one gives."""
    frames = [frame(0), frame(1, (60, 200)), frame(2)]
    people = [boxes([10, 10, 50, 80], [-20, -20, 30, 60]), boxes(), boxes([0, 0, 120, 90])]
    found = DefaultPose(min_score=0.0, threads=1, batch=2).estimate(frames, people)
    assert [len(one) for one in found] == [2, 0, 1]
    assert found[1].keypoints_px.shape == (0, 17, 2)
    alone = DefaultPose(min_score=0.0, threads=1, batch=1)
    for one, image, those in zip(found, frames, people, strict=True):
        for row in range(len(those)):
            (same,) = alone.estimate([image], [those[row : row + 1]])
            assert one.keypoints_px[row] == pytest.approx(same.keypoints_px[0], abs=0.02)
            assert one.score[row] == pytest.approx(same.score[0], abs=1e-3)


def test_boxes_that_are_none_have_no_keypoints(net: DefaultPose) -> None:
    (found,) = net.estimate([frame(0)], [boxes([np.nan, 0, 5, 5], [9, 9, 9, 20], [10, 10, 5, 30])])
    assert len(found) == 3
    assert np.isnan(found.keypoints_px).all()
    assert (found.score == 0).all()


def test_what_scores_less_is_not_seen() -> None:
    all_, few = (DefaultPose(min_score=least, threads=1) for least in (0.0, 0.3))
    given = [frame(3)], [boxes([10, 10, 60, 80])]
    (every,), (some,) = all_.estimate(*given), few.estimate(*given)
    assert np.isfinite(every.keypoints_px).all()
    kept = every.score >= 0.3
    assert not kept.all()
    assert np.array_equal(np.isfinite(some.keypoints_px[..., 0]), kept)
    assert (some.score[~kept] == 0).all()


def test_no_frames_give_no_poses(net: DefaultPose) -> None:
    assert net.estimate([], []) == []
    with pytest.raises(DataError, match="one for each frame"):
        net.estimate([frame(0)], [])


@pytest.mark.parametrize(("given", "error"), [({"min_score": 2}, "min_score"), ({"batch": 0}, "batch")])
def test_arguments_out_of_range_are_refused(given: dict[str, Any], error: str) -> None:
    with pytest.raises(ConfigError, match=error):
        DefaultPose(**given)


def test_weights_must_be_there_and_fit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        DefaultPose(tmp_path / "none.onnx")
    (tmp_path / "no.onnx").write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a network"):
        DefaultPose(tmp_path / "no.onnx")


@pytest.fixture(scope="module")
def people(shared_data: Path) -> tuple[list[Frame], list[Detections], np.ndarray]:
    """People of COCO val2017 and of cps-test-01, and their wrists as labelled by eye."""
    labelled = json.loads((Path(__file__).parents[1] / "wrists.json").read_text(encoding="utf-8"))["people"]
    clips: dict[str, dict[int, np.ndarray]] = {}
    for name in {one["picture"] for one in labelled if one["picture"].endswith(".mp4")}:
        clips[name] = {f.index: f.image for f in VideoReader(shared_data / name, camera=name)}
    frames = []
    for one in labelled:
        clip = clips.get(one["picture"])
        image = read_picture(shared_data / one["picture"]) if clip is None else clip[one["frame"]]
        frames.append(Frame(image, one["picture"], 0.0, one["frame"]))
    nothing = [np.nan, np.nan]
    wrists = np.array([[one.get("l_wrist", nothing), one.get("r_wrist", nothing)] for one in labelled])
    return frames, [boxes(one["xyxy"]) for one in labelled], wrists


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_wrists_of_real_people_are_found(people: Any, runtime: Any) -> None:
    """PCK at 0.1 of the box; experiments/results/pose.json has the figures."""
    pytest.importorskip(runtime)
    frames, those, truth = people
    found = DefaultPose(runtime=runtime, threads=1, min_score=0.0).estimate(frames, those)
    points = np.concatenate([one.keypoints_px for one in found])[:, SIDES]
    right = correct_keypoints(points, truth, np.concatenate([one.xyxy for one in those]))
    known = np.isfinite(truth).all(axis=2)
    store = np.array([one.camera.endswith(".mp4") for one in frames])[:, None]
    assert known.sum() == 80
    assert right[known].mean() >= LEAST
    assert right[known & store].mean() >= LEAST_STORE


LEAST, LEAST_STORE = 0.5, 0.58
