"""One document of the data set's databases, and getters that complain with file, row and key."""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gocv.core import DataError

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Document:
    """A document, or a part of one, that knows where it was read.

    Protobuf messages were turned into these documents, so a field that is missing has its default (0 or "").

    Attributes:
        file: The file it stands in.
        row: Its line (from 1), or "byte n" in a binary file.
        fields: Its content; JSON and BSON give the same types here, but for bytes, which JSON keeps as base64 text.
        prefix: Where this part stands within its document: "" or such as "document.targets.".
    """

    file: Path
    row: int | str
    fields: Mapping[str, Any]
    prefix: str = ""

    def get(self, key: str, default: Any = None) -> Any:
        """The value at a dotted key, `default` where any step of the way is missing.

        Raises:
            DataError: A step of the way is there and is not a document.
        """
        value: Any = self.fields
        for step in key.split("."):
            if not isinstance(value, Mapping):
                raise self.error("leads through something that is not a document", key, "a document")
            if step not in value:
                return default
            value = value[step]
        return value

    def parts(self, key: str) -> list[Document]:
        """The documents of the list at `key`; none where it is missing.

        Raises:
            DataError: It is not a list of documents.
        """
        items = self.get(key, [])
        if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
            raise self.error("will not do", key, "a list of documents")
        return [Document(self.file, self.row, item, f"{self.prefix}{key}.{i}.") for i, item in enumerate(items)]

    def text(self, key: str, default: str = "") -> str:
        """The value at `key` as text without outer blanks; an id stored as a signed 64-bit number reads unsigned.

        Raises:
            DataError: It is neither text nor a whole number.
        """
        value = self.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value % 2**64)
        if not isinstance(value, str):
            raise self.error(f"{value!r} will not do", key, "text")
        return value.strip()

    def number(self, key: str, default: float = 0.0) -> float:
        """The value at `key` as a number.

        Raises:
            DataError: It is not a number.
        """
        value = self.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(f"{value!r} will not do", key, "a number")
        return float(value)

    def integer(self, key: str, default: int = 0) -> int:
        """The value at `key` as a whole number.

        Raises:
            DataError: It is not a whole number.
        """
        value = self.number(key, default)
        if not value.is_integer():
            raise self.error(f"{value!r} will not do", key, "a whole number")
        return int(value)

    def unix_s(self, key: str) -> float:
        """The instant at `key` in Unix seconds: a date, RFC 3339 text (UTC where it names no zone) or Unix seconds.

        Raises:
            DataError: It is missing or none of these.
        """
        value = self.get(key)
        try:
            seconds = _unix_s(value)
        except (ValueError, OverflowError):
            seconds = math.nan
        if not math.isfinite(seconds):
            raise self.error(f"{value!r} will not do", key, "an instant such as 2020-04-22T05:06:36.859Z")
        return seconds

    def error(self, problem: str, key: str | None = None, expected: str | None = None) -> DataError:
        """A DataError about this document."""
        place = None if key is None else self.prefix + key
        return DataError(problem, file=self.file, row=self.row, key=place, expected=expected)


def _unix_s(value: object) -> float:
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)).timestamp()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    match = _INSTANT.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not an instant")
    day, clock, fraction, zone = match.groups()
    whole = datetime.datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in (None, 'Z') else zone}")
    return whole.timestamp() + float(fraction or 0)
