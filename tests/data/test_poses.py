"""Tables of poses: written as frames come, read back the same, refused by name where they are wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import DataError, Poses
from gocv.data.poses import COCO17, COCO_SIGMA, PoseTableWriter, read_poses

NAMES = ("head", "hand")


def found(n: int) -> Poses:
    pixels = np.arange(4 * n, dtype=np.float32).reshape(n, 2, 2)
    pixels[:1, 1] = np.nan
    return Poses(pixels, np.linspace(0, 1, 2 * n).reshape(n, 2))


FRAMES = [(0, 0.0, found(1), None), (1, 0.1, found(0), None), (2, 0.25, found(3), [2, 0, -1]), (7, 1.5, found(0), None)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with PoseTableWriter(tmp_path / "p.parquet", NAMES) as table:
        for frame, time_s, poses, box in FRAMES:
            table.write(frame, time_s, poses, box)
    return tmp_path / "p.parquet"


def test_what_is_written_reads_back(file: Path) -> None:
    table = read_poses(file)
    assert table.keypoints == NAMES
    assert table.frame.tolist() == [0, 1, 2, 7]
    assert table.time_s.tolist() == [0.0, 0.1, 0.25, 1.5]
    assert table.box.tolist() == [0, 2, 0, -1]
    assert len(table) == 4
    for position, (_, _, poses, _) in enumerate(FRAMES):
        got = table.poses_of(position)
        np.testing.assert_array_equal(got.keypoints_px, poses.keypoints_px.reshape(-1, 2, 2))
        np.testing.assert_array_equal(got.score, poses.score.reshape(-1, 2))


def test_a_frame_without_poses_is_a_row_of_nulls(file: Path) -> None:
    rows = pq.read_table(file).to_pylist()
    assert [row["frame"] for row in rows] == [0, 1, 2, 2, 2, 7]
    assert rows[1] == {"frame": 1, "time_s": 0.1, "box": None, "keypoints_px": None, "score": None}


def test_no_frames_are_valid(tmp_path: Path) -> None:
    with PoseTableWriter(tmp_path / "p.parquet"):
        pass
    table = read_poses(tmp_path / "p.parquet")
    assert len(table) == 0
    assert table.poses.keypoints_px.shape == (0, 17, 2)


def test_what_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), PoseTableWriter(tmp_path / "p.parquet"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ((1, -0.5, found(0), None), "follows one at 0.0 s"),
        ((1, 0.1, found(2), [0]), "1 boxes"),
        ((1, 0.1, Poses(np.zeros((1, 3, 2)), np.zeros((1, 3))), None), "(1, 3, 2)"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(tmp_path: Path, frame: Any, says: str) -> None:
    with PoseTableWriter(tmp_path / "p.parquet", NAMES) as table:
        table.write(0, 0.0, found(1))
        with pytest.raises(DataError) as refused:
            table.write(*frame)
        assert says in str(refused.value)


def table_of(**columns: Any) -> Callable[[Path], None]:
    """A table of two frames with one pose each, but for what is said."""
    values: dict[str, Any] = {
        "time_s": [0.0, 0.1],
        "box": [0, 0],
        "keypoints_px": [[1.0, 2.0, 3.0, 4.0]] * 2,
        "score": [[0.5, 0.5]] * 2,
    }
    values.update(columns)
    names = values.pop("names", json.dumps(NAMES))
    table = pa.table({key: value for key, value in values.items() if value is not None})

    def write(path: Path) -> None:
        pq.write_table(table.replace_schema_metadata({"gocv.keypoints": names} if names else {}), path)

    return write


def test_frames_are_counted_where_the_file_does_not(tmp_path: Path) -> None:
    table_of()(tmp_path / "p.parquet")
    assert read_poses(tmp_path / "p.parquet").frame.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("write", "key", "row"),
    [
        (table_of(names=None), "gocv.keypoints", None),
        (table_of(names="nose"), "gocv.keypoints", None),
        (table_of(score=None), "score", None),
        (table_of(score=[["a"], ["b"]]), "score", None),
        (table_of(keypoints_px=[[1.0, 2.0]] * 2), "keypoints_px", None),
        (table_of(score=[[0.5, 1.5], [0.5, 0.5]]), "score", 1),
        (table_of(score=[[0.5, 0.5], None]), "score", 2),
        (table_of(keypoints_px=[[1.0, 2.0, 3.0, np.inf], [1.0] * 4]), "keypoints_px", 1),
        (table_of(time_s=[0.1, 0.0]), "time_s", 2),
        (table_of(time_s=[0.0, None]), "time_s", 2),
        (table_of(box=[0, -2]), "box", 2),
        (table_of(time_s=[0.0, 0.0]), "box", 1),
    ],
)
def test_a_malformed_table_is_refused_by_name(
    tmp_path: Path, write: Callable[[Path], None], key: str, row: int | None
) -> None:
    write(tmp_path / "p.parquet")
    with pytest.raises(DataError) as refused:
        read_poses(tmp_path / "p.parquet")
    assert refused.value.key == key
    assert refused.value.row == row
    assert "p.parquet" in str(refused.value)


def test_what_is_missing_or_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.parquet").write_text("nose")
    with pytest.raises(DataError, match="is not Parquet"):
        read_poses(tmp_path / "p.parquet")
    with pytest.raises(DataError, match="no such table"):
        read_poses(tmp_path / "q.parquet")


def test_every_keypoint_of_coco_has_a_sigma() -> None:
    assert len(COCO_SIGMA) == len(COCO17)
