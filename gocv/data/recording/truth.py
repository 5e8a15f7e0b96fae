"""The truth of a recording: events.csv, receipts.json, planogram.csv and names.csv."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gocv.core import DataError, PlateId
from gocv.data.config import Model, build
from gocv.data.files import write_json
from gocv.data.recording.parts import Truth, TruthEvent, TruthName, TruthReceipt, TruthStanding
from gocv.data.recording.schema import each_once
from gocv.data.tables import Row, read_csv, write_csv

EVENTS = ("time_s", "shopper", "product", "quantity", "plates")
_ELSEWHERE = ("kind", "to")
"""Columns that a file has when something happened elsewhere than at a shelf."""
_KINDS: dict[str, Literal["shelf", "floor", "hand_over"]] = {
    "": "shelf",
    "shelf": "shelf",
    "floor": "floor",
    "hand_over": "hand_over",
}
STANDINGS = ("time_s", "product", "plate", "units")
NAMES = ("time_s", "name", "shopper")


class _Item(Model):
    product: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class _Receipt(Model):
    shopper: str = Field(min_length=1)
    items: Annotated[list[_Item], each_once("product")]


class _Receipts(Model):
    receipts: Annotated[list[_Receipt], each_once("shopper")]


def read_truth(files: Mapping[str, Path | None]) -> Truth:
    """Read what there is.

    Args:
        files: Path, or None where there is none, of `events`, `receipts`, `planogram` and `names`.

    Raises:
        DataError: A file is missing or malformed; file, row and key are named.
    """
    events, receipts, planogram, names = (files.get(key) for key in ("events", "receipts", "planogram", "names"))
    return Truth(
        () if events is None else tuple(_event(row) for row in read_csv(events, EVENTS)),
        None if receipts is None else _read_receipts(receipts),
        () if planogram is None else tuple(_standing(row) for row in read_csv(planogram, STANDINGS)),
        () if names is None else tuple(_name(row) for row in read_csv(names, NAMES)),
    )


def write_truth(truth: Truth, folder: Path) -> dict[str, str]:
    """Write what is known, events in order of time.

    Returns:
        The files that were written, by the keys that `read_truth` takes.
    """
    files = {"events": "events.csv"}
    happened = sorted(truth.events, key=lambda e: e.time_s)
    columns: tuple[str, ...] = EVENTS if all(e.kind == "shelf" for e in happened) else (*EVENTS, *_ELSEWHERE)
    rows = [
        (e.time_s, e.shopper, e.product, e.quantity, ";".join(map(str, e.plates)), e.kind, e.to)[: len(columns)]
        for e in happened
    ]
    write_csv(folder / "events.csv", columns, rows)
    if truth.receipts is not None:
        listed = [
            {"shopper": r.shopper, "items": [{"product": p, "quantity": n} for p, n in sorted(r.items.items())]}
            for r in truth.receipts
        ]
        files["receipts"] = "receipts.json"
        write_json(folder / "receipts.json", {"receipts": listed})
    for key, header, entries in (("planogram", STANDINGS, truth.planogram), ("names", NAMES, truth.names)):
        if entries:
            files[key] = f"{key}.csv"
            write_csv(folder / files[key], header, [_cells(entry) for entry in entries])
    return files


def _cells(entry: TruthStanding | TruthName) -> list[object]:
    values = [getattr(entry, field.name) for field in dataclasses.fields(entry)]
    return [str(value) if isinstance(value, PlateId) else value for value in values]


def _event(row: Row) -> TruthEvent:
    quantity = row.integer("quantity")
    if quantity == 0:
        raise row.error("moves nothing", "quantity", "units that came to the shopper, or minus those that left")
    listed = row.text("plates", may_be_blank=True)
    plates = tuple(sorted({_plate(row, "plates", p.strip()) for p in listed.split(";")} if listed else ()))
    kind, to = (row.text_or(key, "") for key in _ELSEWHERE)
    if kind not in _KINDS:
        raise row.error(f"'{kind}' is no kind of event", "kind", "shelf, floor or hand_over")
    if (kind == "hand_over") != bool(to) or (to and quantity > 0):
        raise row.error("is not a whole hand-over", "to", "with kind hand_over who got it and quantity < 0, else blank")
    shopper, product = row.text("shopper"), row.text("product")
    return TruthEvent(row.finite("time_s"), shopper, product, quantity, plates, _KINDS[kind], to)


def _standing(row: Row) -> TruthStanding:
    plate = _plate(row, "plate", row.text("plate"))
    return TruthStanding(row.finite("time_s"), row.text("product"), plate, row.integer("units", least=0))


def _name(row: Row) -> TruthName:
    return TruthName(row.finite("time_s"), row.text("name"), row.text("shopper"))


def _plate(row: Row, key: str, text: str) -> PlateId:
    try:
        return PlateId.parse(text)
    except ValueError as problem:
        raise row.error(str(problem), key, "gondola/shelf/plate, several joined by ';'") from None


def _read_receipts(path: Path) -> tuple[TruthReceipt, ...]:
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="JSON of receipts") from problem
    listed = build(_Receipts, value, file=path, error=DataError).receipts
    return tuple(TruthReceipt(r.shopper, {i.product: i.quantity for i in r.items}) for r in listed)
