"""What detectors would have made of labelled people: boxes that are missed, off, false, and without lasting identities.

Every draw is a hash of the seed, the camera, the person and the frame, so what becomes of a box does not depend on the
order or the number of cameras, nor on what becomes of others.

**Misses.** A box is missed with probability p = m·w / mean(w), at most 1, with w = 1 + c·h, where h is how much of it
a box before it covers: of the labelled boxes that a camera's picture shows the share m is missed, most often where
people hide one another. Misses come in bursts: with z the normal draw of the frame and b that of the person's stretch
of `burst_s`, the box is missed if √ρ·b + √(1 - ρ)·z < Φ⁻¹(p), which leaves p as it is.

**Jitter.** Each of the four edges is moved by itself, by a normal draw of `jitter` times the height of the box. So the
middle of the lower edge, where feet are taken to be, is off by `jitter`·h/√2 across and `jitter`·h along the picture,
and width and height by `jitter`·h·√2.

**Identities** are those of a tracker in each camera by itself: a number for each person that is given up at random
times and where the person was not seen for long, and that passes to the other of two who overlap.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.special import ndtri
from scipy.stats import poisson

from gocv.core import Detections
from gocv.data.config import Model
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera, area, clip_to_image, ioa, overlapping_pairs

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_SMALLEST_PX = 4.0
"""Narrower or lower boxes are not found."""


class ViewNoise(Model):
    """How a camera's labelled boxes are spoilt.

    Attributes:
        miss: Share of a camera's labelled boxes that are missed.
        hidden: By how much more often a box is missed that another covers whole: c of the module's text.
        burst: Correlation of the misses of a person within a stretch of `burst_s`: ρ.
        burst_s: Length of these stretches.
        jitter: Standard deviation of each edge, share of the box's height.
        false_per_frame: Mean number of boxes where nobody is.
        least_visible: Boxes of which less than this share lies inside the picture are not found.
        ids: "broken": a tracker's, as below; "none": no box has an identity.
        break_per_s: Rate at which a person's number is given up for no reason.
        swap_per_s: Rate at which two who overlap exchange theirs.
        lost_s: Not seen for longer, a person comes back under another number.
    """

    miss: float = Field(default=0.2, ge=0, lt=1)
    hidden: float = Field(default=3.0, ge=0)
    burst: float = Field(default=0.5, ge=0, le=1)
    burst_s: float = Field(default=1.5, gt=0)
    jitter: float = Field(default=0.05, ge=0)
    false_per_frame: float = Field(default=0.2, ge=0)
    least_visible: float = Field(default=0.3, ge=0, le=1)
    ids: Literal["broken", "none"] = "broken"
    break_per_s: float = Field(default=0.02, ge=0)
    swap_per_s: float = Field(default=0.05, ge=0)
    lost_s: float = Field(default=2.0, gt=0)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class NoisyView:
    """What a camera's detector made of the labels.

    Attributes:
        seen: The boxes, of every labelled frame.
        person: (n,) int64, the labelled person of each, -1 of a false one.
    """

    seen: DetectionTable
    person: Index


def detections_of(
    labels: Mapping[str, DetectionTable],
    cameras: Mapping[str, PinholeCamera | None],
    noise: ViewNoise | None = None,
    *,
    seed: int,
) -> dict[str, DetectionTable]:
    """Detections as a detector and a tracker in each camera might give them.

    Args:
        labels: Labelled boxes of each camera; `track_id` is the person.
        cameras: The cameras by name: they say how large the pictures are. Where one is missing or None, the picture is
            what the labels fill.
        noise: What is wrong with them.
        seed: Of everything random.
    """
    return {name: noisy_view(table, name, cameras.get(name), noise, seed=seed).seen for name, table in labels.items()}


def noisy_view(
    labels: DetectionTable,
    camera: str,
    calibration: PinholeCamera | None,
    noise: ViewNoise | None = None,
    *,
    seed: int,
) -> NoisyView:
    """Detections of one camera, with who they are.

    Args:
        labels: Labelled boxes; `track_id` is the person.
        camera: Its name: another name is another noise.
        calibration: Says how large the picture is, or None.
        noise: What is wrong with the boxes.
        seed: Of everything random.
    """
    noise = noise or ViewNoise()
    size = _picture(labels, calibration)
    position = np.repeat(np.arange(len(labels)), np.diff(labels.first_row))
    hidden = _hidden(labels, position)
    draw = _Draws(seed, camera)
    person, frame, time_s = labels.track_id, labels.frame[position], labels.time_s[position]
    xyxy, inside = _moved(labels.boxes.xyxy.astype(np.float64), person, frame, size, noise, draw)
    labelled = np.flatnonzero(_in_picture(labels.boxes.xyxy.astype(np.float64), size) >= noise.least_visible)
    found = labelled[~_missed(person[labelled], frame[labelled], time_s[labelled], hidden[labelled], noise, draw)]
    found = found[inside[found]]
    score = (0.95 - 0.3 * draw.uniform("score", person, frame)) * (1 - 0.5 * hidden)
    false_at, false_xyxy, false_score = _false_boxes(labels, size, noise, draw)

    at = np.concatenate([position[found], false_at])
    order = np.argsort(at, kind="stable")
    boxes = Detections(
        np.concatenate([xyxy[found], false_xyxy])[order].astype(np.float32),
        np.concatenate([score[found], false_score])[order].astype(np.float32),
        np.concatenate([labels.boxes.label[found], np.zeros(len(false_at), np.int64)])[order],
    )
    who = np.concatenate([person[found], np.full(len(false_at), -1, np.int64)])[order]
    first_row = np.searchsorted(at[order], np.arange(len(labels) + 1))
    none = np.full(len(who), -1, np.int64)
    seen = DetectionTable(labels.classes, labels.frame, labels.time_s, first_row, boxes, none)
    if noise.ids == "broken":
        seen = dataclasses.replace(seen, track_id=_identities(seen, who, noise, draw))
    return NoisyView(seen, who)


class _Draws:
    """Uniform and normal numbers that are functions of what they are for."""

    def __init__(self, seed: int, camera: str) -> None:
        self._start = _mixed(np.array([seed % 2**64 ^ zlib.crc32(camera.encode()) << 20], np.uint64))

    def uniform(self, what: str, *keys: Index) -> Array:
        """One number in (0, 1) for each row of the keys, which are (n,)."""
        value = _mixed(self._start ^ np.uint64(zlib.crc32(what.encode())))
        state = np.repeat(value, len(keys[0]))
        for key in keys:
            state = _mixed(state ^ key.astype(np.uint64))
        uniform: Array = ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2**53
        return uniform

    def normal(self, what: str, *keys: Index) -> Array:
        normal: Array = ndtri(self.uniform(what, *keys))
        return normal


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014)."""
    mixed = value + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _picture(labels: DetectionTable, calibration: PinholeCamera | None) -> tuple[float, float]:
    if calibration is not None:
        return float(calibration.width_px), float(calibration.height_px)
    right, bottom = labels.boxes.xyxy[:, 2:].max(axis=0, initial=1.0)
    return float(right), float(bottom)


def _in_picture(xyxy: Array, size: tuple[float, float]) -> Array:
    """(n,) share of each box that lies inside the picture."""
    whole = np.maximum(area(xyxy), 1e-9)
    share: Array = area(clip_to_image(xyxy, *size)) / whole
    return share


def _hidden(labels: DetectionTable, position: Index) -> Array:
    """(n,) how much of each box the one that covers most of it covers, of those whose feet are lower in the picture."""
    hidden = np.zeros(len(position))
    for at in range(len(labels)):
        rows = slice(int(labels.first_row[at]), int(labels.first_row[at + 1]))
        boxes = labels.boxes.xyxy[rows].astype(np.float64)
        if len(boxes) > 1:
            before = boxes[None, :, 3] > boxes[:, None, 3]
            hidden[rows] = np.where(before, ioa(boxes, boxes), 0.0).max(axis=1)
    return hidden


def _missed(
    person: Index, frame: Index, time_s: Array, hidden: Array, noise: ViewNoise, draw: _Draws
) -> NDArray[np.bool_]:
    weight = 1 + noise.hidden * hidden
    probability = np.minimum(noise.miss * weight / max(float(weight.mean()) if len(weight) else 1.0, 1e-9), 1.0)
    phase = draw.uniform("phase", person)
    stretch = np.floor(time_s / noise.burst_s + phase).astype(np.int64)
    together = np.sqrt(noise.burst) * draw.normal("burst", person, stretch)
    missed: NDArray[np.bool_] = together + np.sqrt(1 - noise.burst) * draw.normal("miss", person, frame) < ndtri(
        probability
    )
    return missed


def _moved(
    xyxy: Array, person: Index, frame: Index, size: tuple[float, float], noise: ViewNoise, draw: _Draws
) -> tuple[Array, NDArray[np.bool_]]:
    """Boxes with their edges moved, cut off at those of the picture, and which of them remain."""
    height = xyxy[:, 3] - xyxy[:, 1]
    off = np.stack([draw.normal(edge, person, frame) for edge in ("left", "top", "right", "bottom")], axis=1)
    moved = xyxy + noise.jitter * height[:, None] * off
    moved = np.concatenate([np.minimum(moved[:, :2], moved[:, 2:]), np.maximum(moved[:, :2], moved[:, 2:])], axis=1)
    moved = np.asarray(clip_to_image(moved, *size), np.float64)
    remains: NDArray[np.bool_] = np.asarray((moved[:, 2:] - moved[:, :2] >= _SMALLEST_PX).all(axis=1))
    return moved, remains


def _false_boxes(
    labels: DetectionTable, size: tuple[float, float], noise: ViewNoise, draw: _Draws
) -> tuple[Index, Array, Array]:
    """Position, box and score of boxes where nobody is: those of labelled people, put somewhere else in the picture."""
    number = poisson.ppf(draw.uniform("false", labels.frame), noise.false_per_frame).astype(np.int64)
    if not len(labels.boxes) or not number.sum():
        return np.empty(0, np.int64), np.empty((0, 4)), np.empty(0)
    at = np.repeat(np.arange(len(labels)), number)
    which = np.arange(len(at)) - np.repeat(np.cumsum(number) - number, number)
    frame = labels.frame[at]
    like = (draw.uniform("like", frame, which) * len(labels.boxes)).astype(np.int64)
    box = labels.boxes.xyxy[like].astype(np.float64)
    extent = np.minimum(box[:, 2:] - box[:, :2], np.array(size))
    corner = np.stack([draw.uniform("x", frame, which), draw.uniform("y", frame, which)], axis=1)
    corner = corner * (np.array(size) - extent)
    return at, np.concatenate([corner, corner + extent], axis=1), 0.3 + 0.4 * draw.uniform("sure", frame, which)


def _identities(seen: DetectionTable, person: Index, noise: ViewNoise, draw: _Draws) -> Index:
    """(n,) the number that each box has from a tracker of its camera; false boxes have one that nobody else has."""
    track_id, following = np.empty(len(person), np.int64), 1
    number: dict[int, int] = {}
    last_s: dict[int, float] = {}
    breaks, swaps = draw.uniform("break", person, _frames(seen)), draw.uniform("swap", person, _frames(seen))
    for at in range(len(seen)):
        first, time_s = int(seen.first_row[at]), float(seen.time_s[at])
        who = person[first : int(seen.first_row[at + 1])].tolist()
        gap_s = [time_s - last_s.get(one, -np.inf) for one in who]
        for row, (one, since_s) in enumerate(zip(who, gap_s, strict=True)):
            given_up = since_s > noise.lost_s or breaks[first + row] < -np.expm1(-noise.break_per_s * since_s)
            if one < 0 or one not in number or given_up:
                number[one], following = following, following + 1
            track_id[first + row] = number[one]
            last_s[one] = time_s
        pairs = overlapping_pairs(seen.detections(at).xyxy, seen.detections(at).xyxy)
        for i, j in zip(pairs.row.tolist(), pairs.col.tolist(), strict=True):
            since_s = max(gap_s[i], gap_s[j])
            exchanged = i < j and min(who[i], who[j]) >= 0 and since_s <= noise.lost_s
            if exchanged and swaps[first + i] < -np.expm1(-noise.swap_per_s * since_s):
                number[who[i]], number[who[j]] = number[who[j]], number[who[i]]
                track_id[[first + i, first + j]] = track_id[[first + j, first + i]]
    return track_id


def _frames(seen: DetectionTable) -> Index:
    return np.repeat(seen.frame, np.diff(seen.first_row))
