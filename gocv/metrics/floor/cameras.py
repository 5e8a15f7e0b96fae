"""Scores in the pictures: whether each camera's boxes have the right identity, and the same one in all cameras."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Rows, column
from gocv.metrics.mot import MotCounts, MotScores, MotSequence, count_clear, count_hota, count_identity
from gocv.metrics.mot.counts import ClearCounts


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class CameraBoxes(Rows):
    """Boxes of one camera with identities that are the same in all cameras.

    Attributes:
        frame: (n,) int64, any number that true and found boxes of one picture share.
        identity: (n,) int64, each at most once in a frame.
        xyxy: (n, 4) float64, pixels.
    """

    frame: NDArray[np.int64] = column(np.int64)
    identity: NDArray[np.int64] = column(np.int64)
    xyxy: NDArray[np.float64] = column(np.float64, 4)


@dataclasses.dataclass(frozen=True, slots=True)
class CameraScores:
    """Scores in the pictures, by IoU of at least 0.5.

    Attributes:
        cameras: Of each camera by itself.
        pooled: Of all together: every frame of every camera is a frame of one long sequence, and an identity is one
            wherever it is seen, so that IDF1, IDP, IDR, HOTA and its parts also say whether cameras agree (the
            multi-camera IDF1 of Ristani et al. 2016). CLEAR goes from frame to frame of a camera; here its counts are
            those of the cameras added up.
    """

    cameras: Mapping[str, MotScores]
    pooled: MotScores


def score_cameras(truth: Mapping[str, CameraBoxes], found: Mapping[str, CameraBoxes]) -> CameraScores:
    """Score each camera, and all together.

    Args:
        truth: True boxes by camera.
        found: Found ones of the same frames; a camera without any is left out of the mapping or empty.

    Raises:
        DataError: No camera has truth, or an identity is in a frame twice.
    """
    if not truth:
        raise DataError("no camera has labelled boxes", key="truth", expected="at least one camera")
    clear: ClearCounts | None = None
    cameras = {}
    for name, own in truth.items():
        try:
            sequence = _sequence(own, found.get(name, CameraBoxes.empty()))
        except DataError as error:
            raise DataError(f"camera {name}: {error.problem}", key=error.key, expected=error.expected) from error
        counts = MotCounts(count_hota(sequence), count_clear(sequence), count_identity(sequence))
        cameras[name] = MotScores.of(counts)
        clear = counts.clear if clear is None else clear + counts.clear
    assert clear is not None
    pooled = pooled_sequence(truth, found)
    return CameraScores(cameras, MotScores.of(MotCounts(count_hota(pooled), clear, count_identity(pooled))))


def pooled_sequence(truth: Mapping[str, CameraBoxes], found: Mapping[str, CameraBoxes]) -> MotSequence:
    """The frames of all cameras that have truth one after the other, as one sequence with shared identities.

    Raises:
        DataError: An identity is in a frame twice.
    """
    sides: tuple[list[CameraBoxes], list[CameraBoxes]] = ([CameraBoxes.empty()], [CameraBoxes.empty()])
    start = 0
    for name, own in truth.items():
        theirs = found.get(name, CameraBoxes.empty())
        frames = np.concatenate([own.frame, theirs.frame])
        least = int(frames.min(initial=0))
        for side, boxes in zip(sides, (own, theirs), strict=True):
            side.append(dataclasses.replace(boxes, frame=boxes.frame - least + start))
        start += int(frames.max(initial=0)) - least + 1
    return _sequence(*map(CameraBoxes.concatenate, sides))


def _sequence(truth: CameraBoxes, found: CameraBoxes) -> MotSequence:
    return MotSequence.from_boxes(truth.frame, truth.identity, truth.xyxy, found.frame, found.identity, found.xyxy)
