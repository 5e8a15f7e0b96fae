"""A folder of pictures as a source of frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gocv.core import DataError, Frame
from gocv.data.pictures import SUFFIXES, read_picture

_DIGITS = 8
"""Of a frame's number at most; what has more is rather a time."""


class ImageFolder:
    """The pictures of a folder in order of their names, as frames of a camera.

    Where the names are numbers, as in MOTChallenge, the picture numbered n is frame n (of index n - 1, or n where there
    is a picture 0), whether or not those before it are there; else frames are counted.

    A picture that cannot be decoded is passed over and named in `broken`; the frames after it keep their times.

    Args:
        path: The folder, such as `img1` of MOTChallenge.
        camera: Name given to the frames.
        rate_hz: Pictures a second: the picture of index i was taken at i / rate_hz.

    Attributes:
        path: The folder.
        files: The pictures.
        rate_hz: Pictures a second.
        broken: Pictures that the latest pass could not decode, with the reason.

    Raises:
        DataError: It is not a folder, or holds no picture.
    """

    def __init__(self, path: str | Path, *, camera: str, rate_hz: float) -> None:
        self.path, self.rate_hz, self._camera = Path(path), rate_hz, camera
        if not self.path.is_dir():
            raise DataError("is not a folder", file=self.path, expected="a folder of pictures")
        self.files = sorted(file for file in self.path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not self.files:
            raise DataError("holds no picture", file=self.path, expected=", ".join(sorted(SUFFIXES)))
        if not 0 < rate_hz < np.inf:
            raise DataError(f"the rate is {rate_hz}", file=self.path, key="rate_hz", expected="above 0 Hz")
        self.files, self._index = _in_order(self.files)
        self.broken: dict[Path, str] = {}

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[Frame]:
        self.broken = {}
        for index, file in zip(self._index, self.files, strict=True):
            try:
                image = read_picture(file)
            except DataError as error:
                self.broken[file] = error.problem
                continue
            yield Frame(image, self._camera, index / self.rate_hz, index)


def _in_order(files: list[Path]) -> tuple[list[Path], list[int]]:
    """The pictures in order, and the index of each."""
    stems = [file.stem for file in files]
    if not all(stem.isascii() and stem.isdigit() and len(stem) <= _DIGITS for stem in stems):
        return files, list(range(len(files)))
    numbered = sorted((int(stem), file) for stem, file in zip(stems, files, strict=True))
    numbers = [number for number, _ in numbered]
    if len(set(numbers)) < len(numbers):
        return files, list(range(len(files)))
    first = min(numbers[0], 1)
    return [file for _, file in numbered], [number - first for number in numbers]
