"""What really happened: `events_v14.json`, and the receipts of `winner_scored_receipts.json` that were right."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gocv.core import DataError, PlateId, Product
from gocv.data.nanostore.document import Document

_DAY_FIRST = re.compile(r"(\d{4})-(\d\d)-(\d\d)_(\d\d)-(\d\d)-(\d\d)")
_MONTH_FIRST = re.compile(r"(\d\d)_(\d\d)_(\d{4})_(\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"(\d+):(\d\d)\s*\+\s*(.+)")


@dataclasses.dataclass(frozen=True, slots=True)
class LabelledEvent:
    """Something that a labeller saw.

    Attributes:
        place: File, row and key, for complaints.
        unix_s: When, to the second; NaN where the label's time cannot be read.
        shopper: Who.
        plates: Where.
        products: What, a product for each unit, as the label has it.
        returned: It was put back, not taken.
    """

    place: str
    unix_s: float
    shopper: str
    plates: tuple[PlateId, ...]
    products: tuple[Product, ...]
    returned: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Labels:
    """Labels of any number of recordings.

    Attributes:
        events: By the recording's name; several lists of one name follow each other.
        receipts: By the recording's name: units by barcode for each shopper, of receipts that scored F1 = 1.
    """

    events: dict[str, list[LabelledEvent]]
    receipts: dict[str, dict[str, dict[str, int]]]


def read_labels(path: Path) -> Labels:
    """Read a file of labels, or all JSON files of a folder that hold some; what a file holds, its content says.

    Raises:
        DataError: A file cannot be read or is malformed; file, row and key are named.
    """
    labels = Labels({}, {})
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    for file in files:
        try:
            content: Any = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as problem:
            raise DataError(f"cannot be read: {problem}", file=file, expected="JSON") from problem
        if isinstance(content, dict) and "lists" in content:
            for entry in Document(file, 1, content).parts("lists"):
                labels.events.setdefault(entry.text("dataset"), []).extend(map(_event, entry.parts("events")))
        elif isinstance(content, list):
            for entry in Document(file, 1, {"testcases": content}).parts("testcases"):
                if entry.number("f1") == 1.0:
                    labels.receipts[entry.text("testcase")] = _receipts(entry)
        elif file == path:
            raise DataError("holds no labels", file=file, expected="a list of test cases, or a document with 'lists'")
    return labels


def label_unix_s(text: str) -> float:
    """The time of a label in Unix seconds; NaN where it cannot be read.

    Labels are in UTC: a moment, or minutes and seconds since one (the start of the video they were made from).

    >>> label_unix_s("2020-01-28_22-24-15") - label_unix_s("0:05 + 2020-01-28_22-24-10")
    0.0
    >>> label_unix_s("11_07_2019_03:05:53") - label_unix_s("2019-11-07_03-05-53")
    0.0
    """
    text = text.strip()
    offset = _OFFSET.fullmatch(text)
    if offset:
        return 60 * int(offset[1]) + int(offset[2]) + label_unix_s(offset[3])
    if match := _DAY_FIRST.fullmatch(text):
        parts = [int(part) for part in match.groups()]
    elif match := _MONTH_FIRST.fullmatch(text):
        month, day, year, *clock = (int(part) for part in match.groups())
        parts = [year, month, day, *clock]
    else:
        return math.nan
    try:
        year, month, day, hour, minute, second = parts
        return datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        return math.nan


def _event(entry: Document) -> LabelledEvent:
    seen = "observation"
    gondola, shelf = entry.integer(f"{seen}.position.gondola"), entry.integer(f"{seen}.position.shelf")
    indices = entry.get(f"{seen}.position.plates", [])
    if not isinstance(indices, list) or not all(isinstance(i, int) for i in indices):
        raise entry.error(f"{indices!r} will not do", f"{seen}.position.plates", "a list of whole numbers")
    return LabelledEvent(
        place=f"{entry.file.name}, {entry.prefix.rstrip('.')}",
        unix_s=label_unix_s(entry.text(f"{seen}.time")),
        shopper=entry.text(f"{seen}.target_id"),
        plates=tuple(sorted(PlateId(gondola, shelf, i) for i in indices)),
        products=tuple(_product(part) for part in entry.parts(f"{seen}.products")),
        returned=bool(entry.integer("putback")),
    )


def _product(part: Document) -> Product:
    return Product(part.text("id"), part.text("name"), part.number("weight", math.nan))


def _receipts(entry: Document) -> dict[str, dict[str, int]]:
    receipts: dict[str, dict[str, int]] = {}
    for receipt in entry.parts("receipts"):
        items = receipts.setdefault(receipt.text("target_id"), {})
        for item in receipt.parts("products"):
            barcode = item.text("barcode")
            items[barcode] = items.get(barcode, 0) + item.integer("quantity", 1)
    return receipts


def labelled_products(labels: Labels) -> Iterator[Product]:
    """The products that the labels name, with their barcodes; those that the labellers did not know are left out."""
    for events in labels.events.values():
        for event in events:
            yield from (product for product in event.products if product.name and product.id.isdecimal())
