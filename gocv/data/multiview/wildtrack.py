"""WILDTRACK and MultiviewX: people on a grid on the floor, and their boxes in every view."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.calibrations import read_multiviewx_cameras, read_wildtrack_cameras
from gocv.data.calibrations.files import numbers, read_json
from gocv.data.multiview.scene import FloorTruth, MultiviewScene
from gocv.data.multiview.tables import table_of_people
from gocv.geometry import PinholeCamera

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_NOWHERE = -1.0
"""All four sides of the box of somebody whom the view does not show."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Grid:
    """Places on the floor, numbered along x first; row 0 is at the origin, or with `y_down` at the far end of y."""

    origin_m: tuple[float, float]
    cells: tuple[int, int]
    spacing_m: float = 0.025
    y_down: bool = False

    def xy_m(self, number: NDArray[np.int64]) -> NDArray[np.float64]:
        cell = np.stack([number % self.cells[0], number // self.cells[0]], axis=-1)
        if self.y_down:
            cell[:, 1] = self.cells[1] - cell[:, 1]
        xy_m: NDArray[np.float64] = np.asarray(self.origin_m) + self.spacing_m * cell
        return xy_m

    def area_m(self) -> NDArray[np.float64]:
        low = np.asarray(self.origin_m)
        high = low + self.spacing_m * np.asarray(self.cells)
        return np.array([low, [high[0], low[1]], high, [low[0], high[1]]])


def read_wildtrack(path: str | Path) -> MultiviewScene:
    """Read WILDTRACK's people and cameras (Chavdarova et al., CVPR 2018).

    Every fifth of the frames extracted at 10 a second is labelled, and is called by its number: frame 5 is at 0.5 s.
    Floor positions are those of the data set's grid of 480 × 1440 places, 2.5 cm apart, from (-3 m, -9 m); the grid is
    the area in which everybody is labelled. The boxes are those of a cylinder that stands at the position, also where
    they reach beyond the picture.

    Args:
        path: The data set's folder, with `annotations_positions` and `calibrations`.

    Returns:
        Cameras CVLab1 … IDIAP3, `labels` in all of them, no detections.

    Raises:
        DataError: A file is missing or malformed; file, row (which person) and key are named.
    """
    return _read(Path(path), "wildtrack", read_wildtrack_cameras(path), _Grid((-3.0, -9.0), (480, 1440)), 10.0)


def read_multiviewx(path: str | Path) -> MultiviewScene:
    """Read MultiviewX's people and cameras (Hou et al., ECCV 2020).

    Frames are at 2 a second; frame n is at n/2 s. Floor positions are those of the data set's grid of 1000 × 640
    places, 2.5 cm apart, from (0, 0), with y counted from the other side: the data set's own frame is left-handed (see
    `read_multiviewx_cameras`). The boxes are those of a cylinder that stands at the position.

    Args:
        path: The data set's folder, with `annotations_positions` and `calibrations`.

    Returns:
        Cameras Camera1 … Camera6, `labels` in all of them, no detections.

    Raises:
        DataError: A file is missing or malformed; file, row (which person) and key are named.
    """
    return _read(
        Path(path), "multiviewx", read_multiviewx_cameras(path), _Grid((0.0, 0.0), (1000, 640), y_down=True), 2.0
    )


def _read(
    folder: Path, name: str, cameras: Mapping[str, PinholeCamera], grid: _Grid, frames_a_second: float
) -> MultiviewScene:
    files = sorted((folder / "annotations_positions").glob("*.json"))
    if not files:
        raise DataError(
            "there is no labelled frame", file=folder / "annotations_positions", expected="files NUMBER.json"
        )
    frame = np.array([_frame_number(file) for file in files], np.int64)
    if (np.diff(frame) <= 0).any():
        raise DataError("a frame's number stands there twice", file=folder / "annotations_positions")
    people = [_people(file, len(cameras), grid) for file in files]
    count = [len(person) for person, _, _ in people]
    person, place, boxes = (np.concatenate(parts) for parts in zip(*people, strict=True))
    at, time_s = np.repeat(np.arange(len(files)), count), frame / frames_a_second
    labels = {}
    for view, camera in enumerate(cameras):
        seen = (boxes[:, view] != _NOWHERE).any(axis=1)
        labels[camera] = table_of_people(frame, time_s, position=at[seen], xyxy=boxes[seen, view], person=person[seen])
    truth = FloorTruth(time_s[at], person, grid.xy_m(place))
    return MultiviewScene(name, cameras, labels, {}, truth, grid.area_m())


def _frame_number(file: Path) -> int:
    if not file.stem.isdecimal():
        raise DataError("is not called by its number", file=file, expected="a name such as 00000005.json")
    return int(file.stem)


def _people(file: Path, views: int, grid: _Grid) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """(n,) persons in order, (n,) places of the grid, and (n, views, 4) boxes of one frame."""
    content = read_json(file)
    if not isinstance(content, list):
        raise DataError("is not a list of people", file=file, expected="[{personID, positionID, views}, …]")
    places = grid.cells[0] * grid.cells[1]
    person = np.array([_whole(file, row, entry, "personID") for row, entry in enumerate(content, 1)], np.int64)
    place = np.array([_whole(file, row, entry, "positionID", places) for row, entry in enumerate(content, 1)], np.int64)
    boxes = np.array([_boxes(file, row, entry, views) for row, entry in enumerate(content, 1)], np.float64)
    order = np.argsort(person, kind="stable")
    twice = person[order][1:][np.diff(person[order]) == 0]
    if len(twice):
        raise DataError(f"person {twice[0]} stands there twice", file=file, key="personID", expected="each once")
    return person[order], place[order], boxes.reshape(-1, views, 4)[order]


def _whole(file: Path, row: int, entry: Any, key: str, end: int = 2**31) -> int:
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < end:
        raise DataError(f"{value!r} will not do", file=file, row=row, key=key, expected=f"a whole number below {end}")
    return value


def _boxes(file: Path, row: int, entry: Any, views: int) -> NDArray[np.float64]:
    boxes = np.full((views, 4), _NOWHERE)
    given = entry.get("views")
    if not isinstance(given, list):
        raise DataError("is not a list", file=file, row=row, key="views", expected="a box a view")
    for view in given:
        number = _whole(file, row, view, "viewNum", views)
        sides = numbers([view.get(side, "") for side in _SIDES], (4,), file=file, key="views")
        if (sides != _NOWHERE).any() and (sides[2:] <= sides[:2]).any():
            raise DataError(f"the box {sides} has no area", file=file, row=row, key="views", expected="xmax > xmin")
        boxes[number] = sides
    return boxes
