"""Scale samples on disk: one Parquet file for each group of plates that are sampled together.

Columns: `time_s` (float64, seconds on the scales' own clock) and one float32 column of grams for each plate, named
"gondola/shelf/plate". A null is a reading that is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from gocv.core import DataError, PlateId, ScaleSamples
from gocv.data.parquet import BatchWriter, batches, check_columns, open_parquet

_HOLDS = "scale samples"
_ROWS_A_GROUP = 7_200


class ScaleWriter:
    """Appends samples to a file, chunk by chunk."""

    def __init__(self, path: Path, plates: tuple[PlateId, ...]) -> None:
        self.plates = plates
        self._path = path
        self._file = BatchWriter(path, _schema(plates), _ROWS_A_GROUP)

    def write(self, samples: ScaleSamples) -> None:
        """Append `samples`, whose times are on the scales' own clock.

        Raises:
            DataError: The plates are not those of this file.
        """
        if samples.plates != self.plates:
            raise DataError(
                "these samples are of other plates", file=self._path.name, expected=", ".join(map(str, self.plates))
            )
        # Copies: these may wait for a while, and the arrays belong to the caller.
        time_s, weight_g = samples.time_s.copy(), np.array(samples.weight_g.T, order="C")
        columns = [pa.array(time_s), *(pa.array(c, from_pandas=True) for c in weight_g)]
        self._file.write(pa.RecordBatch.from_arrays(columns, schema=_schema(self.plates)))

    def close(self) -> None:
        """Finish the file."""
        self._file.close()


def read_plates_of(path: Path) -> tuple[PlateId, ...]:
    """The plates that a scale file holds.

    Raises:
        DataError: The file is missing or broken, or its columns are not `time_s` and plates.
    """
    with open_parquet(path, _HOLDS) as file:
        plates = tuple(_plate(path, name) for name in file.schema_arrow.names if name != "time_s")
        if not plates:
            raise DataError("holds no plates", file=path, expected="a column gondola/shelf/plate for each")
        check_columns(file, path, _schema(plates))
    return plates


def read_samples(path: Path, rows: int) -> Iterator[ScaleSamples]:
    """Samples of a scale file in its own order and on its own clock, at most `rows` at a time.

    Raises:
        DataError: The file is broken; what came before has been handed over.
    """
    plates = read_plates_of(path)
    with open_parquet(path, _HOLDS) as file:
        for batch in batches(file, path, _schema(plates), rows):
            time_s, *weights = (column.to_numpy(zero_copy_only=False) for column in batch.columns)
            yield ScaleSamples(plates, time_s=time_s, weight_g=np.stack(weights, axis=1))


def _schema(plates: tuple[PlateId, ...]) -> pa.Schema:
    return pa.schema([("time_s", pa.float64()), *((str(plate), pa.float32()) for plate in plates)])


def _plate(path: Path, name: str) -> PlateId:
    try:
        return PlateId.parse(name)
    except ValueError:
        raise DataError(
            "the column is no plate", file=path, key=name, expected="time_s or gondola/shelf/plate"
        ) from None
