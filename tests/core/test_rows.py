from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError, Detections, Embeddings, FloorTracks, PlateId, Poses, Rows, ScaleSamples, Tracks

PLATES = (PlateId(1, 1, 1), PlateId(1, 1, 2))


def boxes(n: int) -> Detections:
    return Detections(xyxy=np.arange(4 * n).reshape(n, 4), score=np.linspace(0, 1, n), label=np.arange(n))


def test_columns_are_converted_and_read_only_and_the_callers_array_is_left_alone() -> None:
    score = np.array([0.5, 1.0])
    table = Detections(xyxy=[[0, 0, 1, 1], [0, 0, 2, 2]], score=score, label=[0, 1])
    assert [c.dtype for c in (table.xyxy, table.score, table.label)] == [np.float32, np.float32, np.int64]
    for column in (table.xyxy, table.score, table.label):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 9
    score[0] = 0.25
    samples = ScaleSamples(PLATES, time_s=score, weight_g=np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="read-only"):
        samples.time_s[0] = 1
    score[0] = 0.75


@pytest.mark.parametrize(
    ("rows", "labels"),
    [
        ([2, 0], [2, 0]),
        (np.array([True, False, True, False]), [0, 2]),
        ([False, True, False, False], [1]),
        (slice(1, None, 2), [1, 3]),
        (slice(9, 12), []),
        ([], []),
        ([-1, -1], [3, 3]),
        (np.zeros(0, bool), []),
    ],
)
def test_indexing_gives_those_rows_of_every_column(rows, labels) -> None:
    picked = boxes(4)[rows]
    assert picked.label.tolist() == labels
    np.testing.assert_array_equal(picked.xyxy[:, 0], 4 * np.array(labels, float))
    assert (picked.xyxy.shape, picked.score.shape) == ((len(labels), 4), (len(labels),))


@pytest.mark.parametrize(
    ("rows", "error"),
    [(0, TypeError), (np.int64(0), TypeError), ([4], IndexError), (np.array([True]), IndexError), ([0.5], IndexError)],
)
def test_indexing_refuses_what_is_no_set_of_rows(rows, error) -> None:
    with pytest.raises(error):
        boxes(4)[rows]


def test_a_table_does_not_pretend_to_be_a_sequence_of_rows() -> None:
    with pytest.raises(TypeError, match="x\\[i:i \\+ 1\\]"):
        list(boxes(2))


@given(st.lists(st.integers(0, 5), max_size=4))
def test_concatenating_and_slicing_undo_each_other(lengths: list[int]) -> None:
    parts = [boxes(n) for n in lengths]
    if not parts:
        with pytest.raises(DataError, match=r"no Detections to concatenate \(expected at least one"):
            Detections.concatenate(parts)
        return
    whole = Detections.concatenate(parts)
    assert len(whole) == sum(lengths)
    first = 0
    for part in parts:
        piece = whole[first : first + len(part)]
        np.testing.assert_array_equal(piece.xyxy, part.xyxy)
        np.testing.assert_array_equal(piece.label, part.label)
        first += len(part)


@pytest.mark.parametrize(
    ("tables", "complaint"),
    [
        (
            [FloorTracks.sightings(("a",), [0.0], [0]), FloorTracks.sightings(("b",), [0.0], [0])],
            "FloorTracks to concatenate differ in 'shoppers'",
        ),
        (
            [Embeddings(vector=np.ones((1, 3)), row=[0]), Embeddings(vector=np.ones((1, 4)), row=[0])],
            "Embeddings to concatenate differ in shape",
        ),
    ],
    ids=["attribute", "shape"],
)
def test_tables_that_do_not_belong_together_are_not_concatenated(tables: list[Rows], complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        type(tables[0]).concatenate(tables)


def test_tables_without_rows_do_not_stand_in_the_way() -> None:
    filled = Embeddings(vector=np.ones((1, 3)), row=[0])
    assert Embeddings.concatenate([Embeddings.empty(), filled, Embeddings.empty()]).vector.shape == (1, 3)
    samples = ScaleSamples(PLATES, time_s=[0.0], weight_g=[[1.0, 2.0]])
    assert len(ScaleSamples.concatenate([ScaleSamples.empty(plates=PLATES), samples])) == 1


@pytest.mark.parametrize(
    ("table", "shapes"),
    [
        (Detections.empty(), {"xyxy": (0, 4), "score": (0,)}),
        (Detections(xyxy=[], score=[], label=[]), {"xyxy": (0, 4), "label": (0,)}),
        (Tracks.empty(), {"xyxy": (0, 4), "track_id": (0,)}),
        (Poses.empty(), {"keypoints_px": (0, 0, 2), "score": (0, 0)}),
        (Poses.empty(keypoints_px=np.empty((0, 17, 2)), score=np.empty((0, 17))), {"keypoints_px": (0, 17, 2)}),
        (FloorTracks.empty(shoppers=()), {"xy_m": (0, 2), "covariance_m2": (0, 2, 2), "joints_m": (0, 8, 3)}),
        (ScaleSamples.empty(plates=PLATES), {"time_s": (0,), "weight_g": (0, 2)}),
    ],
)
def test_empty_tables_have_their_shapes(table: Rows, shapes: dict[str, tuple[int, ...]]) -> None:
    assert len(table) == 0
    assert {name: getattr(table, name).shape for name in shapes} == shapes
    assert len(table[np.zeros(0, bool)]) == len(table[:]) == len(type(table).concatenate([table, table])) == 0


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"xyxy": np.zeros((2, 3))}, r"Detections.xyxy has shape \(2, 3\) \(expected \(n, 4\)\)"),
        ({"xyxy": np.zeros(4)}, r"Detections.xyxy has shape \(4,\)"),
        ({"score": [0.5]}, r"Detections.score has 1 rows \(expected 2 as in the rest\)"),
        ({"score": [[0.5], [0.5]]}, r"Detections.score has shape \(2, 1\) \(expected \(n\)\)"),
        ({"score": 0.5}, r"Detections.score has shape \(\)"),
        ({"score": ["a", "b"]}, r"Detections.score: .*expected an array of float32"),
        ({"xyxy": [[0, 0, 1, 1], [0, 0]]}, r"Detections.xyxy: .*expected an array of float32"),
        ({"label": [0.5, 1.0]}, r"Detections.label holds what is not a whole number \(expected an array of int64\)"),
        ({"label": [np.nan, 1.0]}, r"Detections.label holds what is not a whole number"),
        ({"label": [np.inf, 1.0]}, r"Detections.label holds what is not a whole number"),
        ({"label": [2**70, 1]}, r"Detections.label: .*expected an array of int64"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns, complaint: str) -> None:
    fitting = {"xyxy": np.zeros((2, 4)), "score": [0.5, 0.5], "label": [0.0, 1.0]}
    assert len(Detections(**fitting)) == 2
    with pytest.raises(DataError, match=complaint):
        Detections(**{**fitting, **columns})


def test_tables_survive_copying_and_pickling() -> None:
    table = FloorTracks.sightings(("a", "b"), [0.0, 1.0], [1, 0], xy_m=[[0, 1], [2, 3]])
    for other in (copy.copy(table), copy.deepcopy(table), pickle.loads(pickle.dumps(table))):
        assert other.shoppers == table.shoppers
        np.testing.assert_array_equal(other.xy_m, table.xy_m)


def test_importing_core_needs_numpy_alone() -> None:
    heavy = {"pyarrow", "pydantic", "scipy", "torch", "yaml"}
    code = f"import sys, gocv.core; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
