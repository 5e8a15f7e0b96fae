"""Who was near a weight event: a likelihood from hands over time, else from the body, else from who was there at all.

Let t be the time of the event and x, y, z a wrist's place relative to the goods, in the frame of the plates (along the
shelf, away from the shopper, up), less what goods and hand take up in depth and height. A hand that takes is at the
goods until the weight has gone, and away from them soon after; one that puts comes, and is there from then on. With e
the error of t, and p the mean place over a quarter of a second before t + e (after it, for a put),

    k(e) ∝ (1 + q/ν)^(-(ν+3)/2) · [l + (1 - l)·(1 - exp(-m²/2μ²))],   q = x²/σ_x² + y²/σ_y² + z²/σ_z² + s²/σ_s²,

σ_x² with the spread of the change over the plates in it, s the standard deviation of the wrist about p, m the distance
to where the hand is 0.35 to 0.55 s later (sooner, for a put), l the share of hands that linger. A hand scores
h = Σ_e N(e; 0, τ²)·k(e), and the shopper is as likely as the better hand; one that is not seen is somewhere about the
body, which scores b = (1 + (beyond/σ_b)²/ν)^(-(ν+1)/2), `beyond` what an arm's length does not bridge:

    L = max((1 - stray)·max(h_left, h_right) + stray·b, 1/cap).

All but `present_s`, `nobody` and `least_score` are fitted by `experiments/fit_nearness.py`, within physical bounds:
maximum likelihood of who really did it among those present, so that L, normalised over them, is a probability.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import JOINTS, FloorTracks, Store, WeightEvent
from gocv.data.config import Model

Array = NDArray[np.float64]
Positive = Annotated[float, Field(gt=0)]
Chance = Annotated[float, Field(gt=0, lt=1)]

_WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
_GOODS_HEIGHT_M, _HAND_M = 0.20, 0.10
"""Hands close around goods, which stand on the plate and are this high; the wrist stays a hand's length before them."""
_DWELL_S, _AWAY_S = (-0.25, 0.05), (0.35, 0.55)
_BODY_S = (-0.25, 0.25)
_SHIFTS_S = np.linspace(-0.4, 0.4, 9)
_WIDEST_S = 0.3
_BRISK_S = 1.2
"""Longer events than this are less sharp in time, by a tenth of what they are longer."""
_WALK_M_S = 1.2
_FAR_M = 2.0
"""Whoever stays further from the goods has no hand there."""
_MARGIN_S = 1.0
_GAP_S, _FADE_S = 0.25, 0.04
"""Over which a hand that is lost is where it was last or next seen, and how fast such a sighting loses weight."""


class NearnessSettings(Model):
    """How nearness becomes a likelihood.

    Attributes:
        mode: What evidence is used: hands and what follows, floor distance of the body alone, or presence alone.
        hand_sd_m: Between a wrist and the goods, along the shelf, in depth and in height, standard deviations.
        still_sd_m: Of a wrist about its mean while it is at the goods.
        tail: Degrees of freedom of these.
        leave_m: How far a hand gets from the goods in half a second.
        linger: Share of hands that do not leave at once, or were there before.
        time_sd_s: Of the time of a brisk event.
        body_sd_m: Between a body and the goods, beyond `arm_m`, standard deviation.
        arm_m: How far a body can be and still reach, on the floor.
        unseen: Likelihood of a body within reach whose hands are not seen, relative to a hand at the goods.
        stray: Share of hands that were not where the joints say.
        cap: No shopper is less likely than another by more than this factor.
        present_s: Without positions: seconds around an event in which a sighting counts as being there.
        absent: Likelihood of somebody who was not sighted then, relative to somebody who was.
        nobody: Likelihood that none of the shoppers did it, relative to a hand at the goods.
        least_score: Joints scored lower are ignored.
    """

    mode: Literal["hands", "body", "presence"] = "hands"
    hand_sd_m: tuple[Positive, Positive, Positive] = (0.10, 0.04, 0.07)
    still_sd_m: Positive = 0.19
    tail: Positive = 5.0
    leave_m: Positive = 0.10
    linger: Chance = 0.2
    time_sd_s: Positive = 0.08
    body_sd_m: Positive = 0.18
    arm_m: float = Field(default=0.65, ge=0)
    unseen: Chance = 0.39
    stray: Chance = 0.003
    cap: float = Field(default=5000.0, gt=1)
    present_s: float = Field(default=5.0, ge=0)
    absent: float = Field(default=0.02, ge=0, le=1)
    nobody: float = Field(default=1e-3, gt=0, le=1)
    least_score: float = Field(default=0.3, ge=0, le=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Nearness:
    """How near one shopper was to one event.

    Attributes:
        event: Event id.
        shopper: Who.
        evidence: What the distance was measured from.
        distance_m: To the goods that moved, metres: from a wrist to the box that they and a hand take up, or from a
            body on the floor to their middle; NaN where only presence is known.
        likelihood: Of the sighting if this shopper did it, relative to a hand at the goods.
    """

    event: str
    shopper: str
    evidence: Literal["hand", "body", "presence"]
    distance_m: float
    likelihood: float


class Goods(NamedTuple):
    """What moved, as far as it is known where.

    Attributes:
        centre_m: (3,) weighted middle of the plates' surfaces, in the store's frame.
        rotation: (3, 3) store_R_shelf, as of `gocv.core.Plate`.
        depth_m: Of the plates, from front to back.
        spread_m2: Variance of the change along the shelf.
    """

    centre_m: Array
    rotation: Array
    depth_m: float
    spread_m2: float


class _Seen(NamedTuple):
    """Hands and body of S shoppers at J shifts of the event's time, in the frame of the goods, metres.

    Attributes:
        dwell_m: (S, J, 2, 3) mean places of the wrists; NaN where not seen.
        jitter_m2: (S, J, 2) variance of the wrists about them.
        moved_m: (S, J, 2) from there to where they were later, or before; NaN where not seen.
        body_m: (S, 2) where the bodies were; NaN where not known.
    """

    dwell_m: Array
    jitter_m2: Array
    moved_m: Array
    body_m: Array


def nearness(event: WeightEvent, store: Store, shoppers: FloorTracks, settings: NearnessSettings) -> list[Nearness]:
    """How near each shopper in `shoppers` was to `event`.

    Args:
        event: A weight event.
        store: Where the plates are; distances need at least one surveyed plate among those that changed most.
        shoppers: Rows in order of time, covering at least `present_s` around the event; if there are none so near in
            time, all rows.
        settings: How nearness becomes a likelihood.

    Returns:
        One entry for each shopper seen within `present_s`. Those whose position is not known at the event count as
        present: on a par with a hand at the goods if nobody's is known, else as `absent`, and less if they could not
        have walked there from where they were seen last or next. If nobody was seen, one entry as `absent` for each
        shopper seen both before and after.
    """
    time_s = shoppers.time_s
    first, stop = np.searchsorted(time_s, (event.start_s - settings.present_s, event.end_s + settings.present_s))
    stop += np.searchsorted(time_s[stop:], event.end_s + settings.present_s, "right")
    if first == stop:
        before, after = (shoppers.shopper[at] for at in (time_s < event.time_s, time_s > event.time_s))
        unseen = [shoppers.shoppers[index] for index in np.intersect1d(before, after)]
        return [Nearness(event.id, name, "presence", math.nan, settings.absent) for name in unseen]
    who = np.flatnonzero(np.bincount(shoppers.shopper[first:stop]))
    names = [shoppers.shoppers[index] for index in who]
    goods = None if settings.mode == "presence" else goods_of(event, store)
    if goods is None:
        return [Nearness(event.id, name, "presence", math.nan, 1.0) for name in names]
    seen = _seen(event, goods, shoppers, who, settings, _NEAR)
    likelihood, distance_m, by_hand = _weigh(event, goods, seen, settings)
    lost = np.isnan(distance_m)
    if lost.any():
        likelihood[lost] = 1.0 if lost.all() else _of_lost(event, goods, shoppers[first:stop], who[lost], settings)
    rows = zip(names, by_hand.tolist(), distance_m.tolist(), likelihood.tolist(), strict=True)
    return [
        Nearness(event.id, name, "presence" if d != d else "hand" if hand else "body", d, value)
        for name, hand, d, value in rows
    ]


def hands_at(
    event: WeightEvent, goods: Goods, shoppers: FloorTracks, settings: NearnessSettings, shifts_s: Array
) -> Array:
    """(J,) how well any hand fits `event`, were it this much later: max over all hands of k, which is up to 1.

    Args:
        event: A weight event.
        goods: What moved.
        shoppers: Rows in order of time.
        settings: How nearness becomes a likelihood.
        shifts_s: (J,) seconds.
    """
    reach_s = float(np.abs(shifts_s).max()) + _MARGIN_S
    first, stop = np.searchsorted(shoppers.time_s, (event.time_s - reach_s, event.time_s + reach_s))
    around = shoppers[first:stop]
    intervals = _intervals(shifts_s if event.total_g < 0 else -shifts_s)  # time runs backwards for a put
    best = np.zeros(len(shifts_s))
    for index in np.unique(around.shopper):
        own = around[around.shopper == index]
        if not np.nanmin(np.linalg.norm(own.xy_m - goods.centre_m[:2], axis=1), initial=np.inf) > _FAR_M:
            fits, _ = _fits(goods, _seen(event, goods, own, np.array([index]), settings, intervals), settings)
            best = np.maximum(best, fits[0].max(axis=1))
    return best


def goods_of(event: WeightEvent, store: Store) -> Goods | None:
    """Where what moved in `event` stands; None where none of the plates that changed most was surveyed.

    Plates count by how much they changed; a plate that changed by half of what another one did is one of the main
    ones.
    """
    size_g = np.abs(event.delta_g).tolist()
    surveyed = [
        (plate, g)
        for plate, g in zip(map(store.plates.get, event.plates), size_g, strict=True)
        if plate is not None and g > 0 and math.isfinite(plate.centre_m.sum() + plate.size_m.sum())
    ]
    if not surveyed or max(g for _, g in surveyed) < 0.5 * max(size_g):
        return None
    main = max(surveyed, key=lambda pair: pair[1])[0]
    weight = np.array([g for _, g in surveyed])
    weight /= weight.sum()
    centres_m = np.array([plate.centre_m for plate, _ in surveyed])
    centre_m = weight @ centres_m
    along_m = (centres_m - centre_m) @ main.rotation[:, 0]
    return Goods(centre_m, main.rotation, float(main.size_m[1]), float(weight @ along_m**2 + main.size_m[0] ** 2 / 12))


def _seen(
    event: WeightEvent,
    goods: Goods,
    shoppers: FloorTracks,
    who: NDArray[np.int64],
    settings: NearnessSettings,
    intervals: tuple[Array, Array],
) -> _Seen:
    """What was seen of `who` at the event, in `intervals` of time; before and after are exchanged for a put.

    Means over an interval are of the rows in it, or else of those next to it within `_GAP_S`: every row has a weight
    that fades with its distance in time from the interval.
    """
    sign = 1.0 if event.total_g < 0 else -1.0
    middle_s, half_s = intervals
    reach_s = float(np.abs(middle_s).max()) + _GAP_S + 0.2
    first, stop = np.searchsorted(shoppers.time_s, (event.time_s - reach_s, event.time_s + reach_s))
    rows = slice(int(first), int(stop))
    tau_s = sign * (shoppers.time_s[rows] - event.time_s)
    off_s = np.maximum(np.abs(tau_s - middle_s[:, None]) - half_s[:, None], 0.0)
    weight = np.where(off_s <= _GAP_S, np.exp(off_s / -_FADE_S), 0.0)
    values = _values(goods, shoppers, rows, settings)
    order = np.argsort(shoppers.shopper[rows], kind="stable")
    edges = np.searchsorted(shoppers.shopper[rows][order], np.stack([who, who + 1], axis=1))
    weight, values = weight[:, order], values[order]
    sums = np.stack([weight[:, start:end] @ values[start:end] for start, end in edges.tolist()])
    shifts = len(middle_s) // 2
    with np.errstate(invalid="ignore"):  # nothing seen: 0 / 0
        hands = sums[:, :-1, :10].reshape(len(who), 2 * shifts, 2, 5)
        mean = hands[..., :4] / hands[..., 4:]
        body_m = sums[:, -1, 10:12] / sums[:, -1, 12:]
    dwell_m, later_m = mean[:, :shifts, :, :3], mean[:, shifts:, :, :3]
    jitter_m2 = np.maximum(mean[:, :shifts, :, 3] - (dwell_m**2).sum(axis=3), 0.0)
    return _Seen(dwell_m, jitter_m2, np.sqrt(((later_m - dwell_m) ** 2).sum(axis=3)), body_m)


def _values(goods: Goods, shoppers: FloorTracks, rows: slice, settings: NearnessSettings) -> Array:
    """(n, 13): of each wrist x, y, z, their sum of squares and 1, of the body x, y and 1; 0 where not known."""
    values = np.zeros((rows.stop - rows.start, 13))
    if settings.mode == "hands":
        local_m = (shoppers.joints_m[rows, _WRISTS] - goods.centre_m) @ goods.rotation
        square = (local_m**2).sum(axis=2)
        known = (shoppers.joint_score[rows, _WRISTS] >= settings.least_score) & np.isfinite(square)
        hands = np.concatenate([local_m, square[..., None], np.ones_like(square)[..., None]], axis=2)
        values[:, :10] = np.where(known[..., None], hands, 0.0).reshape(-1, 10)
    body_m = (shoppers.xy_m[rows] - goods.centre_m[:2]) @ goods.rotation[:2, :2]
    known = np.isfinite(body_m).all(axis=1)
    values[known, 10:12] = body_m[known]
    values[:, 12] = known
    return values


def _weigh(
    event: WeightEvent, goods: Goods, seen: _Seen, settings: NearnessSettings
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """(S,) likelihood, distance in metres (NaN where no position is known), and whether it is a hand's."""
    body, floor_m = _of_bodies(goods, seen.body_m, settings)
    known = np.isfinite(floor_m)
    hands, hands_m = _of_hands(event, goods, seen, settings)
    visible = np.isfinite(hands_m)
    guess = np.where(known, settings.unseen * body, 0.0)
    hand = np.where(visible, hands, 0.0).max(axis=1)
    about = (~visible).mean(axis=1) * guess
    by_hand = visible.any(axis=1) & ((hand >= about) | ~known)
    if settings.mode == "body":
        mixed = body
    else:
        mixed = (1 - settings.stray) * np.maximum(hand, about) + settings.stray * np.where(known, body, 1.0)
    nearest_m = np.where(visible, hands_m, np.inf).min(axis=1)
    return np.maximum(mixed, 1 / settings.cap), np.where(by_hand, nearest_m, floor_m), by_hand


def _of_hands(event: WeightEvent, goods: Goods, seen: _Seen, settings: NearnessSettings) -> tuple[Array, Array]:
    """(S, 2) likelihoods of the wrists, and their distances to the goods at the best moment; NaN where not seen."""
    fits, distance_m = _fits(goods, seen, settings)
    span_s = max(event.end_s - event.start_s - _BRISK_S, 0.0)
    sd_s = min(math.hypot(settings.time_sd_s, 0.1 * span_s), max(_WIDEST_S, settings.time_sd_s))
    prior = np.exp(-0.5 * (_SHIFTS_S / sd_s) ** 2)[:, None]
    fits = fits * prior
    likelihood = fits.sum(axis=1) / np.maximum((prior * np.isfinite(distance_m)).sum(axis=1), 1e-300)
    best = fits.argmax(axis=1)[:, None]
    return likelihood, np.take_along_axis(distance_m, best, axis=1)[:, 0]


def _fits(goods: Goods, seen: _Seen, settings: NearnessSettings) -> tuple[Array, Array]:
    """(S, J, 2) k of each wrist at each shift, 0 where not seen, and its distance to the goods, NaN where not seen."""
    sd_x, sd_y, sd_z = settings.hand_sd_m
    front_m, back_m = -goods.depth_m / 2 - _HAND_M, goods.depth_m / 2
    x, y, z = np.moveaxis(seen.dwell_m, 3, 0)
    y = np.maximum(np.maximum(front_m - y, y - back_m), 0.0)
    z = np.maximum(np.maximum(-z, z - _GOODS_HEIGHT_M), 0.0)
    q = x**2 / (sd_x**2 + goods.spread_m2) + (y / sd_y) ** 2 + (z / sd_z) ** 2 + seen.jitter_m2 / settings.still_sd_m**2
    left = 1 - np.exp(-0.5 * (seen.moved_m / settings.leave_m) ** 2)
    left = settings.linger + (1 - settings.linger) * np.where(np.isfinite(left), left, 0.5)
    fits = (1 + q / settings.tail) ** (-(settings.tail + 3) / 2) * left
    aside_m = np.maximum(np.abs(x) - math.sqrt(3 * goods.spread_m2), 0.0)
    return np.where(np.isfinite(fits), fits, 0.0), np.sqrt(aside_m**2 + y**2 + z**2)


def _of_bodies(goods: Goods, body_m: Array, settings: NearnessSettings) -> tuple[Array, Array]:
    """(S,) likelihoods of the bodies, and their distances on the floor. Nobody reaches through the back of a shelf."""
    distance_m = np.hypot(body_m[:, 0], body_m[:, 1])
    beyond_m = np.maximum(distance_m - settings.arm_m, 0.0) + np.maximum(body_m[:, 1], 0.0)
    return _student(beyond_m, settings), distance_m


def _of_lost(
    event: WeightEvent, goods: Goods, around: FloorTracks, who: NDArray[np.int64], settings: NearnessSettings
) -> Array:
    """(S,) likelihoods of `who`, who were seen around the event, but not at it."""
    body_m = (around.xy_m - goods.centre_m[:2]) @ goods.rotation[:2, :2]
    walked_m = _WALK_M_S * np.abs(around.time_s - event.time_s)
    beyond_m = np.maximum(np.hypot(body_m[:, 0], body_m[:, 1]) - settings.arm_m - walked_m, 0.0)
    likelihood = settings.absent * _student(beyond_m, settings)
    best = [likelihood[around.shopper == index] for index in who]
    # A place that is not known at any time says nothing.
    known = [settings.absent if np.isnan(each).all() else float(np.nanmin(each)) for each in best]
    return np.maximum(known, min(settings.absent, 1 / settings.cap))


def _student(beyond_m: Array, settings: NearnessSettings) -> Array:
    density: Array = (1 + (beyond_m / settings.body_sd_m) ** 2 / settings.tail) ** (-(settings.tail + 1) / 2)
    return density


def _intervals(shifts_s: Array) -> tuple[Array, Array]:
    """Middles and half lengths of the intervals over which means are taken: dwelling, away, the body's."""
    ends = [np.add.outer(shifts_s, span) for span in (_DWELL_S, _AWAY_S)]
    ends.append(np.array([_BODY_S]))
    start_s, end_s = np.concatenate(ends).T
    return (start_s + end_s) / 2, (end_s - start_s) / 2


_NEAR = _intervals(_SHIFTS_S)
