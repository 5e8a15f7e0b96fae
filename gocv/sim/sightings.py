"""What of the people each camera can see, from geometry alone: no picture is drawn.

Bodies are strings of ellipsoids (`gocv.sim.beads`); gondolas, which are closed boxes here, and other people hide parts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import Rows, column
from gocv.data.poses import COCO17
from gocv.geometry import PinholeCamera
from gocv.sim.beads import COUNT, FEET, HEAD, POINTS, Beads, beads_of, outlines
from gocv.sim.body import body
from gocv.sim.layout import StoreLayout
from gocv.sim.scene import Scene

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_OWN_M = 0.05
"""What is no further before a point than this hides nothing of it: it may be the point's own surface."""
_AT_ONCE, _PAIRS_AT_ONCE = 4_000, 2_000
_WARES_M = 0.15
"""How high goods on the highest shelf stand, as far as nothing is seen through them; over that only the back is."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sightings(Rows):
    """People of whom a part would be in a camera's picture if nothing were in front of them, frame by frame.

    Attributes:
        frame: (n,) int64, ascending.
        person: (n,) int64, index into the scene's people.
        xyxy: (n, 4) float64 px, around the whole body, also outside the picture and behind things.
        visible_xyxy: (n, 4) float64 px, around what is seen, inside the picture; NaN where nothing is.
        visible_fraction: (n,) float64, what is seen over what would be if the person were alone, inside the picture.
        inside_fraction: (n,) float64, share of the whole body that is inside the picture.
        feet_seen: (n,) bool, whether anything of a shoe is seen.
        head_seen: (n,) bool, whether anything of the head is.
    """

    frame: NDArray[np.int64] = column(np.int64)
    person: NDArray[np.int64] = column(np.int64)
    xyxy: NDArray[np.float64] = column(np.float64, 4)
    visible_xyxy: NDArray[np.float64] = column(np.float64, 4)
    visible_fraction: NDArray[np.float64] = column(np.float64)
    inside_fraction: NDArray[np.float64] = column(np.float64)
    feet_seen: NDArray[np.bool_] = column(np.bool_)
    head_seen: NDArray[np.bool_] = column(np.bool_)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Presence:
    """Everybody's body at the moments of the frames, in order of frames.

    Attributes:
        frame: (n,) int64.
        person: (n,) int64, index into the scene's motions.
        beads: Of n rows.
        keypoints_m: (n, 17, 3) float64, in the order of `gocv.data.poses.COCO17`.
        xy_m: (n, 2) float64, where they stand.
    """

    frame: Int64
    person: Int64
    beads: Beads
    keypoints_m: Array
    xy_m: Array


def presence(scene: Scene, time_s: Array) -> Presence:
    """Who is inside when, with all of their body.

    Args:
        scene: The visit.
        time_s: (F,) seconds of the frames, ascending.
    """
    frames, people, parts, points, places = [], [], [], [], []
    for number, motion in enumerate(scene.motions):
        there = np.flatnonzero((time_s >= motion.start_s) & (time_s <= motion.end_s))
        if len(there):
            frames.append(there)
            people.append(np.full(len(there), number))
            bodies = body(motion, time_s[there])
            parts.append(beads_of(bodies))
            points.append(bodies.keypoints_m)
            places.append(motion.at(time_s[there], motion.xy_m))
    if not frames:
        nothing = np.zeros(0, np.int64)
        beads = Beads(*(np.zeros((0, k, 3)) for k in (COUNT, 3, COUNT)))
        return Presence(nothing, nothing, beads, np.zeros((0, len(COCO17), 3)), np.zeros((0, 2)))
    frame = np.concatenate(frames)
    order = np.lexsort((np.concatenate(people), frame))
    fields = ("middle_m", "axes", "half_m")
    beads = Beads(*(np.concatenate([getattr(part, name) for part in parts])[order] for name in fields))
    person, keypoints_m, xy_m = (np.concatenate(values)[order] for values in (people, points, places))
    return Presence(frame[order], person, beads, keypoints_m, xy_m)


def sightings(layout: StoreLayout, camera: PinholeCamera, present: Presence) -> Sightings:
    """What a camera sees of the people, frame by frame.

    Args:
        layout: The store.
        camera: Who looks.
        present: The people.
    """
    rows, pixels, range_m = outlined(camera, present)
    if not len(rows):
        return Sightings.empty()
    size = np.array([camera.width_px, camera.height_px])
    whole = around(pixels, np.isfinite(pixels[..., 0]))
    hidden = behind_shelves(depths(layout, camera), pixels, range_m)
    frame = present.frame[rows]
    for i, j in overlapping(frame, whole):
        hidden[i] |= behind_people(pixels[i], range_m[i], pixels[j], range_m[j])
    inside = _inside(pixels, size)
    shown = inside & ~hidden
    area = np.ptp(np.nan_to_num(pixels[..., 1:3, 0]), axis=2) * np.ptp(np.nan_to_num(pixels[..., 3:, 1]), axis=2)
    weight = area[..., None] / pixels.shape[2]
    total, within, seen = ((weight * mask).sum(axis=(1, 2)) for mask in (np.isfinite(pixels[..., 0]), inside, shown))
    visible = around(pixels, np.isfinite(pixels[..., 0]) & ~hidden)
    visible = np.clip(visible, -0.5, np.tile(size - 0.5, 2))
    visible[~shown.any(axis=(1, 2))] = np.nan
    return Sightings(
        frame,
        present.person[rows],
        whole,
        visible,
        seen / np.maximum(within, 1e-9),
        within / np.maximum(total, 1e-9),
        np.asarray(shown[:, list(FEET)].any(axis=(1, 2))),
        np.asarray(shown[:, HEAD].any(axis=1)),
    )


def outlined(camera: PinholeCamera, present: Presence) -> tuple[Int64, Array, Array]:
    """Where the beads of those appear of whom a part would be in the picture if nothing were in front of them.

    Returns:
        (p,) int64, rows of `present`; (p, COUNT, POINTS, 2) and (p, COUNT) float64, their `outlines`.
    """
    size = np.array([camera.width_px, camera.height_px])
    kept, seen_px = [np.zeros(0, np.int64)], [np.zeros((0, COUNT, POINTS, 2))]
    ranges = [np.zeros((0, COUNT))]
    for start in range(0, len(present.frame), _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, len(present.frame)))
        middles, depth = camera.project(present.beads.middle_m[rows])
        near = (np.abs(middles - (size - 1) / 2) < size).all(axis=2) & (depth > 0)
        rows = rows[near.any(axis=1)]
        pixels, range_m = outlines(present.beads[rows], camera)
        inside = _inside(pixels, size).any(axis=(1, 2))
        kept.append(rows[inside])
        seen_px.append(pixels[inside])
        ranges.append(range_m[inside])
    return np.concatenate(kept), np.concatenate(seen_px), np.concatenate(ranges)


def depths(layout: StoreLayout, camera: PinholeCamera) -> NDArray[np.float32]:
    """(h, w) float32: metres from the camera to the first gondola on the ray of each pixel; inf where there is none."""
    columns, rows = np.meshgrid(np.arange(camera.width_px), np.arange(camera.height_px))
    origin, direction = camera.rays(np.stack([columns, rows], axis=-1).astype(float))
    nearest = np.full(columns.shape, np.inf)
    for gondola in layout.gondolas.values():
        start = gondola.rotation.T @ (origin - [*gondola.corner_m, 0.0])
        own = direction @ gondola.rotation
        wares = max(gondola.heights_m) + _WARES_M
        for low, high in (
            ((0.0, 0.0, 0.0), (gondola.length_m, gondola.depth_m, wares)),
            ((0.0, gondola.depth_m - 0.02, 0.0), (gondola.length_m, gondola.depth_m, gondola.top_m)),
        ):
            nearest = np.minimum(nearest, _hits(start, own, np.array(low), np.array(high)))
    return nearest.astype(np.float32)


def _hits(start: Array, direction: Array, low: Array, high: Array) -> Array:
    """(...) how far along rays a box begins; inf where they miss it. Slabs (Kay and Kajiya 1986)."""
    first, last = np.zeros(direction.shape[:-1]), np.full(direction.shape[:-1], np.inf)
    for axis in range(3):
        with np.errstate(divide="ignore", invalid="ignore"):
            one, other = ((edge[axis] - start[axis]) / direction[..., axis] for edge in (low, high))
        first, last = np.fmax(first, np.fmin(one, other)), np.fmin(last, np.fmax(one, other))
    return np.where((first <= last) & (first > 0) & np.isfinite(direction[..., 0]), first, np.inf)


def _inside(pixels: Array, size: Int64) -> NDArray[np.bool_]:
    return np.asarray(((pixels > -0.5) & (pixels < size - 0.5)).all(axis=-1))


def around(pixels: Array, mask: NDArray[np.bool_]) -> Array:
    """(n, 4) boxes around those of the points (n, COUNT, POINTS, 2) that are in the mask; NaN where none is."""
    low = np.where(mask[..., None], pixels, np.inf).min(axis=(1, 2))
    high = np.where(mask[..., None], pixels, -np.inf).max(axis=(1, 2))
    boxes = np.concatenate([low, high], axis=1)
    boxes[~mask.any(axis=(1, 2))] = np.nan
    return boxes


def behind_shelves(nearest_m: NDArray[np.float32], pixels: Array, range_m: Array) -> NDArray[np.bool_]:
    """(n, k, j) whether points at pixels (n, k, j, 2), `range_m` (n, k) away, lie behind what `depths` gives."""
    h, w = nearest_m.shape
    at = np.clip(np.nan_to_num(np.round(pixels)), 0, [w - 1, h - 1]).astype(np.int64)
    return np.asarray(nearest_m[at[..., 1], at[..., 0]] < range_m[..., None] - _OWN_M)


def overlapping(frame: Int64, boxes: Array) -> list[tuple[Int64, Int64]]:
    """Pairs of rows of one frame whose boxes meet, both ways round, some at a time; none of `i` twice in a part."""
    parts: list[tuple[Int64, Int64]] = []
    for shift in range(1, len(frame)):
        first = np.flatnonzero(frame[shift:] == frame[:-shift])
        if not len(first):
            break
        other = first + shift
        meet = (boxes[first, :2] < boxes[other, 2:]).all(axis=1) & (boxes[other, :2] < boxes[first, 2:]).all(axis=1)
        for i, j in ((first[meet], other[meet]), (other[meet], first[meet])):
            cuts = range(0, len(i), _PAIRS_AT_ONCE)
            parts += [(i[a : a + _PAIRS_AT_ONCE], j[a : a + _PAIRS_AT_ONCE]) for a in cuts]
    return parts


def behind_people(pixels: Array, range_m: Array, others_px: Array, others_m: Array) -> NDArray[np.bool_]:
    """(p, k, j) whether points (p, k, j, 2), `range_m` (p, k) away, lie behind a bead of somebody else.

    Each bead is an ellipse on the picture, as far away as its middle.
    """
    half = np.stack([np.ptp(others_px[..., 1:3, 0], axis=2), np.ptp(others_px[..., 3:, 1], axis=2)], axis=-1) / 2
    low, high = (f(others_px, axis=(1, 2))[:, None, None] for f in (np.nanmin, np.nanmax))
    behind = range_m > others_m.min(axis=1)[:, None] + _OWN_M
    pair, bead, point = np.nonzero(((pixels > low) & (pixels < high)).all(axis=-1) & behind[..., None])
    x, y = pixels[pair, bead, point].astype(np.float32).T.copy()
    own_m = (range_m[pair, bead] - _OWN_M).astype(np.float32)
    ellipses = np.concatenate([others_px[:, :, 0], 1 / np.maximum(half, 1e-6), others_m[..., None]], axis=2)
    covered = np.zeros(len(pair), bool)
    for ellipse in np.ascontiguousarray(ellipses.astype(np.float32).transpose(1, 2, 0)):
        middle_x, middle_y, over_x, over_y, depth_m = ellipse[:, pair]
        apart = np.square((x - middle_x) * over_x) + np.square((y - middle_y) * over_y)
        covered |= (apart < 1) & (depth_m < own_m)
    hidden = np.zeros(pixels.shape[:-1], bool)
    hidden[pair, bead, point] = covered
    return hidden


def people_of(scene: Scene) -> Mapping[str, int]:
    """The number of each person, in the order in which they first came; who comes in again keeps theirs."""
    ordered = sorted(scene.motions, key=lambda motion: motion.start_s)
    return {name: number for number, name in enumerate(dict.fromkeys(motion.person for motion in ordered))}
