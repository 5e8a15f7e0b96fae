"""Penn-Fudan: 170 pictures of pedestrians (Wang et al., "Object Detection Combining Recognition and Segmentation")."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.coco.dataset import DetectionSet, LabelledBoxes, labelled, picture_size
from gocv.data.pictures import SUFFIXES

_SIZE = re.compile(r"Image size \(X x Y x C\) : (\d+) x (\d+) x \d+")
_COUNT = re.compile(r"Objects with ground truth : (\d+)")
_BOX = re.compile(r"Bounding box for object (\d+) .*: \((\d+), (\d+)\) - \((\d+), (\d+)\)")
_FOLDERS = ("images", "PNGImages")


def read_pennfudan(root: str | Path) -> DetectionSet:
    """Read `Annotation/*.txt` with the pictures of the same names in `images` or `PNGImages`.

    Its pixels count from 1 and a box ends with its last pixel: (1, 1) - (2, 2) becomes 0, 0, 2, 2.

    Args:
        root: The folder.

    Raises:
        DataError: A folder or picture is missing, a text is not right, or a picture is of another size than the text
            says.
    """
    root = Path(root)
    texts = sorted((root / "Annotation").glob("*.txt"))
    folder = next((root / name for name in _FOLDERS if (root / name).is_dir()), None)
    if not texts or folder is None:
        raise DataError("is not Penn-Fudan", file=root, expected="Annotation/*.txt, and images or PNGImages")
    pictures = {f.stem: f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES}
    files, sizes, boxes = [], [], [labelled([], [], [])]
    for row, text in enumerate(texts):
        if text.stem not in pictures:
            raise DataError("has no picture", file=text, expected=f"{text.stem} in {folder}")
        size, found = _parse(text, row)
        if picture_size(pictures[text.stem]) != size:
            raise DataError(
                f"is of {picture_size(pictures[text.stem])}", file=pictures[text.stem], expected=f"{size} pixels"
            )
        files.append(pictures[text.stem])
        sizes.append(size)
        boxes.append(found)
    numbers = np.arange(1, len(files) + 1)
    rows = LabelledBoxes.concatenate(boxes)
    return DetectionSet("Penn-Fudan", tuple(files), np.array(sizes), numbers, ("person",), (1,), rows)


def _parse(file: Path, row: int) -> tuple[tuple[int, int], LabelledBoxes]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="text in PASCAL's form 1.00") from error
    size, count = _SIZE.search(text), _COUNT.search(text)
    for key, found in (("Image size (X x Y x C)", size), ("Objects with ground truth", count)):
        if found is None:
            raise DataError("is missing", file=file, key=key, expected="a number")
    assert size is not None
    assert count is not None
    xyxy = np.array([[int(v) for v in box.groups()[1:]] for box in _BOX.finditer(text)], np.float32).reshape(-1, 4)
    if len(xyxy) != int(count[1]):
        raise DataError(f"are {len(xyxy)}", file=file, key="Bounding box for object", expected=f"{count[1]}")
    xyxy[:, :2] -= 1
    wrong = np.flatnonzero((xyxy[:, 2:] <= xyxy[:, :2]).any(axis=1))
    if len(wrong):
        raise DataError("is turned about", file=file, key=f"Bounding box for object {wrong[0] + 1}")
    return (int(size[1]), int(size[2])), labelled(np.full(len(xyxy), row), xyxy, np.zeros(len(xyxy), np.int64))
