"""Pictures of single people with their keypoints: what a pose network learns from.

A folder holds the pictures and `poses.npz`, with the columns of `PosePictures`.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.data.poses import COCO17

TABLE = "poses.npz"
_K = len(COCO17)
_SHAPES = {"picture": (), "source": (), "xyxy": (4,), "keypoints_px": (_K, 2), "seen": (_K,), "weight": (_K,)}


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PosePictures:
    """A row for each person.

    Attributes:
        picture: (n,) text, name of the file within the folder; its path once it is read.
        source: (n,) text, where each comes from; rows of one source are held out together.
        xyxy: (n, 4) float, the person's box in pixels of the picture.
        keypoints_px: (n, 17, 2) float, in the order of COCO17; NaN where not known.
        seen: (n, 17) float in [0, 1], how surely each is seen; NaN where not known.
        weight: (n, 17) float, how much each one's place counts; 0 where it is not known.

    Raises:
        DataError: A column has another shape, or a place that counts is not a number.
    """

    picture: NDArray[np.str_]
    source: NDArray[np.str_]
    xyxy: NDArray[np.floating[Any]]
    keypoints_px: NDArray[np.floating[Any]]
    seen: NDArray[np.floating[Any]]
    weight: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        for name, shape in _SHAPES.items():
            found = getattr(self, name).shape
            if found != (len(self), *shape):
                raise DataError(f"has shape {found}", key=name, expected=f"{(len(self), *shape)}")
        wrong = (self.weight > 0) & ~np.isfinite(self.keypoints_px).all(axis=2)
        if wrong.any():
            row = int(np.flatnonzero(wrong.any(axis=1))[0]) + 1
            raise DataError("counts, but has no place", row=row, key="keypoints_px", expected="pixels")

    def __len__(self) -> int:
        return len(self.picture)

    def __getitem__(self, rows: NDArray[Any]) -> PosePictures:
        return PosePictures(**{name: getattr(self, name)[rows] for name in _SHAPES})


def write_pose_pictures(folder: str | Path, pictures: PosePictures) -> None:
    """Write the table of a folder, whole or not at all."""
    with written_whole(Path(folder) / TABLE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{name: getattr(pictures, name) for name in _SHAPES})


def read_pose_pictures(folder: str | Path) -> PosePictures:
    """Read the table of a folder; `picture` becomes the path of each.

    Raises:
        DataError: The table is missing or broken, a column is missing, or as for `PosePictures`.
    """
    path = Path(folder) / TABLE
    if not path.is_file():
        raise DataError("is not there", file=path, expected="what experiments/pose_crops.py writes")
    try:
        with np.load(path, allow_pickle=False) as table:
            for name in _SHAPES:
                if name not in table.files:
                    raise DataError("the column is missing", file=path, key=name, expected=", ".join(_SHAPES))
            columns = {name: table[name] for name in _SHAPES}
    except (OSError, ValueError, BadZipFile) as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="a table of numpy") from error
    columns["picture"] = np.array([str(Path(folder) / one) for one in columns["picture"].tolist()], dtype=np.str_)
    try:
        return PosePictures(**columns)
    except DataError as error:
        raise DataError(error.problem, file=path, row=error.row, key=error.key, expected=error.expected) from error


def joined(sets: list[PosePictures]) -> PosePictures:
    """The rows of all sets, in order.

    Raises:
        DataError: There is no set.
    """
    if not sets:
        raise DataError("there is no set to join", expected="at least one")
    return PosePictures(**{name: np.concatenate([getattr(one, name) for one in sets]) for name in _SHAPES})
