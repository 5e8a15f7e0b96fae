"""What a run ends with: `receipts.json`, and how it is held against the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gocv.core import DataError, Receipt, ReceiptLine
from gocv.data.recording import Recording
from gocv.metrics import match_shoppers


def receipts_json(recording: str, receipts: Sequence[Receipt], report: Mapping[str, Any]) -> dict[str, Any]:
    """The content of receipts.json. Probabilities are rounded to six digits."""
    return {
        "recording": recording,
        "receipts": [
            {
                "shopper": r.shopper,
                "items": [
                    {
                        "product": line.product,
                        "name": line.name,
                        "quantity": line.quantity,
                        "probability": round(line.probability, 6),
                        "events": list(line.events),
                    }
                    for line in r.items
                ],
                "probability": round(r.probability, 6),
                "needs_review": r.needs_review,
            }
            for r in receipts
        ],
        "report": dict(report),
    }


def read_receipts(path: Path) -> tuple[Receipt, ...]:
    """Receipts of a receipts.json.

    Raises:
        DataError: The file is missing or is not one.
    """
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))["receipts"]
        return tuple(
            Receipt(
                r["shopper"],
                tuple(ReceiptLine(**{**line, "events": tuple(line["events"])}) for line in r["items"]),
                r["probability"],
                r["needs_review"],
            )
            for r in listed
        )
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="the receipts.json of a run") from problem


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
