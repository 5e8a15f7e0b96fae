"""Documents of one collection from one file: mongoexport's JSON lines or mongodump's BSON."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from bson import json_util
from bson.errors import BSONError

from gocv.core import DataError
from gocv.data.nanostore.binary import BsonReader, open_bytes
from gocv.data.nanostore.document import Document

SUFFIXES = (".json", ".bson", ".json.gz", ".bson.gz")


def read_documents(path: str | Path) -> Iterator[Document]:
    """Stream the documents of a collection, one in memory at a time.

    Args:
        path: A file of JSON lines (`mongoexport`; Extended JSON in either mode) or of BSON (`mongodump`), plain or
            gzipped. What it is, its name says.

    Raises:
        DataError: The file cannot be read, is cut short or is damaged; the line or byte is named.
    """
    path = Path(path)
    if path.name.endswith((".bson", ".bson.gz")):
        return _bson(path)
    return _json_lines(path)


def _bson(path: Path) -> Iterator[Document]:
    with BsonReader(path) as reader:
        while (body := reader.document("a document", terminator=False)) is not None:
            yield Document(path, reader.place(back=len(body)), reader.decode(body, "a document"))


def _json_lines(path: Path) -> Iterator[Document]:
    number = 0
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield Document(path, number, _json(path, number, line))
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"cannot be read on: {problem}", file=path, row=number + 1) from problem


def _json(path: Path, number: int, line: bytes) -> Mapping[str, object]:
    expected = "one JSON document a line, as mongoexport writes without --jsonArray or --pretty"
    try:
        fields = json_util.loads(line.decode("utf-8"))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, BSONError) as problem:
        raise DataError(f"is not JSON: {problem}", file=path, row=number, expected=expected) from problem
    if not isinstance(fields, dict):
        raise DataError("is not a document", file=path, row=number, expected=expected)
    return fields
