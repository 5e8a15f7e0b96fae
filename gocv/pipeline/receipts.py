"""What a run ends with: `receipts.json`, and how it is held against the truth."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gocv.core import Account, DataError, Receipt, ReceiptLine
from gocv.data.recording import Recording
from gocv.metrics import match_shoppers


def receipts_json(
    recording: str,
    receipts: Sequence[Receipt],
    report: Mapping[str, Any],
    evidence: Mapping[str, Mapping[str, Any]] | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The content of receipts.json.

    Args:
        recording: Its name.
        receipts: Of everybody.
        report: What each stage reported.
        evidence: What there is to look at, by the ids of events that receipts name.
        names: What people call products, by id; those are kept that receipts or their accounts speak of.
    """
    spoken_of = {line.product for r in receipts for line in r.items}
    for receipt in receipts:
        for account in receipt.accounts:
            spoken_of.update(product for product, _ in account.cart)
            spoken_of.update(move[1] for moves in account.moves.values() for move in moves)
    return {
        "recording": recording,
        "receipts": [receipt_json(receipt) for receipt in receipts],
        "names": {product: name for product, name in sorted((names or {}).items()) if product in spoken_of},
        "evidence": {event: dict(seen) for event, seen in (evidence or {}).items()},
        "report": dict(report),
    }


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """One receipt of receipts.json.

    Probabilities are rounded to six digits, those of accounts to twelve significant ones: answers that rule out the
    probable accounts bring forward the rare ones.
    """
    return {
        "shopper": receipt.shopper,
        "items": [
            {
                "product": line.product,
                "name": line.name,
                "quantity": line.quantity,
                "probability": round(line.probability, 6),
                "events": list(line.events),
            }
            for line in receipt.items
        ],
        "probability": round(receipt.probability, 6),
        "needs_review": receipt.needs_review,
        "left_s": _or_null(receipt.left_s),
        "released_s": _or_null(receipt.released_s),
        "accounts": [
            {
                "cart": [list(pair) for pair in account.cart],
                "probability": float(f"{account.probability:.12g}"),
                "moves": {event: [list(move) for move in moves] for event, moves in account.moves.items()},
            }
            for account in receipt.accounts
        ],
    }


def read_receipts(path: Path) -> tuple[Receipt, ...]:
    """Receipts of a receipts.json; what an older one does not hold is as in `Receipt`'s defaults.

    Raises:
        DataError: The file is missing or is not one.
    """
    return tuple(_receipt(path, number, value) for number, value in enumerate(read_run(path)["receipts"], start=1))


def read_run(path: Path) -> dict[str, Any]:
    """The whole of a receipts.json, with empty `names`, `evidence` and `report` where it has none.

    Raises:
        DataError: The file is missing or is not one.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="the receipts.json of a run") from problem
    if not isinstance(value, dict) or not isinstance(value.get("receipts"), list):
        raise DataError("holds no list of receipts", file=path, key="receipts", expected="the receipts.json of a run")
    for key in ("names", "evidence", "report"):
        if not isinstance(value.setdefault(key, {}), dict):
            raise DataError("is no object", file=path, key=key, expected="an object")
    return value


def as_units(receipts: Sequence[Receipt]) -> dict[str | None, dict[str, int]]:
    """Units by product by shopper, as `gocv.metrics.score_receipts` takes them."""
    return {r.shopper: {line.product: line.quantity for line in r.items} for r in receipts}


def truth_beside(receipts: Sequence[Receipt], recording: Recording) -> dict[str, Mapping[str, int]] | None:
    """The true receipts under the names of the receipts that they are compared with; None where not known."""
    if recording.truth is None or recording.truth.receipts is None:
        return None
    truth = {r.shopper: r.items for r in recording.truth.receipts}
    partner = match_shoppers(as_units(receipts), truth)
    named = {true: shopper for shopper, true in partner.items()}
    return {named.get(shopper, shopper): cart for shopper, cart in truth.items()}


def _receipt(path: Path, number: int, value: Any) -> Receipt:
    try:
        return Receipt(
            value["shopper"],
            tuple(ReceiptLine(**{**line, "events": tuple(line["events"])}) for line in value["items"]),
            value["probability"],
            value["needs_review"],
            tuple(_account(account) for account in value.get("accounts", ())),
            _or_nan(value.get("left_s")),
            _or_nan(value.get("released_s")),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        what = f"lacks {problem}" if isinstance(problem, KeyError) else f"cannot be read: {problem}"
        raise DataError(what, file=path, key=f"receipts.{number - 1}", expected="a receipt of a run") from problem


def _account(value: Mapping[str, Any]) -> Account:
    cart = tuple((product, int(units)) for product, units in value["cart"])
    moves = {event: tuple((s, p, int(n)) for s, p, n in moved) for event, moved in value["moves"].items()}
    return Account(cart, float(value["probability"]), moves)


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)
