"""A gocv recording as a scene of many cameras."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gocv.core import DataError, FloorTracks
from gocv.data.detections import DetectionTable, read_detections
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.tables import PERSON, table_of_people
from gocv.data.parquet import check_columns, open_parquet
from gocv.data.recording import Recording, TruthName

_BOX = ("left_px", "top_px", "right_px", "bottom_px")
_SCHEMA = pa.schema(
    [
        ("frame", pa.int64()),
        ("time_s", pa.float64()),
        ("name", pa.string()),
        *((name, pa.float32()) for name in _BOX),
        ("visible_fraction", pa.float32()),
    ]
)
_KEYPOINTS, _ANKLES = 17, [15, 16]


def read_recording_views(path: str | Path) -> MultiviewScene:
    """Read a recording's cameras, their truth and their detections.

    `labels` are the people of a camera's table of truth (`truth/frames/NAME.parquet`, as the simulator writes it) of
    whom a pixel is seen; a box is around the whole body, also what is hidden or outside the picture. Where somebody
    stands is the middle between their ankles in those tables; where no camera has one, it is the recorded joints',
    under the names of those who really own them. People are numbered in the order of the alphabet.

    Args:
        path: The recording's folder.

    Raises:
        DataError: The recording, or a table in it, is missing or malformed; file, row and key are named.
    """
    recording = Recording.open(path)
    tables = {c.name: _truth_table(c.truth) for c in recording.cameras if c.truth is not None}
    tracks = recording.floor_tracks() if not tables else FloorTracks.empty(shoppers=())
    joints = _owners(tracks, () if recording.truth is None else recording.truth.names)
    names = sorted({*joints, *(name for table in tables.values() for name in table["name"].to_pylist() if name)})
    numbers = {name: number for number, name in enumerate(names)}
    if tables:
        truth = _first_of_each([_standing(table, numbers) for table in tables.values()])
        source = "the middle between the ankles, of people whom an empty store would show to a camera"
    else:
        known = np.isfinite(tracks.xy_m).all(axis=1)
        person = np.array([numbers[name] for name in joints], np.int64)
        truth = _first_of_each([FloorTruth(tracks.time_s[known], person[known], tracks.xy_m[known])])
        source = "the recorded joints, which are as exact as whoever recorded them"
    return MultiviewScene(
        recording.name,
        {camera.name: camera.calibration for camera in recording.cameras},
        {name: _labels(table, numbers) for name, table in tables.items()},
        {c.name: read_detections(c.detections, PERSON) for c in recording.cameras if c.detections is not None},
        truth,
        notes=(f"the floor truth is {source}", f"people: {', '.join(names) or 'none'}", *recording.notes),
    )


def _truth_table(file: Path) -> pa.Table:
    """The columns wanted, and `keypoints_m` where the table has it; frames in order."""
    with open_parquet(file, "who is in each frame") as parquet:
        check_columns(parquet, file, _SCHEMA)
        extra = [name for name in ("keypoints_m",) if name in parquet.schema_arrow.names]
        table = parquet.read(columns=[*_SCHEMA.names, *extra])
    time_s, named = table["time_s"].to_numpy(), np.array(table["name"].is_valid())
    boxes = np.stack([table[name].to_numpy() for name in _BOX], axis=1)
    for key, wrong, expected in (
        ("time_s", ~np.isfinite(time_s) | (np.diff(time_s, prepend=-np.inf) < 0), "finite seconds, ascending"),
        ("frame", np.array(table["frame"].is_null()), "the position in the video"),
        ("left_px", named & ~np.isfinite(boxes).all(axis=1) & (_visible(table) > 0), "four finite numbers"),
    ):
        if wrong.any():
            raise DataError("will not do", file=file, row=int(np.argmax(wrong)) + 1, key=key, expected=expected)
    return table


def _visible(table: pa.Table) -> NDArray[np.float32]:
    visible: NDArray[np.float32] = table["visible_fraction"].fill_null(0.0).to_numpy()
    return visible


def _people(table: pa.Table, numbers: dict[str, int]) -> NDArray[np.int64]:
    """(n,) the number of each row's person, -1 in a frame without."""
    return np.array([-1 if name is None else numbers[name] for name in table["name"].to_pylist()], np.int64)


def _labels(table: pa.Table, numbers: dict[str, int]) -> DetectionTable:
    time_s = table["time_s"].to_numpy()
    times, first, position = np.unique(time_s, return_index=True, return_inverse=True)
    person = _people(table, numbers)
    seen = (person >= 0) & (_visible(table) > 0)
    boxes = np.stack([table[name].to_numpy() for name in _BOX], axis=1)
    return table_of_people(
        table["frame"].to_numpy()[first],
        times,
        position=position.ravel()[seen],
        xyxy=boxes[seen],
        person=person[seen],
    )


def _standing(table: pa.Table, numbers: dict[str, int]) -> FloorTruth:
    person = _people(table, numbers)
    if "keypoints_m" not in table.column_names or not (person >= 0).any():
        return FloorTruth.empty()
    rows = np.flatnonzero(person >= 0)
    flat = table["keypoints_m"].take(pa.array(rows)).combine_chunks().flatten().to_numpy(zero_copy_only=False)
    ankles = np.asarray(flat, np.float64).reshape(len(rows), _KEYPOINTS, 3)[:, _ANKLES, :2]
    return FloorTruth(table["time_s"].to_numpy()[rows], person[rows], ankles.mean(axis=1))


def _owners(tracks: FloorTracks, names: Iterable[TruthName]) -> list[str]:
    """Who each row of the recorded joints really is."""
    spans: dict[str, list[TruthName]] = {}
    for name in sorted(names, key=lambda one: one.time_s):
        spans.setdefault(name.name, []).append(name)
    owners = []
    for time_s, shopper in zip(tracks.time_s, tracks.shopper, strict=True):
        name = tracks.shoppers[shopper]
        owners.append(next((s.shopper for s in reversed(spans.get(name, ())) if s.time_s <= time_s), name))
    return owners


def _first_of_each(parts: list[FloorTruth]) -> FloorTruth:
    """Each person once at a time, in order of time."""
    everything = FloorTruth.concatenate(parts)
    order = np.lexsort((everything.person, everything.time_s))
    rows = everything[order]
    again = (np.diff(rows.time_s, prepend=-np.inf) == 0) & (np.diff(rows.person, prepend=-1) == 0)
    return rows[~again]
