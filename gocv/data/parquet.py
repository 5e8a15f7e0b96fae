"""Parquet files written in row groups of one size and read a batch at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gocv.core import DataError

_BUFFER_BYTES = 1 << 16


class BatchWriter:
    """Appends batches to a file. What is handed over must not change until it is written.

    Args:
        path: Where to.
        schema: Of the batches.
        rows: Least rows of a row group: smaller batches wait for more.
    """

    def __init__(self, path: Path, schema: pa.Schema, rows: int) -> None:
        self._rows = rows
        self._file = pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Append `batch`."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= self._rows:
            self._write_waiting()

    def close(self, metadata: Mapping[str, str] | None = None) -> None:
        """Write what is waiting, keep `metadata` with it, and finish the file."""
        self._write_waiting()
        self._file.add_key_value_metadata(dict(metadata or {}))
        self._file.close()

    def _write_waiting(self) -> None:
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        if waiting:
            self._file.write_table(pa.Table.from_batches(waiting), row_group_size=self._rows)


@contextmanager
def open_parquet(path: Path, holds: str) -> Iterator[pq.ParquetFile]:
    """Open a file for `batches`; what goes wrong in the block is said to be wrong with the file.

    Args:
        path: The file.
        holds: What it should hold, for the error.

    Raises:
        DataError: The file is missing, is not Parquet or is damaged.
    """
    try:
        # pyarrow's default, pre_buffer, keeps every byte that has been read until the file is closed.
        with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            yield file
    except FileNotFoundError as problem:
        raise DataError("there is no such file", file=path, expected=f"a Parquet file of {holds}") from problem
    except (OSError, pa.ArrowException, UnicodeDecodeError) as problem:
        reason = " ".join(str(problem).split())  # Arrow's messages may run over lines
        raise DataError(f"cannot be read: {reason}", file=path, expected=f"a Parquet file of {holds}") from problem


def check_columns(file: pq.ParquetFile, path: Path, schema: pa.Schema) -> None:
    """See that the file has the columns of `schema`, once each, of numbers or text as there.

    Raises:
        DataError: It has not; the column is named.
    """
    found = file.schema_arrow
    for field in schema:
        at = found.get_all_field_indices(field.name)
        if len(at) != 1:
            problem = "stands in the file twice" if at else "is missing"
            raise DataError(f"the column {problem}", file=path, key=field.name, expected=", ".join(schema.names))
        kind = found.field(at[0]).type
        if not _holds(kind, field.type):
            expected = "text" if pa.types.is_string(field.type) else "numbers"
            raise DataError(f"the column holds {kind}", file=path, key=field.name, expected=expected)


def batches(file: pq.ParquetFile, path: Path, schema: pa.Schema, rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of the columns of `schema`, in its types, at most `rows` at a time; other columns are left out.

    Raises:
        DataError: As `check_columns`.
    """
    check_columns(file, path, schema)
    for batch in file.iter_batches(rows, columns=schema.names):
        yield pa.RecordBatch.from_arrays([batch[field.name].cast(field.type) for field in schema], schema=schema)


def refuse_rows(path: Path, wrong: NDArray[np.bool_], key: str, expected: str, *, first_row: int = 1) -> None:
    """Refuse a file of which rows are wrong, by the first of them.

    Args:
        path: The file.
        wrong: (n,) bool, which rows of the part that is looked at.
        key: The column.
        expected: What would be right.
        first_row: Number of the part's first row in the file, which counts from 1.

    Raises:
        DataError: A row is wrong.
    """
    if wrong.any():
        row = first_row + int(np.argmax(wrong))
        raise DataError("the value is missing or will not do", file=path, row=row, key=key, expected=expected)


def _holds(found: pa.DataType, wanted: pa.DataType) -> bool:
    if not pa.types.is_string(wanted):
        return bool(pa.types.is_integer(found) or pa.types.is_floating(found))
    if pa.types.is_dictionary(found):
        return _holds(found.value_type, wanted)
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
