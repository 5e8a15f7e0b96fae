"""Shoppers over time as a Parquet table: a row per shopper and instant, columns that a person can read.

Columns: `time_s`, `shopper` (text), `x_m`, `y_m` (where the shopper stands), `var_xx_m2`, `var_xy_m2`, `var_yy_m2`,
then for each joint J of `gocv.core.JOINTS`: `J_x_m`, `J_y_m`, `J_z_m`, `J_score`. Unknown numbers are null.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gocv.core import JOINTS, DataError, FloorTracks
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter, batches, open_parquet, refuse_rows

_FLOOR = ("x_m", "y_m", "var_xx_m2", "var_xy_m2", "var_yy_m2")
_JOINTS = tuple(f"{joint}_{part}" for joint in JOINTS for part in ("x_m", "y_m", "z_m", "score"))
_SCHEMA = pa.schema(
    [("time_s", pa.float64()), ("shopper", pa.string())] + [(name, pa.float64()) for name in (*_FLOOR, *_JOINTS)]
)
_ROWS_A_GROUP = 20_000


class FloorTracksWriter:
    """Appends shoppers to a file, chunk by chunk. Who is listed in any chunk is listed in the file."""

    def __init__(self, path: Path) -> None:
        self._file = BatchWriter(path, _SCHEMA, _ROWS_A_GROUP)
        self._shoppers: dict[str, None] = {}

    def write(self, tracks: FloorTracks) -> None:
        """Append `tracks`, sorted by time among themselves."""
        self._shoppers.update(dict.fromkeys(tracks.shoppers))
        self._file.write(_batch(tracks[np.argsort(tracks.time_s, kind="stable")]))

    def close(self) -> None:
        """Finish the file."""
        self._file.close({"shoppers": json.dumps([*self._shoppers])})


def write_floor_tracks(path: Path, tracks: FloorTracks | Iterable[FloorTracks]) -> None:
    """Write `tracks`, or chunk after chunk of them, whole or not at all; rows are sorted by time within a chunk."""
    with written_whole(path) as temporary, closing(FloorTracksWriter(temporary)) as writer:
        for chunk in [tracks] if isinstance(tracks, FloorTracks) else tracks:
            writer.write(chunk)


def read_floor_tracks(path: Path, windows: Sequence[tuple[float, float]] | None = None) -> FloorTracks:
    """Read the rows whose time lies in any of `windows` (start_s, end_s, both included), or all.

    Memory grows with the rows kept, not with the file. `shoppers` always lists everybody in the file.

    Raises:
        DataError: The file is missing or broken, lacks a column, or a row lacks its time or shopper.
    """
    chunks = list(floor_track_chunks(path, windows))
    shoppers = chunks[-1].shoppers
    return FloorTracks.concatenate([dataclasses.replace(chunk, shoppers=shoppers) for chunk in chunks])


def floor_track_chunks(path: Path, windows: Sequence[tuple[float, float]] | None = None) -> Iterator[FloorTracks]:
    """The rows that `read_floor_tracks` reads, some thousands at a time, in the file's order.

    A chunk lists the shoppers met so far, so that an index means the same in all; the last has no rows and lists
    everybody.

    Raises:
        DataError: As `read_floor_tracks`.
    """
    spans = None if windows is None else _joined(windows)
    with open_parquet(path, "shoppers over time") as file:
        index = {name: i for i, name in enumerate(_listed(file, path))}
        row = 1
        for batch in batches(file, path, _SCHEMA, _ROWS_A_GROUP):
            time_s = _numbers(batch, ["time_s"])[:, 0]
            encoded = batch["shopper"].fill_null("").dictionary_encode()
            names, code = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
            refuse_rows(path, ~np.isfinite(time_s), "time_s", "finite seconds", first_row=row)
            refuse_rows(path, np.array([not name for name in names], bool)[code], "shopper", "a name", first_row=row)
            shopper = np.array([index.setdefault(name, len(index)) for name in names], np.int64)[code]
            tracks = _tracks(batch, tuple(index), time_s, shopper)
            yield tracks if spans is None else tracks[_inside(time_s, spans)]
            row += len(tracks)
        yield FloorTracks.empty(shoppers=tuple(index))


def _batch(tracks: FloorTracks) -> pa.RecordBatch:
    covariance = tracks.covariance_m2
    numbers = [*tracks.xy_m.T, covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]]
    joints = np.concatenate([tracks.joints_m, tracks.joint_score[:, :, None]], axis=2).reshape(-1, len(_JOINTS))
    names = pa.DictionaryArray.from_arrays(tracks.shopper, pa.array(tracks.shoppers, pa.string())).cast(pa.string())
    columns = [pa.array(tracks.time_s), names, *(pa.array(c, from_pandas=True) for c in (*numbers, *joints.T))]
    return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)


def _tracks(
    batch: pa.RecordBatch, shoppers: tuple[str, ...], time_s: NDArray[np.float64], shopper: NDArray[np.int64]
) -> FloorTracks:
    floor, joints = _numbers(batch, _FLOOR), _numbers(batch, _JOINTS).reshape(-1, len(JOINTS), 4)
    return FloorTracks(
        shoppers,
        time_s=time_s,
        shopper=shopper,
        xy_m=floor[:, :2],
        covariance_m2=floor[:, [2, 3, 3, 4]].reshape(-1, 2, 2),
        joints_m=joints[:, :, :3],
        joint_score=np.nan_to_num(joints[:, :, 3]),
    )


def _numbers(batch: pa.RecordBatch, names: Sequence[str]) -> NDArray[np.float64]:
    """(n, len(names)) float64, NaN where null."""
    return np.stack([batch[name].to_numpy(zero_copy_only=False) for name in names], axis=1)


def _listed(file: pq.ParquetFile, path: Path) -> list[str]:
    """The shoppers in the file's metadata; none in a file that somebody else wrote."""
    text = (file.metadata.metadata or {}).get(b"shoppers", b"[]")
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError("the metadata is malformed", file=path, key="shoppers", expected="a JSON list of names")
    return names


def _inside(time_s: NDArray[np.float64], spans: NDArray[np.float64]) -> NDArray[np.bool_]:
    if not len(spans):
        return np.zeros(len(time_s), bool)
    latest = np.searchsorted(spans[:, 0], time_s, side="right") - 1
    return np.asarray((latest >= 0) & (time_s <= spans[latest, 1]))


def _joined(windows: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """The windows sorted by start, each end at least as late as all ends before it: (w, 2)."""
    spans = np.array(sorted(windows), np.float64).reshape(-1, 2)
    spans[:, 1] = np.maximum.accumulate(spans[:, 1])
    return spans
