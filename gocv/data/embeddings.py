"""Tables of appearance: one Parquet file a camera, written as the frames come and read as they are wanted.

A row is a box that has a vector: `frame` (int64, position in the video, ascending), `row` (int64, which of the boxes of
people of that frame, from 0) and `vector` (fixed-size list of float32, of length 1). Vectors can tell people apart:
whoever keeps such a table keeps personal data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gocv.core import DataError, Embeddings
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter, check_columns, open_parquet, refuse_rows

Int64 = NDArray[np.int64]

_ROWS_A_GROUP = 2_000
_PLACE = pa.schema([pa.field("frame", pa.int64(), nullable=False), pa.field("row", pa.int64(), nullable=False)])
_HOLDS = "appearance vectors"


class EmbeddingTableWriter:
    """Writes a table frame by frame in bounded memory; the file appears whole when the `with` block ends well.

    Args:
        path: Where to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open = ExitStack()
        self._length: int | None = None
        self._last = -1

    def __enter__(self) -> EmbeddingTableWriter:
        self._temporary = self._open.enter_context(written_whole(self.path))
        return self

    def write(self, frame: int, embeddings: Embeddings) -> None:
        """Append the vectors of one frame; none is nothing.

        Args:
            frame: Position of the frame in its video, after that of the frame before.
            embeddings: Of its boxes of people.

        Raises:
            DataError: Frames do not ascend, or vectors have another length than before.
        """
        if frame <= self._last:
            raise DataError(f"frame {frame} follows frame {self._last}", file=self.path, key="frame")
        self._last = frame
        if not len(embeddings):
            return
        count, length = embeddings.vector.shape
        if self._length is None:
            self._start(length)
        if length != self._length:
            raise DataError(
                f"vectors have {length} values", file=self.path, key="vector", expected=f"{self._length} as before"
            )
        values = pa.array(np.ascontiguousarray(embeddings.vector).ravel())
        vectors = pa.FixedSizeListArray.from_arrays(values, length)
        columns = [pa.array(np.full(count, frame, np.int64)), pa.array(embeddings.row), vectors]
        self._file.write(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def _start(self, length: int) -> None:
        self._length = length
        self._schema = _PLACE.append(pa.field("vector", pa.list_(pa.float32(), length), nullable=False))
        self._file = BatchWriter(self._temporary, self._schema, _ROWS_A_GROUP)
        self._open.callback(self._file.close)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._length is None:
            self._start(0)
        self._open.__exit__(kind, error, trace)


def read_embeddings(path: str | Path, frames: Iterable[int]) -> Iterator[Embeddings]:
    """The vectors of each of `frames`, none where the table has none, in bounded memory.

    Args:
        path: The table.
        frames: Positions of frames in their video, ascending: all that the table knows are among them.

    Raises:
        DataError: The file is missing or broken, or holds what cannot be; or it has a frame that `frames` has not.
    """
    path = Path(path)
    table = _by_frame(path)
    waiting = next(table, None)
    for frame in frames:
        if waiting is None or waiting[0] != frame:
            yield Embeddings.empty()
            continue
        yield waiting[1]
        waiting = next(table, None)
    if waiting is not None:
        raise DataError(
            f"frame {waiting[0]} has no detections", file=path, key="frame", expected="a table of the same frames"
        )


def read_vectors(path: str | Path, frames: Iterable[int], first_row: Int64) -> NDArray[np.float32] | None:
    """The appearance of all boxes of a table of detections, a row for each.

    Args:
        path: The table of vectors.
        frames: As for `read_embeddings`.
        first_row: (F + 1,) int64: the boxes of frame i are the rows from `first_row[i]` to `first_row[i + 1]`.

    Returns:
        (n, D) float32, NaN for boxes that have none; None where no box has one.

    Raises:
        DataError: As `read_embeddings`.
    """
    vectors: NDArray[np.float32] | None = None
    for first, part in zip(first_row[:-1].tolist(), read_embeddings(path, frames), strict=True):
        if len(part) and vectors is None:
            vectors = np.full((int(first_row[-1]), part.vector.shape[1]), np.nan, np.float32)
        if len(part) and vectors is not None:
            vectors[first + part.row] = part.vector
    return vectors


def _by_frame(path: Path) -> Iterator[tuple[int, Embeddings]]:
    """Frames that have vectors, in order; a frame whose rows stand in two batches is put together."""
    held: tuple[int, Embeddings] | None = None
    for frame, embeddings in _pieces(path):
        if held is not None and frame == held[0]:
            held = frame, Embeddings.concatenate([held[1], embeddings])
            continue
        if held is not None:
            yield held
        held = frame, embeddings
    if held is not None:
        yield held


def _pieces(path: Path) -> Iterator[tuple[int, Embeddings]]:
    with open_parquet(path, _HOLDS) as file:
        _check_schema(file, path)
        start, last = 1, 0
        for batch in file.iter_batches(_ROWS_A_GROUP, columns=[*_PLACE.names, "vector"]):
            if not batch.num_rows:
                continue
            frame, row, vector = _arrays(batch, path, start)
            ascends = np.diff(frame, prepend=last) >= 0
            refuse_rows(path, ~ascends | (row < 0), "frame, row", "ascending frames, rows from 0", first_row=start)
            finite = np.isfinite(vector).all(axis=1)
            refuse_rows(path, np.asarray(~finite), "vector", "finite numbers", first_row=start)
            for rows in np.split(np.arange(len(frame)), np.flatnonzero(np.diff(frame)) + 1):
                yield int(frame[rows[0]]), Embeddings(vector[rows], row[rows])
            start, last = start + len(frame), int(frame[-1])


def _arrays(batch: pa.RecordBatch, path: Path, start: int) -> tuple[Int64, Int64, NDArray[np.float32]]:
    """The columns: (n,) frames and (n,) rows, -1 where null, and (n, D) vectors, NaN where a number is null."""
    vectors = batch["vector"]
    refuse_rows(path, vectors.is_null().to_numpy(zero_copy_only=False), "vector", "finite numbers", first_row=start)
    frame, row = (batch[name].fill_null(-1).cast(pa.int64()).to_numpy() for name in _PLACE.names)
    flat = vectors.flatten().to_numpy(zero_copy_only=False)
    return frame, row, flat.reshape(len(frame), vectors.type.list_size)


def _check_schema(file: pq.ParquetFile, path: Path) -> None:
    check_columns(file, path, _PLACE)
    schema = file.schema_arrow
    kind = schema.field("vector").type if "vector" in schema.names else None
    if kind is None or not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float32():
        expected = "a fixed-size list of float32"
        raise DataError(f"the column holds {kind or 'nothing'}", file=path, key="vector", expected=expected)
