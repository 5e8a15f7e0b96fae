"""Segments: definitions against loops, and the scores that the published scorer gives."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.data.merl import merl_split, read_merl
from gocv.metrics.classes import confusion, f1_of_classes, macro_f1
from gocv.metrics.segments import (
    Segments,
    average_precision,
    count_segments,
    edit_score,
    frame_accuracy,
    mean_average_precision,
    segments_of,
    sum_segments,
)

ROOT = Path(__file__).parents[1]
FRAMES = st.lists(st.integers(0, 3), min_size=1, max_size=40)


def oracle() -> ModuleType:
    spec = importlib.util.spec_from_file_location("segments_oracle", ROOT / "oracles" / "segments.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ORACLE = oracle()


class TestSegmentsOfFrames:
    @given(FRAMES, FRAMES, st.sampled_from([0.1, 0.25, 0.5, 0.75]))
    def test_f1_is_that_of_the_definition(self, one, other, overlap) -> None:
        true, found = (segments_of(frames, background=0) for frames in (one, other))
        expected = ORACLE.f1(one, other, 0, overlap)
        f1 = count_segments(true, found, overlap=overlap).f1
        assert np.isnan(f1) if expected is None else f1 == pytest.approx(expected)

    @given(FRAMES, FRAMES)
    def test_edit_score_is_that_of_the_definition(self, one, other) -> None:
        score = edit_score(*(segments_of(frames, background=0) for frames in (one, other)))
        expected = ORACLE.edit(one, other, 0)
        assert np.isnan(score) if expected is None else score == pytest.approx(expected)

    @given(FRAMES)
    def test_runs_cover_the_video_without_gaps(self, frames) -> None:
        runs = segments_of(frames)
        assert runs.start[0] == 0
        assert runs.end[-1] == len(frames)
        assert (runs.start[1:] == runs.end[:-1]).all()
        assert (np.diff(runs.label) != 0).all()

    def test_a_true_segment_is_found_once(self) -> None:
        true = segments_of([1] * 10)
        halves = Segments.of([1, 1], [0, 5], [5, 10])
        counts = count_segments(true, halves, overlap=0.5)
        assert (counts.right, counts.predicted, counts.true) == (1, 2, 1)

    def test_counts_of_videos_add_up(self) -> None:
        one, two = segments_of([1, 1, 0], background=0), segments_of([2, 2, 2], background=0)
        counts = sum_segments([count_segments(one, one, overlap=0.5), count_segments(two, one, overlap=0.5)])
        assert counts.f1 == pytest.approx(0.5)

    def test_frames_are_counted_and_must_be_as_many(self) -> None:
        assert frame_accuracy([1, 2, 2], [1, 1, 2]) == (2, 3)
        with pytest.raises(DataError, match="3 true and 2"):
            frame_accuracy([1, 2, 2], [1, 1])


class TestDetections:
    TRUE = (Segments.of([0, 0, 1], [0, 10, 20], [10, 20, 30]),)

    @pytest.mark.parametrize(
        ("start", "end", "score", "expected"),
        [
            ([2, 12], [8, 18], [0.9, 0.8], 1.0),
            ([2, 3], [8, 9], [0.9, 0.8], 0.5),
            ([40, 2, 12], [44, 8, 18], [0.9, 0.8, 0.7], (1 / 2 + 2 / 3) / 2),
            ([0], [40], [0.9], 0.0),
            ([10], [10], [0.9], 0.5),
        ],
        ids=["both", "one twice", "a false one first", "middle elsewhere", "middle on the edge is of the later"],
    )
    def test_average_precision_by_middles(self, start, end, score, expected) -> None:
        found = (Segments.of([0] * len(start), start, end, score),)
        assert average_precision(self.TRUE, found, 0) == pytest.approx(expected)

    def test_overlap_must_be_more_than_the_threshold(self) -> None:
        found = (Segments.of([1], [20], [25]),)
        assert average_precision(self.TRUE, found, 1, criterion="iou", overlap=0.5) == 0.0
        assert average_precision(self.TRUE, found, 1, criterion="iou", overlap=0.49) == 1.0

    def test_classes_that_are_not_there_do_not_count_and_those_not_found_count_nothing(self) -> None:
        found = (Segments.of([0, 0, 5], [0, 10, 3], [10, 20, 7]),)
        assert mean_average_precision(self.TRUE, found) == pytest.approx(0.5)
        assert np.isnan(average_precision(self.TRUE, found, 5))
        assert np.isnan(mean_average_precision((), ()))


def spoil(frames: np.ndarray, seed: int) -> np.ndarray:
    """Moved by some frames, and stretches made something else."""
    rng = np.random.default_rng(seed)
    moved = np.roll(frames, int(rng.integers(-8, 9)))
    for _ in range(len(frames) // 300):
        at = int(rng.integers(len(frames)))
        moved[at : at + int(rng.integers(5, 60))] = int(rng.integers(-1, 5))
    return moved


@pytest.fixture(scope="module")
def spoilt(shared_data: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frames of each video of MERL's test part, true and predicted, background 0."""
    videos = merl_split(read_merl(shared_data / "merl_labels"), "test")
    true = [video.frames() for video in videos]
    found = [spoil(f, v.subject * 10 + int(v.name[-1])) for f, v in zip(true, videos, strict=True)]
    return [f + 1 for f in true], [f + 1 for f in found]


@pytest.fixture(scope="module")
def published() -> dict[str, float]:
    frozen: dict[str, float] = json.loads((ROOT / "parity" / "action_segments.json").read_text())
    return frozen


class TestPublishedScorer:
    """`overlap_f1`, `edit_score`, `midpoint_mAP`, `IoU_mAP` of the authors' TemporalConvolutionalNetworks at cccdf868.

    Frozen from a run beside ours on the labels of MERL's test part, spoilt by `spoil`.
    """

    def test_segments_score_as_they_did(self, spoilt, published) -> None:
        videos = [[segments_of(f, background=0) for f in frames] for frames in zip(*spoilt, strict=True)]
        as_one = [segments_of(np.concatenate(frames), background=0) for frames in spoilt]
        for k in (10, 25, 50):
            counts = [count_segments(*pair, overlap=k / 100) for pair in videos]
            assert 100 * np.mean([c.f1 for c in counts]) == pytest.approx(published[f"f1_{k}_mean"])
            assert 100 * count_segments(*as_one, overlap=k / 100).f1 == pytest.approx(published[f"f1_{k}_one_video"])
        assert 100 * np.mean([edit_score(*pair) for pair in videos]) == pytest.approx(published["edit_mean"])
        right, frames = frame_accuracy(*map(np.concatenate, spoilt))
        assert 100 * right / frames == pytest.approx(published["accuracy_one_video"])

    def test_detections_score_as_they_did(self, spoilt, published) -> None:
        rng = np.random.default_rng(5)
        true = [segments_of(f, background=0) for f in spoilt[0]]
        found = []
        for frames in spoilt[1]:
            runs = segments_of(frames, background=0)
            found.append(Segments.of(runs.label, runs.start, runs.end, np.round(rng.random(len(runs)), 2)))
        assert mean_average_precision(true, found) == pytest.approx(published["map_midpoint"])
        for k in (10, 50):
            score = mean_average_precision(true, found, criterion="iou", overlap=k / 100)
            assert score == pytest.approx(published[f"map_iou_{k}"])


class TestClasses:
    def test_figures_are_those_of_scikit_learn(self) -> None:
        from sklearn.metrics import confusion_matrix, f1_score

        rng = np.random.default_rng(0)
        true, found = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
        table = confusion(true, found, 4)
        np.testing.assert_array_equal(table, confusion_matrix(true, found))
        np.testing.assert_allclose(f1_of_classes(table), f1_score(true, found, average=None))
        assert macro_f1(table) == pytest.approx(f1_score(true, found, average="macro"))

    def test_a_class_that_is_nowhere_does_not_count(self) -> None:
        assert macro_f1(confusion([0, 0], [0, 0], 3)) == 1.0
        assert np.isnan(macro_f1(confusion([], [], 3)))

    @pytest.mark.parametrize(("true", "found"), [([0], [0, 1]), ([3], [0]), ([0], [-1])])
    def test_what_does_not_fit_is_refused(self, true, found) -> None:
        with pytest.raises(DataError):
            confusion(true, found, 3)
