"""A simulated person who answers the questions about receipts, and always truthfully.

The questions are those of `gocv.fusion.questions` that are about receipts which a person has to look at, the most
useful first, each put once. A choice that is the truth is taken; where none is, the person says "none of these", which
teaches nothing and counts all the same. Questions end when no receipt has to be looked at, or none is left to ask.
"""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gocv.bench.store_scores import true_name
from gocv.core import Answer, Receipt
from gocv.data.recording import Truth, TruthEvent
from gocv.fusion.answers import with_answers
from gocv.fusion.calibrate import Calibrator
from gocv.fusion.questions import Question, questions
from gocv.fusion.review import ReviewPolicy, judged
from gocv.pipeline.receipts import read_receipts, read_run

_WITHIN_S = 2.0
"""What happened no longer than this before or after an episode is what the question is about."""


def review(folder: Path, truth: Truth) -> tuple[tuple[Receipt, ...], int]:
    """Ask until nothing is left to ask about the receipts of a run.

    Args:
        folder: The run folder: its receipts, what they rest on, and by what they are judged.
        truth: What happened.

    Returns:
        The receipts after the answers, and how many questions were asked.

    Raises:
        DataError: A file of the run is missing or broken.
    """
    whole = read_run(folder / "receipts.json")
    receipts = told = read_receipts(folder / "receipts.json")
    judge = functools.partial(
        judged,
        calibrator=Calibrator.load(folder / "calibrator.json"),
        policy=ReviewPolicy.load(folder / "review.json"),
        report=whole["report"].get("fusion", ()),
    )
    happened = _happened(whole["evidence"], truth)
    answers: dict[str, Answer] = {}
    asked: set[str] = set()
    while True:
        unsure = {receipt.shopper or "" for receipt in told if receipt.needs_review}
        left = [q for q in questions(told) if q.id not in asked and unsure.intersection(q.receipts)]
        if not left:
            return told, len(asked)
        asked.add(left[0].id)
        answer = _answer(left[0], happened.get(left[0].event, ()), truth)
        if answer is not None:
            before = answers.get(answer.event, Answer(answer.event))
            answers[answer.event] = _both(before, answer)
            told = with_answers(receipts, list(answers.values()), judge=judge)


def _happened(evidence: Mapping[str, Mapping[str, Any]], truth: Truth) -> dict[str, list[TruthEvent]]:
    """What happened in each event: everything at a shelf belongs to the event there that is nearest in time."""
    by_shelf: defaultdict[str, list[tuple[str, float, float]]] = defaultdict(list)
    for name, seen in evidence.items():
        by_shelf[seen["shelf"]].append((name, seen["start_s"], seen["end_s"]))
    happened: defaultdict[str, list[TruthEvent]] = defaultdict(list)
    for event in truth.events:
        if event.kind != "shelf" or not event.plates:
            continue
        there = by_shelf[str(event.plates[0].shelf_id)]
        away_s = [(max(start_s - event.time_s, event.time_s - end_s, 0.0), name) for name, start_s, end_s in there]
        if away_s and min(away_s)[0] <= _WITHIN_S:
            happened[min(away_s)[1]].append(event)
    return dict(happened)


def _answer(question: Question, happened: Sequence[TruthEvent], truth: Truth) -> Answer | None:
    """The choice that is true, or None where none is."""
    units: defaultdict[str, int] = defaultdict(int)
    for event in happened:
        units[event.product] += event.quantity
    items = tuple(sorted((product, n) for product, n in units.items() if n))
    people = {event.shopper for event in happened}
    time_s = happened[0].time_s if happened else 0.0
    for choice, _ in question.choices:
        if question.kind == "what" or choice.items is not None:
            if choice.items == items:
                return choice
        elif choice.shopper is not None and people == {true_name(choice.shopper, time_s, truth)}:
            return choice
    return None


def _both(before: Answer, later: Answer) -> Answer:
    """Two answers about one event in one."""
    if later.items == ():
        return later
    return dataclasses.replace(
        before,
        shopper=before.shopper if later.shopper is None else later.shopper,
        items=before.items if later.items is None else later.items,
    )
