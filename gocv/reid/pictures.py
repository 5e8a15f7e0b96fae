"""Pictures that a network learns from."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from gocv.core import DataError
from gocv.data.pictures import SUFFIXES, read_picture
from gocv.data.progress import with_progress
from gocv.data.reid import ReidDataset, ReidPictures
from gocv.reid.crops import resized
from gocv.train.augment import Augmentation

Float32 = NDArray[np.float32]


class Batch(NamedTuple):
    """Rows of a training set.

    Attributes:
        crops: (n, 3, h, w) uint8.
        person: (n,) int64, from 0; -1 where it is not known.
        teacher: (n, E) float32, rows of NaN where there is no vector.
    """

    crops: Tensor
    person: Tensor
    teacher: Tensor


class TrainingPictures(Dataset[tuple[Tensor, int, Tensor]]):
    """Pictures, read when they are asked for, by row and seed.

    Args:
        pictures: The pictures; `person` from 0, or -1.
        size_px: Height and width to which they are brought.
        augmentation: How they are varied.
        teacher: (n, E) float32 a teacher's vectors; None for none.
    """

    def __init__(
        self,
        pictures: ReidPictures,
        size_px: tuple[int, int],
        augmentation: Augmentation,
        teacher: Float32 | None = None,
    ) -> None:
        self.pictures, self._size, self._augmentation = pictures, size_px, augmentation
        self._teacher = np.zeros((len(pictures), 0), np.float32) if teacher is None else teacher

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, which: tuple[int, int]) -> tuple[Tensor, int, Tensor]:
        row, seed = which
        image = resized(read_picture(self.pictures.files[row]), self._size)
        varied = torch.from_numpy(self._augmentation(image, seed)).permute(2, 0, 1)
        return varied, int(self.pictures.person[row]), torch.from_numpy(self._teacher[row])


def collate(rows: Sequence[tuple[Tensor, int, Tensor]]) -> Batch:
    """A batch of rows."""
    crops, person, teacher = zip(*rows, strict=True)
    return Batch(torch.stack(crops), torch.tensor(person), torch.stack(teacher))


def joined(sets: Sequence[ReidPictures], unlabelled: Sequence[ReidPictures]) -> ReidPictures:
    """Several sets as one: people are numbered anew from 0, cameras are told apart.

    Pictures without a person, distractors and junk among them, become -1.
    """
    files: list[Path] = []
    person, camera = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    people = cameras = 0
    for pictures in (*sets, *unlabelled):
        known = pictures.person > 0
        who, own = np.unique(pictures.person[known], return_inverse=True)
        numbered = np.full(len(pictures), -1, np.int64)
        numbered[known] = people + own
        where, seen = np.unique(pictures.camera, return_inverse=True)
        files += pictures.files
        person.append(numbered)
        camera.append(cameras + seen)
        people, cameras = people + len(who), cameras + len(where)
    return ReidPictures(tuple(files), np.concatenate(person), np.concatenate(camera))


def unlabelled_pictures(folder: Path) -> ReidPictures:
    """All pictures in a folder, of people who are not known.

    Raises:
        DataError: It is no folder, or holds none.
    """
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not files:
        raise DataError("holds no picture", file=folder, expected=", ".join(sorted(SUFFIXES)))
    return ReidPictures(tuple(files), np.full(len(files), -1), np.zeros(len(files), np.int64))


def readable(pictures: ReidPictures) -> ReidPictures:
    """Those that can be decoded; a warning tells of the others."""
    good = np.ones(len(pictures), bool)
    for row, file in enumerate(with_progress(pictures.files, "check pictures", len(pictures))):
        try:
            read_picture(file)
        except DataError as error:
            good[row] = False
            warnings.warn(f"left out: {error}", stacklevel=2)
    return pictures[good]


def hold_out(dataset: ReidDataset, people: int) -> ReidDataset:
    """The last people of the training part, to choose by, as query and gallery: one query of each in each camera.

    Args:
        dataset: Its own query and gallery are left alone, for the score that counts.
        people: How many.

    Raises:
        DataError: There are not more people than that.
    """
    train = dataset.train
    known = np.unique(train.person[train.person > 0])
    if not 0 < people < len(known):
        raise DataError(f"has {len(known)} people", key="hold_out", expected=f"more than {people}")
    held = np.isin(train.person, known[-people:])
    inner = train[held]
    _, first = np.unique(np.stack([inner.person, inner.camera]), axis=1, return_index=True)
    query = np.isin(np.arange(len(inner)), first)
    return ReidDataset(f"{dataset.name}, held out", train[~held], inner[query], inner[~query])


def picture_key(file: Path) -> str:
    """By what a picture is found in a table of vectors: its last two folders and its name."""
    return "/".join(file.parts[-3:])


def teacher_vectors(pictures: ReidPictures, table: Path) -> Float32:
    """(n, E) vectors of the pictures, rows of NaN for those that the table lacks.

    Args:
        pictures: The pictures.
        table: An `.npz` with `picture` (m,) text, see `picture_key`, and `vector` (m, E) float32.

    Raises:
        DataError: It cannot be read, lacks a column, or has a vector for none of the pictures.
    """
    try:
        with table.open("rb") as opened, np.load(opened, allow_pickle=False) as read:
            columns: Mapping[str, NDArray[np.generic]] = {key: read[key] for key in ("picture", "vector")}
        vectors = np.asarray(columns["vector"], np.float32)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, TypeError, AttributeError) as error:
        # The last two: it holds one array and is no archive.
        raise DataError(f"cannot be read: {error}", file=table, expected=".npz of picture and vector") from error
    if vectors.ndim != 2 or columns["picture"].shape != vectors.shape[:1]:
        problem = f"has shape {vectors.shape} for {columns['picture'].shape} pictures"
        raise DataError(problem, file=table, key="vector", expected="a row for each picture")
    rows = {str(name): row for row, name in enumerate(columns["picture"])}
    found = np.array([rows.get(picture_key(file), -1) for file in pictures.files])
    if (found < 0).all():
        raise DataError("has a vector for none of the pictures", file=table, key="picture", expected="folder/part/name")
    taken: Float32 = vectors[found]
    taken[found < 0] = np.nan
    return taken
