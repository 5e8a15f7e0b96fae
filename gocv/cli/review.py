"""`gocv review`: what a person should be asked about a run, and what follows from the answers."""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gocv.cli.console import print_json, print_receipts, print_rows, refusing
from gocv.cli.options import Json
from gocv.core import Answer, ConfigError, Receipt, nearest

if TYPE_CHECKING:
    from gocv.fusion.questions import Question

LABELS = "labels.jsonl"
"""Answers, in the run folder; the next run of the recording into that folder uses them."""

CALIBRATOR, POLICY = "calibrator.json", "review.json"
"""What probabilities are calibrated by and which receipts are let pass, in the run folder, if there is such a thing."""

_UNITS = re.compile(r"(?:([+-]?\d{1,9})\s*[x×*]\s*)?(.+)")


def review_command(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder that 'gocv run' wrote.")],
    answer: Annotated[
        str | None,
        typer.Option(
            metavar="QUESTION=CHOICE",
            help="Answer a question: the number of one of its choices, or in words: a shopper, 'nobody', 'nothing', or "
            "products such as '2x0714,-1x0630' (negative: put back).",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most questions that are listed.")] = 10,
    as_json: Json = False,
) -> None:
    """List the questions whose answers would put most receipts right, or answer one.

    Answers are kept in RUN/labels.jsonl. The receipts that follow from them are printed at once; the next 'gocv run'
    into the same folder takes them in as evidence.
    """
    from gocv.fusion.answers import append_label
    from gocv.fusion.questions import questions

    with refusing():
        run = _Run(folder)
        asked = questions(run.answered(), answers=run.answers(), evidence=run.evidence)
        if answer is None:
            _show_questions(asked[:limit], run, as_json)
            return
        question, given = _answer(answer, asked, run)
        when = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        append_label(folder / LABELS, given, question=question, answered=when)
        receipts = run.answered()
    if as_json:
        from gocv.pipeline.receipts import receipt_json

        label = {"event": given.event, "shopper": given.shopper, "items": given.items}
        print_json({"answer": label, "receipts": [receipt_json(receipt) for receipt in receipts]})
        return
    print_receipts(receipts)
    typer.echo(f"wrote {folder / LABELS}")


class _Run:
    """What there is in a run folder."""

    def __init__(self, folder: Path) -> None:
        from gocv.fusion.calibrate import Calibrator
        from gocv.fusion.review import ReviewPolicy
        from gocv.pipeline.receipts import read_receipts, read_run

        self._labels = folder / LABELS
        self._receipts = read_receipts(folder / "receipts.json")
        written = read_run(folder / "receipts.json")
        self.names: Mapping[str, str] = written["names"]
        self.evidence: Mapping[str, Mapping[str, Any]] = written["evidence"]
        self._report: Sequence[Mapping[str, str]] = written["report"].get("fusion") or []
        calibrator, policy = folder / CALIBRATOR, folder / POLICY
        self._calibrator = Calibrator.load(calibrator) if calibrator.is_file() else None
        self._policy = ReviewPolicy.load(policy) if policy.is_file() else None

    @property
    def products(self) -> set[str]:
        """All that the receipts speak of."""
        return {*self.names, *(line.product for receipt in self._receipts for line in receipt.items)}

    @property
    def shoppers(self) -> set[str]:
        """Who has a receipt."""
        return {receipt.shopper for receipt in self._receipts if receipt.shopper is not None}

    @property
    def events(self) -> set[str]:
        """What the receipts' accounts speak of."""
        return {event for r in self._receipts for account in r.accounts for event in account.moves}

    def answers(self) -> tuple[Answer, ...]:
        """What was answered so far."""
        from gocv.fusion.answers import read_labels

        return read_labels(self._labels)

    def answered(self) -> tuple[Receipt, ...]:
        """The receipts with everything that was answered so far; what was answered is resolved."""
        from gocv.fusion.answers import with_answers
        from gocv.fusion.review import judged

        answers = self.answers()
        resolved = {f"event {a.event}" for a in answers}
        report = [entry for entry in self._report if entry["where"] not in resolved]
        judge = functools.partial(judged, calibrator=self._calibrator, policy=self._policy, report=report)
        return with_answers(self._receipts, answers, names=self.names, judge=judge)


def _show_questions(asked: Sequence[Question], run: _Run, as_json: bool) -> None:
    from gocv.fusion.questions import choice_text

    if as_json:
        print_json({"questions": [_question_json(question, run.names) for question in asked]})
        return
    rows = []
    for question in asked:
        seen = question.evidence or {}
        for number, (given, probability) in enumerate(question.choices, start=1):
            first = number == 1
            rows.append(
                {
                    "question": question.id if first else None,
                    "asks": question.text if first else None,
                    "choice": number,
                    "answer": choice_text(given, run.names),
                    "probability": probability,
                    "gain": question.gain if first else None,
                    "receipts": ", ".join(s or "(nobody)" for s in question.receipts) if first else None,
                    "look at": _look_at(seen) if first else None,
                }
            )
    if rows:
        print_rows("questions", rows)
        typer.echo("answer with --answer QUESTION=CHOICE; gain: receipts more that are then expected to be right")
    else:
        typer.echo("nothing to ask: no answer would change a receipt")


def _question_json(question: Question, names: Mapping[str, str]) -> dict[str, Any]:
    from gocv.fusion.questions import choice_text

    return {
        "id": question.id,
        "event": question.event,
        "kind": question.kind,
        "text": question.text,
        "choices": [
            {
                "choice": number,
                "answer": {"shopper": given.shopper, "items": given.items},
                "text": choice_text(given, names),
                "probability": round(probability, 6),
            }
            for number, (given, probability) in enumerate(question.choices, start=1)
        ],
        "gain": round(question.gain, 6),
        "cost": question.cost,
        "receipts": list(question.receipts),
        "evidence": None if question.evidence is None else dict(question.evidence),
    }


def _look_at(seen: Mapping[str, Any]) -> str:
    """Where a person finds it: seconds of the recording, plates, grams, cameras."""
    parts = []
    if seen.get("start_s") is not None and seen.get("end_s") is not None:
        parts.append(f"{seen['start_s']:.1f}-{seen['end_s']:.1f} s")
    if seen.get("plates"):
        parts.append("plates " + " ".join(seen["plates"]))
    if seen.get("total_g") is not None:
        parts.append(f"{seen['total_g']:+.0f} g")
    if seen.get("cameras"):
        parts.append("cameras " + " ".join(seen["cameras"]))
    return ", ".join(parts)


def _answer(text: str, asked: Sequence[Question], run: _Run) -> tuple[str, Answer]:
    """The question that is meant, and what was said."""
    valid = {f"{event}:{kind}" for event in run.events for kind in ("what", "who")}
    meant = max((name for name in valid if text.startswith(f"{name}=")), key=len, default=None)
    if meant is None:
        example = f", such as {asked[0].id}=1" if asked else ""
        problem = f"'{text.partition('=')[0]}' is no question"
        raise ConfigError(problem, key="answer", expected=f"QUESTION=CHOICE{example}")
    choice = text[len(meant) + 1 :].strip()
    event, _, kind = meant.rpartition(":")
    choices = next((question.choices for question in asked if question.id == meant), ())
    if choice.isdecimal() and 1 <= int(choice) <= len(choices):  # as listed, also where somebody is called that
        return meant, choices[int(choice) - 1][0]
    if choice == "nothing":
        return meant, Answer(event, items=())
    if kind == "who":
        return meant, Answer(event, shopper=_shopper(choice, run))
    return meant, Answer(event, items=_items(choice, run))


def _shopper(choice: str, run: _Run) -> str:
    if choice == "nobody":
        return ""
    if choice not in run.shoppers:
        raise ConfigError(f"there is no shopper '{choice}'", key="answer", expected=nearest(choice, run.shoppers))
    return choice


def _items(choice: str, run: _Run) -> tuple[tuple[str, int], ...]:
    units: dict[str, int] = {}
    for part in choice.split(","):
        found = _UNITS.fullmatch(part.strip())
        count, product = (1, "") if found is None else (int(found[1] or 1), found[2])
        if product not in run.products and product != "?":
            raise ConfigError(f"no product '{product}'", key="answer", expected=nearest(product, run.products))
        if not count or product in units:
            raise ConfigError(f"'{choice}' will not do", key="answer", expected="each product once, such as 2x0714")
        units[product] = count
    return tuple(sorted(units.items()))
