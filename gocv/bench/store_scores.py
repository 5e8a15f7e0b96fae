"""Holding what a method found in a simulated store against the truth, and summing that up over recordings.

Receipts are compared as `gocv.metrics.score_receipts` says, but for those of staff, whom nobody charges. A receipt is
exact where every unit is right; a shopper who has no receipt counts as having an empty one, and a receipt that lists
something and belongs to nobody is a wrong one. Events are the moves at shelves (`gocv.metrics.events`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gocv.bench.methods import Found
from gocv.core import Receipt
from gocv.data.config import Model
from gocv.data.recording import Truth
from gocv.metrics import match_shoppers, score_receipts
from gocv.metrics.calibration import RiskCoverage, calibration_error, risk_coverage
from gocv.metrics.events import EventCounts, TimedEvent, count_events, sum_events

ERROR_BOUND = 0.005
"""The share of wrong receipts among those that no person looks at which a store is taken to bear."""
_TOLERANCE_S = 2.0
"""Systems differ in what they call the time of a change; a lift may take several seconds."""


class JudgedReceipt(Model):
    """A receipt held against the truth.

    Attributes:
        exact: Whether every unit is right.
        probability: That it is, as the method says; None where it says nothing.
        review: Whether the method wants a person to look at it.
        wait_s: Seconds from when the shopper left until it was given out; None where that is not known.
    """

    exact: bool
    probability: float | None = None
    review: bool = False
    wait_s: float | None = None


class Asked(Model):
    """What became of a recording's receipts when people answered the questions about it, truthfully.

    Attributes:
        questions: How many were asked.
        receipts: How many receipts there are.
        exact: How many of them are exact after the answers.
        unsure: How many have to be looked at as a whole after the answers.
    """

    questions: int
    receipts: int
    exact: int
    unsure: int


class RecordingScore(Model):
    """What one method scored on one recording.

    Attributes:
        true_positives, predicted, true: Units; see `gocv.metrics.ReceiptScore`.
        f1: Of the recording.
        receipts: One for each true shopper, and one for each that belongs to nobody and lists something.
        events: Fields of `gocv.metrics.events.EventCounts`.
        asked: Where questions were asked.
    """

    true_positives: int
    predicted: int
    true: int
    f1: float
    receipts: tuple[JudgedReceipt, ...]
    events: Mapping[str, int]
    asked: Asked | None = None


def score(found: Found, truth: Truth) -> RecordingScore:
    """Hold what a method found in one recording against what happened; receipts must be known."""
    carts = {r.shopper: dict(r.items) for r in truth.receipts or ()}
    staff = _staff(truth)
    units = {s: cart for s, cart in found.units.items() if s is None or not _who(s, truth) <= staff}
    counted = score_receipts(units, carts)
    return RecordingScore(
        true_positives=counted.true_positives,
        predicted=counted.predicted,
        true=counted.true,
        f1=counted.f1,
        receipts=tuple(_judged(units, carts, {r.shopper: r for r in found.receipts})),
        events=dataclasses.asdict(_events(found, truth)),
    )


def asked(after: Found, questions: int, truth: Truth) -> Asked:
    """What became of receipts, given as they are once so many questions are answered."""
    judged = score(after, truth).receipts
    exact, unsure = sum(r.exact for r in judged), sum(r.review for r in judged)
    return Asked(questions=questions, receipts=len(judged), exact=exact, unsure=unsure)


def figures(scores: Sequence[RecordingScore]) -> dict[str, Any]:
    """What a method scored on recordings of one kind; None where there is nothing to score.

    Counts of units, events and receipts are summed before they are divided. What has no probability or no review is
    not scored on them.
    """
    receipts = [receipt for s in scores for receipt in s.receipts]
    events = sum_events(EventCounts(**s.events) for s in scores)
    units = sum(s.predicted + s.true for s in scores)
    found: dict[str, Any] = {
        "recordings": len(scores),
        "receipts": len(receipts),
        "macro_f1": float(np.mean([s.f1 for s in scores])),
        "micro_f1": 2 * sum(s.true_positives for s in scores) / units if units else 1.0,
        "units_wrong": units - 2 * sum(s.true_positives for s in scores),
        "exact": _share(sum(r.exact for r in receipts), len(receipts)),
        "event_precision": _finite(events.precision),
        "event_recall": _finite(events.recall),
        "event_identification": _finite(events.identification),
        "event_who": _finite(events.who),
    }
    return found | (_believed(receipts) if any(r.probability is not None for r in receipts) else {}) | _asked(scores)


def risk_of(scores: Sequence[RecordingScore]) -> RiskCoverage:
    """Risk against coverage of all receipts of the recordings; who was never seen is never looked at either."""
    receipts = [receipt for s in scores for receipt in s.receipts]
    return risk_coverage(
        [1.0 if r.probability is None else r.probability for r in receipts], [r.exact for r in receipts]
    )


def _believed(receipts: Sequence[JudgedReceipt]) -> dict[str, Any]:
    stated = [(r.probability, r.exact) for r in receipts if r.probability is not None]
    calibration = calibration_error([p for p, _ in stated], [exact for _, exact in stated])
    unreviewed = [r for r in receipts if not r.review]
    risk = risk_coverage(
        [1.0 if r.probability is None else r.probability for r in receipts], [r.exact for r in receipts]
    )
    threshold = risk.threshold_at(ERROR_BOUND)
    waits_s = [r.wait_s for r in receipts if r.wait_s is not None]
    p50, p95 = np.percentile(waits_s, [50, 95]).tolist() if waits_s else (None, None)
    return {
        "calibration_error": calibration.error,
        "reviews_per_1000": 1000 * (1 - len(unreviewed) / len(receipts)),
        "error_among_unreviewed": _share(sum(not r.exact for r in unreviewed), len(unreviewed)),
        "hindsight_reviews_per_1000": risk.reviews_per_1000_at(ERROR_BOUND),
        "hindsight_threshold": _finite(threshold),
        "wait_s_p50": p50,
        "wait_s_p95": p95,
    }


def _asked(scores: Sequence[RecordingScore]) -> dict[str, Any]:
    asked = [s.asked for s in scores if s.asked is not None]
    if not asked:
        return {}
    receipts = sum(a.receipts for a in asked)
    return {
        "questions_per_1000": 1000 * sum(a.questions for a in asked) / receipts if receipts else None,
        "exact_after_answers": _share(sum(a.exact for a in asked), receipts),
        "reviews_per_1000_after_answers": 1000 * sum(a.unsure for a in asked) / receipts if receipts else None,
    }


def _judged(
    units: Mapping[str | None, Mapping[str, int]], carts: Mapping[str, Mapping[str, int]], stated: Mapping[Any, Receipt]
) -> list[JudgedReceipt]:
    named = {true: shopper for shopper, true in match_shoppers(units, carts).items()}
    judged = []
    for shopper, cart in carts.items():
        name = named.get(shopper)
        exact = cart == ({} if name is None else _listed(units[name]))
        judged.append(_with_statement(exact, stated.get(name) if name is not None else None))
    nobodys = [name for name in units if name is None or name not in named.values()]
    return judged + [_with_statement(False, stated.get(name)) for name in nobodys if _listed(units[name])]


def _with_statement(exact: bool, receipt: Receipt | None) -> JudgedReceipt:
    if receipt is None:
        return JudgedReceipt(exact=exact)
    wait_s = _finite(receipt.released_s - receipt.left_s)
    return JudgedReceipt(exact=exact, probability=receipt.probability, review=receipt.needs_review, wait_s=wait_s)


def _events(found: Found, truth: Truth) -> EventCounts:
    predicted = [
        TimedEvent(found.places[m.event], m.time_s, ((m.product, m.quantity),), true_name(m.shopper, m.time_s, truth))
        for m in found.moves
        if m.event in found.places
    ]
    happened = [
        TimedEvent(e.plates[0].shelf_id, e.time_s, ((e.product, e.quantity),), e.shopper)
        for e in truth.events
        if e.kind == "shelf" and e.plates
    ]
    return count_events(predicted, happened, tolerance_s=_TOLERANCE_S)


def true_name(name: str | None, time_s: float, truth: Truth) -> str:
    """The true shopper behind a name at a moment; "" for nobody."""
    if name is None:
        return ""
    meant = [n.shopper for n in truth.names if n.name == name and n.time_s <= time_s]
    return meant[-1] if meant else name


def _who(name: str, truth: Truth) -> set[str]:
    """All whom a name ever stood for."""
    return {n.shopper for n in truth.names if n.name == name} or {name}


def _staff(truth: Truth) -> set[str]:
    """Everybody who did something, or was seen, and gets no receipt."""
    somebody = {e.shopper for e in truth.events} | {n.shopper for n in truth.names}
    return somebody - {r.shopper for r in truth.receipts or ()}


def _listed(cart: Mapping[str, int]) -> dict[str, int]:
    return {product: units for product, units in cart.items() if units > 0}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
