"""A data set by the name of its format, as a setting gives it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gocv.core import ConfigError, nearest
from gocv.data.coco.dataset import DetectionSet
from gocv.data.coco.files import read_coco
from gocv.data.coco.pennfudan import read_pennfudan
from gocv.data.coco.yolo import read_yolo

_READERS: dict[str, Callable[[Path, str], DetectionSet]] = {
    "coco": read_coco,
    "pennfudan": lambda root, split: read_pennfudan(root),
    "yolo": read_yolo,
}


def read_detection_set(format: str, root: str | Path, split: str = "val2017") -> DetectionSet:
    """Read a data set.

    Args:
        format: "coco", "yolo" or "pennfudan".
        root: Its folder, as the format's reader wants it.
        split: Which part of it; Penn-Fudan has but one.

    Raises:
        ConfigError: There is no such format.
        DataError: What is there is not right.
    """
    if format not in _READERS:
        raise ConfigError(f"there is no format '{format}'", key="format", expected=nearest(format, _READERS))
    return _READERS[format](Path(root), split)
