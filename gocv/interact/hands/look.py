"""Looking at the hands in a frame."""

from __future__ import annotations

import numpy as np

from gocv.core import Frame, HandEncoder, HandLooks
from gocv.geometry import PinholeCamera
from gocv.interact.crops import HandPaths, HandTimes, cut, hand_squares


def look_at_hands(
    frame: Frame, camera: PinholeCamera, paths: HandPaths, encoder: HandEncoder, *, only: HandTimes | None = None
) -> HandLooks:
    """Cut the hands out of a frame, and encode them together.

    Args:
        frame: The picture, whose time is on the recording's clock.
        camera: That took it.
        paths: Where hands are.
        encoder: Of pictures of hands.
        only: Which hands at which times; all where None.

    Returns:
        A row for each hand in the picture, shoppers as in `paths`; `cameras` is the frame's alone.

    Raises:
        DataError: The picture is empty or has another shape than (H, W, 3).
    """
    squares = hand_squares(paths, camera, frame.time_s, only=only)
    holds, vector = encoder.encode(cut(frame.image, squares.xyxy, encoder.size))
    return HandLooks(
        paths.shoppers,
        (frame.camera,),
        time_s=np.full(len(squares), frame.time_s),
        shopper=squares.shopper,
        hand=squares.hand,
        camera=np.zeros(len(squares), np.int64),
        side_px=squares.side_px,
        holds=holds,
        vector=vector,
    )
