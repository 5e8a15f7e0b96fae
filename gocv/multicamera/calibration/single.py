"""Where one camera hangs, from the boxes of people of about one height on a flat floor.

The idea of Liu, Collins and Liu, "Surveillance camera autocalibration based on pedestrian height distributions", BMVC
2011: for each focal length, tilt and roll, every box gives the ratio of its person's height to the camera's; the right
ones make the ratio the same everywhere. The best of a coarse search are refined with the whole outline of bodies.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.geometry import distortion as lens_model
from gocv.multicamera.calibration.body import BodyShape, boxes_of
from gocv.multicamera.calibration.bundle import Problem, State, adjust, free_parameters, stands
from gocv.multicamera.calibration.observations import Observations
from gocv.multicamera.calibration.poses import Lens, rotations

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

FIELDS_RAD = np.radians(np.geomspace(22.0, 125.0, 13))
_TILTS_RAD = np.radians(np.arange(-6.0, 86.0, 2.0))
_ROLLS_RAD = np.radians([-12.0, -8.0, -5.0, -2.5, 0.0, 2.5, 5.0, 8.0, 12.0])
_SEARCHED, _REFINED, _STARTS = 250, 400, 4
_FEWEST = 30
_STICK = 1e-3
_HIGHEST = 25.0
FOCAL_SD, K1_SD = 0.6, 0.08
"""How surely a lens that is not known has its image's width for focal length (of the logarithm), and k1 = 0."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class SingleView:
    """Where a camera is over its own floor: at x = y = 0, looking along x.

    Attributes:
        parameters: (8,) float64.
        cost: What the adjustment left, per box.
    """

    parameters: Array
    cost: float


def prior_of(lens: Lens) -> tuple[Array, Array]:
    """(8,) what is thought of a camera's parameters before anything was seen, and (8,) how surely."""
    prior, sd = np.zeros(8), np.full(8, np.inf)
    prior[:2] = lens.start()
    sd[:2] = FOCAL_SD, K1_SD
    return prior, sd


def start_camera(
    seen: Observations, lens: Lens, shape: BodyShape, height_m: float, height_sd_m: float, noise_share: float
) -> SingleView:
    """Tilt, roll, height and, where it is not known, focal length of one camera.

    Args:
        seen: Boxes of this camera alone.
        lens: Its intrinsics, or what is known of them.
        shape: Of bodies.
        height_m: Mean height of people.
        height_sd_m: Standard deviation of their heights.
        noise_share: How far edges are off, as a share of box height.

    Raises:
        DataError: There are too few boxes, or none of the poses tried explains them.
    """
    if len(seen) < _FEWEST:
        raise DataError(f"{len(seen)} whole boxes with a track", expected=f"at least {_FEWEST}")
    starts = _search(seen[_spread_rows(seen, _SEARCHED)], lens, height_m)
    own = seen[_spread_rows(seen, _REFINED)]
    _, person = np.unique(own.track, return_inverse=True)
    prior, sd = prior_of(lens)
    people = int(person.max()) + 1
    problem = Problem(
        shape=shape,
        seen=dataclasses.replace(own, camera=np.zeros(len(own), np.int64)),
        person=person.reshape(-1),
        constants=lens.constants()[None],
        free=free_parameters(np.array([lens.known]), fixed=0),
        prior=prior[None],
        prior_sd=sd[None],
        height_m=np.full(people, height_m),
        height_sd_m=np.full(people, height_sd_m),
        common_sd_m=_STICK,
        noise_share=np.array([noise_share]),
    )
    _, who, _ = stands(problem.seen, problem.person)
    tried = []
    for parameters in starts:
        xy = locate(problem.seen, parameters[None], problem.constants, shape, np.full(len(own), height_m))
        # Boxes of a camera alone have a stand each, in order of person and moment as `own` is.
        state = State(parameters[None], np.zeros(shape.scales), 0.0, np.zeros(people), xy[: len(who)])
        found = adjust(problem, state, steps=25)
        value = found.state.cameras[0]
        if np.isfinite(found.cost) and 0 < value[7] < _HIGHEST * height_m:
            tried.append(SingleView(value, found.cost / len(own)))
    if not tried:
        raise DataError("no pose explains the boxes", expected="people who walk upright on one flat floor")
    return min(tried, key=lambda view: view.cost)


def locate(
    seen: Observations,
    parameters: Array,
    constants: Array,
    shape: BodyShape,
    height_m: Array,
    log_scale: Array | None = None,
    steps: int = 8,
) -> Array:
    """(n, 2) where the person of each box stands, by that box alone: damped Gauss-Newton from its lower edge.

    Args:
        seen: The boxes.
        parameters: (C, 8) of the cameras.
        constants: (C, 8) of their lenses.
        shape: Of bodies.
        height_m: (n,) of each box's person.
        log_scale: (shape.scales,) of the body's radii; None for as they come.
        steps: How many.
    """
    cameras, own = parameters[seen.camera], constants[seen.camera]
    xy = _foot_points(seen, cameras, own)
    scale = np.zeros(shape.scales) if log_scale is None else log_scale
    sd = (0.03 * seen.tall_px).clip(1.0)[:, None]

    def error(at: Array) -> Array:
        return np.asarray((boxes_of(shape, cameras, own, at, height_m, scale) - seen.edges_px) / sd)

    now = error(xy)
    cost = np.square(now).sum(axis=1)
    damping = np.full(len(xy), 1e-2)
    for _ in range(steps):
        j = np.stack([(error(xy + 1e-5 * np.eye(2)[k]) - now) / 1e-5 for k in range(2)], axis=2)
        normal = np.einsum("nek,nel->nkl", j, j)
        normal += (damping[:, None] * np.einsum("nkk->nk", normal) + 1e-9)[:, :, None] * np.eye(2)
        step = np.linalg.solve(normal, np.einsum("nek,ne->nk", j, now)[..., None])[..., 0]
        length = np.linalg.norm(step, axis=1, keepdims=True)
        tried = xy - step * np.minimum(1.0, 5.0 / np.maximum(length, 1e-9))
        new = error(tried)
        new_cost = np.square(new).sum(axis=1)
        better = new_cost < cost
        xy, now, cost = (np.where(better.reshape(-1, *([1] * (a.ndim - 1))), b, a) for a, b in (
            (xy, tried), (now, new), (cost, new_cost)))  # fmt: skip
        damping = np.where(better, damping / 5, damping * 10)
    return xy


def _foot_points(seen: Observations, cameras: Array, constants: Array) -> Array:
    """(n, 2) where the rays through the middles of lower edges meet the floor; far out for those that do not."""
    pixels = np.stack([seen.edges_px[:, [0, 2]].mean(axis=1), seen.edges_px[:, 3]], axis=1)
    ray = np.einsum("nji,nj->ni", rotations(cameras), _directions(pixels, cameras, constants))
    reach = np.where(ray[:, 2] < -1e-3, cameras[:, 7] / -np.minimum(ray[:, 2], -1e-3), 30.0)
    far = np.linalg.norm(ray[:, :2], axis=1) * reach
    near = reach * np.minimum(1.0, 40.0 / np.maximum(far, 1e-9))
    return np.asarray(cameras[:, 5:7] + ray[:, :2] * near[:, None])


def _directions(pixels: Array, cameras: Array, constants: Array) -> Array:
    """(n, 3) rays of pixels in the cameras' frames, the lens undone by a few fixed-point steps."""
    cx, cy, aspect, skew, k2, _, _, k3 = constants.T
    focal = np.exp(cameras[:, 0])
    y = (pixels[:, 1] - cy) / focal
    x = ((pixels[:, 0] - cx) / focal - skew * y) / aspect
    u, v = x, y
    for _ in range(5):
        s = np.minimum(u * u + v * v, 4.0)
        radial = np.maximum(1 + s * (cameras[:, 1] + s * (k2 + s * k3)), 0.3)
        u, v = x / radial, y / radial
    return np.stack([u, v, np.ones_like(u)], axis=1)


def _search(seen: Observations, lens: Lens, height_m: float) -> list[Array]:
    """The best parameters of a coarse grid, no two of one basin."""
    edges = seen.edges_px
    middle = (edges[:, 0] + edges[:, 2]) / 2
    ends = np.stack([np.stack([middle, edges[:, 3]], 1), np.stack([middle, edges[:, 1]], 1)], axis=1)
    fields = list(lens.width_px / (2 * np.tan(FIELDS_RAD / 2)))
    focals = [float(np.exp(lens.start()[0]))] if lens.known else fields
    tilt, roll = (grid.ravel() for grid in np.meshgrid(_TILTS_RAD, _ROLLS_RAD, indexing="ij"))
    trials = np.zeros((len(tilt), 8))
    trials[:, 2], trials[:, 3] = tilt, roll
    rotation = rotations(trials)
    found = []
    for focal in focals:
        rays = normalised_rays(ends, lens, focal)
        world = np.einsum("gji,nej->gnei", rotation, rays)  # (g, n, 2, 3)
        slope = world[..., 2] / np.maximum(np.linalg.norm(world[..., :2], axis=-1), 1e-6)
        foot, head = slope[..., 0], slope[..., 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(foot < -1e-3, 1 - head / foot, np.nan)
        share = np.nanmedian(np.where(np.isnan(ratio), -1.0, ratio), axis=1)
        # How far the head would be off, as a share of the box, if everybody were of the median height.
        off = np.abs(ratio - share[:, None]) / np.maximum(np.abs(ratio), 1e-3)
        # A person stands upright over the foot: the azimuths of foot and head agree.
        cross = world[..., 0, 0] * world[..., 1, 1] - world[..., 0, 1] * world[..., 1, 0]
        lean = np.abs(cross) / np.maximum(np.abs(slope[..., 0] - slope[..., 1]), 1e-3)
        score = np.nanmedian(np.where(np.isnan(off), 1.0, off + 0.5 * lean), axis=1)
        score = np.where((share > 1 / _HIGHEST) & (share < 2.5), score, np.inf)
        for g in np.argsort(score)[:20]:
            if np.isfinite(score[g]):
                value = np.array([np.log(focal), lens.start()[1], tilt[g], roll[g], 0, 0, 0, height_m / share[g]])
                found.append((float(score[g]), value))
    found.sort(key=lambda one: one[0])
    if not found:
        raise DataError("no pose explains the boxes", expected="people who walk upright on one flat floor")
    chosen: list[Array] = []
    for _, value in found:
        apart = [np.abs((value - other)[:4]) / [0.15, 1.0, 0.1, 0.1] for other in chosen]
        if all(a.max() > 1 for a in apart):
            chosen.append(value)
        if len(chosen) == _STARTS:
            break
    return chosen


def normalised_rays(pixels: Array, lens: Lens, focal: float) -> Array:
    """(..., 3) rays in the camera's frame, z = 1."""
    cx, cy, aspect, skew, k2, p1, p2, k3 = lens.constants()
    y = (pixels[..., 1] - cy) / focal
    x = ((pixels[..., 0] - cx) / focal - skew * y) / aspect
    coefficients = np.array([lens.start()[1], k2, p1, p2, k3])
    points = np.stack([x, y], axis=-1)
    flat = lens_model.undistort(points, coefficients, lens_model.fold_radius(coefficients))
    flat = np.where(np.isnan(flat), points, flat)
    return np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1)


def _spread_rows(seen: Observations, most: int) -> Int64:
    """At most so many rows, those of all parts of the picture: every so-manieth in order of where the box ends."""
    if len(seen) <= most:
        return np.arange(len(seen))
    cell = np.floor(seen.edges_px[:, 3] / max(1.0, float(np.ptp(seen.edges_px[:, 3])) / 12)) * 1e5
    order = np.lexsort((seen.edges_px[:, 0], cell))
    return np.sort(order[np.linspace(0, len(order) - 1, most).astype(np.int64)])
