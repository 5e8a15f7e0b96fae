"""One episode of a shelf, in all ways at once: which rests part what was done, what moved, and who moved it.

An episode has rests 0 … K with levels between them. What was done is a path from rest 0 to rest K; its steps (i, j)
are things done, and the rests within a step were only passed: the hand pressed, or had lifted a part of the weight.
Each path accounts for each level exactly once,

    p(levels | path) = Π_(i,j) [ p(Δ_ij | what moved) · Π_(i<r<j) inside_rest · p(level r | passed) ],

so paths compare by evidence alone, and the sum over paths is found rest by rest (a trellis, with sums for maxima). A
rest in which something rose that goes again in a later step may carry a hand: it is in the trellis twice, as measured
and without the hand, whose weight is exponential.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gocv.core import UNKNOWN, Explanation, Part, ShelfId, WeightEvent
from gocv.fusion.evidence import Sightings, Who
from gocv.fusion.moves import Memory, Mover, Rules, Where
from gocv.fusion.settings import FusionSettings, Priors
from gocv.fusion.world import EMPTY_CART, Cart, Hypothesis, Place, merged
from gocv.shelf import Candidates, Episode, alone, explain

Array = NDArray[np.float64]

_LONGEST = 6
"""Most events of an episode that may be one thing done, but for all of them."""

_HOPELESS = 7.5
"""Log odds against the best so far at which a move is not looked at."""

_LEAST = 1e-6
_MOST_EXPLANATIONS = 40
_FOREIGN_ABOVE = 0.05
"""Where something unknown is more probable than this, all the store's products are thought of."""

_PRESS_G = 60.0
"""Mean weight of a hand on a plate."""

_HEAVIEST_PRESS_G = 250.0
"""What rises by more is no hand."""

_STRAY_OF_LIGHTEST, _LEAST_STRAY_G, _MOST_STRAY_G = 0.2, 3.0, 12.0
"""See `Decoder._stray_g`: a share of the lightest product's weight, and between which grams."""

_BORNE_DOWN = 0.15
"""How often a hand rests on a plate in a short rest."""

_TOUCHED_G = 3.0
"""What a level of a short rest is off by on each plate, one standard deviation in grams."""

_APART = 0.3
"""Two people move different things at the same moment, rather than one with both hands."""

_BOTH = 0.6
"""Two people whose hands are both at the goods have each taken some of several units."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Decoder:
    """Carries hypotheses over episodes.

    Attributes:
        rules: What holds in every hypothesis.
        sightings: What was seen.
        settings: How carts are inferred.
        homes: By shelf, the products that the planogram has there.
    """

    rules: Rules
    sightings: Sightings
    settings: FusionSettings
    homes: dict[object, frozenset[str]]

    def where(self, episode: Episode) -> Where:
        """The shelf of an episode."""
        event, planogram = episode.events[0], self.rules.store.planogram
        here = self.homes.get(event.shelf, frozenset())
        return Where(event.shelf, episode.id, event.plates, here, max(len(planogram), 1))

    def decode(self, episode: Episode, known: Sequence[Hypothesis], shoppers: Sequence[int]) -> list[Hypothesis]:
        """The hypotheses after an episode, each with what was done in it.

        Args:
            episode: What the scales saw.
            known: The joint hypotheses of the shelf and of all who may have had a part.
            shoppers: Those who may have.
        """
        where, last = self.where(episode), len(episode.events)
        borne_g = _borne_down(episode)
        reached: dict[tuple[int, bool], list[Hypothesis]] = {(0, False): list(known)}
        for rest, pressed in itertools.product(range(last), (False, True)):
            here = reached.pop((rest, pressed), [])
            if not here:
                continue
            here = _likely(here, self.settings.beam) if rest else here
            candidates = self._candidates(where, here, shoppers)
            for end in self._ends(rest, last):
                for with_hand in (False, True) if borne_g[end].any() else (False,):
                    hands_g = borne_g[rest] * pressed, borne_g[end] * with_hand
                    event, log_step = self._step(episode, rest, end, *hands_g)
                    candidates = dataclasses.replace(candidates, log_seen=self.sightings.likely(event, shoppers))
                    moves = [(log + log_step, parts) for log, parts in self._moves(event, candidates, shoppers)]
                    after = self._after(here, where, moves, event.time_s)
                    reached.setdefault((end, with_hand), []).extend(after)
        return reached[last, False]

    def _step(
        self, episode: Episode, first: int, last: int, before_g: Array, after_g: Array
    ) -> tuple[WeightEvent, float]:
        """The change from one rest to another without the hands that bear down there; log density of all else.

        Args:
            episode: Whose rests.
            first, last: The rests.
            before_g: (P,) what hands weigh in the first.
            after_g: (P,) what they weigh in the last.
        """
        event, inner = episode.between(first, last), (first > 0) + (last < len(episode.events))
        delta_g = event.delta_g + before_g - after_g
        strayed = np.where(np.abs(delta_g) <= self._stray_g(event.shelf), delta_g, 0.0)
        covariance_g2 = event.covariance_g2 + np.diag(inner * _TOUCHED_G**2 + strayed**2)
        log_density = _log_passed(episode, first, last) + (last - first - 1) * math.log(self._priors.inside_rest)
        anew = after_g * (after_g != before_g)
        if anew.any():
            # The hand's weight takes the place of what noise there says of these plates.
            at = anew > 0
            log_noise = -0.5 * np.log(2 * np.pi * np.diag(covariance_g2)[at])
            log_density += float((-anew[at] / _PRESS_G - math.log(_PRESS_G) - log_noise).sum())
            log_density += math.log(_BORNE_DOWN)
        return dataclasses.replace(event, delta_g=delta_g, covariance_g2=covariance_g2), log_density

    def _stray_g(self, shelf: ShelfId) -> float:
        """Changes of a plate up to this say nothing, grams: plates creep, and things settle, when a shelf is touched.

        Never more than a part of the lightest product there, so that nothing on sale passes for a stray.
        """
        weights_g = [self.rules.weights.of(product).mean_g for product in self.homes.get(shelf, ())]
        lightest_g = min((grams for grams in weights_g if grams > 0), default=0.0)
        return min(max(_STRAY_OF_LIGHTEST * lightest_g, _LEAST_STRAY_G), _MOST_STRAY_G)

    @property
    def _priors(self) -> Priors:
        return self.settings.priors

    def _ends(self, rest: int, last: int) -> list[int]:
        if not self.settings.splitting:
            return [last] if rest == 0 else []
        return sorted({*range(rest + 1, min(rest + _LONGEST, last) + 1), *([last] if rest == 0 else [])})

    def _candidates(self, where: Where, known: Sequence[Hypothesis], shoppers: Sequence[int]) -> Candidates:
        put = {u.product for h in known for s in shoppers for u in h.cart(s).units} - {UNKNOWN}
        away = {u.product for h in known for u in h.place(where.shelf).units}
        if not self.settings.positions:
            everything = frozenset(self.rules.store.planogram)
            return Candidates(frozenset(), everything, frozenset(put))
        return Candidates(None, frozenset(away) | where.here, frozenset(put) | where.here)

    def _moves(
        self, event: WeightEvent, candidates: Candidates, shoppers: Sequence[int]
    ) -> Iterator[tuple[float, tuple[Mover, ...]]]:
        """What may have moved in one step and who may have moved it, with log weights that hold in every hypothesis."""
        who_of_all: Who | None = None
        for explanation in self._explanations(event, candidates):
            log_density = explanation.log_density
            if not explanation.parts:
                yield log_density + math.log(self._priors.nothing), ()
                continue
            log_density += (len(explanation.parts) - 1) * math.log(self._priors.more_parts)
            if len(explanation.parts) == 1:
                who_of_all = self._who(event, shoppers) if who_of_all is None else who_of_all
                for log_who, movers in self._movers(explanation.parts[0], who_of_all, event):
                    yield log_density + log_who, movers
                continue
            each = [list(self._movers(p, self._who(_of_part(event, p), shoppers), event)) for p in explanation.parts]
            for combination in itertools.product(*each):
                log_who = sum(log for log, _ in combination)
                parts = tuple(part for _, movers in combination for part in movers)
                apart = len({shopper for shopper, _ in parts}) > 1
                if log_who > math.log(1e-4):
                    yield log_density + log_who + (math.log(_APART) if apart else 0.0), parts

    def _who(self, event: WeightEvent, shoppers: Sequence[int]) -> Who:
        """Of those who may have had a part; those who have left are out of it."""
        who = self.sightings.who(event)
        return {s: log for s, log in who.items() if s is None or s in shoppers}

    def _explanations(self, event: WeightEvent, candidates: Candidates) -> list[Explanation]:
        store, settings, weights = self.rules.store, self.settings.explain, self.rules.weights
        found = explain(event, store, settings, candidates=candidates, weights=weights)
        strange = sum(e.probability for e in found if any(p.product == UNKNOWN for p in e.parts))
        if strange > _FOREIGN_ABOVE and self.settings.positions:
            everything = frozenset(store.planogram)
            wider = dataclasses.replace(candidates, away=everything)
            others = explain(event, store, settings, candidates=wider, weights=weights)
            known = {_named(e) for e in found}
            found = sorted([*found, *(e for e in others if _named(e) not in known)], key=lambda e: -e.probability)
        return [e for e in found if e.probability > _LEAST][:_MOST_EXPLANATIONS]

    def _movers(self, part: Part, who: Who, event: WeightEvent) -> Iterator[tuple[float, tuple[Mover, ...]]]:
        """Who may have moved a part: one, or of several units two people."""
        seen = {s: log + self._seen(s, part, event) for s, log in who.items()}
        for shopper, log_who in seen.items():
            yield log_who, ((shopper, part),)
        likely = [s for s, log in who.items() if s is not None and log > math.log(0.1)]
        for one, other in itertools.combinations(likely if abs(part.units) > 1 else (), 2):
            # Both hands were there, which is rare unless both took: neither's nearness speaks against the other's.
            log_both = 2 * (math.log(2) + min(seen[one], seen[other])) + math.log(_BOTH)
            for first in range(1, abs(part.units)):
                yield log_both, ((one, _share(part, first)), (other, _share(part, abs(part.units) - first)))

    def _seen(self, shopper: int | None, part: Part, event: WeightEvent) -> float:
        return 0.0 if shopper is None else self.sightings.log_seen(shopper, part.product, part.units, event)

    def _after(
        self, known: Sequence[Hypothesis], where: Where, moves: Sequence[tuple[float, tuple[Mover, ...]]], time_s: float
    ) -> list[Hypothesis]:
        """Every move in every hypothesis, but for those that cannot come near the best any more."""
        bound = np.array([[log for log, _ in moves]] * len(known), np.float64).reshape(len(known), len(moves))
        bound += np.array([h.log_weight for h in known])[:, None]
        carts: dict[int | None, tuple[list[tuple[Cart, Place]], NDArray[np.int64]]] = {}
        tables: dict[tuple[int | None, int], Array] = {}
        for column, (_, movers) in enumerate(moves):
            for shopper, part in movers:
                if (shopper, id(part)) not in tables:
                    if shopper not in carts:
                        carts[shopper] = _distinct(known, shopper, where)
                    pairs, code = carts[shopper]
                    most = np.array([self.rules.most(cart, place, where, part) for cart, place in pairs])
                    tables[shopper, id(part)] = most[code]
                bound[:, column] += tables[shopper, id(part)]
        found: list[Hypothesis] = []
        best, memory = -math.inf, Memory()
        flat = bound.ravel()
        for n in np.argsort(-flat, kind="stable").tolist():
            if flat[n] < best - _HOPELESS:
                break
            h, (log_weight, movers) = known[n // len(moves)], moves[n % len(moves)]
            weighed = Hypothesis(h.log_weight + log_weight, h.state, h.done)
            for way in self.rules.moved(weighed, where, movers, time_s, memory):
                if way.log_weight > best - _HOPELESS:
                    best = max(best, way.log_weight)
                    found.append(way)
        return found


def _distinct(
    known: Sequence[Hypothesis], shopper: int | None, where: Where
) -> tuple[list[tuple[Cart, Place]], NDArray[np.int64]]:
    """The different carts of a shopper, with what stands wrongly on the shelf, and (H,) which hypotheses have which."""
    index: dict[object, int] = {}
    pairs: list[tuple[Cart, Place]] = []
    code: list[int] = []
    for h in known:
        cart, place = EMPTY_CART if shopper is None else h.cart(shopper), h.place(where.shelf)
        key = cart.key, place.key
        if key not in index:
            index[key] = len(pairs)
            pairs.append((cart, place))
        code.append(index[key])
    return pairs, np.array(code, np.int64)


def _borne_down(episode: Episode) -> Array:
    """(rests, P) grams by which hands may bear down: what rises in one step and goes again in a later one."""
    steps_g = np.stack([event.delta_g for event in episode.events])
    borne_g = np.zeros((len(steps_g) + 1, steps_g.shape[1]))
    for step, plate in zip(*np.nonzero((steps_g > 2 * _TOUCHED_G) & (steps_g < _HEAVIEST_PRESS_G)), strict=True):
        off = np.flatnonzero(steps_g[step + 1 :, plate] < -0.8 * steps_g[step, plate])
        if len(off):
            borne_g[step + 1 : step + 2 + off[0], plate] += steps_g[step, plate]
    return borne_g


def _likely(hypotheses: Sequence[Hypothesis], beam: int) -> list[Hypothesis]:
    """The hypotheses at a rest within an episode as `merged` has them, but not normalised: other rests compare."""
    if not hypotheses:
        return []
    total = float(np.logaddexp.reduce([h.log_weight for h in hypotheses]))
    kept = merged(hypotheses, beam, with_done=True)
    return [dataclasses.replace(h, log_weight=h.log_weight + total) for h in kept]


def _named(explanation: Explanation) -> tuple[tuple[str, int, bool], ...]:
    return tuple((p.product, p.units, p.at_home) for p in explanation.parts)


def _of_part(event: WeightEvent, part: Part) -> WeightEvent:
    """What a part did to the plates that carried the most of it."""
    shares = np.array(part.shares)
    rows = np.flatnonzero(shares >= 0.2 * shares.max())
    sign = -1.0 if part.units > 0 else 1.0
    return alone(event, rows.tolist(), sign * part.grams * shares[rows])


def _share(part: Part, units: int) -> Part:
    """Some of the units of a part."""
    of = units / abs(part.units)
    sign = 1 if part.units > 0 else -1
    return dataclasses.replace(part, units=sign * units, grams=part.grams * of, sd_g=part.sd_g * of)


def _log_passed(episode: Episode, first: int, last: int) -> float:
    """Log density of the levels of the rests between, if something was half done there or a hand bore down.

    On each plate the level is anywhere between those before and after, or, with probability `_BORNE_DOWN`, above one of
    them by what a hand weighs.
    """
    total, start_g = 0.0, episode.level(first)
    whole_g = episode.level(last) - start_g
    low_g, high_g = np.minimum(whole_g, 0.0), np.maximum(whole_g, 0.0)
    for rest in range(first + 1, last):
        sd_g = np.sqrt(np.diag(episode.events[rest - 1].covariance_g2) + _TOUCHED_G**2)
        level_g = episode.level(rest) - start_g
        # Uniform between the two levels, blurred; never narrower than the blur itself.
        low, high = low_g - sd_g, high_g + sd_g
        half_done = (ndtr((level_g - low) / sd_g) - ndtr((level_g - high) / sd_g)) / (high - low)
        above_g = np.stack([level_g - low_g, level_g - high_g])
        pressed = np.where(above_g > 0, np.exp(-np.maximum(above_g, 0.0) / _PRESS_G) / _PRESS_G, 0.0).mean(axis=0)
        total += float(np.log((1 - _BORNE_DOWN) * half_done + _BORNE_DOWN * pressed + 1e-12).sum())
    return total
