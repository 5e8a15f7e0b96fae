"""Small CSV tables read row by row, so that every complaint can name its row."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.files import written_whole

_MOST = 999_999_999


class Row:
    """One row of a CSV table; getters raise DataError naming file, row and column."""

    __slots__ = ("_file", "_values", "number")

    def __init__(self, file: Path, number: int, values: dict[str, str]) -> None:
        self._file, self.number, self._values = file, number, values

    def text(self, key: str, *, may_be_blank: bool = False) -> str:
        """The cell as text."""
        value = self._values[key]
        if not value and not may_be_blank:
            raise self.error("is blank", key, "a value")
        return value

    def text_or(self, key: str, default: str) -> str:
        """The cell as text, which may be blank; `default` where the table has no such column."""
        return self._values.get(key, default)

    def number_or_nan(self, key: str, *, least: float = -math.inf, most: float = math.inf) -> float:
        """The cell as a finite number from `least` to `most`; NaN where it is blank."""
        value = self._values[key]
        if not value:
            return math.nan
        try:
            number = float(value) if _plain(value) else math.inf
        except ValueError:
            number = math.inf
        if not math.isfinite(number) or not least <= number <= most:
            limits = [
                f"{word} {limit:g}" for word, limit in (("at least", least), ("at most", most)) if abs(limit) < math.inf
            ]
            raise self.error(f"'{value}' will not do", key, " ".join(["a finite number", *limits]))
        return number

    def numbers_or_nan(self, keys: Sequence[str], *, least: float = -math.inf, most: float = math.inf) -> list[float]:
        """The cells as finite numbers, or NaN where all of them are blank."""
        numbers = [self.number_or_nan(key, least=least, most=most) for key in keys]
        blank = [key for key in keys if not self._values[key]]
        if 0 < len(blank) < len(keys):
            raise self.error("is blank", blank[0], f"{', '.join(keys)}: all of them or none")
        return numbers

    def finite(self, key: str) -> float:
        """The cell as a finite number; it must not be blank."""
        self.text(key)
        return self.number_or_nan(key)

    def integer(self, key: str, *, least: int = -_MOST) -> int:
        """The cell as a whole number of at most nine digits, at least `least`."""
        value = self.text(key)
        try:
            number = int(value) if _plain(value) else _MOST + 1
        except ValueError:
            number = _MOST + 1
        if not least <= number <= _MOST:
            expected = f"a whole number from {least}" if least > -_MOST else "a whole number"
            raise self.error(f"'{value}' will not do", key, f"{expected} of at most nine digits")
        return number

    def error(self, problem: str, key: str | None = None, expected: str | None = None) -> DataError:
        """A DataError about this row."""
        return DataError(problem, file=self._file, row=self.number, key=key, expected=expected)


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of a UTF-8 CSV file whose header holds at least `columns`.

    Cells lose the blanks around them. Rows without any text are passed over at the end of the file; elsewhere they
    are errors, because in a table with a row a frame they would shift what follows.

    Raises:
        DataError: The file is missing, is not text, or lacks a column; a row has more or fewer cells than the header.
    """
    try:
        # "-sig": spreadsheets put a byte order mark before the header.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True, skipinitialspace=True)
            header = [name.strip() for name in next(reader, [])]
            for column in columns:
                if header.count(column) != 1:
                    problem = "stands in the header twice" if column in header else "is missing"
                    raise DataError(f"the column {problem}", file=path, key=column, expected=", ".join(columns))
            blank = None
            for number, cells in enumerate(reader, start=1):
                if not any(map(str.strip, cells)):
                    blank = blank or number
                    continue
                if blank:
                    raise DataError("the row is blank", file=path, row=blank, expected="no blank rows between others")
                if len(cells) != len(header):
                    raise DataError(f"has {len(cells)} cells", file=path, row=number, expected=str(len(header)))
                yield Row(path, number, dict(zip(header, (c.strip() for c in cells), strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DataError(f"cannot be read: {reason}", file=path, expected="a CSV table in UTF-8") from problem


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV table whole or not at all; NaN becomes a blank cell, other floats keep every digit."""
    with written_whole(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(value) for value in row] for row in rows)


def _plain(value: str) -> bool:
    """Whether Python reads a number only where everybody would: int and float also take "1_0" and "١"."""
    return value.isascii() and "_" not in value


def _cell(value: object) -> object:
    if isinstance(value, (float, np.floating)):
        return "" if math.isnan(value) else repr(float(value))
    return value
