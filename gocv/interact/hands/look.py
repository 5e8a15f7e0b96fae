"""Looking at hands, frame by frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, FloorTracks, Frame, HandEncoder, HandLooks, nearest
from gocv.geometry import PinholeCamera
from gocv.interact.crops import HandPaths, HandSquares, HandTimes, cut, hand_squares

_AT_A_TIME = 256


class HandLook:
    """Cuts hands out of frames of calibrated cameras and encodes them, many at a time.

    Args:
        shoppers: With joints; rows in any order.
        cameras: By name.
        encoder: Of pictures of hands.
        size: Of the pictures that the encoder takes, pixels.
        only: Which hands at which times, by the index of `shoppers`; all where None.
    """

    def __init__(
        self,
        shoppers: FloorTracks,
        cameras: Mapping[str, PinholeCamera],
        encoder: HandEncoder,
        *,
        size: int = 48,
        only: HandTimes | None = None,
    ) -> None:
        self._paths = HandPaths(shoppers)
        self._cameras, self._names = dict(cameras), tuple(cameras)
        self._encoder, self._size, self._only = encoder, size, only
        self._waiting: list[tuple[Frame, HandSquares, NDArray[np.uint8]]] = []
        self._found: list[HandLooks] = []

    def wanted(self, camera: str, time_s: float) -> bool:
        """Whether there is a hand to look at: a frame without one need not be decoded.

        Raises:
            DataError: There is no such camera.
        """
        return len(self._squares(camera, time_s)) > 0

    def see(self, frames: Iterable[Frame]) -> None:
        """Look at some frames, of any cameras.

        Raises:
            DataError: A frame is of a camera that is not known.
        """
        for frame in frames:
            squares = self._squares(frame.camera, frame.time_s)
            if len(squares):
                self._waiting.append((frame, squares, cut(frame.image, squares.xyxy, self._size)))
            if sum(len(squares) for _, squares, _ in self._waiting) >= _AT_A_TIME:
                self._encode()

    def finish(self) -> HandLooks:
        """All that was seen, in order of time."""
        self._encode()
        empty = HandLooks.empty(shoppers=self._paths.shoppers, cameras=self._names)
        found = HandLooks.concatenate(self._found) if self._found else empty
        return found[np.argsort(found.time_s, kind="stable")]

    def _squares(self, camera: str, time_s: float) -> HandSquares:
        if camera not in self._cameras:
            raise DataError(f"there is no camera {camera}", key="camera", expected=nearest(camera, self._cameras))
        return hand_squares(self._paths, self._cameras[camera], time_s, only=self._only)

    def _encode(self) -> None:
        if not self._waiting:
            return
        holds, vector = self._encoder.encode(np.concatenate([crops for _, _, crops in self._waiting]))
        counts = [len(squares) for _, squares, _ in self._waiting]
        squares = HandSquares.concatenate([squares for _, squares, _ in self._waiting])
        frames = [frame for frame, _, _ in self._waiting]
        self._found.append(
            HandLooks(
                self._paths.shoppers,
                self._names,
                time_s=np.repeat([frame.time_s for frame in frames], counts),
                shopper=squares.shopper,
                hand=squares.hand,
                camera=np.repeat([self._names.index(frame.camera) for frame in frames], counts),
                side_px=squares.side_px,
                holds=holds,
                vector=vector,
            )
        )
        self._waiting = []
