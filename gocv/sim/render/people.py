"""The exact truth of the people in one frame."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.data.poses import COCO17


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class People:
    """People of whom a part would be in the picture if nothing were in front of them; a row each.

    Pixels are the camera's, with the lens; the middle of the top left pixel is (0, 0). Pixels of what lies behind the
    camera are NaN.

    Attributes:
        name: (n,) text, the identity.
        staff: (n,) bool, whether they work here.
        xyxy: (n, 4) float64 px, tight around the whole body without what it holds, also outside the image and behind
            other things; edges run along the outer borders of pixels' middles.
        visible_xyxy: (n, 4) float64 px, around the middles of the pixels that are seen; NaN where none is.
        visible_fraction: (n,) float64, pixels that are seen over those that would be if the person were alone in an
            empty space, both inside the image.
        keypoints_m: (n, 17, 3) float64, in the order of `gocv.data.poses.COCO17`, in the store's frame.
        keypoints_px: (n, 17, 2) float64.
        keypoint_visible: (n, 17) bool, inside the image with nothing before it but the flesh around it.
        hands_m: (n, 2, 3) float64, middles of the hands, left first.
        hands_px: (n, 2, 2) float64.
        hand_visible: (n, 2) bool; what the hand holds does not hide it.
        held: (n, 2) text, product in each hand; empty where there is none.
        held_units: (n, 2) int64, how many units.
    """

    name: NDArray[np.str_]
    staff: NDArray[np.bool_]
    xyxy: NDArray[np.float64]
    visible_xyxy: NDArray[np.float64]
    visible_fraction: NDArray[np.float64]
    keypoints_m: NDArray[np.float64]
    keypoints_px: NDArray[np.float64]
    keypoint_visible: NDArray[np.bool_]
    hands_m: NDArray[np.float64]
    hands_px: NDArray[np.float64]
    hand_visible: NDArray[np.bool_]
    held: NDArray[np.str_]
    held_units: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.name)

    @classmethod
    def of(cls, rows: list[dict[str, Any]]) -> People:
        """The table of rows that have a value for each column; no rows are valid."""
        shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
            "name": (np.str_, ()),
            "staff": (np.bool_, ()),
            "xyxy": (np.float64, (4,)),
            "visible_xyxy": (np.float64, (4,)),
            "visible_fraction": (np.float64, ()),
            "keypoints_m": (np.float64, (len(COCO17), 3)),
            "keypoints_px": (np.float64, (len(COCO17), 2)),
            "keypoint_visible": (np.bool_, (len(COCO17),)),
            "hands_m": (np.float64, (2, 3)),
            "hands_px": (np.float64, (2, 2)),
            "hand_visible": (np.bool_, (2,)),
            "held": (np.str_, (2,)),
            "held_units": (np.int64, (2,)),
        }
        columns = {
            key: np.array([row[key] for row in rows], kind).reshape(len(rows), *shape)
            for key, (kind, shape) in shapes.items()
        }
        return cls(**columns)
