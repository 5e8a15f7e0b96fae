"""Pictures with the boxes that people drew on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from gocv.core import DataError, Rows, column, nearest


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class LabelledBoxes(Rows):
    """Boxes on the pictures of a data set.

    Attributes:
        image: (n,) int64, the picture's row.
        xyxy: (n, 4) float32, left, top, right, bottom in pixels of the picture.
        label: (n,) int64, index into the data set's `classes`.
        ignore: (n,) bool, drawn around what is neither to be found nor wrong to find, such as COCO's crowds.
        area_px2: (n,) float32, of what is in the box where that is known, else of the box.
    """

    image: NDArray[np.int64] = column(np.int64)
    xyxy: NDArray[np.float32] = column(np.float32, 4)
    label: NDArray[np.int64] = column(np.int64)
    ignore: NDArray[np.bool_] = column(np.bool_)
    area_px2: NDArray[np.float32] = column(np.float32)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DetectionSet:
    """A data set. Indexing with a mask, an integer array or a slice gives those pictures with their boxes.

    Attributes:
        name: What it is called.
        files: m paths, not opened.
        size_px: (m, 2) int64, width and height.
        image_id: (m,) int64, the pictures' numbers in COCO's files.
        classes: Names; `boxes.label` indexes them.
        category_id: The classes' numbers in COCO's files.
        boxes: All boxes, in order of the pictures.
        notes: What was odd and left out.

    Raises:
        DataError: The columns do not fit one another, or a box is of a picture or class that there is not.
    """

    name: str
    files: tuple[Path, ...]
    size_px: NDArray[np.int64]
    image_id: NDArray[np.int64]
    classes: tuple[str, ...]
    category_id: tuple[int, ...]
    boxes: LabelledBoxes
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", tuple(self.files))
        for key, shape in (("size_px", (len(self), 2)), ("image_id", (len(self),))):
            value = np.asarray(getattr(self, key), np.int64)
            if value.size == 0 and not len(self):
                value = value.reshape(shape)
            if value.shape != shape:
                raise DataError(f"DetectionSet.{key} has shape {value.shape}", expected=f"{shape}, a row for each file")
            value = value.view()
            value.flags.writeable = False
            object.__setattr__(self, key, value)
        if len(self.category_id) != len(self.classes):
            raise DataError("DetectionSet.category_id is not a number for each class", expected=f"{len(self.classes)}")
        for key, limit in (("image", len(self)), ("label", len(self.classes))):
            value = getattr(self.boxes, key)
            if len(value) and not 0 <= value.min() <= value.max() < limit:
                raise DataError(
                    f"DetectionSet.boxes.{key} goes from {value.min()} to {value.max()}", expected=f"< {limit}"
                )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, images: NDArray[Any] | slice | Sequence[int]) -> DetectionSet:
        if isinstance(images, (int, np.integer)):
            raise TypeError("index with a slice, a mask or an array of rows: a single picture is x[i:i + 1]")
        chosen = np.arange(len(self))[
            images if isinstance(images, slice) else np.asarray(images, None if len(images) else np.int64)
        ]
        boxes = [self.of(row) for row in chosen]
        image = np.repeat(np.arange(len(chosen)), [len(b) for b in boxes])
        rows = LabelledBoxes.concatenate([self.boxes[:0], *boxes])
        return dataclasses.replace(
            self,
            files=tuple(self.files[row] for row in chosen),
            size_px=self.size_px[chosen],
            image_id=self.image_id[chosen],
            boxes=dataclasses.replace(rows, image=image),
        )

    def of(self, image: int) -> LabelledBoxes:
        """The boxes of one picture, by its row."""
        first, last = np.searchsorted(self.boxes.image, [image, image + 1])
        return self.boxes[first:last]

    def of_classes(self, classes: Sequence[str]) -> DetectionSet:
        """All pictures with the boxes of these classes alone, which are then all its classes, in this order.

        Raises:
            DataError: The data set has no such class.
        """
        for name in classes:
            if name not in self.classes:
                raise DataError(
                    f"{self.name} has no class '{name}'", key="classes", expected=nearest(name, self.classes)
                )
        label = np.array([classes.index(name) if name in classes else -1 for name in self.classes], np.int64)
        boxes = dataclasses.replace(self.boxes, label=label[self.boxes.label])
        numbers = tuple(self.category_id[self.classes.index(name)] for name in classes)
        return dataclasses.replace(self, classes=tuple(classes), category_id=numbers, boxes=boxes[boxes.label >= 0])


def picture_size(file: Path) -> tuple[int, int]:
    """Width and height of a picture, pixels, from its header.

    Raises:
        DataError: It is missing, or no picture.
    """
    try:
        with Image.open(file) as picture:
            return picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="a picture") from error


def labelled(image: ArrayLike, xyxy: ArrayLike, label: ArrayLike) -> LabelledBoxes:
    """Boxes none of which is to be ignored, with their own areas; the arguments are as the columns are."""
    boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)
    columns: dict[str, Any] = {"image": image, "label": label, "ignore": np.zeros(len(boxes), np.bool_)}
    return LabelledBoxes(xyxy=boxes, area_px2=np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), **columns)
