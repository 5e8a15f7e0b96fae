"""Bytes of a dump, plain or gzipped, and the BSON documents in them."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError

from gocv.core import DataError

_LARGEST = 48 * 2**20  # MongoDB refuses documents beyond 16 MiB; tools allow themselves some headers more
_TERMINATOR = -1
_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def open_bytes(path: Path) -> IO[bytes]:
    """Open for reading, unpacking gzip whatever the file is called.

    Raises:
        DataError: The file cannot be opened.
    """
    try:
        with path.open("rb") as start:
            packed = start.read(2) == b"\x1f\x8b"
        return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")
    except OSError as problem:
        raise DataError(f"cannot be read: {problem}", file=path) from problem


class BsonReader:
    """Context manager that reads a stream of BSON documents and counts its bytes.

    Args:
        path: The file, plain or gzipped. Offsets count unpacked bytes.

    Raises:
        DataError: From every method: the stream ends early, is damaged, or is not BSON; the byte is named.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self._file = open_bytes(path)

    def __enter__(self) -> BsonReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def exactly(self, count: int, what: str) -> bytes:
        """The next `count` bytes, which are (part of) `what`."""
        data = self._read(count)
        if len(data) < count:
            raise self.error(f"ends within {what}", f"{count} bytes, {len(data)} are left", at=self.offset - len(data))
        return data

    def document(self, what: str, *, terminator: bool) -> bytes | None:
        """The next document, undecoded; None at the end of the stream or, where one is allowed, at a terminator."""
        start = self.offset
        head = self._read(4)
        if not head and not terminator:
            return None
        if len(head) < 4:
            raise self.error(f"ends where {what} should go on", "a BSON document or a terminator", at=start)
        (length,) = struct.unpack("<i", head)
        if terminator and length == _TERMINATOR:
            return None
        if not 5 <= length <= _LARGEST:
            also = " or a terminator" if terminator else ""
            raise self.error(f"{length} cannot be the length of {what}", f"5 to {_LARGEST} bytes{also}", at=start)
        body = head + self.exactly(length - 4, what)
        if body[-1]:
            raise self.error(f"{what} does not end in a zero byte", "BSON", at=start)
        return body

    def decode(self, body: bytes, what: str) -> dict[str, Any]:
        """The content of the document that has just been read."""
        try:
            return bson.decode(body, _OPTIONS)
        except (BSONError, ValueError, OverflowError, RecursionError) as problem:
            raise self.error(f"{what} is damaged: {problem}", "BSON", at=self.offset - len(body)) from problem

    def place(self, back: int = 0) -> str:
        """Where the reader stands, `back` bytes ago."""
        return f"byte {self.offset - back}"

    def error(self, problem: str, expected: str | None = None, *, at: int | None = None) -> DataError:
        """A DataError about this place, or about byte `at`."""
        return DataError(problem, file=self.path, row=f"byte {self.offset if at is None else at}", expected=expected)

    def _read(self, count: int) -> bytes:
        try:
            data = self._file.read(count)
        except (OSError, EOFError, zlib.error) as problem:
            raise self.error(f"cannot be unpacked or read on: {problem}", "the whole file") from problem
        self.offset += len(data)
        return data
