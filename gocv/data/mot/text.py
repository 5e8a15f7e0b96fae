"""Text files of MOTChallenge: `gt.txt`, `det.txt` and results.

A line is a box: frame, id, left, top, width, height, then
    confidence, x, y, z                   detections, results, and annotations of MOT15;
    considered, class, visibility         annotations of MOT16, MOT17 and MOT20.
(Leal-Taixé et al., "MOTChallenge 2015", 2015 (arXiv:1504.01942), §3; Milan et al., "MOT16", 2016 (arXiv:1603.00831),
table 4.) Frames count from 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.data.mot.rows import MotRows

_COLUMNS = ("frame", "id", "left", "top", "width", "height", "confidence", "class or x", "visibility or y", "z")
_FEWEST, _CLASS = 6, 7
ANNOTATION_COLUMNS = 9
"""Of a file with class and visibility."""


def read_mot(path: str | Path) -> MotRows:
    """Read a text file of MOTChallenge, of any year and kind.

    A file of nine columns is an annotation with class and visibility; with fewer or more, the columns after the
    confidence are not read. Without a confidence it is 1. An empty file has no rows.

    Raises:
        DataError: The file is missing, or a line is not right; line and column are named.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("is not a file", file=file, expected="a text file of MOTChallenge")
    values = _values(file)
    width = values.shape[1]
    annotated = width == ANNOTATION_COLUMNS
    count = len(values)
    return MotRows(
        frame=values[:, 0].astype(np.int64),
        track_id=values[:, 1].astype(np.int64),
        xyxy=np.concatenate([values[:, 2:4], values[:, 2:4] + values[:, 4:6]], axis=1),
        score=values[:, 6] if width > _FEWEST else np.ones(count),
        label=values[:, 7].astype(np.int64) if annotated else np.ones(count, np.int64),
        visibility=values[:, 8] if annotated else np.ones(count),
    )


def write_mot(path: str | Path, rows: MotRows) -> None:
    """Write results as MOTChallenge takes them, ten columns, in order of frame and id; whole or not at all.

    Boxes have two decimals, as pixels hardly have more; rows without an identity are left out.
    """
    own = rows[rows.track_id >= 0]
    _write(path, _in_order(own, own.score), "%d,%d,%.2f,%.2f,%.2f,%.2f,%.4f,-1,-1,-1")


def write_annotations(path: str | Path, rows: MotRows) -> None:
    """Write a `gt.txt` of MOT16, MOT17 or MOT20, nine columns, in order of frame and id; whole or not at all.

    A row is marked to be considered unless its score is 0. Rows without an identity are left out. For MOT15, whose
    annotations have no classes, there is `write_mot`.
    """
    own = rows[rows.track_id >= 0]
    table = _in_order(own, (own.score != 0).astype(np.float64), own.label, own.visibility)
    _write(path, table, "%d,%d,%.2f,%.2f,%.2f,%.2f,%d,%d,%.5f")


def write_detections(path: str | Path, rows: MotRows) -> None:
    """Write a `det.txt`: ten columns, without identities, in order of frame; whole or not at all."""
    table = _in_order(rows, rows.score)
    table[:, 1] = -1
    _write(path, table, "%d,%d,%.2f,%.2f,%.2f,%.2f,%.6f,-1,-1,-1")


def _in_order(rows: MotRows, *more: NDArray[Any]) -> NDArray[np.float64]:
    """A line for each row in order of frame and id: frame, id, left, top, width, height and what else there is."""
    size = rows.xyxy[:, 2:] - rows.xyxy[:, :2]
    table = np.column_stack([rows.frame, rows.track_id, rows.xyxy[:, :2], size, *more])
    return np.asarray(table[np.lexsort((rows.track_id, rows.frame))], np.float64)


def _write(path: str | Path, table: NDArray[np.float64], line: str) -> None:
    with written_whole(Path(path)) as temporary, temporary.open("w", encoding="utf-8") as out:
        np.savetxt(out, table, fmt=line)


def columns_of(file: Path) -> int:
    """How many columns a file has by its first line; a comma at the end starts none."""
    return _first_line(file).rstrip(",").count(",") + 1


def _first_line(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as lines:
        return next((line.rstrip() for line in lines if line.strip()), "")


def _values(file: Path) -> NDArray[np.float64]:
    """(n, columns) numbers of the file."""
    first = _first_line(file)
    if not first:
        return np.empty((0, _FEWEST))
    width = columns_of(file)
    if width < _FEWEST:
        raise _wrong(file)
    names = [str(i) for i in range(first.count(",") + 1)]
    try:
        table = csv.read_csv(
            file,
            read_options=csv.ReadOptions(column_names=names, use_threads=False),
            convert_options=csv.ConvertOptions(
                include_columns=names[:width], column_types=dict.fromkeys(names, pa.float64()), null_values=[]
            ),
        )
    except pa.ArrowInvalid:
        raise _wrong(file) from None
    values = np.column_stack([column.to_numpy() for column in table.columns])
    if _unusable(values).any():
        raise _wrong(file)
    return values


def _unusable(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether a row holds what cannot be."""
    right = np.isfinite(values)
    right[:, :2] &= values[:, :2] == np.floor(values[:, :2])
    right[:, 0] &= values[:, 0] >= 1
    if values.shape[1] == ANNOTATION_COLUMNS:
        right[:, _CLASS] &= values[:, _CLASS] == np.floor(values[:, _CLASS])
    return np.asarray(np.logical_not(right).any(axis=1), np.bool_)


def _wrong(file: Path) -> DataError:
    """What is wrong in the first line that is not right."""
    width = None
    with file.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            cells = line.rstrip().rstrip(",").split(",")
            width = width or len(cells)
            if len(cells) < _FEWEST or len(cells) != width:
                wanted = f"{max(width, _FEWEST)} numbers with commas: {', '.join(_COLUMNS[:_FEWEST])}, …"
                return DataError(f"has {len(cells)} columns", file=file, row=number, expected=wanted)
            for place, cell in enumerate(cells[: len(_COLUMNS)]):
                problem = _problem(cell, place, annotated=width == ANNOTATION_COLUMNS)
                if problem:
                    name = _COLUMNS[place]
                    return DataError(
                        f"column {place + 1} ({name}) is {cell.strip()!r}",
                        file=file,
                        row=number,
                        key=name,
                        expected=problem,
                    )
    return DataError("cannot be read as numbers", file=file, expected="lines of numbers with commas between them")


def _problem(cell: str, place: int, *, annotated: bool) -> str | None:
    """What would be right, where this is not."""
    try:
        value = float(cell)
    except ValueError:
        return "a number"
    if not np.isfinite(value):
        return "a finite number"
    if (place < 2 or (annotated and place == _CLASS)) and value != int(value):
        return "a whole number"
    if place == 0 and value < 1:
        return "a frame from 1 on"
    return None
