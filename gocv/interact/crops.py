"""Where hands are in pictures: the squares to cut out around them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gocv.core import ConfigError, DataError, FloorTracks
from gocv.core.rows import Rows, column
from gocv.geometry import PinholeCamera
from gocv.interact.paths import hands_of

Array = NDArray[np.float64]
UInt8 = NDArray[np.uint8]

SIDE_M = 0.42
"""Of a square: what a hand holds is inside, and the noise of the joints too."""
BEYOND_WRIST_M = 0.09
"""From the wrist to the middle of a square, along the forearm: the hand's, and a little of what it holds."""
LEAST_PX = 16.0
"""Squares of fewer pixels show nothing."""
_LONGEST_GAP_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HandSquares(Rows):
    """Squares around hands in one picture.

    Attributes:
        shopper: (n,) int64, index into the shoppers of the paths that they come from.
        hand: (n,) int64, 0 the left one, 1 the right one.
        xyxy: (n, 4) float32, left, top, right, bottom in pixels; a part may lie outside the picture.
    """

    shopper: NDArray[np.int64] = column(np.int64)
    hand: NDArray[np.int64] = column(np.int64)
    xyxy: NDArray[np.float32] = column(np.float32, 4)

    @property
    def side_px(self) -> NDArray[np.float32]:
        """(n,) float32."""
        return np.asarray(self.xyxy[:, 2] - self.xyxy[:, 0])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HandTimes(Rows):
    """When hands are worth a look, such as while they are near a shelf.

    Attributes:
        shopper: (n,) int64, index into the shoppers of the paths.
        hand: (n,) int64, 0 the left one, 1 the right one, -1 both.
        start_s: (n,) float64, seconds on the recording's clock.
        end_s: (n,) float64, seconds on the recording's clock.
    """

    shopper: NDArray[np.int64] = column(np.int64)
    hand: NDArray[np.int64] = column(np.int64)
    start_s: Array = column(np.float64)
    end_s: Array = column(np.float64)

    def covers(self, shoppers: int, time_s: float) -> NDArray[np.bool_]:
        """(shoppers, 2) bool, whose left and right hands are worth a look at a time."""
        found = np.zeros((shoppers, 2), bool)
        now = self[(self.start_s <= time_s) & (time_s <= self.end_s)]
        for hand in (0, 1):
            found[now.shopper[(now.hand == hand) | (now.hand == -1)], hand] = True
        return found


class HandPaths:
    """Where the middles of hands are, at any time.

    `gocv.interact.paths.hands_of` says where they are in a row. Between two rows of a shopper a hand moves in a
    straight line; it is not known where they are more than half a second apart.

    Args:
        shoppers: Rows in any order, with joints.
        beyond_wrist_m: From the wrist to the middle of the hand.

    Attributes:
        shoppers: Their names.
    """

    def __init__(self, shoppers: FloorTracks, *, beyond_wrist_m: float = BEYOND_WRIST_M) -> None:
        self.shoppers = shoppers.shoppers
        hands = hands_of(shoppers.joints_m, beyond_wrist_m)
        order = np.argsort(shoppers.time_s, kind="stable")
        self._paths: dict[tuple[int, int], tuple[Array, Array]] = {}
        for shopper in range(len(self.shoppers)):
            own = order[shoppers.shopper[order] == shopper]
            for hand in (0, 1):
                known = own[np.isfinite(hands[own, hand]).all(axis=1)]
                if len(known):
                    self._paths[shopper, hand] = shoppers.time_s[known], hands[known, hand]

    def at(self, time_s: float) -> Array:
        """(s, 2, 3) float64 metres, the left and the right hand of each shopper; NaN where it is not known."""
        found = np.full((len(self.shoppers), 2, 3), np.nan)
        for (shopper, hand), (times, places) in self._paths.items():
            after = int(np.searchsorted(times, time_s))
            before = after - 1
            if after < len(times) and times[after] == time_s:
                found[shopper, hand] = places[after]
            elif 0 < after < len(times) and times[after] - times[before] <= _LONGEST_GAP_S:
                share = (time_s - times[before]) / (times[after] - times[before])
                found[shopper, hand] = (1 - share) * places[before] + share * places[after]
        return found


def hand_squares(
    paths: HandPaths,
    camera: PinholeCamera,
    time_s: float,
    *,
    only: HandTimes | None = None,
    side_m: float = SIDE_M,
    least_px: float = LEAST_PX,
) -> HandSquares:
    """The squares around hands in a picture; hands whose middle is outside it are left out.

    Args:
        paths: Of the hands.
        camera: That took the picture.
        time_s: When, seconds on the recording's clock.
        only: Which hands at which times; all where None.
        side_m: Of a square at the hand's distance.
        least_px: Smaller squares are left out.

    Raises:
        ConfigError: A length is not above 0.
    """
    for key, value in (("side_m", side_m), ("least_px", least_px)):
        if not value > 0:
            raise ConfigError(f"is {value}", key=key, expected="above 0")
    places = paths.at(time_s)
    if only is not None:
        places[~only.covers(len(places), time_s)] = np.nan
    shopper, hand = np.nonzero(np.isfinite(places).all(axis=2))
    middle_px, depth_m = camera.project(places[shopper, hand])
    size = np.array([camera.width_px, camera.height_px])
    with np.errstate(invalid="ignore", divide="ignore"):
        side_px = side_m * camera.matrix[0, 0] / depth_m
        kept = (middle_px >= 0).all(axis=1) & (middle_px <= size - 1).all(axis=1) & (side_px >= least_px)
    middle_px, half = middle_px[kept], side_px[kept, None] / 2
    return HandSquares(
        shopper=shopper[kept], hand=hand[kept], xyxy=np.concatenate([middle_px - half, middle_px + half], axis=1)
    )


def cut(image: UInt8, xyxy: ArrayLike, size: int) -> UInt8:
    """The squares of a picture, smoothed as they shrink; beyond its edge the picture goes on as at the edge.

    Args:
        image: (H, W, 3) uint8.
        xyxy: (n, 4) pixels.
        size: Of the crops, pixels.

    Returns:
        (n, size, size, 3) uint8.

    Raises:
        DataError: A square is not finite, or the picture is empty or has another shape.
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(f"the picture is {image.shape}", expected="(H, W, 3)")
    if not np.isfinite(boxes).all():
        row = int(np.flatnonzero(~np.isfinite(boxes).all(axis=1))[0])
        raise DataError("a square is not finite", row=row, expected="pixels")
    crops = np.empty((len(boxes), size, size, 3), np.uint8)
    for i, (left, top, right, bottom) in enumerate(np.round(boxes).astype(np.int64)):
        rows = np.clip(np.arange(top, max(bottom, top + 1)), 0, image.shape[0] - 1)
        columns = np.clip(np.arange(left, max(right, left + 1)), 0, image.shape[1] - 1)
        part = Image.fromarray(image[rows[:, None], columns])
        crops[i] = np.asarray(part.resize((size, size), Image.Resampling.BILINEAR))
    return crops


def hand_times(
    paths: HandPaths, names: Sequence[str], hands: ArrayLike, start_s: ArrayLike, end_s: ArrayLike
) -> HandTimes:
    """Times of hands by the shoppers' names; those of shoppers that the paths don't know are left out.

    Args:
        paths: Of the hands.
        names: n names of shoppers.
        hands: (n,) 0 the left one, 1 the right one, -1 both.
        start_s: (n,) seconds on the recording's clock.
        end_s: (n,) seconds on the recording's clock.
    """
    index = {name: i for i, name in enumerate(paths.shoppers)}
    shopper = np.array([index.get(name, -1) for name in names], np.int64)
    known = shopper >= 0
    columns = (np.asarray(values)[known] for values in (hands, start_s, end_s))
    hand, start, end = columns
    return HandTimes(shopper=shopper[known], hand=hand, start_s=start, end_s=end)
