"""A sequence to be scored: true tracks, found tracks, and how similar they are frame by frame."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError
from gocv.metrics.mot.similar import box_pairs, point_pairs

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """True or found objects, a row for each in each frame, in order of frame; within a frame, in the order given.

    Attributes:
        frame: (n,) int64.
        track: (n,) int64, which track, from 0 without gaps in order of id.
        ids: (tracks,) int64, the id of each track as it was given.
    """

    frame: Int64
    track: Int64
    ids: Int64

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def lengths(self) -> Int64:
        """(tracks,) int64, in how many frames each track is."""
        return np.bincount(self.track, minlength=len(self.ids))


@dataclasses.dataclass(frozen=True, slots=True)
class MotSequence:
    """What all scores of one sequence are computed from.

    Only pairs that are similar at all are held: in a crowd, a few for each object.

    Attributes:
        truth: The true objects.
        found: The tracker's.
        row: (p,) int64, the true object of each pair, ascending.
        col: (p,) int64, the found one.
        similarity: (p,) float64 in (0, 1].
    """

    truth: Side
    found: Side
    row: Int64
    col: Int64
    similarity: Float64

    @classmethod
    def from_boxes(
        cls,
        truth_frame: ArrayLike,
        truth_id: ArrayLike,
        truth_xyxy: ArrayLike,
        found_frame: ArrayLike,
        found_id: ArrayLike,
        found_xyxy: ArrayLike,
    ) -> MotSequence:
        """A sequence of boxes; similarity is IoU.

        Args:
            truth_frame: (n,) whole numbers, in any order.
            truth_id: (n,) whole numbers; an id is in a frame once.
            truth_xyxy: (n, 4) pixels.
            found_frame: (m,) whole numbers, of the same frames.
            found_id: (m,) whole numbers; an id is in a frame once.
            found_xyxy: (m, 4) pixels.

        Raises:
            DataError: Lengths differ, an array has another shape, a coordinate is not finite, or an id is in a frame
                twice.
        """
        truth, one = _side(truth_frame, truth_id, truth_xyxy, 4, "truth")
        found, other = _side(found_frame, found_id, found_xyxy, 4, "found")
        return cls(truth, found, *box_pairs(truth.frame, one, found.frame, other))

    @classmethod
    def from_points(
        cls,
        truth_frame: ArrayLike,
        truth_id: ArrayLike,
        truth_xy_m: ArrayLike,
        found_frame: ArrayLike,
        found_id: ArrayLike,
        found_xy_m: ArrayLike,
        *,
        zero_at_m: float = 2.0,
    ) -> MotSequence:
        """A sequence of points on the floor; similarity is 1 - distance / `zero_at_m`, where that is above 0.

        With the default, similarity is at least 0.5 up to a distance of 1 m.

        Args:
            truth_frame: (n,) whole numbers, in any order.
            truth_id: (n,) whole numbers; an id is in a frame once.
            truth_xy_m: (n, 2) metres.
            found_frame: (m,) whole numbers, of the same frames.
            found_id: (m,) whole numbers; an id is in a frame once.
            found_xy_m: (m, 2) metres.
            zero_at_m: Distance from which on nothing is similar.

        Raises:
            DataError: As in `from_boxes`, or `zero_at_m` is not above 0.
        """
        if not 0 < zero_at_m < np.inf:
            raise DataError(f"zero_at_m is {zero_at_m}", key="zero_at_m", expected="above 0 m")
        truth, one = _side(truth_frame, truth_id, truth_xy_m, 2, "truth")
        found, other = _side(found_frame, found_id, found_xy_m, 2, "found")
        return cls(truth, found, *point_pairs(truth.frame, one, found.frame, other, zero_at_m))


def _side(frame: ArrayLike, ids: ArrayLike, where: ArrayLike, width: int, name: str) -> tuple[Side, Float64]:
    frames, numbers = _whole(frame, f"{name}_frame"), _whole(ids, f"{name}_id")
    places = np.asarray(where, np.float64)
    if places.ndim == 1 and not len(places):
        places = places.reshape(0, width)
    if places.shape != (len(frames), width) or len(numbers) != len(frames):
        raise DataError(
            f"{name} has {len(frames)} frames, {len(numbers)} ids and places of shape {places.shape}",
            key=name,
            expected=f"(n,), (n,) and (n, {width})",
        )
    if not np.isfinite(places).all():
        row = int(np.flatnonzero(~np.isfinite(places).all(axis=1))[0])
        raise DataError(f"{name} row {row} is {places[row].tolist()}", key=name, expected="finite coordinates")
    if (np.diff(frames) < 0).any():
        order = np.argsort(frames, kind="stable")
        frames, numbers, places = frames[order], numbers[order], places[order]
    known, track = _numbered(numbers)
    twice = _twice(frames, track, len(known))
    if twice is not None:
        raise DataError(
            f"{name} has id {numbers[twice]} more than once in frame {frames[twice]}",
            key=name,
            expected="an id once in a frame",
        )
    return Side(frames, track, known), places


def _twice(frames: Int64, track: Int64, tracks: int) -> int | None:
    """A row whose track is in its frame a second time."""
    code = np.cumsum(np.diff(frames, prepend=frames[:1]) != 0) * tracks + track
    if (np.diff(code) > 0).all():  # rows are in order of frame and id, as files mostly are
        return None
    order = np.argsort(code, kind="stable")
    same = np.flatnonzero(np.diff(code[order]) == 0)
    return int(order[same[0] + 1]) if len(same) else None


def _numbered(numbers: Int64) -> tuple[Int64, Int64]:
    """The ids that there are, and which of them each row has; a table is quicker than sorting where ids are dense."""
    least = int(numbers.min(initial=0))
    span = int(numbers.max(initial=0)) - least + 1
    if span > 4 * len(numbers) + 1000:
        known, track = np.unique(numbers, return_inverse=True)
        return known, track
    there = np.zeros(span, np.bool_)
    there[numbers - least] = True
    return np.flatnonzero(there) + least, (np.cumsum(there) - 1)[numbers - least]


def _whole(values: ArrayLike, name: str) -> Int64:
    array = np.asarray(values)
    if not array.size:
        return np.empty(0, np.int64)
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if array.ndim != 1 or not np.array_equal(whole, array):
        raise DataError(f"{name} are not whole numbers", key=name, expected="(n,) whole numbers")
    return whole
