from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import JOINTS, DataError, FloorTracks
from gocv.data import floor_tracks
from gocv.data.floor_tracks import floor_track_chunks, read_floor_tracks, write_floor_tracks


def walk(n: int, *, shoppers: tuple[str, ...] = ("anna", "Бо", "c"), start_s: float = 0.0) -> FloorTracks:
    """The last shopper is listed and never seen; some joints and places are not known."""
    rng = np.random.default_rng(n)
    joints = rng.normal(size=(n, 8, 3))
    score = rng.uniform(0.1, 1, (n, 8))
    unknown = rng.random((n, 8)) < 0.2
    joints[unknown], score[unknown] = np.nan, 0
    factor = rng.normal(size=(n, 2, 2))
    xy = rng.normal(size=(n, 2))
    xy[::7] = np.nan
    return FloorTracks(
        shoppers,
        time_s=start_s + np.arange(n) / 15,
        shopper=rng.integers(0, max(1, len(shoppers) - 1), n),
        xy_m=xy,
        covariance_m2=factor @ factor.transpose(0, 2, 1),
        joints_m=joints,
        joint_score=score,
    )


def same(found: FloorTracks, wanted: FloorTracks) -> None:
    assert found.shoppers == wanted.shoppers
    for name in ("time_s", "shopper", "xy_m", "covariance_m2", "joints_m", "joint_score"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), err_msg=name)


def spoilt(path: Path, **columns: object) -> None:
    """Write a table of 5 rows with some columns replaced, or left out where None."""
    write_floor_tracks(path, walk(5))
    table = pq.read_table(path)
    for name, values in columns.items():
        at = table.column_names.index(name)
        table = table.remove_column(at) if values is None else table.set_column(at, name, [values])
    pq.write_table(table, path)


@pytest.mark.parametrize("rows", [0, 1, 100])
def test_what_is_written_is_read_again(rows: int, tmp_path: Path) -> None:
    tracks = walk(rows)
    write_floor_tracks(tmp_path / "t.parquet", tracks)
    same(read_floor_tracks(tmp_path / "t.parquet"), tracks)


def test_nobody_at_all(tmp_path: Path) -> None:
    write_floor_tracks(tmp_path / "t.parquet", FloorTracks.empty(shoppers=()))
    same(read_floor_tracks(tmp_path / "t.parquet"), FloorTracks.empty(shoppers=()))


def test_rows_are_sorted_by_time_and_keep_their_order_within_an_instant(tmp_path: Path) -> None:
    tracks = FloorTracks.sightings(("a", "b"), [2.0, 1.0, 2.0, 1.0], [0, 1, 1, 0])
    write_floor_tracks(tmp_path / "t.parquet", tracks)
    same(read_floor_tracks(tmp_path / "t.parquet"), tracks[[1, 3, 0, 2]])


def test_chunks_go_in_and_come_out_and_an_index_means_the_same_in_all(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(floor_tracks, "_ROWS_A_GROUP", 10)
    first, second = walk(25, shoppers=("a", "b")), walk(25, shoppers=("b", "c", "d"), start_s=100.0)
    write_floor_tracks(tmp_path / "t.parquet", iter([first, second]))
    chunks = list(floor_track_chunks(tmp_path / "t.parquet"))
    assert max(map(len, chunks)) <= 10
    assert len(chunks[-1]) == 0
    assert chunks[-1].shoppers == ("a", "b", "c", "d")
    whole = read_floor_tracks(tmp_path / "t.parquet")
    names = [chunk.shoppers[i] for chunk in chunks for i in chunk.shopper]
    assert names == [whole.shoppers[i] for i in whole.shopper]
    assert names == [t.shoppers[i] for t in (first, second) for i in t.shopper]


def test_nothing_is_left_when_the_chunks_break_off(tmp_path: Path) -> None:
    def chunks():
        yield walk(5)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        write_floor_tracks(tmp_path / "t.parquet", chunks())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("windows", "times"),
    [
        ([], []),
        ([(1.0, 2.0)], [1.0, 2.0]),
        ([(3.5, 9.0), (0.0, 0.5)], [0.0, 4.0]),
        ([(0.0, 4.0), (1.0, 1.0)], [0.0, 1.0, 2.0, 3.0, 4.0]),
        ([(-np.inf, np.inf)], [0.0, 1.0, 2.0, 3.0, 4.0]),
        ([(2.0, 1.0)], []),
    ],
)
def test_windows_pick_rows_and_everybody_stays_listed(windows, times, tmp_path: Path) -> None:
    tracks = FloorTracks.sightings(("a", "b", "c"), np.arange(5.0), [0, 1, 0, 1, 0])
    write_floor_tracks(tmp_path / "t.parquet", tracks)
    found = read_floor_tracks(tmp_path / "t.parquet", windows)
    same(found, tracks[np.isin(tracks.time_s, times)])


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6))
def test_windows_are_what_a_slow_search_says(tmp_path_factory, windows: list[tuple[int, int]]) -> None:
    path = tmp_path_factory.getbasetemp() / "windows.parquet"
    if not path.exists():
        write_floor_tracks(path, FloorTracks.sightings(("a",), np.arange(61.0), np.zeros(61)))
    wanted = [t for t in range(61) if any(start <= t <= end for start, end in windows)]
    assert read_floor_tracks(path, windows).time_s.tolist() == wanted


def test_files_that_others_wrote(tmp_path: Path) -> None:
    """No metadata, other types of the same kind, columns in another order and one more."""
    path = tmp_path / "t.parquet"
    write_floor_tracks(path, walk(5))
    table = pq.read_table(path).replace_schema_metadata(None)
    shopper = table["shopper"].combine_chunks().dictionary_encode()
    table = table.set_column(1, "shopper", shopper).set_column(2, "x_m", [pa.array([1, 2, 3, 4, None], pa.int32())])
    table = table.append_column("more", [pa.array(list("abcde"))]).select([*table.column_names[::-1], "more"])
    pq.write_table(table, path)
    found = read_floor_tracks(path, [(1e6, 2e6)])
    assert len(found) == 0
    assert set(found.shoppers) == set(shopper.dictionary.to_pylist())
    np.testing.assert_array_equal(read_floor_tracks(path).xy_m[:, 0], [1, 2, 3, 4, np.nan])


@pytest.mark.parametrize(
    ("columns", "row", "key", "words"),
    [
        ({"time_s": None}, None, "time_s", "the column is missing"),
        ({"head_x_m": None}, None, "head_x_m", "the column is missing"),
        ({"time_s": pa.array([0.0, 1.0, None, 3.0, 4.0])}, 3, "time_s", "(expected finite seconds)"),
        ({"time_s": pa.array([0.0, np.nan, 2.0, 3.0, 4.0])}, 2, "time_s", "(expected finite seconds)"),
        ({"shopper": pa.array(["a", "a", "a", None, "a"])}, 4, "shopper", "(expected a name)"),
        ({"shopper": pa.array(["", "a", "a", "a", "a"])}, 1, "shopper", "(expected a name)"),
        ({"shopper": pa.array([1, 2, 3, 4, 5])}, None, "shopper", "the column holds int64 (expected text)"),
        ({"time_s": pa.array(list("12345"))}, None, "time_s", "the column holds string (expected numbers)"),
        ({"y_m": pa.array([[1.0]] * 5)}, None, "y_m", "(expected numbers)"),
    ],
)
def test_complaints_name_row_and_column(columns, row, key, words: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    spoilt(path, **columns)
    with pytest.raises(DataError) as caught:
        read_floor_tracks(path)
    assert (caught.value.file, caught.value.row, caught.value.key) == (str(path), row, key)
    assert words in str(caught.value)


def test_rows_are_counted_over_batches(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(floor_tracks, "_ROWS_A_GROUP", 2)
    spoilt(tmp_path / "t.parquet", time_s=pa.array([0.0, 1.0, 2.0, 3.0, None]))
    with pytest.raises(DataError, match="row 5, key 'time_s'"):
        read_floor_tracks(tmp_path / "t.parquet")


@pytest.mark.parametrize("listed", ["{", "5", json.dumps([1]), json.dumps({"a": 1})])
def test_malformed_metadata_is_refused(listed: str, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_floor_tracks(path, walk(5))
    pq.write_table(pq.read_table(path).replace_schema_metadata({"shoppers": listed}), path)
    with pytest.raises(DataError, match=r"t.parquet, key 'shoppers': .*expected a JSON list of names"):
        read_floor_tracks(path)


@pytest.mark.parametrize("content", [None, b"", b"PAR1", b"time_s,shopper\n0,a\n"])
def test_what_is_no_parquet_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"t.parquet: .*expected a Parquet file of shoppers over time"):
        read_floor_tracks(tmp_path / "t.parquet")


def test_columns_are_named_for_the_joints(tmp_path: Path) -> None:
    write_floor_tracks(tmp_path / "t.parquet", walk(1))
    names = pq.read_schema(tmp_path / "t.parquet").names
    assert names[:7] == ["time_s", "shopper", "x_m", "y_m", "var_xx_m2", "var_xy_m2", "var_yy_m2"]
    assert names[7:] == [f"{joint}_{part}" for joint in JOINTS for part in ("x_m", "y_m", "z_m", "score")]
