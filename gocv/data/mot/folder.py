"""Sequences in the layout of MOTChallenge: `NAME/gt/gt.txt`, `NAME/det/det.txt`, `NAME/img1`, `NAME/seqinfo.ini`."""

from __future__ import annotations

import configparser
import dataclasses
from pathlib import Path

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.data.mot.images import ImageFolder
from gocv.data.mot.rows import MotRows
from gocv.data.mot.text import read_mot

DEFAULT_RATE_HZ = 25.0
"""Of a sequence that does not say."""


@dataclasses.dataclass(frozen=True, slots=True)
class MotFolder:
    """A sequence.

    Attributes:
        path: Its folder.
        name: Its name.
        rate_hz: Frames a second; 25 where there is no `seqinfo.ini`.
        length: Frames, None where there is no `seqinfo.ini`.
        size_px: Width and height, None where there is no `seqinfo.ini`.
        images: Folder of its pictures, which need not be there.
    """

    path: Path
    name: str
    rate_hz: float
    length: int | None
    size_px: tuple[int, int] | None
    images: Path

    @classmethod
    def open(cls, path: str | Path) -> MotFolder:
        """A sequence's folder.

        Raises:
            DataError: It is not a folder, or its `seqinfo.ini` is not right.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise DataError("is not a folder", file=folder, expected="a sequence of MOTChallenge")
        info = folder / "seqinfo.ini"
        if not info.is_file():
            return cls(folder, folder.resolve().name, DEFAULT_RATE_HZ, None, None, folder / "img1")
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read_string(info.read_text(encoding="utf-8"))
            section = parser["Sequence"]
            name, images = section.get("name", folder.resolve().name), section.get("imDir", "img1")
            rate_hz, length = float(section["frameRate"]), int(section["seqLength"])
            size = (int(section["imWidth"]), int(section["imHeight"])) if "imWidth" in section else None
        except KeyError as error:
            raise DataError("is missing", file=info, key=str(error.args[0]), expected="as in MOTChallenge") from error
        except (configparser.Error, ValueError) as error:
            raise DataError(str(error).splitlines()[0], file=info, expected="[Sequence] with numbers") from error
        if not rate_hz > 0 or length < 1:
            raise DataError("frameRate or seqLength is not above 0", file=info, expected="above 0")
        return cls(folder, name, rate_hz, length, size, folder / images)

    @property
    def has_truth(self) -> bool:
        """Whether its annotations are there."""
        return (self.path / "gt" / "gt.txt").is_file()

    @property
    def has_detections(self) -> bool:
        """Whether its public detections are there."""
        return (self.path / "det" / "det.txt").is_file()

    def truth(self) -> MotRows:
        """The annotations.

        Raises:
            DataError: There are none, or a line is not right.
        """
        return read_mot(self.path / "gt" / "gt.txt")

    def detections(self) -> MotRows:
        """The public detections.

        Raises:
            DataError: There are none, or a line is not right.
        """
        return read_mot(self.path / "det" / "det.txt")

    def frames(self) -> ImageFolder:
        """The pictures.

        Raises:
            DataError: There are none.
        """
        return ImageFolder(self.images, camera=self.name, rate_hz=self.rate_hz)


def write_seqinfo(folder: str | Path, name: str, *, rate_hz: float, length: int, size_px: tuple[int, int]) -> None:
    """Write the `seqinfo.ini` of a sequence's folder; whole or not at all.

    Args:
        folder: The sequence's folder.
        name: Its name.
        rate_hz: Frames a second.
        length: Frames.
        size_px: Width and height.

    Raises:
        DataError: A number is not above 0, or the name holds a line break.
    """
    path = Path(folder) / "seqinfo.ini"
    if not (0 < rate_hz < float("inf") and min(length, *size_px) >= 1):
        raise DataError(f"{rate_hz} Hz, {length} frames, {size_px} px", file=path, expected="all above 0")
    if not name.strip() or len(name.splitlines()) != 1:
        raise DataError(f"the name is {name!r}", file=path, key="name", expected="one line")
    lines = {
        "name": name,
        "imDir": "img1",
        "frameRate": f"{rate_hz:g}" if float(f"{rate_hz:g}") == rate_hz else repr(float(rate_hz)),
        "seqLength": length,
        "imWidth": size_px[0],
        "imHeight": size_px[1],
        "imExt": ".jpg",
    }
    text = "[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in lines.items())
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def mot_folders(root: str | Path) -> list[MotFolder]:
    """All sequences below a folder (itself, if it is one) that have annotations, in order of their paths.

    Raises:
        DataError: There is none, or two have the same name.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise DataError("is not a folder", file=folder, expected="a folder of sequences")
    found = [MotFolder.open(file.parents[1]) for file in sorted(folder.rglob("gt/gt.txt"))]
    if not found:
        raise DataError("holds no sequence", file=folder, expected="NAME/gt/gt.txt")
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"holds two sequences named {twice}", file=folder, expected="a name once")
    return found
