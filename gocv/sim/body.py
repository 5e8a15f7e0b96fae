"""A whole body from a motion: hips, legs that walk, hands and a face around the joints of the upper body.

Proportions are shares of a person's height, after the segment lengths of Winter, "Biomechanics and Motor Control of
Human Movement", 4th ed., figure 4.1, rounded to those that `Motion.joints_m` has.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.core import JOINTS
from gocv.sim.load_changes import minimum_jerk
from gocv.sim.shoppers import Motion

Array = NDArray[np.float64]

THIGH, SHIN, ANKLE = 0.245, 0.246, 0.039
"""Lengths of the leg's bones and height of the ankle over the floor, shares of the person's height."""
_HIP_SIDE, _SPINE, _DIP, _TAUT = 0.055, 0.315, 0.02, 0.997
_STEP_M, _HEIGHT_M = 0.60, 1.72
_FOOT_SIDE, _LIFT_M = 0.050, 0.09
_GRID_S, _WALKING_M_S, _SETTLE_S = 0.02, 0.12, 0.36
_TWISTED_RAD, _ASTRAY_M = 0.35, 0.06


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A person at m times. Everything is in the store's frame, metres; index 0 of a pair is the person's left.

    Attributes:
        height_m: From the floor to the top of the head.
        keypoints_m: (m, 17, 3) float64, in the order of `COCO17`.
        head_m: (m, 3) middle of the head.
        neck_m: (m, 3) where the neck meets the trunk.
        hands_m: (m, 2, 3) middle of each hand, where it holds what it holds.
        toes_m: (m, 2, 3) tips of the feet.
        forward: (m, 3) level unit vector, where the person faces.
        gaze: (m, 3) unit vector, where the head faces.
    """

    height_m: float
    keypoints_m: Array
    head_m: Array
    neck_m: Array
    hands_m: Array
    toes_m: Array
    forward: Array
    gaze: Array


def body(motion: Motion, time_s: Array) -> Body:
    """The whole body of a moving person.

    Args:
        motion: Of the person.
        time_s: (m,) seconds; before and after the motion the person stands at its ends.
    """
    time_s = np.asarray(time_s, np.float64)
    h = motion.height_m
    upper = dict(zip(JOINTS, np.moveaxis(motion.joints_m(time_s), 1, 0), strict=True))
    ground, forward, left = _axes(motion, time_s)
    wrists, elbows = (np.stack([upper[f"l_{n}"], upper[f"r_{n}"]], axis=1) for n in ("wrist", "elbow"))
    feet, yaw = footsteps(motion, time_s)
    ankles = feet + np.array([0.0, 0.0, ANKLE * h])
    pelvis = _pelvis(upper["neck"], ground, ankles, h)
    trunk = _unit(upper["neck"] - pelvis)
    hips = pelvis[:, None] + _SIDES * _HIP_SIDE * h * left[:, None]
    ankles = _heels_up(hips, ankles, h)
    knees = bent(hips, ankles, THIGH * h, SHIN * h, forward[:, None] + 0.15 * _SIDES * left[:, None])
    # Who bends down looks down.
    gaze = _unit(forward + np.array([0.0, 0.0, -0.12]) + np.array([0.0, 0.0, -0.8]) * (1 - trunk[:, 2:]))
    toe = np.stack([np.cos(yaw), np.sin(yaw), np.zeros_like(yaw)], axis=2)
    points = np.concatenate(
        [
            _face(upper["head"], gaze, left, h),
            np.stack([upper["l_shoulder"], upper["r_shoulder"]], axis=1),
            elbows,
            wrists,
            hips,
            knees,
            ankles,
        ],
        axis=1,
    )
    hands = wrists + 0.048 * h * _unit(wrists - elbows)
    toes = feet + 0.11 * h * toe + [0.0, 0.0, 0.02 * h]
    return Body(h, points, upper["head"], upper["neck"], hands, toes, forward, gaze)


def footsteps(motion: Motion, time_s: Array) -> tuple[Array, Array]:
    """Where the feet are: planted while they carry, lifted in turn while the person walks or turns.

    Returns:
        (m, 2, 3) float64, the ground point under each ankle, left first, raised while the foot is.
        (m, 2) float64, radians, the way each foot points, against the store's x axis.
    """
    plans = _plan(motion)
    feet, yaws = np.zeros((len(time_s), 2, 3)), np.zeros((len(time_s), 2))
    for side, plan in enumerate(plans):
        steps = np.array(plan)
        last = np.clip(np.searchsorted(steps[:, 0], time_s, side="right") - 1, 0, None)
        to, source = steps[last], steps[np.maximum(last - 1, 0)]
        share = np.clip((time_s - to[:, 0]) / (to[:, 1] - to[:, 0]), 0.0, 1.0)
        eased = minimum_jerk(share)[:, None]
        feet[:, side, :2] = source[:, 2:4] + eased * (to[:, 2:4] - source[:, 2:4])
        turn = np.angle(np.exp(1j * (to[:, 4] - source[:, 4])))
        yaws[:, side] = source[:, 4] + eased[:, 0] * turn
        moved = np.linalg.norm(to[:, 2:4] - source[:, 2:4], axis=1) + 0.2 * np.abs(turn)
        feet[:, side, 2] = np.sin(np.pi * share) * _LIFT_M * np.minimum(moved / 0.6, 1.0)
    return feet, yaws


_SIDES = np.array([1.0, -1.0])[None, :, None]


def _axes(motion: Motion, time_s: Array) -> tuple[Array, Array, Array]:
    """(m, 3) each: the ground point, and level unit vectors forward and to the left."""
    forward = _unit(motion.at(time_s, motion.outlook))
    ground, forward = (np.pad(x, ((0, 0), (0, 1))) for x in (motion.at(time_s, motion.xy_m), forward))
    return ground, forward, np.stack([-forward[:, 1], forward[:, 0], np.zeros(len(forward))], axis=1)


def _pelvis(neck: Array, ground: Array, ankles: Array, h: float) -> Array:
    """(m, 3) middle of the hips: over the feet, a spine's length from the neck, a little lower in a long step."""
    level = np.linalg.norm(neck[:, :2] - ground[:, :2], axis=1)
    pelvis = ground.copy()
    pelvis[:, 2] = neck[:, 2] - np.sqrt(np.maximum((_SPINE * h) ** 2 - level**2, (0.1 * h) ** 2))
    stretch = np.linalg.norm(pelvis[:, None, :2] - ankles[:, :, :2], axis=2)
    highest = ankles[:, :, 2] + np.sqrt(np.maximum((_TAUT * (THIGH + SHIN) * h) ** 2 - stretch**2, 0.0))
    pelvis[:, 2] -= np.clip(pelvis[:, 2] - highest.min(axis=1), 0.0, _DIP * h)
    return pelvis


def _heels_up(hips: Array, ankles: Array, h: float) -> Array:
    """(m, 2, 3) ankles that a leg reaches: the heel leaves the floor where it would not."""
    leg = ankles - hips
    length = np.linalg.norm(leg, axis=2, keepdims=True)
    return np.asarray(hips + leg * np.minimum(1.0, _TAUT * (THIGH + SHIN) * h / length))


def _face(head: Array, gaze: Array, left: Array, h: float) -> Array:
    """(m, 5, 3) nose, eyes and ears."""
    up = np.cross(gaze, left)
    eyes = [[0.050, 0.018, 0.012], [0.050, -0.018, 0.012]]
    offsets = np.array([[0.060, 0.0, -0.004], *eyes, [0.0, 0.045, 0.0], [0.0, -0.045, 0.0]])
    axes = np.stack([gaze, left, up], axis=1)
    return np.asarray(head[:, None] + h * offsets @ axes)


def bent(root: Array, tip: Array, upper_m: float, lower_m: float, pole: Array) -> Array:
    """(..., 3) the joint between two bones of fixed length from `root` to `tip`, bent towards `pole`."""
    line = tip - root
    length = np.maximum(np.linalg.norm(line, axis=-1, keepdims=True), 1e-6)
    span = np.clip(length, abs(upper_m - lower_m) + 1e-6, upper_m + lower_m)
    along = (upper_m**2 - lower_m**2 + span**2) / (2 * span)
    out = np.sqrt(np.maximum(upper_m**2 - along**2, 0.0))
    axis = line / length
    pole = pole - (pole * axis).sum(axis=-1, keepdims=True) * axis
    return np.asarray(root + along * axis * (length / span) + out * _unit(pole))


def _plan(motion: Motion) -> tuple[list[list[float]], list[list[float]]]:
    """For the left and the right foot: rows (lift, land, x, y, yaw), in order of time, the first long before."""
    path = _Path(motion)
    plans: tuple[list[list[float]], list[list[float]]] = ([], [])
    for side in (0, 1):
        plans[side].append([motion.start_s - 2.0, motion.start_s - 1.0, *path.stance(motion.start_s, side)])
    now_s = motion.start_s
    for first_s, last_s in [*path.walks(), (motion.end_s, motion.end_s)]:
        _settle(path, plans, now_s, first_s)
        if last_s > first_s:
            _stride(path, plans, first_s, last_s)
        now_s = last_s
    return plans


def _stride(path: _Path, plans: tuple[list[list[float]], list[list[float]]], first_s: float, last_s: float) -> None:
    """Steps of a walk: each lands half a step ahead of where the body will be then, the last ones beside it."""
    begin, end = path.way(first_s), path.way(last_s)
    steps = max(2, round((end - begin) / (_STEP_M * path.height_m / _HEIGHT_M)))
    length = (end - begin) / steps
    times = [path.when(begin + k * length, first_s, last_s) for k in range(steps + 1)]
    for k in range(steps):
        target_s = path.when(min(begin + (k + 1.5) * length, end), first_s, last_s)
        plans[k % 2].append([times[k], max(times[k + 1], times[k] + _GRID_S), *path.stance(target_s, k % 2)])


def _settle(path: _Path, plans: tuple[list[list[float]], list[list[float]]], from_s: float, until_s: float) -> None:
    """While the body stands: put a foot right that is not under it or does not point where the person looks."""
    time = from_s
    while time + 2 * _SETTLE_S <= until_s:
        for side in sorted((0, 1), key=lambda s: -_off(path, plans[s][-1], time, s)):
            target = path.stance(time + 2 * _SETTLE_S, side)
            twist = abs(np.angle(np.exp(1j * (target[2] - plans[side][-1][4]))))
            astray = float(np.hypot(target[0] - plans[side][-1][2], target[1] - plans[side][-1][3]))
            if twist > _TWISTED_RAD or astray > _ASTRAY_M:
                plans[side].append([time, time + _SETTLE_S, *target])
                time += _SETTLE_S
        time += 0.1


def _off(path: _Path, step: list[float], time_s: float, side: int) -> float:
    x, y, _ = path.stance(time_s, side)
    return float(np.hypot(step[2] - x, step[3] - y))


class _Path:
    """What a motion says about the ground: how far, where and which way, by time."""

    def __init__(self, motion: Motion) -> None:
        self.height_m = motion.height_m
        self._time = np.arange(motion.start_s, motion.end_s + _GRID_S, _GRID_S)
        self._xy, outlook = motion.at(self._time, motion.xy_m), motion.at(self._time, motion.outlook)
        self._yaw = np.unwrap(np.arctan2(outlook[:, 1], outlook[:, 0]))
        moved = np.linalg.norm(np.diff(self._xy, axis=0, prepend=self._xy[:1]), axis=1)
        self._way = np.cumsum(moved)
        self._moves = np.convolve(moved, np.ones(5) / 5, mode="same") > _WALKING_M_S * _GRID_S

    def walks(self) -> list[tuple[float, float]]:
        """(first, last) times of the stretches in which the body moves at a walk and gets somewhere."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], self._moves, [False]]).astype(np.int8)))
        runs = [(max(int(a) - 1, 0), int(b) - 1) for a, b in edges.reshape(-1, 2)]
        return [(float(self._time[a]), float(self._time[b])) for a, b in runs if self._way[b] - self._way[a] > 0.1]

    def way(self, time_s: float) -> float:
        """Metres walked so far."""
        return float(np.interp(time_s, self._time, self._way))

    def when(self, way_m: float, first_s: float, last_s: float) -> float:
        """The time in a walk at which so much has been walked."""
        inside = slice(*np.searchsorted(self._time, (first_s - 1e-9, last_s + 1e-9)))
        return float(np.interp(way_m, self._way[inside], self._time[inside]))

    def stance(self, time_s: float, side: int) -> tuple[float, float, float]:
        """(x, y, yaw) of a foot that stands under the body as that is at a time."""
        x, y = (float(np.interp(time_s, self._time, self._xy[:, k])) for k in (0, 1))
        yaw = float(np.interp(time_s, self._time, self._yaw))
        aside = _FOOT_SIDE * self.height_m * (1 - 2 * side)
        splay = 0.12 * (1 - 2 * side)
        return x - aside * np.sin(yaw), y + aside * np.cos(yaw), yaw + splay


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
