"""Association that looks after its cameras: what is wrong with one is found, corrected or left out, and reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.core import Zone
from gocv.data.detections import DetectionTable
from gocv.multicamera.associate import associate
from gocv.multicamera.health import Health, HealthSettings, examine
from gocv.multicamera.likeness import Likeness
from gocv.multicamera.settings import AssociationSettings
from gocv.multicamera.views import Association, CameraView


def associate_checked(
    views: Sequence[CameraView],
    settings: AssociationSettings | None = None,
    *,
    method: Literal["offline", "online"] = "offline",
    entrances: Sequence[Zone] = (),
    likeness: Likeness | None = None,
    late_s: Mapping[str, float] | None = None,
    health: HealthSettings | None = None,
) -> Association:
    """Find the shoppers as `associate` does, and once more where something was wrong with a camera.

    Args:
        views: What each camera saw.
        settings: How.
        method: "offline" or "online": which of both finds the shoppers. Cameras are examined when all is known.
        entrances: Zones where people come and go.
        likeness: What appearance tells, or None.
        late_s: By how much clocks are known to be late.
        health: What counts as broken.

    Returns:
        As `associate` does. A camera that was turned is believed as it is then; when it is left out, its boxes are of
        nobody. All that was found is in the report.
    """
    found = associate(views, settings, method=method, entrances=entrances, likeness=likeness, late_s=late_s)
    state = examine(views, found, settings, health, late_s=late_s)
    if not state.report:
        return found
    if not state.sound:
        names = [view.camera for view in views]
        known = {name: (late_s or {}).get(name, 0.0) + state.late_s.get(name, 0.0) for name in names}
        pieces = [piece for view in views for piece in _pieces(view, state, known[view.camera])]
        late = {piece.view.camera: known[piece.of] for piece in pieces}
        again = [piece.view for piece in pieces]
        new = associate(again, settings, method=method, entrances=entrances, likeness=likeness, late_s=late)
        who = {view.camera: np.full(len(view.seen.boxes), -1, np.int64) for view in views}
        for piece in pieces:
            who[piece.of][piece.rows] = new.who[piece.view.camera]
        found = dataclasses.replace(found, shoppers=new.shoppers, who=who)
    return dataclasses.replace(found, report=(*found.report, *state.report))


class _Piece(NamedTuple):
    """A camera for as long as it was the same, and which rows of it that are."""

    view: CameraView
    of: str
    rows: NDArray[np.int64]


def _pieces(view: CameraView, state: Health, late_s: float) -> list[_Piece]:
    time_s = view.seen.time_s - late_s
    kept = np.ones(len(time_s), np.bool_)
    for out in state.left_out.get(view.camera, ()):
        kept &= (time_s < out.from_s) | (time_s >= out.until_s)
    if view.camera not in state.turned:
        return [_piece(view, view.camera, kept)]
    from_s, now = state.turned[view.camera]
    later = time_s >= from_s
    turned = dataclasses.replace(view, calibration=now)
    parts = [(view, view.camera, kept & ~later), (turned, f"{view.camera}, turned", kept & later)]
    return [_piece(part, name, frames) for part, name, frames in parts if frames.any()]


def _piece(view: CameraView, name: str, frames: NDArray[np.bool_]) -> _Piece:
    """The view of some frames, under a name of its own."""
    seen, count = view.seen, np.diff(view.seen.first_row)
    rows = np.flatnonzero(np.repeat(frames, count))
    first_row = np.concatenate([[0], np.cumsum(count[frames])]).astype(np.int64)
    table = DetectionTable(
        seen.classes, seen.frame[frames], seen.time_s[frames], first_row, seen.boxes[rows], seen.track_id[rows]
    )
    vector = None if view.vector is None else view.vector[rows]
    return _Piece(CameraView(name, view.calibration, table, vector), view.camera, rows)
