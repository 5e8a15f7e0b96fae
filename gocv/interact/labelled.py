"""Clips with what they are known to show, in a file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from gocv.core import DataError, Rows, column
from gocv.data.files import written_whole

Float32 = NDArray[np.float32]

CLASSES = ("take", "return", "touch", "none")
"""What a hand did at a shelf, in the order of the probabilities."""
MERL_CLASSES = ("reach to shelf", "retract from shelf", "hand in shelf", "inspect product", "inspect shelf")
"""The actions of MERL Shopping, in the order of its labels."""
_KEY = "gocv.interact"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LabelledClips(Rows):
    """What a classifier learns from: a row for each clip.

    Attributes:
        classes: Names.
        channels: Names of the F channels of `frames`.
        numbers: Names of the K numbers of `features`.
        frames: (n, T, F) float32, as of `gocv.interact.clips.Clips`, or any others.
        inside: (n, T) bool, the rows that the clip is about.
        features: (n, K) float32; NaN where not known.
        target: (n, C) float32, how much of each class it is: what they sum to is the weight of the clip, 0 where its
            class is not known.
        label: (n, T) int64, class of each row; -1 where not known.
        visit: (n,) int64, clips of one visit have one number.
    """

    classes: tuple[str, ...]
    channels: tuple[str, ...]
    numbers: tuple[str, ...]
    frames: Float32 = column(np.float32, None, None)
    inside: NDArray[np.bool_] = column(np.bool_, None)
    features: Float32 = column(np.float32, None)
    target: Float32 = column(np.float32, None)
    label: NDArray[np.int64] = column(np.int64, None)
    visit: NDArray[np.int64] = column(np.int64)

    def __post_init__(self) -> None:
        Rows.__post_init__(self)
        if not len(self):
            return
        for name, axis, names in (
            ("frames", 2, self.channels),
            ("features", 1, self.numbers),
            ("target", 1, self.classes),
        ):
            if getattr(self, name).shape[axis] != len(names):
                raise DataError(
                    f"LabelledClips.{name} has {getattr(self, name).shape[axis]} columns", expected=f"{len(names)}"
                )


def one_hot(label: Sequence[int] | NDArray[np.int64], classes: int) -> Float32:
    """(n, C) float32 of weight 1, the class of each clip alone; of weight 0 where it is -1."""
    index = np.asarray(label, np.int64)
    return np.where(index[:, None] >= 0, np.eye(classes, dtype=np.float32)[np.maximum(index, 0)], np.float32(0))


def write_clips(clips: LabelledClips, path: Path) -> None:
    """Write clips as safetensors, whole or not at all; `frames` are rounded to float16."""
    columns = {
        "frames": clips.frames.astype(np.float16),
        "inside": clips.inside,
        "features": clips.features,
        "target": clips.target,
        "label": clips.label.astype(np.int16),
        "visit": clips.visit,
    }
    about = {"classes": clips.classes, "channels": clips.channels, "numbers": clips.numbers}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        save_file(
            {key: np.ascontiguousarray(value) for key, value in columns.items()}, temporary, {_KEY: json.dumps(about)}
        )


def read_clips(path: Path) -> LabelledClips:
    """Read what `write_clips` wrote.

    Raises:
        DataError: The file is missing or is another one.
    """
    try:
        with safe_open(path, "np") as file:
            about = json.loads((file.metadata() or {})[_KEY])
            columns = {
                key: file.get_tensor(key) for key in ("frames", "inside", "features", "target", "label", "visit")
            }
    except (OSError, SafetensorError, KeyError, ValueError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="clips of write_clips") from problem
    classes, channels, numbers = (tuple(about[key]) for key in ("classes", "channels", "numbers"))
    return LabelledClips(classes, channels, numbers, **columns)
