"""The form of cps-test-01: a CSV series for each plate, a table of products, clips."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, PlateId, ScaleSamples
from gocv.data.nanostore.catalogue import Barcodes, read_product_table
from gocv.data.nanostore.contents import Contents, Gondola
from gocv.data.nanostore.plates import left_out
from gocv.data.nanostore.samples import SampleSorter

_NAME = re.compile(r"gondola_(\d+)_shelf_(\d+)_plate_(\d+)\.csv")
_ROWS = 3_600
_Series = dict[int, dict[PlateId, Path]]


def find_series(source: Path) -> _Series:
    """The plates' files by gondola and plate, sorted; empty where `source` is not of this form."""
    series: _Series = {}
    found = ((PlateId(*map(int, m.groups())), f) for f in source.glob("plates/*") if (m := _NAME.fullmatch(f.name)))
    for plate, file in sorted(found):
        if min(plate) > 0:
            series.setdefault(plate.gondola, {})[plate] = file
    return series


def read_series_form(
    source: Path, series: _Series, barcodes: Barcodes, clips: tuple[Path, ...], notes: list[str]
) -> Contents:
    """Read all but the scale samples, of which one plate of each gondola is surveyed; they are streamed later.

    Raises:
        DataError: A table is missing or malformed, or there is not one scale sample; file, row and key are named.
    """
    times = {g: _times(next(iter(files.values()))) for g, files in series.items()}
    empty = [g for g, t in times.items() if len(t) == 0]
    notes += [f"gondola {g} has no samples" for g in empty]
    sampled = {g: t for g, t in times.items() if len(t)}
    if not sampled:
        raise DataError("holds no scale samples", file=source / "plates", expected="rows of Unix time and grams")
    products, planogram = read_product_table(source / "products.csv", barcodes, notes)
    gondolas = {g: Gondola(tuple(series[g]), _rate_hz(t)) for g, t in sampled.items()}
    return Contents(
        names=(source.resolve().name,),
        gondolas=gondolas,
        span_unix_s=(min(float(t.min()) for t in sampled.values()), max(float(t.max()) for t in sampled.values())),
        stream=functools.partial(_stream, {g: series[g] for g in gondolas}),
        sightings=None,
        products=products,
        planogram=planogram,
        clips=clips,
    )


def _rate_hz(unix_s: NDArray[np.float64]) -> float:
    """Samples a second, from the usual time between two."""
    return round(1 / float(np.median(np.diff(np.sort(unix_s)))), 1) if len(unix_s) > 1 else 60.0


def _times(file: Path) -> NDArray[np.float64]:
    with _open(file) as lines:
        parts = [part[:, 0] for part in _chunks(file, lines)]
    return np.concatenate(parts) if parts else np.empty(0)


def _stream(series: _Series, origin_unix_s: float, notes: list[str]) -> Iterator[tuple[int, ScaleSamples]]:
    """Read the plates of a gondola side by side."""
    for gondola, files in series.items():
        sorter = SampleSorter(tuple(files), origin_unix_s)
        with ExitStack() as stack:
            columns = [_chunks(file, stack.enter_context(_open(file))) for file in files.values()]
            for row, parts in zip(itertools.count(1, _ROWS), itertools.zip_longest(*columns)):
                unix_s = _shared_times(list(files.values()), parts, row)
                for chunk in sorter.add(unix_s, np.stack([p[:, 1] for p in parts], axis=1).astype(np.float32)):
                    yield gondola, chunk
        for chunk in sorter.flush():
            yield gondola, chunk
        notes.extend(left_out(gondola, sorter))


def _shared_times(files: list[Path], parts: tuple[NDArray[np.float64] | None, ...], row: int) -> NDArray[np.float64]:
    """The times of the first part, which all must have."""
    reference = parts[0]
    for file, part in zip(files, parts, strict=True):
        if reference is None or part is None or len(part) != len(reference):
            lengths = [0 if p is None else len(p) for p in (reference, part)]
            raise DataError(
                f"ends at row {row - 1 + min(lengths)}, or {files[0].name} does",
                file=file,
                expected="equally many rows",
            )
        differ = np.flatnonzero(part[:, 0] != reference[:, 0])
        if len(differ):
            raise DataError(
                f"has another time than {files[0].name}", file=file, row=row + int(differ[0]), expected="the same times"
            )
    assert reference is not None
    unix_s: NDArray[np.float64] = reference[:, 0]
    return unix_s


def _open(file: Path) -> IO[str]:
    try:
        return file.open(encoding="utf-8")
    except OSError as problem:
        raise DataError(f"cannot be read: {problem}", file=file) from problem


def _chunks(file: Path, lines: IO[str]) -> Iterator[NDArray[np.float64]]:
    """(n, 2) Unix times and grams, `_ROWS` lines at a time; blank lines are passed over."""
    for start in itertools.count(1, _ROWS):
        try:
            chunk = list(itertools.islice(lines, _ROWS))
        except (OSError, UnicodeDecodeError) as problem:
            raise DataError(f"cannot be read: {problem}", file=file, row=start) from problem
        if not chunk:
            return
        yield np.array([_row(file, row, line) for row, line in enumerate(chunk, start) if line.strip()]).reshape(-1, 2)


def _row(file: Path, row: int, line: str) -> tuple[float, float]:
    cells = line.split(",")
    try:
        unix_s, weight_g = float(cells[0]), float(cells[1])
        if len(cells) == 2 and np.isfinite(unix_s):
            return unix_s, weight_g if np.isfinite(weight_g) else np.nan
    except (ValueError, IndexError):
        pass
    raise DataError(f"'{line.strip()}' will not do", file=file, row=row, expected="Unix time and grams")
