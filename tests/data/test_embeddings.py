"""Tables of appearance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import DataError, Embeddings
from gocv.data.embeddings import EmbeddingTableWriter, read_embeddings

FRAMES = range(0, 3000, 2)


def looks(frame: int) -> Embeddings:
    """Of up to three boxes, their rows backward."""
    count = frame // 2 % 4
    rng = np.random.default_rng(frame)
    return Embeddings(rng.normal(size=(count, 6)), np.arange(count)[::-1])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "embeddings.parquet"
    with EmbeddingTableWriter(path) as writer:
        for frame in FRAMES:
            writer.write(frame, looks(frame))
    return path


def test_each_frame_gets_its_own_back(table: Path) -> None:
    """More rows than a row group has, so that a frame stands in two."""
    file = pq.ParquetFile(table)
    ends = [file.read_row_group(i)["frame"].to_pylist() for i in range(2)]
    assert ends[0][-1] == ends[1][0]
    asked = range(3000)
    found = list(read_embeddings(table, asked))
    assert len(found) == len(asked)
    for frame, got in zip(asked, found, strict=True):
        wanted = looks(frame) if frame % 2 == 0 else Embeddings.empty()
        assert got.row.tolist() == wanted.row.tolist()
        if len(wanted):
            np.testing.assert_array_equal(got.vector, wanted.vector.astype(np.float32))


def test_nobody_at_all(tmp_path: Path) -> None:
    with EmbeddingTableWriter(tmp_path / "none.parquet") as writer:
        writer.write(0, Embeddings.empty())
    assert [len(found) for found in read_embeddings(tmp_path / "none.parquet", [0, 1])] == [0, 0]


def test_a_table_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.parquet"

    def dies() -> None:
        with EmbeddingTableWriter(path) as writer:
            writer.write(0, looks(2))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dies()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("frame", "embeddings", "message"),
    [
        (4, looks(2), "frame 4 follows frame 4"),
        (3, Embeddings.empty(), "frame 3 follows frame 4"),
        (5, Embeddings(np.ones((1, 7)), [0]), "7 values.*6 as before"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, frame: int, embeddings: Embeddings, message: str) -> None:
    def write_both() -> None:
        with EmbeddingTableWriter(tmp_path / "embeddings.parquet") as writer:
            writer.write(4, looks(2))
            writer.write(frame, embeddings)

    with pytest.raises(DataError, match=message):
        write_both()
    assert not list(tmp_path.iterdir())


def write(path: Path, **changes: object) -> Path:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.eye(3, dtype=np.float32).ravel()), 3)
    columns = {"frame": [0, 1, 1], "row": [0, 0, 1], "vector": vectors, **changes}
    pq.write_table(pa.table({name: value for name, value in columns.items() if value is not None}), path)
    return path


def vectors(values: list[float], kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values, kind), len(values) // 3)


@pytest.mark.parametrize(
    ("changes", "frames", "message"),
    [
        ({}, [0], "frame 1 has no detections"),
        ({}, [1], "frame 0 has no detections"),
        ({"frame": [0, 2, 1]}, range(3), "row 3.*ascending"),
        ({"row": [0, -1, 0]}, range(3), "row 2.*ascending"),
        ({"row": None}, range(3), "'row'.*missing"),
        ({"frame": ["a", "b", "c"]}, range(3), "'frame'.*numbers"),
        ({"frame": [0, None, 1]}, range(3), "row 2"),
        ({"frame": [-1, 0, 1]}, range(3), "row 1.*ascending"),
        ({"frame": [0.0, 0.5, 1.0]}, range(3), "cannot be read"),
        ({"vector": pa.array([[1.0], None, [1.0]], pa.list_(pa.float32(), 1))}, range(3), "row 2.*'vector'"),
        ({"vector": None}, range(3), "'vector'.*nothing"),
        ({"vector": [[1.0], [1.0], [1.0]]}, range(3), "'vector'.*fixed-size"),
        ({"vector": vectors([0.0, 1.0, 1.0], pa.float64())}, range(3), "'vector'.*double"),
        ({"vector": vectors([0.0, np.nan, 1.0], pa.float32())}, range(3), "row 2.*'vector'.*finite"),
        ({"vector": vectors([0.0, None, 1.0], pa.float32())}, range(3), "row 2.*'vector'.*finite"),
    ],
)
def test_a_table_that_is_not_right_is_refused_by_place(
    tmp_path: Path, changes: dict[str, object], frames: range | list[int], message: str
) -> None:
    path = write(tmp_path / "embeddings.parquet", **changes)
    with pytest.raises(DataError, match=message):
        list(read_embeddings(path, frames))
    assert len(list(read_embeddings(write(tmp_path / "right.parquet"), range(3)))) == 3


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        list(read_embeddings(tmp_path / "absent.parquet", [0]))
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(DataError, match="appearance vectors"):
        list(read_embeddings(tmp_path / "text.parquet", [0]))
