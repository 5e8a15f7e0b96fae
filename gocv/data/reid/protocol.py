"""Protocol lists: CSV files that say which pictures are for training, query and gallery."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from gocv.core import DataError
from gocv.data.reid.names import ANY
from gocv.data.reid.pictures import ReidDataset, ReidPictures
from gocv.data.reid.published import refuse_nobody

_EXPECTED = "a person and a picture below the root: 0005,query/0005_c2_f0046985.jpg"


def read_protocol(
    train_csv: str | Path, query_csv: str | Path, gallery_csv: str | Path, root: str | Path, *, name: str = "protocol"
) -> ReidDataset:
    """A data set from three lists of rows `person,picture`, without header; names are as `read_folder` wants them.

    Args:
        train_csv: Pictures to learn from.
        query_csv: Pictures to search with.
        gallery_csv: Pictures to search in.
        root: Folder that the pictures are below; they need not be there.
        name: Of the data set; one with published counts can be handed to `check_published`.

    Raises:
        DataError: A list cannot be read; or a row is not right, names a picture again, or has another person than the
            picture's name; or there is junk in training or query.
    """
    train, query, gallery = (_listed(Path(path), Path(root)) for path in (train_csv, query_csv, gallery_csv))
    refuse_nobody(train)
    refuse_nobody(query)
    return ReidDataset(name, train, query, gallery)


def _listed(path: Path, root: Path) -> ReidPictures:
    rows: dict[str, tuple[int, int]] = {}
    for number, cells in _rows(path):
        person, picture = cells if len(cells) == 2 else ("", "")
        place = PurePosixPath(picture)
        said = ANY.match(place.name)
        if said is None or place.is_absolute() or ".." in place.parts:
            raise DataError(f"is '{','.join(cells)}'", file=path, row=number, expected=_EXPECTED)
        if person not in (place.name.partition("_")[0], str(said[0])):
            raise DataError(f"person '{person}'", file=path, row=number, expected=f"{said[0]}, as {place.name} says")
        if picture in rows:
            raise DataError(f"names {picture} again", file=path, row=number, expected="a picture once")
        rows[picture] = said
    said_of_all = np.array(list(rows.values()), np.int64).reshape(-1, 2)
    return ReidPictures(tuple(root / picture for picture in rows), said_of_all[:, 0], said_of_all[:, 1])


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from enumerate(csv.reader(file, strict=True), start=1)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"cannot be read: {reason}", file=path, expected="rows of person,picture") from error
