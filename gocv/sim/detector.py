"""What a detector of people would find of those whom a camera sees: boxes that jitter, misses, false ones.

How much of somebody is seen decides whether they are found. Both the jitter and the misses last for a moment, as those
of real detectors do: a box that is off, or missing, is so in the next frame too.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.signal import lfilter
from scipy.special import ndtr

from gocv.core import Detections
from gocv.data.config import Model
from gocv.data.detections import DetectionTable
from gocv.geometry import PinholeCamera, nms
from gocv.sim.sightings import Sightings

Array = NDArray[np.float64]

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]

_FALSE_SCORE, _FALSE_HEIGHT_M, _FALSE_SLIM = (0.25, 0.60), (1.2, 1.9), (0.30, 0.50)
_SURE, _DOUBT, _SCORE_SD, _LOWEST = 0.93, 0.45, 0.05, 0.05


class BoxNoise(Model):
    """How a detector errs. The numbers are assumed: they say what is asked of those who use the boxes.

    Attributes:
        jitter: Standard deviation of each edge of a box, as a share of its height.
        memory_s: In which jitter and luck are forgotten to 1/e.
        most: Chance that a person in full sight is found.
        seen_half: Of whom this share of the body is seen is found half as often.
        seen_width: How gradually that goes: the scale of a logistic curve.
        smallest_px: Boxes that are less high are not found.
        overlap: Of two boxes whose IoU is larger than this, the one that scores less is dropped, as detectors do.
        false_per_frame: Mean number of boxes where nobody is.
    """

    jitter: NotNegative = 0.03
    memory_s: NotNegative = 0.3
    most: Share = 0.97
    seen_half: Share = 0.25
    seen_width: Positive = 0.07
    smallest_px: NotNegative = 16.0
    overlap: Share = 0.7
    false_per_frame: NotNegative = 0.02

    def chance(self, seen: Array) -> Array:
        """(n,) float64, how likely people are found of whose body these shares (n,) are seen."""
        return np.asarray(self.most / (1.0 + np.exp((self.seen_half - seen) / self.seen_width)))


def detect(
    seen: Sightings, camera: PinholeCamera, time_s: Array, noise: BoxNoise, rng: np.random.Generator
) -> tuple[DetectionTable, NDArray[np.int64]]:
    """The boxes that a detector finds: of what is seen of people, so that who stands behind a shelf has no feet.

    Args:
        seen: By the camera; `frame` are rows of `time_s`.
        camera: Who looks.
        time_s: (F,) seconds of the frames, evenly spaced.
        noise: How the detector errs.
        rng: Stream of random numbers.

    Returns:
        A table of the class "person" with a row for each frame; no box has an identity.
        (n,) int64, the row of `seen` that each box is of; -1 for boxes of nobody.
    """
    period_s = float(time_s[1] - time_s[0]) if len(time_s) > 1 else 1.0
    keep = float(np.exp(-period_s / noise.memory_s)) if noise.memory_s > 0 else 0.0
    drawn = lasting(seen.person, seen.frame, keep, 6, rng)
    if not len(time_s):
        nothing = np.zeros(0, np.int64)
        return table(nothing, np.zeros((0, 4)), np.zeros(0), nothing, time_s), nothing
    height = seen.visible_xyxy[:, 3] - seen.visible_xyxy[:, 1]
    share = seen.visible_fraction * seen.inside_fraction
    found = ndtr(drawn[:, 4]) < noise.chance(share)
    boxes = seen.visible_xyxy + noise.jitter * height[:, None] * drawn[:, :4]
    boxes = _inside(boxes, camera)
    found &= (height >= noise.smallest_px) & _real(boxes)
    score = np.clip(_DOUBT + (_SURE - _DOUBT) * share + _SCORE_SD * drawn[:, 5], _LOWEST, 1.0)
    ghosts, ghost_frame, ghost_score = _ghosts(camera, len(time_s), noise, rng)
    rows = np.concatenate([np.flatnonzero(found), np.full(len(ghosts), -1)])
    frame = np.concatenate([seen.frame[found], ghost_frame])
    boxes, score = np.concatenate([boxes[found], ghosts]), np.concatenate([score[found], ghost_score])
    by_frame = np.argsort(frame, kind="stable")
    groups = np.split(by_frame, np.searchsorted(frame[by_frame], np.arange(1, len(time_s))))
    # Detectors list the surest first: the order says nothing of who is who.
    order = np.concatenate([group[nms(boxes[group], score[group], noise.overlap)] for group in groups])
    return table(frame[order], boxes[order], score[order], np.full(len(order), -1), time_s), rows[order]


def table(
    frame: NDArray[np.int64], xyxy: Array, score: Array, track_id: NDArray[np.int64], time_s: Array
) -> DetectionTable:
    """A table of people from rows in order of `frame`, with a row for each of (F,) `time_s`."""
    first_row = np.searchsorted(frame, np.arange(len(time_s) + 1)).astype(np.int64)
    boxes = Detections(xyxy.astype(np.float32), score.astype(np.float32), np.zeros(len(frame), np.int64))
    return DetectionTable(("person",), np.arange(len(time_s)), time_s.copy(), first_row, boxes, track_id)


def lasting(
    person: NDArray[np.int64], frame: NDArray[np.int64], keep: float, columns: int, rng: np.random.Generator
) -> Array:
    """(n, columns) standard normal numbers, each `keep` times that of the person's frame before and something new.

    A first order autoregression of variance 1; it goes on as it was where a person is not seen for a while.
    """
    fresh = rng.standard_normal((len(person), columns))
    order = np.lexsort((frame, person))
    out = np.empty_like(fresh)
    for rows in np.split(order, np.flatnonzero(np.diff(person[order])) + 1):
        if len(rows):
            first = fresh[rows[:1]]
            new = np.sqrt(1 - keep**2) * fresh[rows[1:]]
            out[rows] = np.concatenate([first, lfilter([1.0], [1.0, -keep], new, axis=0, zi=keep * first)[0]])
    return out


def _ghosts(
    camera: PinholeCamera, frames: int, noise: BoxNoise, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64], Array]:
    """Boxes of nobody, as high as a person would be there; their frames; their scores."""
    count = rng.poisson(noise.false_per_frame, frames)
    frame = np.repeat(np.arange(frames), count)
    feet = rng.uniform([0, 0], [camera.width_px, camera.height_px], (len(frame), 2))
    floor = camera.pixels_to_floor(feet)
    tall = rng.uniform(*_FALSE_HEIGHT_M, len(frame))
    head = camera.project(np.column_stack([floor, tall]))[0]
    half = rng.uniform(*_FALSE_SLIM, len(frame)) * (feet[:, 1] - head[:, 1]) / 2
    score = rng.uniform(*_FALSE_SCORE, len(frame))
    boxes = _inside(np.column_stack([feet[:, 0] - half, head[:, 1], feet[:, 0] + half, feet[:, 1]]), camera)
    real = _real(boxes) & (boxes[:, 3] - boxes[:, 1] >= noise.smallest_px)
    return boxes[real], frame[real], score[real]


def _inside(boxes: Array, camera: PinholeCamera) -> Array:
    """Cut off at the border of the picture."""
    return np.clip(boxes, -0.5, [camera.width_px - 0.5, camera.height_px - 0.5] * 2)


def _real(boxes: Array) -> NDArray[np.bool_]:
    return np.asarray((boxes[:, 2:] > boxes[:, :2] + 1.0).all(axis=1))
