"""A data set by the name of its format, as a setting gives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gocv.core import ConfigError, nearest
from gocv.data.reid.folders import Boxes, read_cuhk03, read_dukemtmc, read_folder, read_market1501
from gocv.data.reid.msmt17 import read_msmt17
from gocv.data.reid.pictures import ReidDataset

_READERS: dict[str, Callable[..., ReidDataset]] = {
    "cuhk03": read_cuhk03,
    "dukemtmc": read_dukemtmc,
    "folder": read_folder,
    "market1501": read_market1501,
    "msmt17": read_msmt17,
}


def read_reid(format: str, root: str | Path, *, boxes: Boxes | None = None, check: bool = True) -> ReidDataset:
    """Read a data set.

    Args:
        format: "market1501", "dukemtmc", "msmt17", "cuhk03", or "folder" for any in Market-1501's tree and naming.
        root: Its folder, as the format's reader wants it.
        boxes: Of "cuhk03" alone: "detected", which is the default, or "labeled".
        check: Whether to check what was read, as the format's reader says; not for a part of a data set.

    Raises:
        ConfigError: There is no such format, or it has no boxes to choose from.
        DataError: What is there is not right.
    """
    if format not in _READERS:
        raise ConfigError(f"there is no format '{format}'", key="format", expected=nearest(format, _READERS))
    if boxes is None:
        return _READERS[format](root, check=check)
    if format != "cuhk03":
        raise ConfigError(f"is '{boxes}' of '{format}'", key="boxes", expected="none but for 'cuhk03'")
    return read_cuhk03(root, boxes=boxes, check=check)
