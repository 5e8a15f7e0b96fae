"""The one family of exceptions. Every message says what was wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class GocvError(Exception):
    """Base of every error gocv raises on purpose.

    Args:
        problem: What is wrong, in plain words.
        file: The file it was found in.
        row: The row (1-based, header not counted) or byte offset within the file, as text or number.
        key: The column, field or config key.
        expected: What would be right.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        row: int | str | None = None,
        key: str | None = None,
        expected: str | None = None,
    ) -> None:
        self.problem = problem
        self.file = None if file is None else str(file)
        self.row = row
        self.key = key
        self.expected = expected
        super().__init__(str(self))

    def __str__(self) -> str:
        where = [
            self.file,
            None if self.row is None else f"row {self.row}",
            None if self.key is None else f"key '{self.key}'",
        ]
        place = ", ".join(part for part in where if part)
        text = f"{place}: {self.problem}" if place else self.problem
        return f"{text} (expected {self.expected})" if self.expected else text

    def within(self, *, file: str | Path | None = None, key: str | None = None) -> GocvError:
        """The same, told from further out: `file` where none is named yet, and then `key` before its own.

        >>> str(ConfigError("is too wide", key="width_m").within(file="store.yaml", key="products.3"))
        "store.yaml, key 'products.3.width_m': is too wide"
        """
        if self.file is not None:
            return self
        inner = ".".join(part for part in (key, self.key) if part) or None
        return type(self)(self.problem, file=file, row=self.row, key=inner, expected=self.expected)

    def __reduce__(self) -> tuple[object, ...]:
        place = {"file": self.file, "row": self.row, "key": self.key, "expected": self.expected}
        return (_rebuild, (type(self), self.problem, place))


def _rebuild(kind: type[GocvError], problem: str, place: dict[str, str]) -> GocvError:
    return kind(problem, **place)


class DataError(GocvError):
    """A file of data, or an array handed over, is not what its format says."""


class ConfigError(GocvError):
    """A setting is unknown, of the wrong type or out of range."""


class MissingDependencyError(GocvError):
    """An optional package is needed and not installed."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Text naming the closest valid spelling of `name`, for an error message.

    >>> nearest("treshold", ["threshold", "window"])
    "'threshold'"
    >>> nearest("zzz", ["threshold", "window"])
    "one of 'threshold', 'window'"
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"'{close[0]}'"
    return "one of " + ", ".join(f"'{n}'" for n in names) if names else "nothing: there are no valid names"
