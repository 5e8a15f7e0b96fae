"""Of the people whom others see in a camera's picture, whom it found, and whom it should have found.

What a camera should find is learnt from itself, square metre by square metre: what shelves hide from it is not
expected. How well it does where it is well is taken from the better parts of what it saw.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gocv.geometry import PinholeCamera
from gocv.multicamera.health.pictures import Boxes, Compared, Shown, edges_of
from gocv.multicamera.settings import BoxSettings

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_CELL_M = 1.0
_PARTS, _GOOD = 10, 0.8
"""Of so many parts of what a camera saw, one that is better than this share of them is as good as it usually is."""
_FEWEST = 15.0
"""People to be expected, counted in every frame, before anything is said of a while."""
_MORE_THAN = 1.0
"""Who is expected less than once is not missed."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Whom a camera found.

    Attributes:
        fit: (n,) float64, of each of its boxes.
        people: Whom others see in its frames.
        frame: (m,) int64, the frame of each of those who are in its picture.
        person: (m,) int64.
        hit: (m,) float64, fit of the best box on each, 0 where there is none.
        expected: (m,) float64, what that is usually.
        usual: How well it finds who is in its picture, usually.
        frame_s: (F,) float64.
    """

    fit: Float64
    people: Shown
    frame: Int64
    person: Int64
    hit: Float64
    expected: Float64
    usual: float
    frame_s: Float64

    def poor_since(self, share: float, people: int) -> tuple[float, float] | None:
        """Where less than a share of what is expected was found up to the end: how much is missing, and since when.

        Args:
            share: Of what is expected.
            people: So many different people at least must have been found less than that.

        Returns:
            The sum of what is missing, and the time of the frame, -inf for the first; None where all is well.
        """
        frames = len(self.frame_s)
        missing = np.bincount(self.frame, share * self.expected - self.hit, frames)
        rest = np.cumsum(missing[::-1])[::-1]
        if not len(rest) or not rest.max() > share * _FEWEST / 2:
            return None
        k = int(np.argmax(rest))
        after = self.frame >= k
        _, whom = np.unique(self.person[after], return_inverse=True)
        hit, expected = np.bincount(whom, self.hit[after]), np.bincount(whom, self.expected[after])
        overlooked = (hit < share * expected) & (expected > _MORE_THAN)
        if expected.sum() < _FEWEST or overlooked.sum() < people:
            return None
        return float(rest[k]), float(self.frame_s[k]) if k > self.frame.min() else -np.inf


def found_of(camera: PinholeCamera, boxes: Boxes, people: Shown, compared: Compared, settings: BoxSettings) -> Found:
    """Whom a camera found of those whom others see.

    Args:
        camera: How it sees.
        boxes: What it saw.
        people: Whom others see in its frames.
        compared: The boxes and the people nearest to them.
        settings: How tall people are.
    """
    frames = len(boxes.frame_s)
    edges = edges_of(camera, people.xy_m, settings.height_m)
    size = np.array([camera.width_px, camera.height_px, camera.height_px], np.float64)
    with np.errstate(invalid="ignore"):
        inside = np.flatnonzero(((edges > 0) & (edges < size)).all(axis=1))
    hit = np.zeros(len(people))
    np.maximum.at(hit, compared.at, compared.fit[compared.box])
    hit = hit[inside]
    frame = np.repeat(np.arange(frames), np.diff(people.first))[inside]
    _, cell = np.unique(np.floor(people.xy_m[inside] / _CELL_M).astype(np.int64), axis=0, return_inverse=True)
    cell = cell.ravel()
    rate = np.bincount(cell, hit) / np.bincount(cell)
    usual = 0.0
    if len(inside):
        usual = float(np.quantile([part.mean() for part in np.array_split(hit, _PARTS) if len(part)], _GOOD))
    expected = np.minimum(rate[cell] * usual / max(float(hit.mean()) if len(hit) else 0.0, 1e-9), 1.0)
    return Found(compared.fit, people, frame, people.person[inside], hit, expected, usual, boxes.frame_s)
