"""The smallest question that most reduces the expected error of the receipts comes first.

Of an event e one can ask what moved, or who moved it. Every account of a shopper's visit gives one answer a to it, so
that a truthful answer leaves the accounts that give it. With the probability P_r(c, a) of cart c and answer a on
receipt r, the receipt is right with max_c P_r(c) as it stands, and once answered

    gain = Σ_r  Σ_a max_c P_r(c, a)  -  max_c P_r(c)

more receipts are expected to be right, the sum over all receipts that the event may touch; a cart with something that
is not in the catalogue is never right. That is the expected value
of perfect information on the answer (Howard, "Information value theory", IEEE Trans. Systems Science and Cybernetics
1966) where a wrong receipt costs one. Questions are ranked by gain per cost; a choice of two is the cheapest.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from gocv.core import UNKNOWN, Answer, Receipt
from gocv.data.config import Model
from gocv.fusion.answers import Items, Moves, best_cart, items_of, says_the_same

Kind = Literal["what", "who"]

_KINDS: tuple[Kind, ...] = ("what", "who")


class QuestionSettings(Model):
    """What a question costs, and which are worth asking.

    Attributes:
        two_way: Cost of a choice between two.
        each_more: Cost of each choice more.
        most_choices: Most choices in one question; what is less probable is "none of these".
        least_choice: Choices less probable than this are not offered.
        least_gain: Receipts that a question must be expected to put right.
    """

    two_way: float = Field(default=1.0, gt=0)
    each_more: float = Field(default=0.5, ge=0)
    most_choices: int = Field(default=5, ge=2)
    least_choice: float = Field(default=1e-3, ge=0, lt=1)
    least_gain: float = Field(default=1e-4, gt=0)


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """Something that a person can see, and that fusion is not sure of.

    Attributes:
        id: EVENT:KIND.
        event: Id of the event.
        kind: "what" moved, or "who" moved it.
        choices: Answers and their probabilities, most probable first. What is missing from 1 is none of these.
        gain: How many receipts more are expected to be right once it is answered.
        cost: What it costs to ask.
        receipts: Shoppers whose receipts it is about, "" for nobody known; those with most to gain first.
        evidence: Where to look, as the caller has it of the event: `start_s`, `shelf`, `cameras` and the like.
    """

    id: str
    event: str
    kind: Kind
    choices: tuple[tuple[Answer, float], ...]
    gain: float
    cost: float
    receipts: tuple[str, ...]
    evidence: Mapping[str, Any] | None = None

    @property
    def text(self) -> str:
        """The question as a person is asked it."""
        seen = self.evidence or {}
        at = f" at {seen['start_s']:.1f} s" if seen.get("start_s") is not None else ""
        on = f" on shelf {seen['shelf']}" if seen.get("shelf") else f" in {self.event}"
        return f"{'What moved' if self.kind == 'what' else 'Who moved something'}{on}{at}?"


def questions(
    receipts: Sequence[Receipt],
    limit: int | None = None,
    *,
    answers: Sequence[Answer] = (),
    evidence: Mapping[str, Mapping[str, Any]] | None = None,
    settings: QuestionSettings | None = None,
) -> list[Question]:
    """What to ask about the receipts of a run, most gain per cost first.

    Gains are of each question alone: once one is answered, the others are to be asked for again (`with_answers`).

    Args:
        receipts: With their accounts; all of a run, for one answer may touch several.
        limit: Most that are given.
        answers: What was answered already, and is not asked again.
        evidence: What there is to look at, by event id.
        settings: Costs, and what is worth asking.
    """
    settings = settings or QuestionSettings()
    known = {(a.event, "what") for a in answers if a.items is not None}
    known |= {(a.event, "who") for a in answers if a.shopper is not None or a.items == ()}
    touched: defaultdict[str, list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        for event in dict.fromkeys(event for account in receipt.accounts for event in account.moves):
            touched[event].append(receipt)
    found = [
        question
        for event, about in touched.items()
        if any(len({account.cart for account in receipt.accounts}) > 1 for receipt in about)
        for kind in _KINDS
        if (event, kind) not in known
        and (question := _question(event, kind, about, (evidence or {}).get(event), settings)) is not None
    ]
    found.sort(key=lambda q: (-q.gain / q.cost, q.cost, q.id))
    return found[:limit]


def choice_text(answer: Answer, names: Mapping[str, str] | None = None) -> str:
    """An answer as a person reads it.

    >>> choice_text(Answer("e1", items=(("7", 2), ("8", -1))), {"7": "Cola"})
    '2 × Cola taken, 1 × 8 put back'
    """
    if answer.items == ():
        return "nothing moved"
    if answer.items is None:
        return answer.shopper or "nobody of these people"
    called = {UNKNOWN: "something that is not in the catalogue", **(names or {})}
    return ", ".join(
        f"{abs(units)} × {called.get(product, product)} {'taken' if units > 0 else 'put back'}"
        for product, units in answer.items
    )


def _question(
    event: str, kind: Kind, about: Sequence[Receipt], evidence: Mapping[str, Any] | None, settings: QuestionSettings
) -> Question | None:
    """The question, or None where there is no choice or too little to gain."""
    shares = _shares(event, kind, about)
    offered = sorted((a for a in shares if a is not None), key=lambda a: (-shares[a], str(a)))
    offered = [a for a in offered if shares[a] >= settings.least_choice][: settings.most_choices]
    if len(offered) < 2:
        return None
    probability = {answer: shares[answer] for answer in offered}
    gains = {r.shopper or "": _gain(r, event, kind, probability) for r in about}
    gain = math.fsum(gains.values())
    if gain < settings.least_gain:
        return None
    cost = settings.two_way + settings.each_more * (len(offered) - 2)
    whose = sorted((s for s in gains if gains[s] > 0), key=lambda s: (-gains[s], s))
    choices = tuple(probability.items())
    return Question(f"{event}:{kind}", event, kind, choices, gain, cost, tuple(whose), evidence)


def _answer(event: str, kind: Kind, moves: Moves) -> Answer | None:
    """What an account answers; None where no single answer says it: several people had a hand in it."""
    items: Items = items_of(moves)
    if kind == "what":
        return Answer(event, items=items)
    if not moves:
        return Answer(event, items=())
    people = {shopper for shopper, _, _ in moves}
    return Answer(event, shopper=people.pop()) if len(people) == 1 else None


def _shares(event: str, kind: Kind, about: Sequence[Receipt]) -> dict[Answer | None, float]:
    """How probable each answer is: the mean over the receipts whose accounts give one."""
    shares: defaultdict[Answer | None, float] = defaultdict(float)
    for receipt in about:
        told = [(_answer(event, kind, a.moves[event]), a.probability) for a in receipt.accounts if event in a.moves]
        held = math.fsum(p for _, p in told)
        for answer, p in told:
            shares[answer] += p / held / len(about) if held else 0.0
    return dict(shares)


def _gain(receipt: Receipt, event: str, kind: Kind, offered: Mapping[Answer, float]) -> float:
    """How much more probable it is that one receipt is right once the question is answered.

    "None of these" teaches nothing: the receipt then stays as it stands. Accounts that do not speak of the event give
    the answers that they agree with, in proportion.
    """
    told: defaultdict[tuple[Answer | None, Items], float] = defaultdict(float)
    for account in receipt.accounts:
        if event in account.moves:
            given = _answer(event, kind, account.moves[event])
            told[given if given in offered else None, account.cart] += account.probability
            continue
        fits = {a: p for a, p in offered.items() if says_the_same(account, a, receipt.shopper)}
        total = math.fsum(fits.values())
        for given, p in fits.items():
            told[given, account.cart] += account.probability * p / total
        if not fits:
            told[None, account.cart] += account.probability
    stands = best_cart(receipt)
    best: defaultdict[Answer, float] = defaultdict(float)
    as_it_is = 0.0
    for (answer, cart), p in told.items():
        if answer is not None and UNKNOWN not in dict(cart):
            best[answer] = max(best[answer], p)
            as_it_is += p if cart == stands else 0.0
    return max(0.0, math.fsum(best.values()) - as_it_is)
