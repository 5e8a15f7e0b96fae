"""Tables of what hands looked like: one Parquet file a camera, written as the frames come.

A row is a picture of a hand: `time_s` (float64, the recording's clock), `shopper` (text), `hand` (int8: 0 left, 1
right), `side_px` (float32, side of the square that was cut out), `holds` (float32, probability that there is something
in it) and `vector` (fixed-size list of float32, of length 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa

from gocv.core import DataError, HandLooks
from gocv.data.files import written_whole
from gocv.data.parquet import BatchWriter, check_columns, open_parquet, refuse_rows

_ROWS_A_GROUP = 2_000
_ROW = pa.schema(
    [
        pa.field("time_s", pa.float64(), nullable=False),
        pa.field("shopper", pa.string(), nullable=False),
        pa.field("hand", pa.int8(), nullable=False),
        pa.field("side_px", pa.float32(), nullable=False),
        pa.field("holds", pa.float32(), nullable=False),
    ]
)


class HandLooksWriter:
    """Writes one camera's table in bounded memory; the file appears whole when the `with` block ends well.

    Args:
        path: Where to.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open = ExitStack()
        self._length: int | None = None

    def __enter__(self) -> HandLooksWriter:
        self._temporary = self._open.enter_context(written_whole(self.path))
        return self

    def write(self, looks: HandLooks) -> None:
        """Append rows; their camera is that of the table.

        Raises:
            DataError: Vectors have another length than before.
        """
        if not len(looks):
            return
        length = looks.vector.shape[1]
        if self._length is None:
            self._start(length)
        if length != self._length:
            expected = f"{self._length} as before"
            raise DataError(f"vectors have {length} values", file=self.path, key="vector", expected=expected)
        values = pa.array(np.ascontiguousarray(looks.vector).ravel())
        columns = [
            pa.array(looks.time_s),
            pa.array([looks.shoppers[i] for i in looks.shopper.tolist()], pa.string()),
            pa.array(looks.hand.astype(np.int8)),
            pa.array(looks.side_px),
            pa.array(looks.holds),
            pa.FixedSizeListArray.from_arrays(values, length),
        ]
        self._file.write(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def _start(self, length: int) -> None:
        self._length = length
        self._schema = _ROW.append(pa.field("vector", pa.list_(pa.float32(), length), nullable=False))
        self._file = BatchWriter(self._temporary, self._schema, _ROWS_A_GROUP)
        self._open.callback(self._file.close)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._length is None:
            self._start(0)
        self._open.__exit__(kind, error, trace)


def read_hand_looks(tables: Mapping[str, Path], shoppers: Sequence[str]) -> HandLooks:
    """What all cameras saw of hands, in order of time.

    Args:
        tables: Path of each camera's table, by its name.
        shoppers: Names that `HandLooks.shopper` is to index; rows of others are left out.

    Raises:
        DataError: A file is missing or broken, holds what cannot be, or vectors of two cameras differ in length.
    """
    index = {name: i for i, name in enumerate(shoppers)}
    parts = [_read(path, number, tuple(tables), index) for number, path in enumerate(tables.values())]
    lengths = {part.vector.shape[1]: path for part, path in zip(parts, tables.values(), strict=True) if len(part)}
    if len(lengths) > 1:
        file, expected = list(lengths.values())[-1], "tables of one encoder"
        raise DataError(f"vectors have {' and '.join(map(str, lengths))} values", file=file, expected=expected)
    full = [part for part in parts if len(part)]
    if not full:
        return HandLooks.empty(shoppers=tuple(shoppers), cameras=tuple(tables))
    looks = HandLooks.concatenate(full)
    return looks[np.argsort(looks.time_s, kind="stable")]


def _read(path: Path, camera: int, cameras: tuple[str, ...], index: Mapping[str, int]) -> HandLooks:
    with open_parquet(path, "looks of hands") as file:
        check_columns(file, path, _ROW)
        kind = file.schema_arrow.field("vector").type if "vector" in file.schema_arrow.names else None
        if kind is None or not pa.types.is_fixed_size_list(kind):
            expected = "a fixed-size list of float32"
            raise DataError(f"the column holds {kind or 'nothing'}", file=path, key="vector", expected=expected)
        table = file.read()
    names = table["shopper"].to_pylist()
    known = np.flatnonzero([name in index for name in names])
    numbers = {name: table[name].to_numpy() for name in ("time_s", "hand", "side_px", "holds")}
    flat = table["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vector = flat.reshape(len(names), kind.list_size)
    refuse_rows(path, ~np.isfinite(numbers["time_s"]), "time_s", "finite seconds")
    refuse_rows(path, ~np.isin(numbers["hand"], (0, 1)), "hand", "0 or 1")
    refuse_rows(path, ~((numbers["holds"] >= 0) & (numbers["holds"] <= 1)), "holds", "0 to 1")
    refuse_rows(path, ~np.isfinite(vector).all(axis=1), "vector", "finite numbers")
    return HandLooks(
        tuple(index),
        cameras,
        shopper=np.array([index[names[row]] for row in known.tolist()], np.int64),
        camera=np.full(len(known), camera),
        vector=vector[known],
        **{name: column[known] for name, column in numbers.items()},
    )
