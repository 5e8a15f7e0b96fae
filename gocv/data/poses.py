"""Tables of poses: one Parquet file a camera, written as the frames come.

A row is a pose: `frame` (int64), `time_s` (float64, the recording's clock), `box` (int64, which of the frame's boxes of
people it is of, counted from 0; -1: of none), `keypoints_px` (2K float32: x, y of each keypoint; NaN where it is not
seen) and `score` (K float32). The file's metadata names the keypoints: `gocv.keypoints`, a JSON list. A frame in which
nobody was found is one row whose columns after `time_s` are null, as in tables of detections.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from gocv.core import DataError, Poses, nearest
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter, refuse_rows

COCO17 = (
    "nose",
    "l_eye",
    "r_eye",
    "l_ear",
    "r_ear",
    "l_shoulder",
    "r_shoulder",
    "l_elbow",
    "r_elbow",
    "l_wrist",
    "r_wrist",
    "l_hip",
    "r_hip",
    "l_knee",
    "r_knee",
    "l_ankle",
    "r_ankle",
)
"""The keypoints of COCO, in its order; left and right are the person's own."""

COCO_SIGMA = (
    *(0.026, 0.025, 0.025, 0.035, 0.035),
    *(0.079, 0.079, 0.072, 0.072, 0.062, 0.062),
    *(0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
"""How far people who label the same picture are apart at each of them, over the square root of the person's area: what
OKS is made of (COCO, keypoint evaluation, cocodataset.org/#keypoints-eval)."""

_NAMES = "gocv.keypoints"
_ROWS_A_GROUP = 5_000


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PoseTable:
    """Poses of many frames.

    Attributes:
        keypoints: Names of the keypoints, in the order of the K axis of `poses`.
        frame: (F,) int64, position of each frame in its video; counted from 0 where the file does not say.
        time_s: (F,) float64, seconds on the recording's clock, strictly ascending.
        first_row: (F + 1,) int64: the poses of frame i are the rows from `first_row[i]` to `first_row[i + 1]`.
        poses: The poses of all frames, in order.
        box: (n,) int64, which of its frame's boxes of people each pose is of; -1 where it is of none.
    """

    keypoints: tuple[str, ...]
    frame: NDArray[np.int64]
    time_s: NDArray[np.float64]
    first_row: NDArray[np.int64]
    poses: Poses
    box: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frame)

    def poses_of(self, position: int) -> Poses:
        """The poses of the frame at `position` of this table."""
        return self.poses[int(self.first_row[position]) : int(self.first_row[position + 1])]


class PoseTableWriter:
    """Writes a table frame by frame in bounded memory; the file appears whole when the `with` block ends well.

    Args:
        path: Where to.
        keypoints: Names of the keypoints.
    """

    def __init__(self, path: str | Path, keypoints: Sequence[str] = COCO17) -> None:
        self.path = Path(path)
        self._keypoints = tuple(keypoints)
        self._schema = _schema(len(self._keypoints))
        self._open = ExitStack()
        self._last_s = -np.inf

    def __enter__(self) -> PoseTableWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(written_whole(self.path))
            self._file = BatchWriter(temporary, self._schema, _ROWS_A_GROUP)
            stack.callback(self._file.close, {_NAMES: json.dumps(self._keypoints)})
            self._open = stack.pop_all()
        return self

    def write(self, frame: int, time_s: float, poses: Poses, box: ArrayLike | None = None) -> None:
        """Append the poses of one frame, none included.

        Args:
            frame: Position of the frame in its video.
            time_s: Seconds on the recording's clock, after those of the frame before.
            poses: The poses.
            box: (n,) which of the frame's boxes of people each is of; the i-th pose of the i-th box where None.

        Raises:
            DataError: Time does not ascend, or the poses have another number of keypoints or of boxes.
        """
        if not self._last_s < time_s < np.inf:
            raise DataError(f"a frame at {time_s} s follows one at {self._last_s} s", file=self.path, key="time_s")
        boxes = np.arange(len(poses)) if box is None else np.asarray(box, np.int64)
        count = len(self._keypoints)
        if len(boxes) != len(poses) or (len(poses) and poses.score.shape[1] != count):
            problem = f"{len(boxes)} boxes and keypoints of shape {poses.keypoints_px.shape}"
            raise DataError(problem, file=self.path, expected=f"({len(poses)}, {count}, 2), and as many boxes")
        self._last_s = time_s
        rows = max(1, len(poses))
        columns: list[Any] = [np.full(rows, frame, np.int64), np.full(rows, time_s)]
        if len(poses):
            columns += [boxes, _lists(poses.keypoints_px, 2 * count), _lists(poses.score, count)]
        else:
            columns += [[None]] * 3
        arrays = [pa.array(c, type=f.type) for c, f in zip(columns, self._schema, strict=True)]
        self._file.write(pa.record_batch(arrays, schema=self._schema))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


def read_poses(path: str | Path) -> PoseTable:
    """Read a table of poses, recorded by anyone: `frame` may be absent.

    Rows of one frame share their `time_s` and stand together; frames ascend in time.

    Args:
        path: The Parquet file.

    Raises:
        DataError: The file is missing or not Parquet, does not name its keypoints, a column is missing or of the wrong
            type, or a row holds a time, a box or a score that cannot be; file, row and column are named.
    """
    path = Path(path)
    names, table = _read(path)
    time_s, box, count = table["time_s"], table["box"], len(names)
    pixels, score = table["keypoints_px"].reshape(-1, count, 2), table["score"].reshape(-1, count)
    given = table["given"]
    refuse_rows(path, ~np.isfinite(time_s), "time_s", "finite seconds")
    refuse_rows(path, np.diff(time_s, prepend=-np.inf) < 0, "time_s", "frames in order of time")
    refuse_rows(path, given & (box < -1), "box", "a box of the frame, counted from 0, or -1")
    refuse_rows(
        path, given & np.isinf(pixels).any(axis=(1, 2)), "keypoints_px", "pixels, NaN where a keypoint is not seen"
    )
    refuse_rows(path, given & ~((score >= 0) & (score <= 1)).all(axis=1), "score", "0 to 1")
    starts = np.flatnonzero(np.diff(time_s, prepend=-np.inf) > 0)
    frame_of = np.searchsorted(starts, np.arange(len(time_s)), side="right")
    taken = np.stack([frame_of, box], axis=1)[given & (box >= 0)]
    _, first, times = np.unique(taken, axis=0, return_index=True, return_counts=True)
    twice = np.zeros(len(time_s), bool)
    twice[np.flatnonzero(given & (box >= 0))[first[times > 1]]] = True
    refuse_rows(path, twice, "box", "each box of a frame once")
    return PoseTable(
        keypoints=names,
        frame=table["frame"][starts] if "frame" in table else np.arange(len(starts)),
        time_s=time_s[starts],
        first_row=np.concatenate([[0], np.cumsum(given)])[np.append(starts, len(time_s))],
        poses=Poses(pixels[given], score[given]),
        box=box[given],
    )


def _schema(count: int) -> pa.Schema:
    return pa.schema(
        [
            pa.field("frame", pa.int64(), nullable=False),
            pa.field("time_s", pa.float64(), nullable=False),
            pa.field("box", pa.int64()),
            pa.field("keypoints_px", pa.list_(pa.float32(), 2 * count)),
            pa.field("score", pa.list_(pa.float32(), count)),
        ]
    )


def _lists(values: NDArray[np.float32], length: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ravel(values), pa.float32()), length)


def _read(path: Path) -> tuple[tuple[str, ...], dict[str, NDArray[Any]]]:
    """Names of the keypoints, and the columns as flat arrays; `given` tells rows with a pose from those without."""
    try:
        table = pq.ParquetFile(path).read()
    except FileNotFoundError as error:
        raise DataError("there is no such table of poses", file=path) from error
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is not Parquet: {error}", file=path) from error
    names = _named(table.schema.metadata or {}, path)
    columns: dict[str, NDArray[Any]] = {}
    for field in _schema(len(names)):
        if field.name not in table.column_names:
            if field.name == "frame":
                continue
            found = nearest(field.name, table.column_names)
            raise DataError(f"the column is missing; the file has {found}", file=path, key=field.name)
        try:
            column = table.column(field.name).cast(field.type).combine_chunks()
        except pa.ArrowException as error:
            problem = f"is of the wrong type: {' '.join(str(error).split())}"
            raise DataError(problem, file=path, key=field.name, expected=f"{field.type}") from error
        if pa.types.is_fixed_size_list(field.type):
            there = column.is_valid().to_numpy(zero_copy_only=False)
            values = np.full((len(there), field.type.list_size), np.nan, np.float32)
            values[there] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, field.type.list_size)
            columns[field.name] = values
            if field.name == "keypoints_px":
                columns["given"] = there
        else:
            empty: Any = {"box": -1, "frame": 0}.get(field.name, np.nan)
            columns[field.name] = column.fill_null(empty).to_numpy(zero_copy_only=False)
    return names, columns


def _named(metadata: dict[bytes, bytes], path: Path) -> tuple[str, ...]:
    try:
        names = json.loads(metadata[_NAMES.encode()])
    except (KeyError, ValueError):
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        expected = f"{_NAMES}, a JSON list such as {json.dumps(COCO17[:2])}, in the file's metadata"
        raise DataError("does not name its keypoints", file=path, key=_NAMES, expected=expected)
    return tuple(names)
