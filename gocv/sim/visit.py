"""A simulated visit, written as a recording with its exact truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gocv.core import DataError, ScaleSamples, ShelfId
from gocv.data.recording import RecordingWriter, Truth, TruthEvent, TruthReceipt
from gocv.sim.layout import Gondola, StoreLayout, demo_layout
from gocv.sim.play import Action, play
from gocv.sim.scales import RATE_HZ, SAMPLES_PER_MESSAGE, LoadChange, ShelfScales, message_times
from gocv.sim.script import Script
from gocv.sim.shoppers import observe
from gocv.sim.stock import Movement, Stock

ORIGIN_UNIX_S = 1_760_000_000.0
_CHUNK = 50 * SAMPLES_PER_MESSAGE
_MOST_SHOPPERS = 5


def simulate_visit(
    path: str | Path, *, seed: int, layout: StoreLayout | None = None, shoppers: int = 3, overwrite: bool = False
) -> Truth:
    """Simulate a visit of some shoppers at the level of the sensors, and write it as a recording.

    The recording has joints and scales and no video. The same arguments write the same bytes; another seed gives
    other shoppers, units, noise and a scale clock of its own in the same store.

    Args:
        path: Folder to write.
        seed: Of everything random.
        layout: The store; `demo_layout()` where None.
        shoppers: How many, from 1 to 5: more would be in each other's way.
        overwrite: Replace a folder that is there.

    Returns:
        What happened, exactly: also in the recording.

    Raises:
        DataError: A number is out of range, or the folder is there already.
    """
    if seed < 0:
        raise DataError(f"{seed} cannot seed a visit", key="seed", expected="a whole number from 0")
    if not 1 <= shoppers <= _MOST_SHOPPERS:
        raise DataError(f"{shoppers} shoppers", key="shoppers", expected=f"1 to {_MOST_SHOPPERS}")
    layout = layout or demo_layout()
    stocking, acting, seeing, handling, weighing = np.random.SeedSequence(seed).spawn(5)
    stock = Stock(layout, np.random.default_rng(stocking))
    director = np.random.default_rng(acting)
    motions, actions = play(layout, Script(layout, stock, director).stops(shoppers), director)
    loads = {s: stock.loads_g(s) for g in layout.gondolas.values() for s in g.shelf_ids()}
    truth, changes = _settle(stock, actions, [m.name for m in motions], np.random.default_rng(handling))
    duration_s = float(np.ceil(max(60.0, max(m.end_s for m in motions) + 3.0)))
    with RecordingWriter(
        path,
        name=f"simulated-visit-{seed}",
        origin_unix_s=ORIGIN_UNIX_S,
        duration_s=duration_s,
        store=layout.store,
        overwrite=overwrite,
    ) as writer:
        writer.write_joints(observe(motions, np.random.default_rng(seeing)))
        _weigh(writer, layout, loads, changes, duration_s, weighing)
        writer.write_truth(truth)
        writer.note(f"Simulated with seed {seed}: there is no such store, and nobody was filmed or weighed.")
    return truth


def _settle(
    stock: Stock, actions: Sequence[Action], shoppers: Sequence[str], rng: np.random.Generator
) -> tuple[Truth, dict[ShelfId, list[LoadChange]]]:
    """Move the units of all actions, in order of time: the truth, and what it does to each shelf."""
    events: list[TruthEvent] = []
    changes: dict[ShelfId, list[LoadChange]] = {}
    for action in actions:
        wish = action.wish
        move = stock.take if wish.quantity > 0 else stock.put_back
        movement = move(action.shopper, wish.product, abs(wish.quantity), wish.shelf, wish.along_m)
        changes.setdefault(wish.shelf, []).append(_change(action.time_s, movement, rng))
        events.append(TruthEvent(action.time_s, action.shopper, wish.product, wish.quantity, movement.plates))
    receipts = tuple(TruthReceipt(shopper, stock.cart(shopper)) for shopper in shoppers)
    return Truth(tuple(events), receipts), changes


def _change(time_s: float, movement: Movement, rng: np.random.Generator) -> LoadChange:
    return LoadChange(
        time_s=time_s,
        duration_s=float(rng.uniform(0.3, 0.8)),
        delta_g=movement.delta_g,
        press_g=float(rng.uniform(8.0, 60.0)),
        overshoot=float(rng.uniform(0.03, 0.12)),
    )


def _weigh(
    writer: RecordingWriter,
    layout: StoreLayout,
    loads: dict[ShelfId, np.ndarray],
    changes: dict[ShelfId, list[LoadChange]],
    duration_s: float,
    seed: np.random.SeedSequence,
) -> None:
    """Stream the samples of every gondola, a chunk at a time, on a clock that began earlier and runs off true."""
    clock, *streams = seed.spawn(1 + len(layout.gondolas))
    rng = np.random.default_rng(clock)
    offset_s, drift_ppm = -float(rng.uniform(600.0, 5000.0)), float(rng.uniform(-60.0, 60.0))
    writer.set_scale_clock(offset_s, drift_ppm)
    rate = 1.0 + drift_ppm * 1e-6
    for gondola, stream in zip(layout.gondolas.values(), streams, strict=True):
        own = stream.spawn(1 + len(gondola.heights_m))
        scale_time = message_times(-offset_s / rate, (duration_s - offset_s) / rate, gondola.noise, own[0])
        scales = [
            _shelf_scales(gondola, loads[shelf], changes.get(shelf, []), s)
            for shelf, s in zip(gondola.shelf_ids(), own[1:], strict=True)
        ]
        plates = tuple(plate for shelf in gondola.shelf_ids() for plate in gondola.plate_ids(shelf))
        group = writer.open_scale_group(f"gondola-{gondola.number}", plates, RATE_HZ)
        for first in range(0, len(scale_time), _CHUNK):
            time = scale_time[first : first + _CHUNK]
            weight = np.concatenate([shelf.read(offset_s + rate * time) for shelf in scales], axis=1)
            group.write(ScaleSamples(plates, time_s=time, weight_g=weight))


def _shelf_scales(
    gondola: Gondola, load_g: np.ndarray, changes: Sequence[LoadChange], seed: np.random.SeedSequence
) -> ShelfScales:
    """The scales of a shelf; nobody zeroed them, so each reads some grams off."""
    zero, noise = seed.spawn(2)
    return ShelfScales(
        load_g + np.random.default_rng(zero).uniform(-300.0, 900.0, len(load_g)), changes, gondola.noise, noise
    )
