"""3-D joints of the people of the Shelf and Campus sequences."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Rows, column
from gocv.data.calibrations.files import numbers, read_mat

ACTOR_JOINTS = (
    "r_ankle",
    "r_knee",
    "r_hip",
    "l_hip",
    "l_knee",
    "l_ankle",
    "r_wrist",
    "r_elbow",
    "r_shoulder",
    "l_shoulder",
    "l_elbow",
    "l_wrist",
    "neck",
    "head_top",
)
"""The joints of an actor, in the order of the data sets; the neck is where the head begins."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Actors(Rows):
    """Joints of people, a row per frame and person, in order of both.

    Attributes:
        frame: (n,) int64, counted from 0.
        person: (n,) int64, counted from 0.
        joints_m: (n, 14, 3) float64, metres in the cameras' frame (z up, floor at z = 0), in the order of
            `ACTOR_JOINTS`.
        joints_px: (n, views, 14, 2) float64, their pixels in every view, in the order of the calibration's cameras; NaN
            where the data set holds none. They reach beyond the picture where the person does.
    """

    frame: NDArray[np.int64] = column(np.int64)
    person: NDArray[np.int64] = column(np.int64)
    joints_m: NDArray[np.float64] = column(np.float64, len(ACTOR_JOINTS), 3)
    joints_px: NDArray[np.float64] = column(np.float64, None, len(ACTOR_JOINTS), 2)


def read_actors(path: str | Path) -> Actors:
    """Read `actorsGT.mat` of Shelf or Campus (Belagiannis et al., CVPR 2014).

    Its cells `actor3D` and `actor2D` are by person, then by frame, and in 2-D then by view; somebody who is absent has
    an empty matrix there, and no row here. The 2-D joints of a view in which the person was not marked are the 3-D
    joints projected.

    Args:
        path: The MATLAB file.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    actors = _people(read_mat(file, "actor3D"), file, "actor3D", depth=2)
    marks = _people(read_mat(file, "actor2D"), file, "actor2D", depth=3)
    if [len(frames) for frames in actors] != [len(frames) for frames in marks]:
        raise DataError("has not the people and frames of actor3D", file=file, key="actor2D", expected="the same")
    found: list[tuple[int, int, NDArray[np.float64], NDArray[np.float64]]] = []
    for who, (frames, seen) in enumerate(zip(actors, marks, strict=True)):
        for when, (joints, views) in enumerate(zip(frames, seen, strict=True)):
            if np.size(joints):
                joints_m = numbers(joints, (len(ACTOR_JOINTS), 3), file=file, key=f"actor3D.{who}.{when}")
                found.append((when, who, joints_m, _marked(views, file, f"actor2D.{who}.{when}")))
    if not found:
        return Actors.empty()
    if len({len(joints_px) for *_, joints_px in found}) > 1:
        raise DataError(
            "has more views here than there", file=file, key="actor2D", expected="the same views throughout"
        )
    found.sort(key=lambda row: row[:2])
    frame, person, joints_m, joints_px = (np.array(part) for part in zip(*found, strict=True))
    return Actors(frame, person, joints_m, joints_px)


def _people(value: Any, file: Path, key: str, depth: int) -> list[list[Any]]:
    """By person and frame. In the sets as published the cell of people stands in a cell of its own."""
    if _depth(value) == depth + 1 and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or not all(isinstance(frames, list) for frames in value):
        raise DataError("is not a cell of people", file=file, key=key, expected="cells by person and frame")
    return value


def _depth(value: Any) -> int:
    """How many cells lie within each other, by the first of each."""
    return 1 + (_depth(value[0]) if value else 0) if isinstance(value, list) else 0


def _marked(views: Any, file: Path, key: str) -> NDArray[np.float64]:
    """(views, 14, 2) pixels."""
    if not isinstance(views, list):
        raise DataError("is not a cell of views", file=file, key=key, expected="a cell of 14 × 2 matrices")
    marks = np.full((len(views), len(ACTOR_JOINTS), 2), np.nan)
    for view, joints in enumerate(views):
        if np.size(joints):
            marks[view] = numbers(joints, (len(ACTOR_JOINTS), 2), file=file, key=f"{key}.{view}")
    return marks
