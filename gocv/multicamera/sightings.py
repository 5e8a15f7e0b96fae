"""From boxes to the floor: where somebody stands whose box a camera drew, and how sure that is.

A person is taken for an upright cylinder of height h and half width r (and of a given depth in the direction in which
the camera looks), and a box for the rectangle around its picture. In a wide view from the ceiling people lean outwards,
and the middle of the lower edge is not where they stand; straight below a camera the lower edge may be a head. So the
place x, y is fitted to the four edges e of the box, with h and r, which are known as well as those of people are,

    min  Σ (e - ê(x, y, h, r))² / σ²  +  (h - h₀)² / σ_h²  +  (r - r₀)² / σ_r²

by Gauss and Newton's method, and its covariance is that of the linear problem (Hartley and Zisserman, Multiple View
Geometry, 2nd ed., section 5.2.3). Edges that the picture cuts off say nothing. Where no person fits, an edge is not
what it seems: a shelf hides feet. Then the fit without some edges is taken which is best of those where the person
reaches past them, as the hidden part of somebody does. Or it is a child, lower than people are: one box cannot tell a
child from somebody whose legs are hidden, so there are two places then, and several cameras or the way that somebody
came have to say which it is.
"""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_STEPS = 5
_ENOUGH_M = 0.01
_LONGEST_STEP_M = 3.0
_LEFT, _TOP, _RIGHT, _BOTTOM = range(4)
_OUTWARDS = np.array([-1.0, -1.0, 1.0, 1.0])
_HIDDEN = (
    ((_BOTTOM,), 0.0),
    ((_BOTTOM, _LEFT), 3.0),
    ((_BOTTOM, _RIGHT), 3.0),
    ((_LEFT,), 3.0),
    ((_RIGHT,), 3.0),
)
"""What may be hidden of somebody, and what it costs to say so, as squares of standard deviations."""
_ROUND = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Where the people in boxes stand.

    Attributes:
        xy_m: (n, 2) float64; NaN where the box says nothing about it.
        covariance_m2: (n, 2, 2) float64; NaN likewise.
        hidden: (n, 4) bool, the edges that had no say: left, top, right, bottom.
        child_xy_m: (n, 2) float64, where they stand if they are a child; NaN where it is none.
        child_covariance_m2: (n, 2, 2) float64; NaN likewise.
    """

    xy_m: Float64
    covariance_m2: Float64
    hidden: Bool
    child_xy_m: Float64
    child_covariance_m2: Float64


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Fitted (n, 4) x, y, h, r; (n, 4, 4) covariance; (n,) cost; (n, 4) edges that the person should have."""

    person: Float64
    covariance: Float64
    cost: Float64
    edges: Float64

    def put(self, rows: NDArray[np.int64], other: _Fit, of: Bool) -> None:
        for own, new in ((self.person, other.person), (self.covariance, other.covariance), (self.cost, other.cost)):
            own[rows[of]] = new[of]
        self.edges[rows[of]] = other.edges[of]


def sight(camera: PinholeCamera, xyxy: NDArray[np.float32], settings: BoxSettings) -> Sightings:
    """Where on the floor the people in boxes stand.

    Args:
        camera: Whose boxes.
        xyxy: (n, 4) pixels; one that is not finite says nothing.
        settings: How boxes err, and how tall and wide people are.
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    boxes = np.where(np.isfinite(boxes).all(axis=1, keepdims=True), boxes, np.nan)
    edge = settings.edge_px
    hidden = np.concatenate(
        [boxes[:, :2] <= edge, boxes[:, 2:] >= np.array([camera.width_px, camera.height_px]) - 1 - edge], axis=1
    )
    sd_px = np.maximum(settings.sd_px, settings.sd_share * (boxes[:, 3] - boxes[:, 1]))
    adult = _Body(settings.height_m, settings.height_sd_m, settings.radius_m, settings.radius_sd_m, settings.depth_m)
    cut = hidden.copy()
    fit = _fitted(camera, boxes, sd_px, hidden, adult, _start(camera, boxes, adult))
    odd = np.flatnonzero(fit.cost > settings.agree_sd**2)
    _without_an_edge(camera, boxes, sd_px, hidden, odd, adult, settings, fit)
    fit.covariance[odd] *= settings.odd_factor**2
    xy_m, covariance_m2 = _places(fit, settings.no_person_sd, settings)
    child_xy_m, child_covariance_m2 = np.full_like(xy_m, np.nan), np.full_like(covariance_m2, np.nan)
    share = settings.child_height_m / settings.height_m
    child = _Body(settings.child_height_m, settings.child_height_sd_m, share * settings.radius_m, *adult[3:])
    start = _start(camera, boxes[odd], child)
    low = _fitted(camera, boxes[odd], sd_px[odd], cut[odd], child, start)
    child_xy_m[odd], child_covariance_m2[odd] = _places(low, settings.agree_sd, settings)
    return Sightings(xy_m, covariance_m2, hidden, child_xy_m, child_covariance_m2)


class _Body(NamedTuple):
    """How large people are: means and standard deviations, metres."""

    height_m: float
    height_sd_m: float
    radius_m: float
    radius_sd_m: float
    depth_m: float


def _places(fit: _Fit, worst_sd: float, settings: BoxSettings) -> tuple[Float64, Float64]:
    covariance = fit.covariance[:, :2, :2].copy()
    with np.errstate(invalid="ignore"):
        known = np.isfinite(fit.cost) & (covariance[:, 0, 0] + covariance[:, 1, 1] < settings.worst_m**2)
        known &= fit.cost < worst_sd**2
    covariance[:, [0, 1], [0, 1]] += settings.bias_m**2
    covariance[~known] = np.nan
    return np.where(known[:, None], fit.person[:, :2], np.nan), covariance


def _start(camera: PinholeCamera, boxes: Float64, body: _Body) -> Float64:
    """(n, 4) x, y, h, r to start from: under the head, or where that is nowhere at the feet."""
    middle = (boxes[:, _LEFT] + boxes[:, _RIGHT]) / 2
    feet = camera.pixels_to_floor(np.stack([middle, boxes[:, _BOTTOM]], axis=1))
    head = camera.pixels_to_floor(np.stack([middle, boxes[:, _TOP]], axis=1), body.height_m)
    far = np.linalg.norm(head - camera.position_m[:2], axis=1) > 3 * np.linalg.norm(
        feet - camera.position_m[:2], axis=1
    )
    place = np.where((np.isnan(head).any(axis=1) | far)[:, None], feet, head)
    place = np.where(np.isnan(place), head, place)
    return np.concatenate([place, np.tile([body.height_m, body.radius_m], (len(boxes), 1))], axis=1)


def _without_an_edge(
    camera: PinholeCamera,
    boxes: Float64,
    sd_px: Float64,
    hidden: Bool,
    odd: NDArray[np.int64],
    body: _Body,
    settings: BoxSettings,
    fit: _Fit,
) -> None:
    """Fit again, without some edges, the boxes that no person fits; changes `fit` and `hidden`."""
    if not len(odd):
        return
    best = fit.cost[odd] - settings.whole_bonus
    start, gone = _start(camera, boxes[odd], body), hidden[odd]
    tall = np.diff(_edges(_pixels(camera, start, body.depth_m)[0])[:, [_TOP, _BOTTOM]], axis=1)[:, 0]
    sd_px = np.fmax(sd_px[odd], settings.sd_share * tall)  # of the person, not of what is seen of them
    for sides, price in _HIDDEN:
        without = hidden[odd]
        able = ~without[:, sides].all(axis=1)
        without[:, sides] = True
        other = _fitted(camera, boxes[odd], sd_px, without, body, start)
        past = ((other.edges - boxes[odd])[:, sides] * _OUTWARDS[list(sides)] > 0).all(axis=1)
        better = able & past & (other.cost + price < best)
        best = np.where(better, other.cost + price, best)
        fit.put(odd, other, better)
        gone[better] = without[better]
    hidden[odd] = gone


def _fitted(camera: PinholeCamera, boxes: Float64, sd_px: Float64, hidden: Bool, body: _Body, start: Float64) -> _Fit:
    person, rows = start.copy(), np.arange(len(start))
    information = np.tile(np.eye(4), (len(start), 1, 1))
    weight = np.where(hidden, 0.0, 1.0) / sd_px[:, None]
    usual = np.array([body.height_m, body.radius_m])
    surely = np.diag([0.0, 0.0, body.height_sd_m**-2, body.radius_sd_m**-2]) + 1e-9 * np.eye(4)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for _ in range(_STEPS):
            if not len(rows):
                break
            edges, slope = _outline(camera, person[rows], body.depth_m)
            weighted = weight[rows, :, None] * slope
            normal = np.swapaxes(weighted, 1, 2) @ weighted + surely
            residual = weight[rows] * (boxes[rows] - edges)
            right = (np.swapaxes(weighted, 1, 2) @ residual[..., None])[..., 0]
            right[:, 2:] += np.diag(surely)[2:] * (usual - person[rows, 2:])
            bad = ~np.isfinite(normal).all(axis=(1, 2)) | ~np.isfinite(right).all(axis=1)
            normal[bad], right[bad] = np.eye(4), np.nan
            step = np.linalg.solve(normal, right[..., None])[..., 0]
            length = np.linalg.norm(step[:, :2], axis=1)
            person[rows] += step * np.minimum(1.0, _LONGEST_STEP_M / np.maximum(length, 1e-9))[:, None]
            information[rows] = normal
            rows = rows[length > _ENOUGH_M]
        edges = _edges(_pixels(camera, person, body.depth_m)[0])
        off = (person[:, 2:] - usual) * np.sqrt(np.diag(surely)[2:])
        cost = ((weight * (boxes - edges)) ** 2).sum(axis=1) + (off**2).sum(axis=1)
    return _Fit(person, np.asarray(np.linalg.inv(information), np.float64), cost, edges)


def _outline(camera: PinholeCamera, person: Float64, depth_m: float) -> tuple[Float64, Float64]:
    """(n, 4) edges of each person's box, and (n, 4, 4) how they change with x, y, h and r."""
    pixels, points, aside = _pixels(camera, person, depth_m)
    x, y = pixels[..., 0], pixels[..., 1]
    which = np.stack([x.argmin(axis=1), y.argmin(axis=1), x.argmax(axis=1), y.argmax(axis=1)], axis=1)
    by_point = camera.projection_jacobian(np.take_along_axis(points, which[..., None], axis=1))
    by_point = np.take_along_axis(by_point, np.array([0, 1, 0, 1])[None, :, None, None], axis=2)[:, :, 0]
    slope = np.empty((len(person), 4, 4))
    slope[..., :2] = by_point[..., :2]
    slope[..., 2] = by_point[..., 2] * (which >= len(_ROUND))
    slope[..., 3] = (by_point[..., :2] * aside[:, None]).sum(axis=2) * np.tile(_ROUND[:, 0], 2)[which]
    return _edges(pixels), slope


def _edges(pixels: Float64) -> Float64:
    """(n, 4) the rectangle around (n, k, 2) pixels; NaN where one is."""
    return np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1)


def _pixels(camera: PinholeCamera, person: Float64, depth_m: float) -> tuple[Float64, Float64, Float64]:
    """Points on the rims of upright, elliptic cylinders.

    Returns:
        (n, k, 2) pixels, NaN where not before the camera; (n, k, 3) metres, those on the floor first; (n, 2) the
        direction in which people are wide.
    """
    away = person[:, :2] - camera.position_m[:2]
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    aside = np.stack([-away[:, 1], away[:, 0]], axis=1)
    wide = (person[:, 3, None] * _ROUND[:, 0])[..., None] * aside[:, None]
    ring = person[:, None, :2] + wide + (depth_m * _ROUND[:, 1])[:, None] * away[:, None]
    count = len(_ROUND)
    points = np.empty((len(person), 2 * count, 3))
    points[:, :count, :2] = points[:, count:, :2] = ring
    points[:, :count, 2], points[:, count:, 2] = 0.0, person[:, 2, None]
    return camera.project(points)[0], points, aside
