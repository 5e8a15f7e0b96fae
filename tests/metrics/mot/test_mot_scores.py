"""Sequences, counts and scores by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gocv.core import ConfigError, DataError
from gocv.metrics.mot import MotResult, MotScores, MotSequence, count_mot, leave_out

KEYS = {"hota", "det_a", "ass_a", "loc_a", "mota", "motp", "idsw", "frag", "mt", "ml", "idf1", "idp", "idr"}


def box(left: float) -> list[float]:
    return [left, 0.0, left + 10, 20.0]


def walk(track_ids: list[int]) -> MotSequence:
    """One person for as many frames as there are ids, found exactly, under these ids."""
    frames = np.arange(len(track_ids))
    boxes = [box(5.0 * frame) for frame in frames]
    return MotSequence.from_boxes(frames, np.ones(len(frames)), boxes, frames, track_ids, boxes)


def scores(sequence: MotSequence) -> MotScores:
    return MotScores.of(count_mot(sequence))


def test_a_perfect_tracker() -> None:
    got = scores(walk([7] * 10))
    assert (got.hota, got.det_a, got.ass_a, got.loc_a) == (1, 1, 1, 1)
    assert (got.mota, got.motp, got.idf1, got.idsw, got.frag, got.mt, got.ml) == (1, 1, 1, 0, 0, 1, 0)


def test_a_switch_in_the_middle() -> None:
    got = scores(walk([7] * 5 + [8] * 5))
    assert got.det_a == 1
    assert got.ass_a == pytest.approx(0.5)  # 5 / (10 + 5 - 5) for every match
    assert got.hota == pytest.approx(np.sqrt(0.5))
    assert got.idsw == 1
    assert got.mota == pytest.approx(0.9)
    assert got.idf1 == pytest.approx(0.5)


def test_a_track_that_is_lost_and_found() -> None:
    boxes = [box(5.0 * frame) for frame in range(6)]
    seen = [0, 1, 4, 5]
    found = [*(boxes[i] for i in seen), box(500), box(500)]
    got = scores(MotSequence.from_boxes(range(6), [1] * 6, boxes, [*seen, 2, 3], [7] * 4 + [9] * 2, found))
    assert (got.frag, got.idsw) == (1, 0)
    assert (got.mt, got.pt, got.ml) == (0, 1, 0)
    assert got.mota == pytest.approx((4 - 2) / 6)


def test_rows_may_come_in_any_order() -> None:
    rng = np.random.default_rng(0)
    frames, numbers = np.repeat(np.arange(20), 3), np.tile([1, 2, 3], 20)
    boxes = np.array([box(30.0 * n + f) for f, n in zip(frames, numbers, strict=True)])
    moved = boxes + rng.normal(0, 2, boxes.shape)
    want = scores(MotSequence.from_boxes(frames, numbers, boxes, frames, numbers, moved))
    one, other = rng.permutation(60), rng.permutation(60)
    got = scores(
        MotSequence.from_boxes(frames[one], numbers[one], boxes[one], frames[other], numbers[other], moved[other])
    )
    assert got.json() == pytest.approx(want.json())


def test_nothing_true_and_nothing_found() -> None:
    none: list[int] = []
    for true, found in (([0, 1], none), (none, [0, 1]), (none, none)):
        got = scores(MotSequence.from_boxes(true, true, [box(0)] * len(true), found, found, [box(0)] * len(found)))
        assert got.hota == got.mota == got.idf1 == 0
        assert got.loc_a == 1


def test_people_on_the_floor_in_metres() -> None:
    frames = np.arange(10)
    at = np.column_stack([0.1 * frames, np.zeros(10)])
    for off_m, motp in ((0.0, 1.0), (0.5, 0.75), (0.99, 0.505)):
        got = scores(MotSequence.from_points(frames, [1] * 10, at, frames, [4] * 10, at + np.array([0, off_m])))
        assert got.mota == 1
        assert got.motp == pytest.approx(motp)
    assert scores(MotSequence.from_points(frames, [1] * 10, at, frames, [4] * 10, at + np.array([0, 1.1]))).mota == -1
    near = MotSequence.from_points(frames, [1] * 10, at, frames, [4] * 10, at + np.array([0, 1.1]), zero_at_m=4.0)
    assert scores(near).mota == 1
    with pytest.raises(DataError, match="zero_at_m"):
        MotSequence.from_points(frames, [1] * 10, at, frames, [4] * 10, at, zero_at_m=0.0)


@pytest.mark.parametrize(
    ("frames", "numbers", "boxes", "message"),
    [
        ([0, 0], [1, 1], [box(0), box(5)], "id 1 more than once in frame 0"),
        ([0, 1], [1], [box(0), box(5)], "1 ids"),
        ([0], [1], [[0, 0, 5]], r"\(1, 3\)"),
        ([0.5], [1], [box(0)], "whole"),
        ([0], [1], [[0, 0, np.nan, 5]], "row 0"),
    ],
)
def test_what_cannot_be_scored_is_refused(frames: list, numbers: list, boxes: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        MotSequence.from_boxes(frames, numbers, boxes, [0], [1], [box(0)])
    with pytest.raises(DataError, match=message):
        MotSequence.from_boxes([0], [1], [box(0)], frames, numbers, boxes)


def test_counts_add_up() -> None:
    one, other = count_mot(walk([7] * 5 + [8] * 5)), count_mot(walk([3] * 4))
    together = one + other
    for part in ("hota", "clear", "identity"):
        whole = getattr(together, part)
        for field in dataclasses.fields(whole):
            parts = [getattr(getattr(counts, part), field.name) for counts in (one, other)]
            np.testing.assert_allclose(getattr(whole, field.name), parts[0] + parts[1])


def test_the_table_and_the_json_of_a_result() -> None:
    result = MotResult.of({"a": walk([7] * 10), "b": walk([1, 2])})
    written = result.json()
    assert set(written) == {"sequences", "combined"}
    assert set(written["sequences"]) == {"a", "b"}
    for row in (written["combined"], *written["sequences"].values()):
        assert set(row) >= KEYS
    assert [row["sequence"] for row in result.table()] == ["a", "b", "combined"]
    assert result.table()[2]["hota"] == result.combined.hota
    with pytest.raises(DataError, match="no sequence"):
        MotResult.of({})


@pytest.mark.parametrize(
    ("benchmark", "true", "found"),
    [
        ("none", [True] * 5, [True] * 4),
        ("mot15", [True, True, True, False, True], [True] * 4),
        ("mot16", [True, False, False, False, False], [True, False, True, True]),
        ("mot17", [True, False, False, False, False], [True, False, True, True]),
        ("mot20", [True, False, False, False, False], [True, False, True, False]),
    ],
)
def test_what_motchallenge_leaves_out(benchmark: str, true: list[bool], found: list[bool]) -> None:
    """A pedestrian, a reflection, a car, somebody marked to be ignored, a cart; each but the last-but-one is found."""
    boxes = [box(100.0 * i) for i in range(5)]
    classes, considered = [1, 12, 3, 1, 6], [1, 1, 1, 0, 1]
    theirs = [boxes[i] for i in (0, 1, 2, 4)]
    kept = leave_out(benchmark, [1] * 5, range(5), boxes, considered, classes, [1] * 4, range(4), theirs)  # type: ignore[arg-type]
    assert [part.tolist() for part in kept] == [true, found]


def test_an_unknown_benchmark_is_refused() -> None:
    with pytest.raises(ConfigError, match="preprocess"):
        leave_out("mot99", [1], [1], [box(0)], [1], [1], [1], [1], [box(0)])  # type: ignore[arg-type]
