"""HOTA, CLEAR and Identity against TrackEval, on sequences that hypothesis draws."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.geometry import iou
from gocv.metrics.mot import MotResult, MotScores, MotSequence, count_mot, leave_out
from gocv.metrics.mot.preprocess import DISTRACTORS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from trackeval.datasets import MotChallenge2DBox
    from trackeval.metrics import CLEAR, HOTA, Identity

NAMES = {
    "hota": "HOTA",
    "det_a": "DetA",
    "ass_a": "AssA",
    "loc_a": "LocA",
    "det_re": "DetRe",
    "det_pr": "DetPr",
    "ass_re": "AssRe",
    "ass_pr": "AssPr",
    "mota": "MOTA",
    "motp": "MOTP",
    "idsw": "IDSW",
    "frag": "Frag",
    "mt": "MT",
    "pt": "PT",
    "ml": "ML",
    "idf1": "IDF1",
    "idp": "IDP",
    "idr": "IDR",
}
METRICS = (HOTA(), CLEAR({"PRINT_CONFIG": False}), Identity({"PRINT_CONFIG": False}))
Rows = tuple[np.ndarray, ...]
SIZE = np.array([20.0, 50.0])


def drawn(seed: int, frames: int, people: int, seen: float, swap: float, noise_px: float) -> Rows:
    """A sequence in which people come close, are missed, change ids; some frames are empty."""
    rng = np.random.default_rng(seed)
    truth, found = [], []
    corner = rng.uniform(0, 90, (people, 2))
    number = np.arange(people)
    for frame in range(frames):
        corner = corner + rng.normal(0, 4, corner.shape)
        if rng.random() < 0.1:
            continue
        for i in range(people):
            if rng.random() < 0.9:
                truth.append([frame, 3 * i + 2, *corner[i], *(corner[i] + SIZE)])
            if rng.random() < swap:
                number[i] = people + rng.integers(0, 2 * people)
            if rng.random() < seen and number[i] not in [row[1] for row in found if row[0] == frame]:
                at = corner[i] + rng.normal(0, noise_px, 2)
                found.append([frame, number[i], *at, *(at + SIZE + rng.normal(0, noise_px / 3, 2))])
        if rng.random() < 0.2:
            at = rng.uniform(0, 90, 2)
            found.append([frame, 1000, *at, *(at + SIZE)])
    t, f = (np.array(rows, np.float64).reshape(-1, 6) for rows in (truth, found))
    return t[:, 0].astype(int), t[:, 1].astype(int), t[:, 2:], f[:, 0].astype(int), f[:, 1].astype(int), f[:, 2:]


def for_trackeval(rows: Rows, frames: int, similarity: Callable[..., Any] = iou) -> dict[str, Any]:
    true_frame, true_id, true_xyxy, found_frame, found_id, found_xyxy = rows
    true_ids, true_track = np.unique(true_id, return_inverse=True)
    found_ids, found_track = np.unique(found_id, return_inverse=True)
    of_true = [true_frame == frame for frame in range(frames)]
    of_found = [found_frame == frame for frame in range(frames)]
    return {
        "num_timesteps": frames,
        "num_gt_ids": len(true_ids),
        "num_tracker_ids": len(found_ids),
        "num_gt_dets": len(true_id),
        "num_tracker_dets": len(found_id),
        "gt_ids": [true_track[one] for one in of_true],
        "tracker_ids": [found_track[one] for one in of_found],
        "similarity_scores": [
            np.asarray(similarity(true_xyxy[a], found_xyxy[b])).reshape(a.sum(), b.sum())
            for a, b in zip(of_true, of_found, strict=True)
        ],
    }


def theirs(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [metric.eval_sequence(data) for metric in METRICS]


def flat(parts: list[dict[str, Any]]) -> dict[str, float]:
    together = {key: value for part in parts for key, value in part.items()}
    return {ours: float(np.mean(together[their])) for ours, their in NAMES.items()}


def assert_equal(got: MotScores, want: dict[str, float]) -> None:
    for name, value in want.items():
        assert getattr(got, name) == pytest.approx(value, abs=1e-9), name


sequences = st.tuples(
    st.integers(0, 2**32 - 1),
    st.integers(1, 20),
    st.integers(0, 6),
    st.sampled_from([0.0, 0.4, 0.8, 1.0]),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.sampled_from([0.5, 3.0, 8.0]),
)


@given(settings=sequences)
def test_a_sequence(settings: tuple[Any, ...]) -> None:
    rows = drawn(*settings)
    assert_equal(MotScores.of(count_mot(MotSequence.from_boxes(*rows))), flat(theirs(for_trackeval(rows, settings[1]))))


@given(settings=st.lists(sequences, min_size=2, max_size=4))
def test_sequences_together(settings: list[tuple[Any, ...]]) -> None:
    rows = {str(i): drawn(*one) for i, one in enumerate(settings)}
    each = {name: theirs(for_trackeval(one, settings[int(name)][1])) for name, one in rows.items()}
    want = [metric.combine_sequences({n: parts[i] for n, parts in each.items()}) for i, metric in enumerate(METRICS)]
    got = MotResult.of({name: MotSequence.from_boxes(*one) for name, one in rows.items()})
    assert_equal(got.combined, flat(want))
    for name, parts in each.items():
        assert_equal(MotScores.of(got.sequences[name]), flat(parts))


@given(settings=sequences, grid_px=st.sampled_from([2, 5, 10, 20]))
def test_where_several_matchings_are_best(settings: tuple[Any, ...], grid_px: int) -> None:
    """Boxes on a grid: many pairs overlap alike, and which of them are matched shows in switches and fragments."""
    rows = tuple(np.round(one / grid_px) * grid_px if one.ndim == 2 else one for one in drawn(*settings))
    assert_equal(MotScores.of(count_mot(MotSequence.from_boxes(*rows))), flat(theirs(for_trackeval(rows, settings[1]))))


@given(settings=sequences, zero_at_m=st.sampled_from([0.5, 2.0, 30.0]))
def test_points_in_metres(settings: tuple[Any, ...], zero_at_m: float) -> None:
    rows = drawn(*settings)
    rows = (*rows[:2], rows[2][:, :2] / 10, *rows[3:5], rows[5][:, :2] / 10)
    data = for_trackeval(
        rows, settings[1], lambda a, b: MotChallenge2DBox._calculate_euclidean_similarity(a, b, zero_at_m)
    )
    got = MotSequence.from_points(*rows, zero_at_m=zero_at_m)
    assert_equal(MotScores.of(count_mot(got)), flat(theirs(data)))


@given(
    settings=sequences,
    grid_px=st.sampled_from([0.0, 10.0]),
    benchmark=st.sampled_from(["mot15", "mot16", "mot17", "mot20"]),
)
def test_what_is_left_out(settings: tuple[Any, ...], grid_px: float, benchmark: str) -> None:
    """Distractors, people to be ignored and cars among the truth: the rows that remain, and their scores."""
    rows = drawn(*settings)
    if grid_px:
        rows = tuple(np.round(one / grid_px) * grid_px if one.ndim == 2 else one for one in rows)
    rng = np.random.default_rng(settings[0])
    classes = rng.choice([1, 1, 1, 2, 3, 6, 7, 8, 12], len(rows[0])) if benchmark != "mot15" else np.ones(len(rows[0]))
    considered = rng.choice([0, 1, 1], len(rows[0]))
    raw, frames = for_trackeval(rows, settings[1]), range(settings[1])
    of_true, of_found = [rows[0] == frame for frame in frames], [rows[3] == frame for frame in frames]
    raw |= {
        "seq": "drawn",
        "gt_dets": [rows[2][one] for one in of_true],
        "gt_classes": [classes[one].astype(int) for one in of_true],
        "gt_extras": [{"zero_marked": considered[one]} for one in of_true],
        "tracker_dets": [rows[5][one] for one in of_found],
        "tracker_classes": [np.ones(one.sum(), int) for one in of_found],
        "tracker_confidences": [np.ones(one.sum()) for one in of_found],
    }
    dataset = MotChallenge2DBox.__new__(MotChallenge2DBox)  # it is made from folders alone
    dataset.benchmark, dataset.do_preproc, dataset.valid_class_numbers = benchmark.upper(), True, list(range(1, 14))
    names = {"pedestrian": 1, "person_on_vehicle": 2, "non_mot_vehicle": 6, "static_person": 7, "distractor": 8}
    dataset.class_name_to_class_id = {**names, "reflection": 12}
    assert set(DISTRACTORS["mot20"]) <= set(dataset.class_name_to_class_id.values())
    data = dataset.get_preprocessed_seq_data(raw, "pedestrian")
    true, found = leave_out(benchmark, *rows[:3], considered, classes, *rows[3:])  # type: ignore[arg-type]
    assert (true.sum(), found.sum()) == (data["num_gt_dets"], data["num_tracker_dets"])
    for i, frame in enumerate(frames):
        np.testing.assert_array_equal(rows[5][found & (rows[3] == frame)], data["tracker_dets"][i])
        np.testing.assert_array_equal(rows[2][true & (rows[0] == frame)], data["gt_dets"][i])
    own = MotSequence.from_boxes(*(one[true] for one in rows[:3]), *(one[found] for one in rows[3:]))
    assert_equal(MotScores.of(count_mot(own)), flat(theirs(data)))


def test_a_crowd_in_which_matches_depend_on_the_frames_before() -> None:
    """People who stand in one another for long: who keeps whom is handed from frame to frame."""
    rng = np.random.default_rng(0)
    people, frames = 30, 60
    corner = rng.uniform(0, 60, (people, 2))
    truth, found = [], []
    for frame in range(frames):
        corner += rng.normal(0, 1.5, corner.shape)
        for i in range(people):
            truth.append([frame, i, *corner[i], *(corner[i] + SIZE)])
            at = corner[i] + rng.normal(0, 3, 2)
            found.append([frame, (i + (frame // 20) * (i % 3)) % people, *at, *(at + SIZE)])
    t, f = np.array(truth), np.array(found)
    rows = (t[:, 0].astype(int), t[:, 1].astype(int), t[:, 2:], f[:, 0].astype(int), f[:, 1].astype(int), f[:, 2:])
    keys = rows[3] * 1000 + rows[4]
    once = np.unique(keys, return_index=True)[1]
    rows = (*rows[:3], *(part[once] for part in rows[3:]))
    assert_equal(MotScores.of(count_mot(MotSequence.from_boxes(*rows))), flat(theirs(for_trackeval(rows, frames))))
