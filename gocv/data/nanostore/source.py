"""Where the documents of a recording are: files in a folder, or an archive."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from gocv.core import DataError
from gocv.data.nanostore.archive import archive_namespaces, is_archive, read_archive
from gocv.data.nanostore.document import Document
from gocv.data.nanostore.documents import SUFFIXES, read_documents

PLATES, PLANOGRAM, PRODUCTS = "plate_data", "planogram", "products"
TARGETS, HEADS = "full_targets", "targets"
"""Shoppers with all their joints, and shoppers with heads alone, which early recordings have instead."""
COLLECTIONS = (PLATES, TARGETS, HEADS, PLANOGRAM, PRODUCTS)


@dataclasses.dataclass(frozen=True, slots=True)
class DocumentSource:
    """The collections of one recording.

    Attributes:
        names: What the recording may be called in the labels; the first names it.
        files: The file of each collection that is there; the same archive for all of them.
        database: The archive's database, or None where the collections are files of their own.
        ignored: Collections that are there and not used.
    """

    names: tuple[str, ...]
    files: dict[str, Path]
    database: str | None
    ignored: tuple[str, ...]

    def documents(self, *collections: str) -> Iterator[tuple[str, Document]]:
        """Stream the documents of `collections`, each with its collection's name; an archive mixes them.

        Raises:
            DataError: A file is damaged; the line or byte is named.
        """
        present = [c for c in collections if c in self.files]
        if self.database is None:
            for collection in present:
                for document in read_documents(self.files[collection]):
                    yield collection, document
        elif present:
            wanted = [(self.database, c) for c in present]
            for (_, collection), document in read_archive(self.files[present[0]], wanted):
                yield collection, document


def find_documents(source: Path) -> DocumentSource | None:
    """The collections at `source`, or None where there is no `plate_data`.

    `source` is an archive, a folder of files, or a folder that `mongodump` wrote (`<database>/<collection>.bson`,
    or with `dump/` before it).

    Raises:
        DataError: There are several recordings, or the archive is damaged.
    """
    if source.is_file():
        return _in_archive(source) if is_archive(source) else None
    dumped = {f.parent for pattern in ("*", "*/*") for f in source.glob(f"{pattern}/{PLATES}.bson*")}
    folders = [source] if _file(source, PLATES) else sorted(f for f in dumped if _file(f, PLATES))
    if len(folders) > 1:
        raise _several(source, [str(f.relative_to(source)) for f in folders])
    if not folders:
        return None
    folder = folders[0]
    files = {c: file for c in COLLECTIONS if (file := _file(folder, c))}
    others = {f.name.split(".")[0] for f in folder.glob("*.bson*")} - set(COLLECTIONS)
    names = list(dict.fromkeys((source.resolve().name, folder.resolve().name)))
    if len(names) > 1 and names[0] == "dump":  # what mongodump calls its folder says nothing of the recording
        del names[0]
    return DocumentSource(tuple(names), files, None, tuple(sorted(others)))


def _file(folder: Path, collection: str) -> Path | None:
    return next((f for suffix in SUFFIXES if (f := folder / (collection + suffix)).is_file()), None)


def _in_archive(path: Path) -> DocumentSource:
    namespaces = archive_namespaces(path)
    databases = [database for database, collection in namespaces if collection == PLATES]
    if not databases:
        raise DataError("holds no scale samples", file=path, expected=f"an archive with a collection {PLATES}")
    if len(databases) > 1:
        raise _several(path, databases)
    held = [collection for database, collection in namespaces if database == databases[0]]
    name = path.name.split(".")[0]
    return DocumentSource(
        names=tuple(dict.fromkeys((name, databases[0]))),
        files={c: path for c in COLLECTIONS if c in held},
        database=databases[0],
        ignored=tuple(sorted(set(held) - set(COLLECTIONS))),
    )


def _several(path: Path, names: list[str]) -> DataError:
    return DataError(f"holds several recordings: {', '.join(names)}", file=path, expected="one at a time")
