"""Who took what: joint inference over shoppers, carts and a planogram that changes.

Let w be the state of the store: the cart of each shopper s, the units that stand in wrong places on each shelf, and
what lies on the floor. Episodes e = 1 … E of the scales and gestures of the cameras come in order of time. What was
done in an episode is a list d of (who, product, units, where), and the state after it follows from the state before
it: w' = f(w, d). The posterior over complete accounts is

    P(d_1 … d_E | data) ∝ Π_e  p(levels_e | d_e) · P(who_e | hands) · v(seen_e | d_e) · P(d_e | w_{e-1}),

with p(levels | d) what the scales say (`gocv.fusion.decode`, `gocv.shelf.explain`), P(who | hands) nearness
(`gocv.fusion.nearness`), v the capped likelihood ratio of interaction classifiers and product recognisers where there
are any (`gocv.fusion.evidence`), and P(d | w) how often such things happen in such a state (`gocv.fusion.moves`): what
is put back must be in the cart, what is taken stands where the planogram has it or where it was seen to be put.

Several accounts are kept alive (multiple hypothesis tracking). Accounts that agree in w are one from then on, the most
probable of the rest are kept, and shoppers and shelves that have nothing to do with one another are inferred apart
(`gocv.fusion.world`). A receipt is the marginal over the accounts when its shopper has left and nothing is open that
could still touch it; then the shopper leaves the state. Everything is filtered, nothing smoothed: what happens after
a receipt was given out cannot change it.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from gocv.core import (
    UNKNOWN,
    Account,
    Answer,
    CartEvent,
    FloorTracks,
    Fused,
    Interaction,
    Part,
    Receipt,
    ReceiptLine,
    Recognition,
    Store,
    WeightEvent,
)
from gocv.fusion.decode import Decoder
from gocv.fusion.evidence import Sightings
from gocv.fusion.gestures import Gesture, gestures
from gocv.fusion.moves import Rules
from gocv.fusion.passing import passed
from gocv.fusion.settings import FusionSettings
from gocv.fusion.world import FLOOR, Cart, Done, Hypothesis, Log, Variable, World, entries, merged
from gocv.shelf import Episode, UnitWeights, episodes

_SETTLE_S = 0.5
"""After this the scales know that an episode is over."""

_SURE = 0.97
"""Weights of units are learnt from what is at least this probable."""

_MOST_ACCOUNTS, _LEAST_ACCOUNT = 24, 1e-4

Items = tuple[tuple[str, int], ...]


class CartFuser:
    """Infers carts from weight events and from what was seen, and writes receipts.

    Args:
        store: Products, and where the plates are.
        settings: How carts are inferred.
    """

    def __init__(self, store: Store, settings: FusionSettings | None = None) -> None:
        self.store = store
        self.settings = settings or FusionSettings()

    def fuse(
        self,
        events: Sequence[WeightEvent],
        shoppers: FloorTracks,
        *,
        interactions: Sequence[Interaction] = (),
        recognitions: Sequence[Recognition] = (),
        answers: Sequence[Answer] = (),
    ) -> Fused:
        """Infer carts and write receipts.

        Args:
            events: Weight events with unique ids, any order; those of an episode carry its id.
            shoppers: Where everybody was; every shopper listed gets a receipt.
            interactions: What hands did, as far as a classifier says.
            recognitions: What hands held, as far as a recogniser says.
            answers: What people said of single episodes, by the id of its first event, or of a gesture.

        Returns:
            Receipts and cart events, each of the most probable account of its shopper's visit; each probability is
            over all accounts.
        """
        shoppers = shoppers[np.argsort(shoppers.time_s, kind="stable")]
        sightings = Sightings(
            shoppers,
            self.store,
            self.settings.nearness,
            self.settings.least_share,
            _by_shopper(interactions if self.settings.interactions else ()),
            _by_shopper(recognitions if self.settings.recognitions else ()),
        )
        return _Run(self.store, self.settings, sightings, {a.event: a for a in answers}).over(episodes(events))


@dataclasses.dataclass(slots=True, eq=False)
class _Found:
    """What comes out, as far as it is known.

    Attributes:
        receipts: By index of the shopper.
        cart_events: Of the accounts that receipts follow.
        unclaimed: What nobody who is known moved, with its probability.
        report: What could not be resolved.
    """

    receipts: dict[int, Receipt] = dataclasses.field(default_factory=dict)
    cart_events: list[CartEvent] = dataclasses.field(default_factory=list)
    unclaimed: list[CartEvent] = dataclasses.field(default_factory=list)
    report: list[Mapping[str, str]] = dataclasses.field(default_factory=list)


class _Run:
    """One pass over what happened, in order of time."""

    def __init__(
        self, store: Store, settings: FusionSettings, sightings: Sightings, answers: Mapping[str, Answer]
    ) -> None:
        self._store, self._settings, self._sightings, self._answers = store, settings, sightings, answers
        self._names = sightings.shoppers.shoppers
        self._weights = UnitWeights(store, settings.explain)
        self._rules = Rules(store, settings.priors, self._weights, settings.dynamic_planogram)
        self._decoder = Decoder(self._rules, sightings, settings, _homes(store))
        self._world = World(settings.beam)
        self._found = _Found()
        self._left_s = np.full(len(self._names), -math.inf)
        np.maximum.at(self._left_s, sightings.shoppers.shopper, sightings.shoppers.time_s)
        self._touched_s = self._left_s + settings.hold_s

    def over(self, found: Sequence[Episode]) -> Fused:
        seen = gestures(self._sightings.shoppers, self._store) if self._settings.gestures else []
        happened: list[Episode | Gesture] = sorted([*found, *seen], key=_time)
        leaving = np.argsort(self._left_s, kind="stable").tolist()
        for item in happened:
            while leaving and self._left_s[leaving[0]] + self._settings.hold_s < _time(item)[0]:
                self._release(leaving.pop(0))
            if isinstance(item, Gesture):
                self._gesture(item)
            else:
                self._episode(item)
        for shopper in leaving:
            self._release(shopper)
        receipts = [self._found.receipts[s] for s in range(len(self._names))]
        moved = sorted([*self._found.cart_events, *self._found.unclaimed], key=lambda e: (e.time_s, e.event))
        return Fused(
            (*receipts, *_unclaimed(self._found.unclaimed, self._store)), tuple(moved), tuple(self._found.report)
        )

    def _episode(self, episode: Episode) -> None:
        who = {s for event in episode.events for s in self._sightings.who(event) if s is not None}
        here = [s for s in sorted(who) if s not in self._found.receipts]
        variables: list[Variable] = [*here, episode.events[0].shelf]
        known = self._world.gather(variables)
        after = self._decoder.decode(episode, known, here)
        answer = self._answers.get(episode.id)
        if answer is not None and all(self._contradicts(h, answer) for h in after):
            after = self._as_told(episode, known, answer, here)
        for shopper in here:
            self._touched_s[shopper] = max(self._touched_s[shopper], episode.end_s + _SETTLE_S)
        self._settle(episode.id, after, here)

    def _gesture(self, gesture: Gesture) -> None:
        here = [self._names.index(name) for name in gesture.shoppers]
        if any(s in self._found.receipts for s in here):
            return
        variables: list[Variable] = [*here, *([FLOOR] if gesture.kind == "floor" else [])]
        after = list(passed(gesture, here, self._world.gather(variables)))
        if len(after) > 1:
            self._settle(gesture.id, after, here)

    def _settle(self, event: str, after: Sequence[Hypothesis], here: Sequence[int]) -> None:
        """Weigh what was done, and write it into the carts' logs."""
        if event in self._answers:
            after = [self._as_answered(h, self._answers[event]) for h in after]
        told = merged(after, 4 * self._settings.beam, with_done=True)
        self._note(event, told)
        if any(h.done for h in told):
            told = [_logged(h, event, here) for h in told]
        self._world.scatter(merged(told, self._settings.beam))

    def _as_told(
        self, episode: Episode, known: Sequence[Hypothesis], answer: Answer, here: Sequence[int]
    ) -> list[Hypothesis]:
        """What somebody saw with their own eyes, where the scales and cameras would never have said so."""
        where, event = self._decoder.where(episode), episode.events[0]
        who: list[int | None] = [s for s in here if answer.shopper in (None, self._names[s])]
        shares = (1 / len(event.plates),) * len(event.plates)
        after: list[Hypothesis] = []
        parts = [Part(product, units, True, math.nan, math.nan, shares) for product, units in answer.items or ()]
        for h, shopper in itertools.product(known, who or [None]):
            movers = [(shopper, part) for part in parts]
            after += self._rules.moved(dataclasses.replace(h, done=()), where, movers, event.time_s, {})
        return after

    def _as_answered(self, h: Hypothesis, answer: Answer) -> Hypothesis:
        """Less probable where it says something else."""
        slip = math.log(self._settings.priors.slip) if self._contradicts(h, answer) else 0.0
        return dataclasses.replace(h, log_weight=h.log_weight + slip)

    def _contradicts(self, h: Hypothesis, answer: Answer) -> bool:
        wrong = answer.items is not None and _items(h.done) != answer.items
        if answer.shopper is not None and answer.items != ():
            said = None if answer.shopper == "" else answer.shopper
            wrong |= not h.done or any(self._name(d.shopper) != said for d in h.done)
        return wrong

    def _name(self, shopper: int | None) -> str | None:
        return None if shopper is None else self._names[shopper]

    def _note(self, event: str, told: Sequence[Hypothesis]) -> None:
        """Learn weights, and report what nobody did or what nothing explains."""
        probability: dict[tuple[tuple[int | None, str, int], ...], float] = defaultdict(float)
        for h in told:
            probability[tuple(sorted((d[:3] for d in h.done), key=str))] += math.exp(h.log_weight)
        best = max(probability, key=lambda done: probability[done])
        moved = next(h.done for h in told if tuple(sorted((d[:3] for d in h.done), key=str)) == best)
        products: dict[tuple[tuple[str, int], ...], float] = defaultdict(float)
        for h in told:
            products[_items(h.done)] += math.exp(h.log_weight)
        sure = products[_items(moved)]
        if len(moved) == 1 and moved[0].product != UNKNOWN and sure > _SURE and moved[0].grams == moved[0].grams:
            self._weights.learn(moved[0].product, abs(moved[0].units), moved[0].grams, moved[0].sd_g, sure)
        for d in moved:
            if d.product == UNKNOWN:
                who = "unknown" if d.shopper is None else self._names[d.shopper]
                what = f"nothing in the catalogue explains {-d.grams * d.units:+.1f} g at {d.time_s:.2f} s"
                self._found.report.append({"where": f"event {event}", "problem": f"{what} (shopper {who})"})
            elif d.shopper is None:
                self._found.unclaimed.append(CartEvent(event, d.time_s, None, d.product, d.units, probability[best]))

    def _release(self, shopper: int) -> None:
        """Write the receipt of a shopper who has left."""
        name, ways = self._names[shopper], self._world.release(shopper)
        carts: dict[Items, float] = defaultdict(float)
        for cart, weight in ways:
            carts[cart.items] += weight
        items = max(carts, key=lambda c: (carts[c], c))
        best = next(cart for cart, _ in ways if cart.items == items)
        moves = [(event, d) for event, done in entries(best.log) for d in done if d.shopper == shopper]
        lines = []
        for product, quantity in items:
            if product == UNKNOWN:
                continue
            exactly = math.fsum(p for c, p in carts.items() if dict(c).get(product) == quantity)
            rests_on = tuple(dict.fromkeys(event for event, d in moves if d.product == product))
            lines.append(
                ReceiptLine(product, self._store.products[product].name, quantity, min(exactly, 1.0), rests_on)
            )
        known = all(product != UNKNOWN for product, _ in items)
        probability = min(carts[items], 1.0) if known else 0.0
        accounts = tuple(
            self._account(cart, weight) for cart, weight in ways[:_MOST_ACCOUNTS] if weight > _LEAST_ACCOUNT
        )
        left_s = float(self._left_s[shopper]) if math.isfinite(self._left_s[shopper]) else math.nan
        released_s = float(self._touched_s[shopper]) if math.isfinite(left_s) else math.nan
        self._found.receipts[shopper] = Receipt(
            name, tuple(lines), probability, not known, accounts, left_s, released_s
        )
        for event, d in moves:
            if d.product != UNKNOWN:
                said = math.fsum(w for cart, w in ways if _did(cart, event, d))
                self._found.cart_events.append(CartEvent(event, d.time_s, name, d.product, d.units, min(said, 1.0)))

    def _account(self, cart: Cart, weight: float) -> Account:
        moves = {
            event: tuple(
                sorted(("" if d.shopper is None else self._names[d.shopper], d.product, d.units) for d in done)
            )
            for event, done in entries(cart.log)
        }
        return Account(cart.items, min(weight, 1.0), moves)


def _time(item: Episode | Gesture) -> tuple[float, str]:
    return (item.time_s if isinstance(item, Gesture) else item.events[0].time_s), item.id


def _by_shopper(seen: Iterable[Interaction] | Iterable[Recognition]) -> dict[str, list]:  # type: ignore[type-arg]
    found = defaultdict(list)
    for entry in seen:
        found[entry.shopper].append(entry)
    return dict(found)


def _homes(store: Store) -> dict[object, frozenset[str]]:
    found = defaultdict(set)
    for product, plates in store.planogram.items():
        for plate in plates:
            found[plate.shelf_id].add(product)
    return {shelf: frozenset(products) for shelf, products in found.items()}


def _items(done: Sequence[Done]) -> Items:
    units: dict[str, int] = defaultdict(int)
    for d in done:
        units[d.product] += d.units
    return tuple(sorted((p, n) for p, n in units.items() if n))


def _logged(h: Hypothesis, event: str, here: Sequence[int]) -> Hypothesis:
    state = dict(h.state)
    for shopper in here:
        cart = h.cart(shopper)
        state[shopper] = cart._replace(log=Log(event, h.done, cart.log))
    return dataclasses.replace(h, state=state)


def _did(cart: Cart, event: str, wanted: Done) -> bool:
    return any(name == event and any(d[:3] == wanted[:3] for d in done) for name, done in entries(cart.log))


def _unclaimed(moved: Sequence[CartEvent], store: Store) -> Iterator[Receipt]:
    """A receipt of what nobody who could be named took and did not put back, if there is any."""
    units: dict[str, list[CartEvent]] = {}
    for event in moved:
        units.setdefault(event.product, []).append(event)
    lines = tuple(
        ReceiptLine(
            product,
            store.products[product].name,
            sum(m.quantity for m in moves),
            math.prod(m.probability for m in moves),
            tuple(m.event for m in moves),
        )
        for product, moves in sorted(units.items())
        if sum(m.quantity for m in moves) > 0
    )
    if lines:
        yield Receipt(None, lines, math.prod(line.probability for line in lines), True)
