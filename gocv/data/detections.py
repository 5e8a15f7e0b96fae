"""Tables of detections and tracks: one Parquet file a camera, written as the frames come.

A row is a box: `frame` (int64), `time_s` (float64, the recording's clock), `left_px`, `top_px`, `right_px`, `bottom_px`
and `score` (float32), `label` (text) and, in tables of tracks, `track_id` (int64, -1 without a confirmed track). A
frame in which nothing was found is one row whose columns after `time_s` are null, so that "nothing was there" and
"nobody looked" stay two things, in the same file and in anything that opens Parquet.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError, Detections, nearest
from gocv.data.files import written_whole
from gocv.data.parquet import refuse_rows

_BOX = ("left_px", "top_px", "right_px", "bottom_px")
_SCHEMA = pa.schema(
    [
        pa.field("frame", pa.int64(), nullable=False),
        pa.field("time_s", pa.float64(), nullable=False),
        *(pa.field(name, pa.float32()) for name in (*_BOX, "score")),
        pa.field("label", pa.string()),
    ]
)
_ROWS_A_GROUP = 20_000


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class DetectionTable:
    """Detections of many frames.

    Attributes:
        classes: Names of the values of `boxes.label`.
        frame: (F,) int64, position of each frame in its video; counted from 0 where the file does not say.
        time_s: (F,) float64, seconds on the recording's clock, strictly ascending.
        first_row: (F + 1,) int64: the boxes of frame i are the rows from `first_row[i]` to `first_row[i + 1]`.
        boxes: The boxes of all frames, in order.
        track_id: (n,) int64, the identity of each box; -1 where it has none or the file holds none.
    """

    classes: tuple[str, ...]
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    first_row: NDArray[np.int64]
    boxes: Detections
    track_id: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frame)

    def detections(self, position: int) -> Detections:
        """The boxes of the frame at `position` of this table."""
        return self.boxes[self._rows(position)]

    def track_ids(self, position: int) -> NDArray[np.int64]:
        """(n,) int64, the identities of those boxes."""
        return self.track_id[self._rows(position)]

    def _rows(self, position: int) -> slice:
        return slice(int(self.first_row[position]), int(self.first_row[position + 1]))


class DetectionTableWriter:
    """Writes a table frame by frame in bounded memory; the file appears whole when the `with` block ends well.

    Args:
        path: Where to.
        classes: Names of the values of `Detections.label`.
        tracks: Whether the table has identities.
    """

    def __init__(self, path: str | Path, *, classes: Sequence[str], tracks: bool = False) -> None:
        self.path = Path(path)
        self._classes = np.array(classes, object)
        self._tracks = tracks
        self._schema = _SCHEMA.append(pa.field("track_id", pa.int64())) if tracks else _SCHEMA
        self._open = ExitStack()
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._waiting_rows = 0
        self._last_s = -np.inf

    def __enter__(self) -> DetectionTableWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(written_whole(self.path))
            self._file = stack.enter_context(pq.ParquetWriter(temporary, self._schema))
            self._open = stack.pop_all()
        return self

    def write(self, frame: int, time_s: float, detections: Detections, track_id: ArrayLike | None = None) -> None:
        """Append the boxes of one frame, none included.

        Args:
            frame: Position of the frame in its video.
            time_s: Seconds on the recording's clock, after those of the frame before.
            detections: The boxes.
            track_id: (n,) their identities; given exactly when the table has them.

        Raises:
            DataError: Time does not ascend, a label has no name, or identities do not fit.
        """
        if not self._last_s < time_s < np.inf:
            raise DataError(f"a frame at {time_s} s follows one at {self._last_s} s", file=self.path, key="time_s")
        if len(detections) and not 0 <= detections.label.min() <= detections.label.max() < len(self._classes):
            raise DataError(f"labels {set(detections.label.tolist())}", file=self.path, expected="indices into classes")
        identities = None if track_id is None else np.asarray(track_id, np.int64)
        if (identities is None) == self._tracks or (identities is not None and len(identities) != len(detections)):
            raise DataError("identities do not fit", file=self.path, key="track_id", expected="one a box, if any")
        self._last_s = time_s
        rows = max(1, len(detections))
        columns: list[Any] = [np.full(rows, frame, np.int64), np.full(rows, time_s)]
        if len(detections):
            columns += [*detections.xyxy.T, detections.score, self._classes[detections.label]]
            columns += [identities] if self._tracks else []
        else:
            columns += [[None]] * (len(self._schema) - 2)
        arrays = [pa.array(c, type=f.type) for c, f in zip(columns, self._schema, strict=True)]
        self._waiting.append(pa.record_batch(arrays, schema=self._schema))
        self._waiting_rows += rows
        if self._waiting_rows >= _ROWS_A_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(pa.Table.from_batches(self._waiting))
            self._waiting, self._waiting_rows = [], 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._open.callback(self._flush)
        self._open.__exit__(kind, error, trace)


def read_detections(path: str | Path, classes: Sequence[str] | None = None) -> DetectionTable:
    """Read a table of detections, recorded by anyone: `frame` and `track_id` may be absent.

    Rows of one frame share their `time_s` and stand together; frames ascend in time.

    Args:
        path: The Parquet file.
        classes: Names to keep, in the order of the labels wanted; boxes of other classes are left out, their frames
            are not. None keeps all, in the order of the alphabet.

    Raises:
        DataError: The file is missing or not Parquet, a column is missing or of the wrong type, or a row holds a box, a
            score or a time that cannot be; file, row and column are named.
    """
    path = Path(path)
    table = _read(path)
    time_s = table["time_s"]
    refuse_rows(path, ~np.isfinite(time_s), "time_s", "finite seconds")
    refuse_rows(path, np.diff(time_s, prepend=-np.inf) < 0, "time_s", "frames in order of time")
    given = ~np.isnan(table["left_px"])
    xyxy = np.stack([table[name] for name in _BOX], axis=1)
    refuse_rows(path, given & ~np.isfinite(xyxy).all(axis=1), "left_px", "four finite numbers, or none of them")
    refuse_rows(path, given & ~(xyxy[:, 2:] >= xyxy[:, :2]).all(axis=1), "left_px", "right >= left and bottom >= top")
    refuse_rows(path, given & ~((table["score"] >= 0) & (table["score"] <= 1)), "score", "0 to 1")
    refuse_rows(path, given & (table["label"] == ""), "label", "the name of a class")

    starts = np.flatnonzero(np.diff(time_s, prepend=-np.inf) > 0)
    names = tuple(classes) if classes is not None else tuple(sorted(set(table["label"][given])))
    label = np.full(len(time_s), -1, np.int64)
    for number, name in enumerate(names):
        label[given & (table["label"] == name)] = number
    kept = label >= 0
    return DetectionTable(
        classes=names,
        frame=table["frame"][starts] if "frame" in table else np.arange(len(starts)),
        time_s=time_s[starts],
        first_row=np.concatenate([[0], np.cumsum(kept)])[np.append(starts, len(time_s))],
        boxes=Detections(xyxy[kept], table["score"][kept], label[kept]),
        track_id=table["track_id"][kept] if "track_id" in table else np.full(int(kept.sum()), -1, np.int64),
    )


def _read(path: Path) -> dict[str, NDArray[Any]]:
    """The columns as arrays: null is NaN in numbers, "" in text, -1 in identities."""
    try:
        table = pq.ParquetFile(path).read()
    except FileNotFoundError as error:
        raise DataError("there is no such table of detections", file=path) from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is not Parquet: {error}", file=path) from error
    wanted = _SCHEMA.append(pa.field("track_id", pa.int64()))
    columns: dict[str, NDArray[Any]] = {}
    for field in wanted:
        if field.name not in table.column_names:
            if field.name in ("frame", "track_id"):
                continue
            found = nearest(field.name, table.column_names)
            raise DataError(f"the column is missing; the file has {found}", file=path, key=field.name)
        try:
            column = table.column(field.name).cast(field.type).combine_chunks()
        except pa.ArrowException as error:
            raise DataError(
                f"is of the wrong type: {error}", file=path, key=field.name, expected=f"{field.type}"
            ) from error
        empty: Any = {"label": "", "track_id": -1, "frame": 0}.get(field.name, np.nan)
        columns[field.name] = column.fill_null(empty).to_numpy(zero_copy_only=False)
    return columns
