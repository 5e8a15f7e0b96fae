"""What people say of single events: what follows for receipts at once, and how it is kept.

Answers are kept as labels, a JSON object a line, and are part of the evidence when the recording is run again. Until
then accounts are conditioned on them,

    P(account | answer) ∝ P(account) · (1 where the account says the same, else the chance of a slip),

which is exact as far as the accounts go: what fusion left out as too improbable does not come back. The share of the
probability that the accounts of a receipt hold together stays what it was.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from gocv.core import UNKNOWN, Account, Answer, DataError, Receipt, ReceiptLine
from gocv.data.config import Model, build

Items = tuple[tuple[str, int], ...]
"""(product id, units) pairs sorted by product."""

Moves = tuple[tuple[str, str, int], ...]
"""(shopper, product id, units), as `Account.moves` has them."""

SLIP = 1e-3
"""The chance that somebody answers wrongly by mistake."""


class _Label(Model):
    """A line of a file of labels; `about` is whatever was noted beside the answer."""

    event: str = Field(min_length=1)
    shopper: str | None = None
    items: tuple[tuple[str, int], ...] | None = None
    about: dict[str, Any] = Field(default_factory=dict)


def items_of(moves: Moves) -> Items:
    """What moved, whoever did it: units by product, sorted, products of which as much went as came left out."""
    units: defaultdict[str, int] = defaultdict(int)
    for _, product, n in moves:
        units[product] += n
    return tuple(sorted((product, n) for product, n in units.items() if n))


def says_the_same(account: Account, answer: Answer, shopper: str | None) -> bool:
    """Whether an account of the visit of `shopper` agrees with an answer.

    Who names somebody says that something moved, and that they moved all of it. An account that does not speak of the
    event agrees with whatever leaves its own shopper out.
    """
    moves = account.moves.get(answer.event)
    if moves is None:
        return answer.shopper is None or answer.items == () or answer.shopper != (shopper or "")
    if answer.items is not None and items_of(moves) != answer.items:
        return False
    if answer.shopper is None or answer.items == ():
        return True
    return bool(moves) and all(name == answer.shopper for name, _, _ in moves)


def best_cart(receipt: Receipt) -> Items:
    """The most probable cart: over the accounts, or as listed where there are none."""
    carts = carts_of(receipt.accounts)
    if not carts:
        return tuple((line.product, line.quantity) for line in receipt.items)
    return max(carts, key=lambda cart: (carts[cart], cart))


def carts_of(accounts: Sequence[Account]) -> dict[Items, float]:
    """The probability of each cart."""
    carts: defaultdict[Items, float] = defaultdict(float)
    for account in accounts:
        carts[account.cart] += account.probability
    return dict(carts)


def with_answer(receipts: Sequence[Receipt], answer: Answer, **settings: Any) -> tuple[Receipt, ...]:
    """Receipts once something has been answered; see `with_answers`."""
    return with_answers(receipts, [answer], **settings)


def with_answers(
    receipts: Sequence[Receipt],
    answers: Sequence[Answer],
    *,
    slip: float = SLIP,
    names: Mapping[str, str] | None = None,
    judge: Callable[[Receipt], Receipt] = lambda receipt: receipt,
) -> tuple[Receipt, ...]:
    """Receipts once some things have been answered, without running fusion again.

    Receipts that no answer touches are given back as they are. One none of whose accounts agrees with an answer cannot
    be mended here: it is marked for review, and waits for the next run.

    Args:
        receipts: All of a run, so that names of products are found.
        answers: At most one of each event, as `read_labels` has them.
        slip: The chance that an answer is wrong.
        names: What people call products, by id, where no receipt says so yet; else their ids stand for them.
        judge: What is done to a receipt whose probability is the accounts' own, such as `gocv.fusion.review.judged`.
    """
    known = {line.product: line.name for r in receipts for line in r.items} | dict(names or {})
    found = []
    for receipt in receipts:
        own = receipt.shopper or ""
        asked = [a for a in answers if _touches(receipt, a) or (a.shopper == own and a.items != ())]
        if not asked:
            found.append(receipt)
            continue
        agree = [[says_the_same(account, a, receipt.shopper) for account in receipt.accounts] for a in asked]
        mended = judge(_restated(receipt, _conditioned(receipt.accounts, agree, slip), known))
        hopeless = not all(any(row) for row in agree)
        found.append(dataclasses.replace(mended, needs_review=True) if hopeless else mended)
    return tuple(found)


def combined(before: Answer, later: Answer) -> Answer:
    """Two answers on one event in one; that nothing moved and that somebody moved it undo one another."""
    if later.items == ():
        return Answer(later.event, None, ())
    items = before.items or None if later.items is None else later.items
    return Answer(later.event, before.shopper if later.shopper is None else later.shopper, items)


def append_label(path: Path, answer: Answer, **about: Any) -> None:
    """Add an answer to a file of labels, which is made if need be; a last line that was torn off is cut away.

    Args:
        path: The file.
        answer: What was said.
        about: Whatever else is worth keeping, such as the question, by whom and when; JSON.
    """
    items = None if answer.items is None else [list(pair) for pair in answer.items]
    label: dict[str, Any] = {"event": answer.event, "shopper": answer.shopper, "items": items}
    line = json.dumps({**label, **({"about": about} if about else {})}, ensure_ascii=False, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        before = file.read()
        whole = before.rpartition(b"\n")[0]
        torn = before[len(whole) + 1 if b"\n" in before else 0 :]
        if torn and _parsed(torn) is None:
            file.truncate(len(before) - len(torn))
            torn = b""
        file.write((b"\n" if torn else b"") + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read_labels(path: Path) -> tuple[Answer, ...]:
    """The answers of a file of labels: one of each event, in the order in which events were first asked about.

    A later line on the same event adds to an earlier one, or takes its place where both say the same kind of thing. A
    last line that was torn off is passed over. No file is no answers.

    Raises:
        DataError: The file cannot be read, or a line is no label; the message names the file, the line and the key.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return ()
    except OSError as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="labels, a JSON object a line") from problem
    answers: dict[str, Answer] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        value = _parsed(line)
        if value is None:
            if number == len(lines):
                break  # written by a process that was killed on the way
            raise DataError("is no JSON object", file=path, row=number, expected="a label a line")
        try:
            label = build(_Label, value, error=DataError)
        except DataError as problem:
            raise DataError(
                problem.problem, file=path, row=number, key=problem.key, expected=problem.expected
            ) from problem
        said = Answer(label.event, label.shopper, None if label.items is None else tuple(sorted(label.items)))
        answers[label.event] = combined(answers.get(label.event, Answer(label.event)), said)
    return tuple(answers.values())


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _touches(receipt: Receipt, answer: Answer) -> bool:
    return any(answer.event in account.moves for account in receipt.accounts)


def _conditioned(accounts: Sequence[Account], agree: Sequence[Sequence[bool]], slip: float) -> tuple[Account, ...]:
    weights = [
        account.probability * math.prod(1.0 if row[i] else slip for row in agree) for i, account in enumerate(accounts)
    ]
    held, total = math.fsum(a.probability for a in accounts), math.fsum(weights)
    scale = held / total if total > 0 else 0.0
    told = [dataclasses.replace(a, probability=w * scale) for a, w in zip(accounts, weights, strict=True)]
    return tuple(sorted(told, key=lambda a: -a.probability)) if total > 0 else tuple(accounts)


def _restated(receipt: Receipt, accounts: tuple[Account, ...], names: Mapping[str, str]) -> Receipt:
    """The receipt that follows from its accounts."""
    if not accounts:
        return receipt
    carts = carts_of(accounts)
    cart = best_cart(dataclasses.replace(receipt, accounts=accounts))
    moves = next(account.moves for account in accounts if account.cart == cart)
    own = receipt.shopper or ""
    lines = []
    for product, units in cart:
        if product != UNKNOWN:
            exactly = math.fsum(p for c, p in carts.items() if dict(c).get(product) == units)
            rests_on = tuple(e for e, moved in moves.items() if any(m[:2] == (own, product) for m in moved))
            lines.append(ReceiptLine(product, names.get(product, product), units, min(exactly, 1.0), rests_on))
    known = all(product != UNKNOWN for product, _ in cart)
    probability = min(carts[cart], 1.0) if known else 0.0
    return dataclasses.replace(
        receipt,
        items=tuple(lines),
        probability=probability,
        needs_review=receipt.needs_review or not known,
        accounts=accounts,
    )
