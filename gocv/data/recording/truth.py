"""The truth of a recording: events.csv and receipts.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gocv.core import DataError, PlateId
from gocv.data.config import Model, build
from gocv.data.files import write_json
from gocv.data.recording.parts import Truth, TruthEvent, TruthReceipt
from gocv.data.recording.schema import each_once
from gocv.data.tables import Row, read_csv, write_csv

EVENTS = ("time_s", "shopper", "product", "quantity", "plates")


class _Item(Model):
    product: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class _Receipt(Model):
    shopper: str = Field(min_length=1)
    items: Annotated[list[_Item], each_once("product")]


class _Receipts(Model):
    receipts: Annotated[list[_Receipt], each_once("shopper")]


def read_truth(events: Path | None, receipts: Path | None) -> Truth:
    """Read what there is.

    Raises:
        DataError: A file is missing or malformed; file, row and key are named.
    """
    happened = () if events is None else tuple(_event(row) for row in read_csv(events, EVENTS))
    return Truth(happened, None if receipts is None else _read_receipts(receipts))


def write_truth(truth: Truth, events: Path, receipts: Path) -> None:
    """Write the events in order of time, and the receipts where they are known."""
    rows = [
        (e.time_s, e.shopper, e.product, e.quantity, ";".join(map(str, e.plates)))
        for e in sorted(truth.events, key=lambda e: e.time_s)
    ]
    write_csv(events, EVENTS, rows)
    if truth.receipts is not None:
        listed = [
            {"shopper": r.shopper, "items": [{"product": p, "quantity": n} for p, n in sorted(r.items.items())]}
            for r in truth.receipts
        ]
        write_json(receipts, {"receipts": listed})


def _event(row: Row) -> TruthEvent:
    quantity = row.integer("quantity")
    if quantity == 0:
        raise row.error("moves nothing", "quantity", "units taken, or minus the units put back")
    listed = row.text("plates", may_be_blank=True)
    try:
        plates = tuple(sorted({PlateId.parse(p.strip()) for p in listed.split(";")} if listed else ()))
    except ValueError as problem:
        raise row.error(str(problem), "plates", "gondola/shelf/plate, several joined by ';'") from None
    return TruthEvent(row.finite("time_s"), row.text("shopper"), row.text("product"), quantity, plates)


def _read_receipts(path: Path) -> tuple[TruthReceipt, ...]:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="JSON of receipts") from problem
    listed = build(_Receipts, value, file=path, error=DataError).receipts
    return tuple(TruthReceipt(r.shopper, {i.product: i.quantity for i in r.items}) for r in listed)
