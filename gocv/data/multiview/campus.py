"""CAMPUS: text labels with the same identities in all views, and detections recorded from the views."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.calibrations import read_campus_cameras
from gocv.data.calibrations.files import numbers
from gocv.data.detections import DetectionTable
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.tables import table_of_people
from gocv.geometry import PinholeCamera

_RATE_HZ = 30_000 / 1_001
_EDGE_PX = 8
"""A labelled box that comes so near to the picture's border may be cut off there: corners stand on a grid of 4 px."""
_ID, _BOX, _FRAME, _LOST, _OCCLUDED = 0, slice(1, 5), 5, 6, 7


def read_campus(path: str | Path) -> MultiviewScene:
    """Read a sequence of CAMPUS (Xu et al., CVPR 2016), such as Auditorium.

    Every frame of every view is labelled, most of them by interpolation, and all views share one count of frames: at
    29.97 frames a second, frame n is at n / 29.97 s. Rows that are `lost` (out of the picture) or are no person are
    left out. The floor truth is made of the labels, as the set has none: somebody stands where the middle of the lower
    edge of their box meets the floor, the mean over the calibrated views in which the box keeps clear of the picture's
    border. Two such views agree to 0.3 m in the median.

    Args:
        path: The sequence's folder: `view-NAME.txt`, `cam_param.mat`, and, where recorded,
            `view-NAME-rendered.detections.json.gz`.

    Returns:
        Cameras HC3, HC4, IP2 and IP5, in Auditorium; None where `cam_param.mat` has none. `detections` are YOLOv8n's.

    Raises:
        DataError: A file is missing or malformed; file, row and key are named.
    """
    folder = Path(path)
    files = {file.stem.removeprefix("view-"): file for file in sorted(folder.glob("view-*.txt"))}
    if not files:
        raise DataError("there is no view", file=folder, expected="files view-NAME.txt")
    calibrated = read_campus_cameras(folder)
    cameras = {name: calibrated.get(name) for name in files}
    rows = {name: _rows(file) for name, file in files.items()}
    recorded = {name: folder / f"view-{name}-rendered.detections.json.gz" for name in files}
    return MultiviewScene(
        folder.name,
        cameras,
        {name: _labels(rows[name]) for name in files},
        {name: _detections(file) for name, file in recorded.items() if file.is_file()},
        _floor_truth(rows, cameras),
        notes=(
            "the floor truth is the mean over calibrated views of the floor points of the labelled boxes' feet;"
            f" boxes within {_EDGE_PX} px of the picture's border are left out of it",
        ),
    )


def _rows(file: Path) -> NDArray[np.float64]:
    """(n, 9) the numbers of the rows that are people."""
    try:
        lines = [line.split(maxsplit=9) for line in file.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="a text file") from error
    expected = 'track_id xmin ymin xmax ymax frame lost occluded generated "PERSON"'
    for row, cells in enumerate(lines, 1):
        if len(cells) != 10:
            raise DataError(f"has {len(cells)} columns", file=file, row=row, expected=expected)
    people = [(row, cells[:9]) for row, cells in enumerate(lines, 1) if cells[9].strip('"') == "PERSON"]
    try:
        table = np.array([cells for _, cells in people], np.float64).reshape(-1, 9)
    except ValueError as error:
        raise DataError(f"holds what is no number: {error}", file=file, expected=expected) from error
    box = table[:, _BOX]
    wrong = ~np.isfinite(table).all(axis=1) | (table[:, [_ID, _FRAME]] % 1 != 0).any(axis=1) | (table[:, _FRAME] < 0)
    wrong |= (table[:, _LOST] == 0) & (box[:, 2:] <= box[:, :2]).any(axis=1)
    if wrong.any():
        raise DataError("will not do", file=file, row=people[int(np.argmax(wrong))][0], expected=expected)
    keys = table[:, [_FRAME, _ID]]
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    twice = np.flatnonzero((np.diff(keys[order], axis=0) == 0).all(axis=1))
    if len(twice):
        row = people[int(order[twice[0] + 1])][0]
        raise DataError("the person is in this frame already", file=file, row=row, key="track_id", expected="once")
    return table[order]


def _labels(rows: NDArray[np.float64]) -> DetectionTable:
    frame = np.arange(int(rows[:, _FRAME].max(initial=-1)) + 1)
    seen = rows[rows[:, _LOST] == 0]
    return table_of_people(frame, frame / _RATE_HZ, position=seen[:, _FRAME], xyxy=seen[:, _BOX], person=seen[:, _ID])


def _floor_truth(rows: Mapping[str, NDArray[np.float64]], cameras: Mapping[str, PinholeCamera | None]) -> FloorTruth:
    keys, places = [np.empty((0, 2), np.int64)], [np.empty((0, 2))]
    for name, camera in cameras.items():
        if camera is not None:
            table = rows[name]
            clear = (table[:, 1:3] >= _EDGE_PX).all(axis=1)
            clear &= (table[:, 3:5] <= np.array([camera.width_px, camera.height_px]) - _EDGE_PX).all(axis=1)
            table = table[(table[:, _LOST] == 0) & clear]
            xy_m = camera.pixels_to_floor(np.stack([(table[:, 1] + table[:, 3]) / 2, table[:, 4]], axis=1))
            stands = np.isfinite(xy_m).all(axis=1)  # feet above the horizon stand nowhere
            keys.append(table[stands][:, [_FRAME, _ID]].astype(np.int64))
            places.append(xy_m[stands])
    key, of = np.unique(np.concatenate(keys), axis=0, return_inverse=True)
    sums, count = np.zeros((len(key), 2)), np.bincount(of.ravel(), minlength=len(key))
    np.add.at(sums, of.ravel(), np.concatenate(places))
    return FloorTruth(key[:, 0] / _RATE_HZ, key[:, 1], sums / count[:, None])


def _detections(file: Path) -> DetectionTable:
    """All frames of the video; the file lists those in which something was found."""
    try:
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            content = json.load(stream)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="JSON, packed with gzip") from error
    total = _at(file, content, "video_info.total_frames")
    size = [_at(file, content, f"video_info.{side}") for side in ("width", "height")]
    count = int(numbers(total, (), file=file, key="video_info.total_frames"))
    scale = np.tile(numbers(size, (2,), file=file, key="video_info.width"), 2)
    frames = _at(file, content, "frames")
    position, boxes, score = [], [], []
    for row, frame in enumerate(frames if isinstance(frames, list) else (), 1):
        number = frame.get("frame_number") if isinstance(frame, dict) else None
        if not isinstance(number, int) or not 0 <= number < count:
            raise DataError(
                f"{number!r} will not do", file=file, row=row, key="frame_number", expected=f"0 … {count - 1}"
            )
        for found in frame.get("detections", []):
            if found.get("class_name") == "person":
                sides = [found.get("bbox", {}).get(side, "") for side in ("left", "top", "right", "bottom")]
                key = f"frames.{row}.detections"
                position.append(number)
                boxes.append(numbers(sides, (4,), file=file, key=f"{key}.bbox") * scale)
                score.append(numbers(found.get("confidence", ""), (), file=file, key=f"{key}.confidence"))
    every = np.arange(count)
    return table_of_people(every, every / _RATE_HZ, position=position, xyxy=boxes, score=score)


def _at(file: Path, content: Any, key: str) -> Any:
    for step in key.split("."):
        if not isinstance(content, dict) or step not in content:
            raise DataError("is missing", file=file, key=key, expected="the form of a recording's detections")
        content = content[step]
    return content
