"""Scale files: what is read, what is refused, and how much memory it takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import DataError
from gocv.data.recording import Recording, check_recording
from gocv.data.recording.scales import read_samples

LEFT = "scales/left.parquet"


def change(file: Path, **columns: object) -> None:
    """Replace, add or, with None, leave out columns."""
    table = pq.read_table(file)
    for name, values in columns.items():
        if name in table.column_names:
            table = table.remove_column(table.column_names.index(name))
        if values is not None:
            table = table.append_column(name, [pa.array(values)])
    pq.write_table(table, file)


@pytest.mark.parametrize(
    ("columns", "key", "words"),
    [
        ({"time_s": None}, "time_s", "the column is missing"),
        ({"time_s": ["1"] * 600}, "time_s", "the column holds string"),
        ({"time_s": np.zeros(600, "M8[ns]")}, "time_s", "the column holds timestamp[ns]"),
        ({"1/1/2": [True] * 600}, "1/1/2", "the column holds bool"),
        ({"1/1/1": None, "1/1/2": None}, None, "holds no plates"),
        ({"1/1/0": [1.0] * 600}, "1/1/0", "the column is no plate"),
        ({"01/1/1": [1.0] * 600}, "01/1/1", "the column is no plate"),
        ({"time": [1.0] * 600}, "time", "the column is no plate"),
    ],
)
def test_columns_that_will_not_do_leave_the_group_out(columns, key, words: str, small_recording: Path) -> None:
    change(small_recording / LEFT, **columns)
    recording = Recording.open(small_recording)
    (problem,) = recording.problems
    place = ("error", str(small_recording / LEFT), None, key)
    assert (problem.severity, problem.file, problem.row, problem.key) == place
    assert f"scale group left is left out: {words}" in problem.message
    assert [group.name for group in recording.scales] == ["right"]
    assert problem in check_recording(small_recording)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"time_s,1/1/1\n0,1\n"])
def test_what_is_no_parquet_is_left_out(data: bytes, small_recording: Path) -> None:
    (small_recording / LEFT).write_bytes(data)
    (problem,) = Recording.open(small_recording).problems
    assert problem.message.startswith("scale group left is left out: cannot be read: ")


def test_a_column_that_stands_in_the_file_twice_is_refused(small_recording: Path) -> None:
    numbers = pa.array([1.0])
    table = pa.Table.from_arrays([numbers] * 3, names=["time_s", "1/1/1", "1/1/1"])
    pq.write_table(table, small_recording / LEFT)
    (problem,) = Recording.open(small_recording).problems
    assert (problem.key, problem.severity) == ("1/1/1", "error")
    assert "the column stands in the file twice" in problem.message


def test_a_plate_in_two_groups_is_refused(small_recording: Path) -> None:
    change(small_recording / "scales/right.parquet", **{"1/1/1": [1.0] * 600})
    with pytest.raises(DataError, match=r"right.parquet, key '1/1/1': scale group left weighs this plate too"):
        Recording.open(small_recording)


@pytest.mark.parametrize("values", [[1, 2, 3], np.array([1, 2, 3], "i2"), np.array([1, 2, 3], "f2"), [1, None, 3]])
def test_numbers_of_any_type_are_samples(values, small_recording: Path) -> None:
    pq.write_table(pa.table({"1/1/1": values, "time_s": pa.array([0, 1, None])}), small_recording / LEFT)
    recording = Recording.open(small_recording)
    (samples,) = recording.scale_chunks(recording.scales[0])
    assert samples.weight_g.dtype == np.float32
    np.testing.assert_array_equal(samples.weight_g[:, 0], np.array(list(values), float))
    assert np.isfinite(samples.time_s).tolist() == [True, True, False]


def test_samples_before_damage_are_handed_over(small_recording: Path) -> None:
    path = small_recording / LEFT
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=100, compression="zstd")
    start = pq.ParquetFile(path).metadata.row_group(3).column(0).data_page_offset
    data = bytearray(path.read_bytes())
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    recording = Recording.open(small_recording)
    assert recording.problems == ()
    chunks = recording.scale_chunks(recording.scales[0], chunk_s=1.0)
    assert sum(len(next(chunks)) for _ in range(5)) == 300
    with pytest.raises(DataError, match=r"left.parquet: cannot be read: .*expected a Parquet file of scale samples"):
        next(chunks)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """pyarrow by itself keeps what it has read until the file is closed."""
    rng = np.random.default_rng(0)
    path = tmp_path / "g.parquet"
    schema = pa.schema([("time_s", pa.float64()), ("1/1/1", pa.float32())])
    with pq.ParquetWriter(path, schema, compression="none") as file:
        for first in range(0, 2_000_000, 20_000):
            noise = rng.normal(size=20_000).astype("f4")
            file.write_table(pa.table([np.arange(first, first + 20_000) / 60, noise], schema=schema))
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for samples in read_samples(path, 3600):
        rows += len(samples)
        most = max(most, pa.total_allocated_bytes() - before)
    assert rows == 2_000_000
    assert most < 2_000_000 < path.stat().st_size
