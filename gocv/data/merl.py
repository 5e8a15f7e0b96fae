"""Labels of MERL Shopping: which of five actions happens when in 106 videos of 41 people at a shelf.

See `datasets/merl.md`. The videos (30 frames a second) are not needed to read the labels.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, Rows, column

Int64 = NDArray[np.int64]
Part = Literal["train", "val", "test"]

MERL_ACTIONS = ("reach to shelf", "retract from shelf", "hand in shelf", "inspect product", "inspect shelf")
"""In the order of the labels."""
MERL_HZ = 30.0
"""Frames a second of the videos."""
_SUBJECTS: dict[Part, range] = {"train": range(1, 21), "val": range(21, 27), "test": range(27, 42)}
_NAME = re.compile(r"([0-9]+)_([0-9]+)_label")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class MerlVideo(Rows):
    """The actions of one video, by class and then in the order of the file.

    Attributes:
        name: Such as "12_3".
        subject: Who is seen, from 1.
        part: Of the split of Singh et al. 2016, which is by subject.
        label: (n,) int64, index into `MERL_ACTIONS`.
        first: (n,) int64, first frame, from 0 (the files count from 1).
        stop: (n,) int64, frame after the last one (the files name the last one).
    """

    name: str
    subject: int
    part: Part
    label: Int64 = column(np.int64)
    first: Int64 = column(np.int64)
    stop: Int64 = column(np.int64)

    def frames(self, count: int | None = None) -> Int64:
        """(t,) int64 class of each frame, -1 for none; where actions overlap, the one that began last counts.

        Args:
            count: Frames of the video; up to the end of the last action where None.
        """
        t = int(self.stop.max(initial=0)) if count is None else count
        labels = np.full(t, -1)
        for row in np.argsort(self.first, kind="stable"):
            labels[self.first[row] : self.stop[row]] = self.label[row]
        return labels


def read_merl(root: str | Path) -> list[MerlVideo]:
    """Read the labels of all videos, in order of subject and session.

    Args:
        root: Folder of the files `SUBJECT_SESSION_label.mat`.

    Raises:
        DataError: There is none, or one is malformed; the file is named.
    """
    files = sorted(
        ((int(m[1]), int(m[2]), path) for path in Path(root).glob("*_label.mat") if (m := _NAME.fullmatch(path.stem))),
        key=lambda entry: entry[:2],
    )
    if not files:
        raise DataError("holds no labels of MERL Shopping", file=root, expected="files such as 1_1_label.mat")
    return [_video(subject, session, path) for subject, session, path in files]


def merl_split(videos: Sequence[MerlVideo], part: Part) -> list[MerlVideo]:
    """The videos of a part of the split: 60 to learn from, 18 to choose by, 28 to be scored on."""
    return [video for video in videos if video.part == part]


def _video(subject: int, session: int, path: Path) -> MerlVideo:
    from scipy.io import loadmat

    part = next((part for part, subjects in _SUBJECTS.items() if subject in subjects), None)
    if part is None:
        raise DataError(f"there is no subject {subject}", file=path, expected="1 to 41")
    try:
        cells = loadmat(path)["tlabs"]
        tables = [np.asarray(cell[0], np.float64).reshape(-1, 2) for cell in cells]
    except Exception as problem:  # scipy raises whatever its parser stumbles over
        raise DataError(f"cannot be read: {problem}", file=path, expected="'tlabs', five tables of frames") from problem
    if len(tables) != len(MERL_ACTIONS):
        raise DataError(f"has {len(tables)} tables", file=path, key="tlabs", expected=f"{len(MERL_ACTIONS)}")
    spans = np.concatenate(tables)
    whole = np.isfinite(spans).all() and (spans == np.rint(spans)).all()
    if not whole or (spans[:, 0] < 1).any() or (spans[:, 1] < spans[:, 0]).any():
        raise DataError(
            "has an action that is no span of frames", file=path, key="tlabs", expected="first, last from 1"
        )
    label = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    first, last = spans.astype(np.int64).T
    return MerlVideo(f"{subject}_{session}", subject, part, label, first - 1, last)
