"""The surface of a person: rings of points around the bones of a `Body`, for many moments at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from gocv.data.poses import COCO17
from gocv.sim.body import ANKLE, Body
from gocv.sim.render.wardrobe import Look

Array = NDArray[np.float64]
_K = {name: i for i, name in enumerate(COCO17)}

# Along the spine (0 the hips, 1 the neck): half width and half depth of the trunk, shares of the height.
_TRUNK = np.array(
    [
        (-0.24, 0.020, 0.020),
        (-0.18, 0.070, 0.055),
        (-0.08, 0.092, 0.070),
        (0.02, 0.097, 0.074),
        (0.03, 0.100, 0.077),
        (0.20, 0.093, 0.072),
        (0.30, 0.091, 0.070),
        (0.40, 0.091, 0.069),
        (0.50, 0.094, 0.070),
        (0.60, 0.098, 0.072),
        (0.70, 0.103, 0.073),
        (0.80, 0.106, 0.070),
        (0.88, 0.100, 0.062),
        (0.95, 0.075, 0.050),
        (1.00, 0.045, 0.040),
        (1.01, 0.033, 0.033),
        (1.22, 0.031, 0.031),
    ]
)
# Bone (0 the upper, 1 the lower), place along it, radius as a share of the height.
_Rings = tuple[tuple[int, float, float], ...]
_ARM: _Rings = (
    *((0, -0.08, 0.012), (0, 0.0, 0.030), (0, 0.3, 0.033), (0, 0.56, 0.033), (0, 0.57, 0.028), (1, 0.0, 0.026)),
    *((1, 0.3, 0.027), (1, 0.7, 0.022), (1, 0.95, 0.020), (1, 1.0, 0.016)),
)
_LEG: _Rings = (
    *((0, -0.10, 0.030), (0, 0.05, 0.055), (0, 0.45, 0.051), (0, 0.8, 0.044), (0, 0.81, 0.041), (1, 0.0, 0.038)),
    *((1, 0.3, 0.040), (1, 0.7, 0.032), (1, 0.95, 0.030), (1, 1.02, 0.022)),
)
_BARE_ARM_FROM, _BARE_LEG_FROM = 4, 4
_AROUND, _LIMB_AROUND, _BALL_AROUND = 18, 10, 12


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """(t, rings, 3) centres, (t, rings or 1, 3) axes times (rings,) radii, and the colours of its rings' points."""

    centres: Array
    first_axis: Array
    second_axis: Array
    first_m: Array
    second_m: Array
    around: int
    colours: Array


class Figure:
    """One person's surface.

    Args:
        look: Of the person.

    Attributes:
        faces: (m, 3) int64, the same at all times.
        colours: (n, 3) float64 in [0, 1], unlit.
    """

    def __init__(self, look: Look) -> None:
        self._look = look
        self._layout: sparse.csr_matrix | None = None
        self.faces = np.zeros((0, 3), np.int64)
        self.colours = np.zeros((0, 3))

    def vertices(self, body: Body) -> Array:
        """(m, n, 3) float64, metres in the store's frame, at the body's m times."""
        parts = _parts(body, self._look)
        if self._layout is None:
            self._lay_out(parts)
        return np.concatenate([_rings(part) for part in parts], axis=1)

    def normals(self, vertices: Array) -> Array:
        """(n, 3) outward unit vectors of (n, 3) vertices at one time; `vertices` has been called before."""
        a, b, c = (vertices[self.faces[:, k]] for k in range(3))
        assert self._layout is not None
        summed = self._layout @ np.cross(b - a, c - a)
        return np.asarray(summed / np.maximum(np.linalg.norm(summed, axis=1, keepdims=True), 1e-12))

    def _lay_out(self, parts: Sequence[_Part]) -> None:
        """Fix what does not change with time: faces, colours and which faces meet at a vertex."""
        faces, first = [], 0
        for part in parts:
            faces.append(first + _net(len(part.first_m), part.around))
            first += len(part.first_m) * part.around
        self.faces = np.concatenate(faces)
        self.colours = np.concatenate([part.colours for part in parts])
        corners, rows = self.faces.T.ravel(), np.tile(np.arange(len(self.faces)), 3)
        self._layout = sparse.csr_matrix((np.ones(len(rows)), (corners, rows)), shape=(first, len(self.faces)))


def _net(rings: int, around: int) -> NDArray[np.int64]:
    """(2 (rings - 1) around, 3) triangles between rings."""
    ring, i = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = ring * around + i, ring * around + (i + 1) % around
    quads = np.stack([a, b, b + around, a, b + around, a + around], axis=-1)
    return np.asarray(quads.reshape(-1, 3), np.int64)


def _rings(part: _Part) -> Array:
    angle = 2 * np.pi * np.arange(part.around) / part.around
    across = (part.first_axis * part.first_m[:, None])[:, :, None] * np.cos(angle)[:, None]
    along = (part.second_axis * part.second_m[:, None])[:, :, None] * np.sin(angle)[:, None]
    points = part.centres[:, :, None] + across + along
    return np.asarray(points.reshape(len(points), -1, 3))


def _parts(body: Body, look: Look) -> list[_Part]:
    h = body.height_m
    k = {name: body.keypoints_m[:, i] for name, i in _K.items()}
    hips = (k["l_hip"] + k["r_hip"]) / 2
    left = _unit(k["l_shoulder"] - k["r_shoulder"] + k["l_hip"] - k["r_hip"])
    spine = body.neck_m - hips
    front = _unit(np.cross(left, spine))
    trunk = _TRUNK[:, 0]
    parts = [_tube(hips, spine, trunk, left, front, h * _TRUNK[:, 1] * look.girth, h * _TRUNK[:, 2] * look.girth, look)]
    for side, letter in enumerate("lr"):
        arm = [k[f"{letter}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
        leg = [k[f"{letter}_{joint}"] for joint in ("hip", "knee", "ankle")]
        sleeve = _dressed(_ARM, look.top, look.skin, _BARE_ARM_FROM if look.short_sleeves else len(_ARM))
        trouser = _dressed(_LEG, look.bottom, look.skin, _BARE_LEG_FROM if look.bare_legs else len(_LEG))
        parts.append(_limb(arm, left, front, h * look.girth, _ARM, sleeve))
        parts.append(_limb(leg, left, front, h * look.girth, _LEG, trouser))
        parts.append(_hand(body, k, letter, side, look))
        parts.append(_shoe(body, k, letter, side, look))
    parts += _head(body, left, look)
    if look.hem is not None:
        knees = (k["l_knee"] + k["r_knee"]) / 2
        down, axis = 0.8 * (knees - hips), _unit(np.cross(left, hips - knees))
        size = h * look.girth * np.array([0.09, 0.102, 0.112, 0.118, 0.08])
        colours = np.repeat(np.broadcast_to(look.hem, (5, 3)), _AROUND, axis=0)
        places = np.array([-0.05, 0.05, 0.5, 1.0, 0.99])
        centres = hips[:, None] + places[:, None] * down[:, None]
        parts.append(_Part(centres, left[:, None], axis[:, None], size, 0.8 * size, _AROUND, colours))
    if look.backpack is not None:
        middle = hips + 0.60 * spine - (0.065 * look.girth + 0.045) * h * front
        size = h * np.array([0.075, 0.048, 0.13])
        parts.append(_ball(middle, left, -front, _unit(spine), size, look.backpack, square=0.5))
    return parts


def _tube(hips: Array, spine: Array, places: Array, left: Array, front: Array, a: Array, b: Array, look: Look) -> _Part:
    """The trunk and the neck, dressed."""
    colours = np.repeat(np.where((places < 0.025)[:, None], look.bottom, look.top)[:, None], _AROUND, axis=1)
    angle = 2 * np.pi * np.arange(_AROUND) / _AROUND
    covered = places > 0.025
    if look.stripe is not None and look.striped:
        colours[covered & (np.arange(len(places)) % 2 == 0)] = look.stripe
    elif look.stripe is not None:
        colours[np.ix_(covered, np.sin(angle) < -0.85)] = look.stripe
    if look.vest is not None:
        vest = covered & (places < 0.93)
        a, b = a + 0.012 * vest, b + 0.012 * vest
        colours[vest] = look.vest
        colours[vest & (np.abs(places - 0.6) < 0.06)] = (0.9, 0.9, 0.86)
    colours[places > 1.005] = look.skin
    centres = hips[:, None] + places[:, None] * spine[:, None]
    return _Part(centres, left[:, None], -front[:, None], a, b, _AROUND, colours.reshape(-1, 3))


def _dressed(rings: _Rings, cloth: Array, skin: Array, bare_from: int) -> Array:
    return np.where((np.arange(len(rings)) >= bare_from)[:, None], skin, cloth)


def _limb(
    joints: Sequence[Array],
    left: Array,
    front: Array,
    h: float,
    rings: _Rings,
    ring_colours: Array,
) -> _Part:
    """A tube along two bones."""
    bones = [joints[1] - joints[0], joints[2] - joints[1]]
    centres = np.stack([joints[bone] + place * bones[bone] for bone, place, _ in rings], axis=1)
    # The bones' own axes, shared at the joint, so that the tube is not pinched there.
    towards = [_unit(bones[0]), _unit(_unit(bones[0]) + _unit(bones[1])), _unit(bones[1])]
    along = np.stack([towards[1 if (bone, place) == (1, 0.0) else 2 * bone] for bone, place, _ in rings], axis=1)
    ahead = _unit(np.cross(np.broadcast_to(left[:, None], along.shape), -along) + 1e-6 * front[:, None])
    aside = np.cross(ahead, along)
    radius = h * np.array([r for _, _, r in rings])
    return _Part(centres, aside, ahead, radius, radius, _LIMB_AROUND, np.repeat(ring_colours, _LIMB_AROUND, axis=0))


def _hand(body: Body, k: dict[str, Array], letter: str, side: int, look: Look) -> _Part:
    axis = _unit(k[f"{letter}_wrist"] - k[f"{letter}_elbow"])
    across = _unit(np.cross(axis, body.forward) + 1e-6 * np.array([0.0, 0.0, 1.0]))
    size = body.height_m * np.array([0.014, 0.024, 0.050])
    return _ball(body.hands_m[:, side], across, np.cross(axis, across), axis, size, look.skin)


def _shoe(body: Body, k: dict[str, Array], letter: str, side: int, look: Look) -> _Part:
    h, up = body.height_m, np.array([0.0, 0.0, 1.0])
    ankle = k[f"{letter}_ankle"] - [0.0, 0.0, (ANKLE - 0.022) * h]
    axis = _unit(body.toes_m[:, side] - ankle)
    aside = _unit(np.cross(np.broadcast_to(up, axis.shape), axis))
    size = h * np.array([0.030, 0.027, 0.080])
    return _ball(ankle + 0.042 * h * axis, aside, np.cross(axis, aside), axis, size, look.shoes, square=0.75)


def _head(body: Body, left: Array, look: Look) -> list[_Part]:
    h, gaze = body.height_m, body.gaze
    aside = _unit(left - (left * gaze).sum(axis=1, keepdims=True) * gaze)
    up = np.cross(gaze, aside)

    def ball(ahead: float, above: float, size: ArrayLike, colour: Array, beside: float = 0.0) -> _Part:
        middle = body.head_m + h * (ahead * gaze + above * up + beside * aside)
        return _ball(middle, aside, -gaze, up, h * np.array(size), colour)

    parts = [ball(0.0, 0.0, (0.043, 0.054, 0.066), look.skin), ball(0.054, -0.006, (0.008, 0.012, 0.012), look.skin)]
    dark = np.array([0.10, 0.08, 0.08])
    parts += [ball(0.046, 0.012, (0.008, 0.006, 0.006), dark, beside) for beside in (0.018, -0.018)]
    parts.append(ball(0.046, -0.030, (0.016, 0.007, 0.005), 0.6 * look.skin + [0.12, 0.0, 0.0]))
    if not look.bald:
        parts.append(ball(-0.014, 0.010, (0.049, 0.053, 0.062), look.hair))
    if look.long_hair:
        parts.append(ball(-0.034, -0.050, (0.048, 0.030, 0.080), look.hair))
    if look.beard:
        parts.append(ball(0.012, -0.034, (0.036, 0.045, 0.034), look.hair))
    return parts


def _ball(
    middle: Array, first: Array, second: Array, axis: Array, size: Array, colour: Array, square: float = 1.0
) -> _Part:
    """An ellipsoid of half axes `size` (3,) along three (t, 3) axes; boxier as `square` falls below 1."""
    place = -np.cos(np.pi * np.linspace(0.02, 0.98, 8))
    radius = np.sqrt(1 - place**2) ** square
    centres = middle[:, None] + (place * size[2])[:, None] * axis[:, None]
    colours = np.broadcast_to(colour, (len(place) * _BALL_AROUND, 3))
    return _Part(centres, first[:, None], second[:, None], size[0] * radius, size[1] * radius, _BALL_AROUND, colours)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9))
