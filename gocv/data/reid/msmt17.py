"""MSMT17, whose parts are text files with a picture and its person a row."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.reid.pictures import ReidDataset, ReidPictures
from gocv.data.reid.published import PUBLISHED, check_published

_ROW = re.compile(
    r"(?P<file>(?P<folder>\d{4})/(?P<person>\d{4})_\d{3}_(?P<camera>0[1-9]|1[0-5])_[^/\s]+) (?P<label>\d{1,4})",
    re.ASCII,
)
_EXAMPLE = "0000/0000_000_01_0303morning_0015_0.jpg 0"
_LISTS = ("list_train.txt", "list_val.txt", "list_query.txt", "list_gallery.txt")
_PICTURES = (("train", "test"), ("mask_train_v2", "mask_test_v2"))
_TREE = f"{', '.join(_LISTS)} beside train/ and test/, or mask_train_v2/ and mask_test_v2/"


def read_msmt17(root: str | Path, *, check: bool = True) -> ReidDataset:
    """MSMT17, first version or second (with faces masked): 126,441 boxes of 4,101 people, 15 cameras.

    (Wei et al., "Person Transfer GAN to Bridge Domain Gap for Person Re-Identification", CVPR 2018.)

    Args:
        root: The folder with the lists, or the one with `MSMT17_V1` or `MSMT17_V2` in it.
        check: Whether to compare with the published counts and to look for every picture; not for a part of the data
            set.

    Returns:
        Validation is part of training. The lists number the people of training and those of the test both from 0;
        here they have 1 to 1,041 and 1,042 to 4,101.

    Raises:
        DataError: A file or folder is missing, a row is not right, a picture is missing, or the counts are not those
            published.
    """
    folder = _with_lists(Path(root))
    train, test = _of_pictures(folder)
    learnt = PUBLISHED["msmt17"]["train_people"]
    parts = [
        _listed([folder / "list_train.txt", folder / "list_val.txt"], train, first=1, check=check),
        _listed([folder / "list_query.txt"], test, first=1 + learnt, check=check),
        _listed([folder / "list_gallery.txt"], test, first=1 + learnt, check=check),
    ]
    dataset = ReidDataset("msmt17", *parts)
    if check:
        check_published(dataset, file=folder)
    return dataset


def _with_lists(root: Path) -> Path:
    folders = (root, root / "MSMT17_V1", root / "MSMT17_V2")
    folder = next((one for one in folders if (one / _LISTS[0]).is_file()), root)
    missing = next((name for name in _LISTS if not (folder / name).is_file()), None)
    if missing is not None:
        raise DataError(f"there is no file {missing}", file=folder, expected=_TREE)
    return folder


def _of_pictures(folder: Path) -> tuple[Path, Path]:
    for train, test in _PICTURES:
        if (folder / train).is_dir() and (folder / test).is_dir():
            return folder / train, folder / test
    raise DataError("there are no folders train and test", file=folder, expected=_TREE)


def _listed(lists: list[Path], folder: Path, *, first: int, check: bool) -> ReidPictures:
    """The pictures in lists, of which person 0 gets the number `first`."""
    files, people, cameras = [], [], []
    for path in lists:
        for number, line in enumerate(_text(path).splitlines(), start=1):
            row = _ROW.fullmatch(line)
            if row is None:
                raise DataError(f"is '{line}'", file=path, row=number, expected=f"a picture and a person: {_EXAMPLE}")
            if not int(row["folder"]) == int(row["person"]) == int(row["label"]):
                problem = f"person {row['label']}, and the picture is {row['file']}"
                raise DataError(problem, file=path, row=number, expected="the same number in folder, name and row")
            files.append(folder / row["file"])
            people.append(int(row["label"]) + first)
            cameras.append(int(row["camera"]))
            if check and not files[-1].is_file():
                raise DataError(f"there is no {files[-1]}", file=path, row=number, expected="the pictures of the list")
    return ReidPictures(tuple(files), np.array(people, np.int64), np.array(cameras, np.int64))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="text in UTF-8") from error
