"""Pictures of people, and a data set of them in three parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError

JUNK = -1
"""Number of what is ignored in scoring, such as a box that holds too little of a person."""

DISTRACTOR = 0
"""Number of what counts as wrong for every query, such as a box without a person."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ReidPictures:
    """Pictures of people, a row each. Indexing with a mask, an integer array or a slice gives those rows.

    >>> pictures = ReidPictures((Path("a.jpg"), Path("b.jpg")), np.array([7, -1]), np.array([1, 2]))
    >>> pictures[pictures.person > 0].files[0].name
    'a.jpg'

    Attributes:
        files: n paths, not opened.
        person: (n,) int64, read-only; -1 for junk, which is ignored in scoring; 0 for distractors, which count as
            wrong; people are numbered above 0.
        camera: (n,) int64, read-only.

    Raises:
        DataError: A column is not of whole numbers, or its rows are not as many as the files.
    """

    files: tuple[Path, ...]
    person: NDArray[np.int64]
    camera: NDArray[np.int64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple(self.files))
        for name in ("person", "camera"):
            object.__setattr__(self, name, _whole(name, getattr(self, name), len(self.files)))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, rows: NDArray[Any] | slice | Sequence[int]) -> ReidPictures:
        if isinstance(rows, (int, np.integer)):
            raise TypeError("index with a slice, a mask or an array of rows: a single row is x[i:i + 1]")
        index: Any = rows if isinstance(rows, slice) else np.asarray(rows, dtype=None if len(rows) else np.int64)
        files = tuple(self.files[row] for row in np.arange(len(self))[index])
        return ReidPictures(files, self.person[index], self.camera[index])


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ReidDataset:
    """Pictures to learn from, pictures to search with, and pictures to search in.

    Attributes:
        name: What it is called.
        train: Of people who are in neither of the others.
        query: Of people to be found.
        gallery: Where they are to be found, among others.
    """

    name: str
    train: ReidPictures
    query: ReidPictures
    gallery: ReidPictures

    def counts(self) -> dict[str, int]:
        """What is in it.

        Returns:
            `train_pictures`, `train_people` and the same of `query` and `gallery`, `gallery_distractors`,
            `gallery_junk`, and `cameras` of all parts. Distractors and junk are pictures, and no people.
        """
        found = {}
        for name, part in (("train", self.train), ("query", self.query), ("gallery", self.gallery)):
            found[f"{name}_pictures"] = len(part)
            found[f"{name}_people"] = len(np.unique(part.person[part.person > DISTRACTOR]))
        found["gallery_distractors"] = int((self.gallery.person == DISTRACTOR).sum())
        found["gallery_junk"] = int((self.gallery.person == JUNK).sum())
        found["cameras"] = len(np.unique(np.concatenate([self.train.camera, self.query.camera, self.gallery.camera])))
        return found


def _whole(name: str, value: ArrayLike, rows: int) -> NDArray[np.int64]:
    given = np.asarray(value)
    if given.shape != (rows,):
        raise DataError(f"ReidPictures.{name} has shape {given.shape}", expected=f"({rows},), a row for each file")
    if rows and given.dtype.kind not in "iu":
        raise DataError(f"ReidPictures.{name} is of {given.dtype}", expected="whole numbers")
    array = given.astype(np.int64)
    array.flags.writeable = False
    return array
