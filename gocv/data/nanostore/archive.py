"""Archives as `mongodump --archive` writes them, with or without `--gzip`.

After the magic number come a header, a metadata document for each collection, and a terminator (int32 -1). Then
segments follow, those of different collections in any order: a namespace header {db, collection, EOF, CRC}, documents,
a terminator. A header with EOF closes its collection and holds the CRC-64/XZ of all its documents.
(mongo-tools, common/archive/spec.md)
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from gocv.core import DataError
from gocv.data.nanostore.binary import BsonReader, open_bytes
from gocv.data.nanostore.document import Document

MAGIC = struct.pack("<I", 0x8199E26D)
Namespace = tuple[str, str]
"""Database and collection."""


def is_archive(path: Path) -> bool:
    """Whether the file, unpacked, begins like an archive; a file that cannot be unpacked does not."""
    try:
        with open_bytes(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except (DataError, OSError, EOFError):
        return False


def archive_namespaces(path: Path) -> list[Namespace]:
    """The collections that an archive says it holds.

    Raises:
        DataError: It is not an archive, or its first part is damaged; the byte is named.
    """
    with BsonReader(path) as reader:
        return _prelude(reader)


def read_archive(path: Path, wanted: Collection[Namespace]) -> Iterator[tuple[Namespace, Document]]:
    """Documents of the `wanted` collections in the order of the file; the others are stepped over.

    Raises:
        DataError: The archive is cut short or damaged; the byte is named.
    """
    with BsonReader(path) as reader:
        listed = [n for n in _prelude(reader) if n in wanted]
        checksums: dict[Namespace, int] = {}
        closed: set[Namespace] = set()
        while (segment := reader.document("a namespace header", terminator=False)) is not None:
            start = reader.offset - len(segment)
            header = reader.decode(segment, "a namespace header")
            namespace = _namespace(reader, header, start)
            if namespace in closed:
                raise reader.error(f"{'.'.join(namespace)} goes on after its end", at=start)
            while (body := reader.document(f"collection {'.'.join(namespace)}", terminator=True)) is not None:
                if namespace in wanted:
                    checksums[namespace] = crc64(body, checksums.get(namespace, 0))
                    place = reader.place(back=len(body))
                    yield namespace, Document(path, place, reader.decode(body, f"a document of {namespace[1]}"))
            checksums.setdefault(namespace, 0)
            if header.get("EOF"):
                closed.add(namespace)
                if namespace in wanted:
                    _check(reader, namespace, header, checksums[namespace], start)
        missing = [n for n in (*listed, *checksums) if n not in closed]
        if missing:
            raise reader.error(f"ends before collection {'.'.join(missing[0])} does", "a header that closes it")


def crc64(data: bytes, crc: int = 0) -> int:
    """CRC-64/XZ (ECMA-182, reflected) of `data`, carried on from `crc`.

    >>> hex(crc64(b"123456789"))
    '0x995dc9bbdf1939fa'
    """
    crc ^= 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = _CRC64[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFFFFFFFFFF


def _crc64_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0xC96C5795D7870F42 if byte & 1 else 0)
    return byte


_CRC64 = tuple(map(_crc64_of_byte, range(256)))


def _prelude(reader: BsonReader) -> list[Namespace]:
    magic = reader.exactly(len(MAGIC), "the magic number")
    if magic != MAGIC:
        raise reader.error(f"begins with {magic.hex()}", f"{MAGIC.hex()}, as mongodump --archive writes", at=0)
    if reader.document("the header", terminator=True) is None:
        raise reader.error("has no header", "a BSON document")
    namespaces = []
    while (body := reader.document("the list of collections", terminator=True)) is not None:
        entry = reader.decode(body, "the list of collections")
        namespaces.append(_namespace(reader, entry, reader.offset - len(body)))
    return namespaces


def _namespace(reader: BsonReader, header: dict[str, Any], start: int) -> Namespace:
    database, collection = header.get("db"), header.get("collection")
    if not isinstance(database, str) or not isinstance(collection, str):
        raise reader.error("does not name a collection", "a document with db and collection", at=start)
    return database, collection


def _check(reader: BsonReader, namespace: Namespace, header: dict[str, Any], checksum: int, start: int) -> None:
    stated = header.get("CRC")
    if not isinstance(stated, int) or stated % 2**64 != checksum:
        expected = f"CRC {stated % 2**64:016x}" if isinstance(stated, int) else "a header with its CRC"
        raise reader.error(f"collection {'.'.join(namespace)} is damaged: CRC {checksum:016x}", expected, at=start)
