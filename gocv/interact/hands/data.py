"""Pictures of hands to learn from, as `experiments/hand_crops.py` writes them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.interact.catalogue import catalogue_crop

UInt8 = NDArray[np.uint8]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_COLUMNS = ("crops", "article", "visible", "pasted", "held", "catalogue")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class HandPictures:
    """Pictures of hands of several visits, and the catalogue pictures of what they hold.

    Attributes:
        crops: (n, size, size, 3) uint8.
        holds: (n,) bool, whether there is something in the hand, seen or not.
        article: (n,) int64, what looks like that; negative where there is nothing, or several things.
        visible: (n,) bool, whether the hand is seen.
        pasted: (n,) bool, whether what it holds was drawn into the picture afterwards.
        visit: (n,) int64.
        catalogue: (a, k, size, size, 3) uint8, pictures of each article.
        of_visit: (a,) int64, the visit each article is met in.
    """

    crops: UInt8
    holds: Bool
    article: Int64
    visible: Bool
    pasted: Bool
    visit: Int64
    catalogue: UInt8
    of_visit: Int64

    @property
    def shown(self) -> Bool:
        """(n,) bool, whether one article is in the hand and the hand is seen."""
        return np.asarray(self.visible & (self.article >= 0))


def read_hand_pictures(folder: str | Path) -> HandPictures:
    """Read all tables of a folder, in the order of their names.

    Raises:
        DataError: There is none, or one lacks a column.
    """
    files = sorted(Path(folder).glob("*.npz"))
    if not files:
        raise DataError("holds no table", file=folder, expected="NPZ files of experiments/hand_crops.py")
    parts: list[dict[str, NDArray[np.generic]]] = []
    articles = 0
    for visit, file in enumerate(files):
        with np.load(file, allow_pickle=False) as table:
            missing = [key for key in _COLUMNS if key not in table]
            if missing:
                raise DataError("is not there", file=file, key=missing[0], expected="a column")
            columns = {key: table[key] for key in _COLUMNS}
        size = columns["crops"].shape[1]
        article = columns["article"].astype(np.int64)
        pictures = [[catalogue_crop(picture, size) for picture in views] for views in columns["catalogue"]]
        parts.append(
            {
                "crops": columns["crops"],
                "holds": (columns["held"] != "") | columns["pasted"],
                "article": np.where(article >= 0, article + articles, article),
                "visible": columns["visible"],
                "pasted": columns["pasted"],
                "visit": np.full(len(article), visit),
                "catalogue": np.array(pictures, np.uint8),
                "of_visit": np.full(len(pictures), visit),
            }
        )
        articles += len(pictures)
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return HandPictures(**joined)
