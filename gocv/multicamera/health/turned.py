"""A camera that was turned where it stands: by how much, and from when on.

A turn moves directions, whatever their distance: boxes and the people whom others see are compared by direction in the
camera. For each of some rolls, all pairs of a box and somebody vote for the pan and tilt between them; what gets most
is followed by iterated closest points (Besl and McKay, IEEE Trans. PAMI 14 (1992)) with a robust loss. When it happened
is where the sum of what the turn gains, from there to the end, is greatest (Page, "Continuous inspection schemes",
Biometrika 41 (1954)).
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import least_squares

from gocv.geometry import PinholeCamera, rodrigues, rotation_vector
from gocv.multicamera.health.pictures import Boxes, Shown, compare, edges_of
from gocv.multicamera.health.settings import HealthSettings
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_ROLL_DEG, _BIN_DEG = 3.0, 0.5
_SPREAD_BINS = 1.5
_LOWEST, _HIGHEST = 0.5, 1.3
"""Heights of boxes of somebody, as shares of their own; feet may be hidden."""
_KEPT = 3
_GATES = (2.0, 1.5, 1.0, 1.0, 1.0)
_FEET = 2.0
_ROUNDS = 3
_PROMISING = 0.5
"""A turn that is known roughly gains less than in the end."""


class Turn(NamedTuple):
    """By how much a camera was turned.

    Attributes:
        camera: As it is now.
        degrees: By how much.
        from_s: Time of the first frame after, on the camera's clock; -inf where it was so from the start.
        gained: By how much the mean fit of the boxes after is better.
        fit: (n,) float64, of each box as it is now.
        people: How many different people were found.
    """

    camera: PinholeCamera
    degrees: float
    from_s: float
    gained: float
    fit: Float64
    people: int


def turn_of(
    camera: PinholeCamera, boxes: Boxes, people: Shown, from_s: float, settings: BoxSettings, health: HealthSettings
) -> Turn | None:
    """By how much a camera is turned; None where no turn helps.

    Args:
        camera: How it was believed to be.
        boxes: What it saw.
        people: Whom others see in its frames.
        from_s: From about when on.
        settings: How boxes err.
        health: How far to look.
    """
    before = compare(camera, boxes, people, settings, health.gate_sd).fit
    part = boxes[boxes.time_s >= from_s].thinned(health.tried)

    def fit_of(one: PinholeCamera) -> float:
        return float(compare(one, part, people, settings, health.gate_sd).fit.sum())

    tried = [turned(camera, turn) for turn in _votes(camera, part, people, settings, health)]
    tried.sort(key=fit_of, reverse=True)
    if not tried or fit_of(tried[0]) < fit_of(camera) + _PROMISING * health.gain * len(part):
        return None
    now = max((_closest(one, part, people, settings, health) for one in tried[:_KEPT]), key=fit_of)
    begin = -np.inf
    for _ in range(_ROUNDS):
        fit = compare(now, boxes, people, settings, health.gate_sd).fit
        begin = _since(boxes, fit - before)
        later = boxes[boxes.time_s >= begin]
        if not len(later):
            return None
        now = _closest(now, later, people, settings, health)
    found = compare(now, boxes, people, settings, health.gate_sd)
    after = boxes.time_s >= begin
    gained = float((found.fit - before)[after].mean())
    turn = now.camera_T_world[:3, :3] @ camera.camera_T_world[:3, :3].T
    degrees = float(np.rad2deg(np.linalg.norm(rotation_vector(turn))))
    whom = np.unique(people.person[found.at[after[found.box]]])
    return Turn(now, degrees, begin, gained, found.fit, len(whom))


def turned(camera: PinholeCamera, turn: Float64) -> PinholeCamera:
    """The camera turned about its own centre by a rotation (3, 3) in its own frame."""
    whole = np.eye(4)
    whole[:3, :3] = turn
    return dataclasses.replace(camera, camera_T_world=whole @ camera.camera_T_world)


def _since(boxes: Boxes, gain: Float64) -> float:
    """Time of the frame from which on the sum of gains is greatest; -inf where that is the first."""
    by_frame = np.bincount(boxes.frame, gain, len(boxes.frame_s))
    rest = np.cumsum(by_frame[::-1])[::-1]
    k = int(np.argmax(rest))
    seen = int(boxes.frame[0]) if len(boxes) else 0
    return -np.inf if k <= seen else float(boxes.frame_s[k])


def _votes(
    camera: PinholeCamera, boxes: Boxes, people: Shown, settings: BoxSettings, health: HealthSettings
) -> list[Float64]:
    """Turns that many pairs of a box and somebody would be explained by, one for each roll."""
    count = np.diff(people.first)[boxes.frame]
    box = np.repeat(np.arange(len(boxes)), count)
    at = np.arange(len(box)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(people.first[boxes.frame], count)
    rotation, place = camera.camera_T_world[:3, :3], camera.camera_T_world[:3, 3]
    head = np.column_stack([people.xy_m, np.full(len(people), settings.height_m)]) @ rotation.T + place
    feet = head - settings.height_m * rotation[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        tall = camera.matrix[1, 1] * np.linalg.norm(feet - head, axis=1) / np.linalg.norm(head, axis=1)
    rays = np.column_stack([camera.undistort(boxes.edges_px[:, :2]), np.ones(len(boxes))])
    share = (boxes.edges_px[:, 2] - boxes.edges_px[:, 1])[box] / np.maximum(tall[at], 1.0)
    like = (share > _LOWEST) & (share < _HIGHEST) & boxes.seen[box, :2].all(axis=1) & (head[at, 2] > 0)
    box, at = box[like], at[like]
    if not len(box):
        return []
    seen, furthest = _angles(rays)[box], health.furthest_deg
    edges = np.arange(-furthest, furthest + _BIN_DEG, _BIN_DEG)
    found = []
    for roll in np.arange(-furthest, furthest + 0.1, _ROLL_DEG).tolist():
        rolled = rodrigues([0.0, 0.0, np.deg2rad(roll)])
        off = np.rad2deg(seen - _angles(head @ rolled.T)[at])
        votes = gaussian_filter(np.histogram2d(off[:, 0], off[:, 1], bins=(edges, edges))[0], _SPREAD_BINS)
        i, j = np.unravel_index(int(np.argmax(votes)), votes.shape)
        pan, tilt = np.deg2rad(edges[i] + _BIN_DEG / 2), np.deg2rad(edges[j] + _BIN_DEG / 2)
        found.append(rodrigues([0.0, pan, 0.0]) @ rodrigues([-tilt, 0.0, 0.0]) @ rolled)
    return found


def _angles(point: Float64) -> Float64:
    """(n, 2) radians, how far right and how far down directions point."""
    x, y, z = point.T
    return np.stack([np.arctan2(x, z), np.arctan2(y, np.hypot(x, z))], axis=1)


def _closest(
    camera: PinholeCamera, boxes: Boxes, people: Shown, settings: BoxSettings, health: HealthSettings
) -> PinholeCamera:
    """The camera turned so that boxes lie on the people nearest to them."""
    for wide in _GATES:
        near = compare(camera, boxes, people, settings, wide * health.gate_sd)
        if len(near.box) < 3:
            return camera
        place, drawn = people.xy_m[near.at], boxes.edges_px[near.box]
        seen = np.isfinite(near.off_px)
        start = camera

        def off(turn: Float64) -> Float64:
            edges = edges_of(turned(start, rodrigues(turn)), place, settings.height_m)  # noqa: B023
            sd = np.where(seen, (drawn - edges) / near.sd_px, 0.0)  # noqa: B023
            sd[:, 2] = np.clip(sd[:, 2], -_FEET, _FEET)
            return np.nan_to_num(sd).ravel()

        camera = turned(camera, rodrigues(least_squares(off, np.zeros(3), loss="soft_l1", x_scale=0.01).x))
    return camera
