"""Joint inference over the carts of shoppers who may have done the same things.

An account says of every event who moved what, and hence what is in each cart. With events e = 1 … E in order of time,
shopper s_e (or nobody) and explanation x_e (or nothing at all),

    P(account | data) ∝ Π_e  L(s_e) · P(x_e) · C(x_e | cart of s_e),

L the nearness likelihood, P the probability of the explanation given the weights, and C a constraint: putting
something on a shelf that is not in the cart costs `foreign`.

What is possible at an event depends on the past only through the carts of shoppers who may still take part in an
event. Those carts are the state of a hidden Markov model (a shopper's cart leaves it after the last event they may
have had a part in), so sums over all accounts are found by the forward-backward algorithm and the most probable
account by Viterbi's. Of the states after each event the most probable are kept; otherwise nothing is approximated.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gocv.core import Explanation, WeightEvent

UNKNOWN = "?"
"""Stands in a cart for something that is not in the catalogue."""

Items = tuple[tuple[str, int], ...]
"""(product, units) pairs sorted by product."""

_Carts = tuple[tuple[int, Items], ...]
"""Carts that are not empty, by shopper."""


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    """What one account says of one event: `shopper` is an index, None for nobody; no items for nothing at all."""

    shopper: int | None
    items: Items


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one event.

    Attributes:
        event: The event.
        who: Likelihood of each shopper index, and of None for nobody.
        explanations: What it could have been.
    """

    event: WeightEvent
    who: Mapping[int | None, float]
    explanations: Sequence[Explanation]


@dataclasses.dataclass(frozen=True, slots=True)
class Accounts:
    """What the accounts of some events say, all together and the most probable one.

    Attributes:
        moves: What the most probable account says of each event.
        carts: What it leaves in the cart of each shopper who may have had a part in any event.
        move_probability: For each event the probability of each move, given all events.
        cart_probability: For each such shopper the probability of each cart. What the beam dropped while the shopper
            was about is missing from the sum, and so counts as doubt.
    """

    moves: tuple[Move, ...]
    carts: dict[int, Items]
    move_probability: tuple[dict[Move, float], ...]
    cart_probability: dict[int, dict[Items, float]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """One event: every way from a state before it to a state kept after it.

    Attributes:
        moves: What may have happened.
        leaving: Shoppers for whom this is the last event.
        left: The carts that they may leave with, in the order of `leaving`.
        source, target: (n,) indices of the states before and after each way.
        move, last: (n,) indices into `moves` and `left`.
        weight: (n,) prior of the move times its cost.
        before: Probability of each state before the event, given the events until then.
        kept: How much of the probability the states kept have.
    """

    moves: Sequence[Move]
    leaving: Sequence[int]
    left: Sequence[tuple[Items, ...]]
    source: NDArray[np.int32]
    target: NDArray[np.int64]
    move: NDArray[np.int32]
    last: NDArray[np.int32]
    weight: NDArray[np.float64]
    before: NDArray[np.float64]
    kept: float


def infer_carts(evidence: Sequence[Evidence], *, foreign: float, beam: int) -> Accounts:
    """Weigh all accounts of `evidence`, which is in order of time.

    Args:
        evidence: What is known of each event.
        foreign: Cost of putting something down that is not in the cart.
        beam: Most states kept after each event.
    """
    rows: dict[int, list[int]] = defaultdict(list)
    for row, known in enumerate(evidence):
        for shopper in known.who:
            if shopper is not None:
                rows[shopper].append(row)
    states: list[_Carts] = [()]
    before = np.ones(1)
    steps: list[_Step] = []
    for row, known in enumerate(evidence):
        leaving = sorted(shopper for shopper in known.who if shopper is not None and rows[shopper][-1] == row)
        step, states, before = _step(states, before, known, leaving, foreign, beam)
        steps.append(step)
    moves, carts = _most_probable(steps)
    move_probability, cart_probability = _marginals(steps)
    for shopper, on in rows.items():
        kept = math.prod(step.kept for step in steps[on[0] : on[-1] + 1])
        cart_probability[shopper] = {cart: p * kept for cart, p in cart_probability[shopper].items()}
    return Accounts(moves, carts, move_probability, cart_probability)


def _step(
    states: Sequence[_Carts],
    before: NDArray[np.float64],
    known: Evidence,
    leaving: list[int],
    foreign: float,
    beam: int,
) -> tuple[_Step, list[_Carts], NDArray[np.float64]]:
    """All ways on from `states`; the states kept after them, and their probabilities."""
    moves = _moves(known)
    after: dict[_Carts, int] = {}
    left: dict[tuple[Items, ...], int] = {}
    ways = []
    for source, carts in enumerate(states):
        for number, (move, prior) in enumerate(moves):
            filled, cost = _apply(dict(carts), move, foreign)
            last = left.setdefault(tuple(filled.get(shopper, ()) for shopper in leaving), len(left))
            stay = tuple(sorted((shopper, cart) for shopper, cart in filled.items() if shopper not in leaving))
            ways.append((source, after.setdefault(stay, len(after)), number, last, prior * cost))
    *indices, weights = zip(*ways, strict=True)
    source_of, target_of, move_of, last_of = np.array(indices, np.int32)
    weight = np.array(weights)
    total = np.bincount(target_of, before[source_of] * weight)
    best = np.sort(np.argsort(-total, kind="stable")[:beam])
    on = np.isin(target_of, best)
    step = _Step(
        moves=[move for move, _ in moves],
        leaving=leaving,
        left=list(left),
        source=source_of[on],
        target=np.searchsorted(best, target_of[on]),
        move=move_of[on],
        last=last_of[on],
        weight=weight[on],
        before=before,
        kept=float(total[best].sum() / total.sum()),
    )
    reached = list(after)
    return step, [reached[i] for i in best], total[best] / total[best].sum()


def _moves(known: Evidence) -> list[tuple[Move, float]]:
    """What may have happened, with prior probabilities; what is a billion times less probable is left out."""
    whole = sum(known.who.values())
    changed = known.event.probability
    priors = defaultdict(float, {Move(None, ()): max(1 - changed, 1e-12)})
    for shopper, likelihood in known.who.items():
        for explanation in known.explanations:
            items = explanation.items or ((UNKNOWN, 1 if known.event.total_g < 0 else -1),)
            priors[Move(shopper, items)] += changed * likelihood / whole * explanation.probability
    least = 1e-9 * max(priors.values())
    return [(move, prior) for move, prior in priors.items() if prior > least]


def _apply(carts: Mapping[int, Items], move: Move, foreign: float) -> tuple[Mapping[int, Items], float]:
    """The carts after `move`, and what the constraint costs."""
    if move.shopper is None or not move.items:
        return carts, 1.0
    cart, cost = dict(carts.get(move.shopper, ())), 1.0
    for product, units in move.items:
        held = cart.pop(product, 0) + units
        if held < 0:
            cost *= foreign
        if held > 0:
            cart[product] = held
    others = {shopper: items for shopper, items in carts.items() if shopper != move.shopper}
    return {**others, move.shopper: tuple(sorted(cart.items()))} if cart else others, cost


def _most_probable(steps: Sequence[_Step]) -> tuple[tuple[Move, ...], dict[int, Items]]:
    """Viterbi: the most probable way through all steps, and the carts that it leaves."""
    log_best, choices = np.zeros(1), []
    for step in steps:
        log_way = log_best[step.source] + np.log(step.weight)
        order = np.lexsort((-log_way, step.target))
        choices.append(order[np.searchsorted(step.target[order], np.arange(step.target.max() + 1))])
        log_best = log_way[choices[-1]]
    moves: list[Move] = []
    carts: dict[int, Items] = {}
    state = int(np.argmax(log_best))
    for step, choice in zip(reversed(steps), reversed(choices), strict=True):
        way = choice[state]
        moves.append(step.moves[step.move[way]])
        carts.update(zip(step.leaving, step.left[step.last[way]], strict=True))
        state = int(step.source[way])
    return tuple(reversed(moves)), carts


def _marginals(steps: Sequence[_Step]) -> tuple[tuple[dict[Move, float], ...], dict[int, dict[Items, float]]]:
    """Forward-backward: the probability of each move and of each shopper's cart in the end, among what was kept."""
    moves: list[dict[Move, float]] = []
    carts: dict[int, dict[Items, float]] = defaultdict(lambda: defaultdict(float))
    later = np.ones(len(steps) and steps[-1].target.max() + 1)
    for step in reversed(steps):
        onwards = step.weight * later[step.target]
        way = step.before[step.source] * onwards
        way /= way.sum()
        moves.append(dict(zip(step.moves, np.bincount(step.move, way, len(step.moves)).tolist(), strict=True)))
        for left, probability in zip(step.left, np.bincount(step.last, way, len(step.left)).tolist(), strict=True):
            for shopper, cart in zip(step.leaving, left, strict=True):
                carts[shopper][cart] += probability
        later = np.bincount(step.source, onwards / onwards.max(), len(step.before)).astype(np.float64)
    return tuple(reversed(moves)), carts
