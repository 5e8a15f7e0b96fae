"""Bundle adjustment of cameras, people's heights and where people stood at each moment.

Levenberg's and Marquardt's method on sparse normal equations, reweighted for the soft L1 loss (Triggs et al., "Bundle
adjustment: a modern synthesis", 1999, sections 4 and 6). `scipy.optimize.least_squares` minimises the same, but solves
sparse steps iteratively, where normal equations with this structure are solved at once.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from gocv.multicamera.calibration.body import BodyShape, boxes_of
from gocv.multicamera.calibration.observations import Observations
from gocv.multicamera.calibration.poses import PARAMETERS, X, Y, Z

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_STEP = 1e-6
_SCALE_SD = 0.35
_BEND_SHARE = 1.0
"""How walks accelerate: standard deviation in heights of the walker per square second."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is adjusted, and what is known before.

    Attributes:
        shape: Of a body.
        seen: The boxes.
        person: (n,) int64, whose each box is.
        constants: (C, 8) float64, of each lens.
        free: (C, 8) bool, which parameters of each camera are unknown.
        prior: (C, 8) float64, what they are thought to be.
        prior_sd: (C, 8) float64, and how surely; inf for not at all.
        height_m: (P,) float64, what each person's height is thought to be.
        height_sd_m: (P,) float64, how far each person's own is off that.
        common_sd_m: How far all of them together are.
        noise_share: (C,) float64, how far the edges of each camera's boxes are off, as a share of box height.
        distances: Rows of (camera, camera, metres, sd): known distances between cameras.
        window_s: From one moment to the next.
    """

    shape: BodyShape
    seen: Observations
    person: Int64
    constants: Array
    free: NDArray[np.bool_]
    prior: Array
    prior_sd: Array
    height_m: Array
    height_sd_m: Array
    common_sd_m: float
    noise_share: Array
    distances: tuple[tuple[int, int, float, float], ...] = ()
    window_s: float = 0.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class State:
    """Values of all unknowns.

    Attributes:
        cameras: (C, 8) float64.
        log_scale: (k,) float64, of the body's radii.
        common_m: What is added to the height of everybody.
        own_m: (P,) float64, what is added to each person's.
        xy_m: (S, 2) float64, of each stand: a person at a moment.
    """

    cameras: Array
    log_scale: Array
    common_m: float
    own_m: Array
    xy_m: Array


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What an adjustment found.

    Attributes:
        state: The unknowns.
        stand: (n,) int64, of each box, the row of `state.xy_m`.
        residual_px: (n, 4) float64, box predicted less box seen, edge by edge.
        weight: (n, 4) float64 in (0, 1], what the robust loss left of each edge.
        cost: Sum of the soft L1 loss over edges and priors.
        camera_sd: (C, 8) float64, standard deviations by the inverse of J^T J, scaled by what is left over; 0 for what
            was held.
    """

    state: State
    stand: Int64
    residual_px: Array
    weight: Array
    cost: float
    camera_sd: Array


def stands(seen: Observations, person: Int64) -> tuple[Int64, Int64, Int64]:
    """(n,) row of each box's stand, and (S,) the person and the moment of each stand, in order of both."""
    keys, rows = np.unique(np.stack([person, seen.moment], axis=1), axis=0, return_inverse=True)
    return rows.reshape(-1), keys[:, 0], keys[:, 1]


def adjust(
    problem: Problem, state: State, *, steps: int = 30, loss: float = 2.0, tolerance: float = 1e-4, sd: bool = False
) -> Solution:
    """Minimise the robust reprojection error of boxes.

    Args:
        problem: What is known.
        state: Where to start.
        steps: At most so many.
        loss: Residuals beyond so many standard deviations count as outliers, the more the less.
        tolerance: It ends when a step lowers the cost by less than this share.
        sd: Whether `camera_sd` is wanted.
    """
    system = _System(problem)
    damping = 1e-3
    residual, scale = system.residuals(state)
    cost, weight = _soft(residual, scale, loss)
    for _ in range(steps):
        jacobian = system.jacobian(state, residual)
        weighted = jacobian.multiply(np.sqrt(weight)[:, None]).tocsr()
        normal = (weighted.T @ weighted).tocsc()
        gradient = weighted.T @ (np.sqrt(weight) * residual)
        better = False
        while damping < 1e8:
            step = _solved(normal, gradient, damping)
            tried = system.shifted(state, -step)
            new_residual, _ = system.residuals(tried)
            new_cost, new_weight = _soft(new_residual, scale, loss)
            if np.isfinite(new_cost) and new_cost < cost:
                better = True
                break
            damping *= 6
        if not better:
            break
        gain = (cost - new_cost) / cost
        state, residual, cost, weight = tried, new_residual, new_cost, new_weight
        damping = max(damping / 6, 1e-9)
        if gain < tolerance:
            break
    n = len(problem.seen)
    boxes = system.boxes(state)
    return Solution(
        state=state,
        stand=system.stand,
        residual_px=boxes - problem.seen.edges_px,
        weight=weight[: 4 * n].reshape(-1, 4),
        cost=cost,
        camera_sd=system.camera_sd(state, residual, weight) if sd else np.zeros_like(state.cameras),
    )


def _soft(residual: Array, robust: NDArray[np.bool_], loss: float) -> tuple[float, Array]:
    """Cost and weights of 2 a^2 (sqrt(1 + r^2 / a^2) - 1) where robust, r^2 elsewhere."""
    root = np.sqrt(1 + np.square(residual / loss))
    cost = np.where(robust, 2 * loss**2 * (root - 1), np.square(residual)).sum()
    return float(cost), np.where(robust, 1 / root, 1.0)


def _solved(normal: sp.csc_matrix, gradient: Array, damping: float) -> Array:
    diagonal = normal.diagonal()
    damped = normal + sp.diags(damping * diagonal + 1e-12)
    factors = splu(damped.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}, diag_pivot_thresh=0.01)
    return np.asarray(factors.solve(gradient))


class _System:
    """Residuals of a problem and their derivatives."""

    def __init__(self, problem: Problem) -> None:
        self.p = problem
        self.stand, self._who, self._when = stands(problem.seen, problem.person)
        self._sd = (problem.noise_share[problem.seen.camera] * problem.seen.tall_px).clip(0.5)[:, None]
        c, k, people, s = len(problem.free), problem.shape.scales, len(problem.height_m), len(self._who)
        self._camera_column = np.full(problem.free.shape, -1)
        self._camera_column[problem.free] = np.arange(problem.free.sum())
        start = int(problem.free.sum())
        self._scale0, self._common, self._own0 = start, start + k, start + k + 1
        self._xy0 = self._own0 + people
        self.columns = self._xy0 + 2 * s
        # Three moments of one person in a row: how much the walk bends.
        run = (np.diff(self._who) == 0) & (np.diff(self._when) == 1)
        self._bends = np.flatnonzero(run[:-1] & run[1:]) + 1 if s > 2 else np.empty(0, np.int64)
        self._prior_rows = np.argwhere(problem.free & np.isfinite(problem.prior_sd))
        self._shape = c, k, people, s

    def boxes(self, state: State, **changed: Array) -> Array:
        p = self.p
        cameras, xy, log_scale = (
            changed.get("cameras", state.cameras[p.seen.camera]),
            changed.get("xy", state.xy_m[self.stand]),
            changed.get("log_scale", state.log_scale),
        )
        height = (p.height_m + state.common_m + state.own_m)[p.person] + changed.get("height", np.zeros(1))
        return boxes_of(p.shape, cameras, p.constants[p.seen.camera], xy, height, log_scale)

    def residuals(self, state: State) -> tuple[Array, NDArray[np.bool_]]:
        p, (_, _, people, _) = self.p, self._shape
        seen = (self.boxes(state) - p.seen.edges_px) / self._sd
        own = state.own_m / p.height_sd_m
        c, k = self._prior_rows.T
        prior = (state.cameras[c, k] - p.prior[c, k]) / p.prior_sd[c, k]
        b = self._bends
        # In units of the person's height: otherwise a smaller world would have smoother walks.
        tall = (p.height_m + state.common_m + state.own_m)[self._who[b]]
        bend = (state.xy_m[b - 1] - 2 * state.xy_m[b] + state.xy_m[b + 1]) / (_BEND_SHARE * tall * p.window_s**2)[
            :, None
        ]
        apart = [(np.linalg.norm(self._between(state, i, j)) - m) / sd for i, j, m, sd in p.distances]
        parts = [
            seen.ravel(), state.log_scale / _SCALE_SD, [state.common_m / p.common_sd_m], own, prior, bend.ravel(), apart
        ]  # fmt: skip
        residual = np.concatenate([np.asarray(part, np.float64) for part in parts])
        robust = np.zeros(len(residual), bool)
        robust[: seen.size] = True
        first = seen.size + len(state.log_scale) + 1 + people + len(prior)
        robust[first : first + bend.size] = True
        return residual, robust

    def _between(self, state: State, i: int, j: int) -> Array:
        return np.asarray(state.cameras[i, X : Z + 1] - state.cameras[j, X : Z + 1])

    def jacobian(self, state: State, residual: Array) -> sp.csr_matrix:
        p, (_, k, people, _) = self.p, self._shape
        n = len(p.seen)
        base = self.boxes(state)
        rows_of = np.arange(4 * n).reshape(n, 4)
        entries: list[tuple[NDArray[Any], NDArray[Any], Array]] = []

        def add(rows: NDArray[Any], columns: NDArray[Any], values: Array) -> None:
            entries.append((rows.ravel(), np.broadcast_to(columns, rows.shape).ravel(), values.ravel()))

        def derivative(**changed: Array) -> Array:
            return np.asarray((self.boxes(state, **changed) - base) / _STEP / self._sd)

        cameras, xy = state.cameras[p.seen.camera], state.xy_m[self.stand]
        for parameter in range(len(PARAMETERS)):
            free = p.free[p.seen.camera, parameter]
            if free.any():
                other = cameras.copy()
                other[:, parameter] += _STEP
                value = derivative(cameras=other)
                column = self._camera_column[p.seen.camera, parameter]
                add(rows_of[free], column[free, None], value[free])
        for axis in range(2):
            other = xy.copy()
            other[:, axis] += _STEP
            add(rows_of, (self._xy0 + 2 * self.stand + axis)[:, None], derivative(xy=other))
        taller = derivative(height=np.array([_STEP]))
        add(rows_of, np.full((n, 1), self._common), taller)
        add(rows_of, (self._own0 + p.person)[:, None], taller)
        for scale in range(k):
            other = state.log_scale.copy()
            other[scale] += _STEP
            add(rows_of, np.full((n, 1), self._scale0 + scale), derivative(log_scale=other))
        row = 4 * n
        add(row + np.arange(k), self._scale0 + np.arange(k), np.full(k, 1 / _SCALE_SD))
        row += k
        add(np.array([row]), np.array([self._common]), np.array([1 / p.common_sd_m]))
        row += 1
        add(row + np.arange(people), self._own0 + np.arange(people), 1 / p.height_sd_m)
        row += people
        c, j = self._prior_rows.T
        add(row + np.arange(len(c)), self._camera_column[c, j], 1 / p.prior_sd[c, j])
        row += len(c)
        b = self._bends
        where = row + np.arange(2 * len(b)).reshape(-1, 2)
        tall = (p.height_m + state.common_m + state.own_m)[self._who[b]]
        bend_sd = np.repeat((_BEND_SHARE * tall * p.window_s**2)[:, None], 2, axis=1)
        for offset, factor in ((-1, 1.0), (0, -2.0), (1, 1.0)):
            column = self._xy0 + 2 * (b + offset)[:, None] + np.arange(2)
            add(where, column, factor / bend_sd)
        by_height = -residual[where] / tall[:, None]
        add(where, np.full((len(b), 1), self._common), by_height)
        add(where, (self._own0 + self._who[b])[:, None], by_height)
        row += 2 * len(b)
        for i, j2, _, sd in p.distances:
            way = self._between(state, i, j2)
            unit = way / max(float(np.linalg.norm(way)), 1e-9) / sd
            for camera, sign in ((i, 1.0), (j2, -1.0)):
                own = self._camera_column[camera, X : Z + 1]
                add(np.full(int((own >= 0).sum()), row), own[own >= 0], sign * unit[own >= 0])
            row += 1
        rows, columns, values = (np.concatenate([e[q] for e in entries]) for q in range(3))
        return sp.csr_matrix((values, (rows, columns)), shape=(len(residual), self.columns))

    def shifted(self, state: State, step: Array) -> State:
        cameras = state.cameras.copy()
        cameras[self.p.free] += step[: self._scale0]
        return State(
            cameras=cameras,
            log_scale=state.log_scale + step[self._scale0 : self._common],
            common_m=state.common_m + float(step[self._common]),
            own_m=state.own_m + step[self._own0 : self._xy0],
            xy_m=state.xy_m + step[self._xy0 :].reshape(-1, 2),
        )

    def camera_sd(self, state: State, residual: Array, weight: Array) -> Array:
        """Square roots of the diagonal of (J^T W J)^-1 at the cameras' columns, times what is left over per edge."""
        jacobian = self.jacobian(state, residual)
        weighted = jacobian.multiply(np.sqrt(weight)[:, None]).tocsr()
        normal = (weighted.T @ weighted + 1e-10 * sp.eye(self.columns)).tocsc()
        factors = splu(normal, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}, diag_pivot_thresh=0.01)
        unit = np.zeros((self.columns, self._scale0))
        unit[np.arange(self._scale0), np.arange(self._scale0)] = 1.0
        inverse = factors.solve(unit)
        variance = np.diagonal(inverse[: self._scale0])
        left = float(np.median(np.abs(residual[: 4 * len(self.p.seen)]))) / 0.6745
        found = np.zeros_like(state.cameras)
        found[self.p.free] = np.sqrt(np.maximum(variance, 0.0)) * max(left, 1.0)
        return found


def free_parameters(known_focal: NDArray[np.bool_], *, fixed: int | None) -> NDArray[np.bool_]:
    """(C, 8) which parameters are unknown; of camera `fixed`, which carries the frame, x, y and yaw are not."""
    free = np.ones((len(known_focal), len(PARAMETERS)), bool)
    free[:, :2] = ~known_focal[:, None]
    if fixed is not None:
        free[fixed, [4, X, Y]] = False
    return free
