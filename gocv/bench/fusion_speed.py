"""`gocv bench fusion`: seconds of fusion for a day, and what it costs with ever more shoppers and plates."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread, timed
from gocv.core import JOINTS, FloorTracks, Plate, PlateId, Product, Store, WeightEvent
from gocv.data.files import written_whole
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.fusion import CartFuser
from gocv.pipeline import PipelineConfig, run
from gocv.pipeline.tables import events_from, read_table
from gocv.sim import read_scenario, simulate

SHOPPERS = (1, 2, 5, 10, 20, 35, 50)
PLATES = (100, 300, 1000, 2000, 5000)
_PLATES_OF_CROWDS, _SHOPPERS_OF_STORES = 300, 10
_PLATES_PER_SHELF, _SHELVES_PER_GONDOLA = 12, 5
_TAKE_EVERY_S, _SEEN_HZ, _PUT_BACK = 15.0, 10.0, 0.2
_SCALES_SD_G = 1.5


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What fusion is given.

    Attributes:
        store: Products, plates, planogram.
        events: What the scales found.
        shoppers: Where everybody was.
        duration_s: How long all that took in the store.
    """

    store: Store
    events: tuple[WeightEvent, ...]
    shoppers: FloorTracks
    duration_s: float


def bench_fusion(
    scenario: Path | None, config: PipelineConfig, *, repeats: int, events: int, seed: int
) -> BenchmarkResult:
    """Time fusion alone, in one thread: weight events and shoppers are there already.

    Args:
        scenario: YAML of a long scenario, such as `configs/sim/scenarios/busy_day.yaml`; None leaves the day out.
        config: Settings of gocv.
        repeats: Runs after one that does not count.
        events: Weight events in each of the made-up stores.
        seed: Of everything random.

    Returns:
        A row for the day, then one for each number of shoppers who are inside at the same time, in a store of 300
        plates, and one for each number of plates, with 10 shoppers. `fusion_s` is a median with its spread,
        `ms_per_event` follows from it, `times_real_time` is how much faster it is than the store.

    Raises:
        ConfigError: The scenario is refused.
    """
    rows = [] if scenario is None else [_day(scenario, config, repeats, seed)]
    scenes = [("shoppers", _PLATES_OF_CROWDS, shoppers) for shoppers in SHOPPERS]
    scenes += [("plates", plates, _SHOPPERS_OF_STORES) for plates in PLATES]
    for varied, plates, shoppers in with_progress(scenes, "made-up stores", len(scenes)):
        given = make_up(plates, shoppers, events, np.random.default_rng(seed))
        row = {"method": "gocv", "varied": varied, "plates": plates, "concurrent_shoppers": shoppers}
        rows.append(row | _timed(given, config, repeats))
    return BenchmarkResult("fusion", rows, environment(seed), command_line())


def draw_fusion_speed(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw what an event costs over the number of shoppers, and over that of plates.

    Args:
        rows: Of `bench_fusion`.
        path: PNG to write.
    """
    figure = Figure(figsize=(10, 4), layout="constrained")
    FigureCanvasAgg(figure)
    panels = (
        ("shoppers", "concurrent_shoppers", f"{_PLATES_OF_CROWDS} plates"),
        ("plates", "plates", f"{_SHOPPERS_OF_STORES} shoppers at a time"),
    )
    for axes, (varied, key, title) in zip(figure.subplots(1, 2), panels, strict=True):
        own = [row for row in rows if row["varied"] == varied]
        half = [0.5 * 1000 * row["fusion_s_iqr"] / row["events"] for row in own]
        axes.errorbar([row[key] for row in own], [row["ms_per_event"] for row in own], half, fmt="o-", capsize=3)
        axes.set(xlabel=key.replace("_", " "), ylabel="fusion, ms per weight event", ylim=(0, None))
        axes.set_title(title, fontsize=10)
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=110)


def make_up(plates: int, shoppers: int, events: int, rng: np.random.Generator) -> Given:
    """A store with a product on each plate, and shoppers who take one unit every 15 s each, now and then put one back.

    Shoppers go from plate to plate at random, two metres of floor before each gondola their own or not. Weights of
    units are between 30 and 1,000 g; changes are measured with 1.5 g.

    Args:
        plates: In gondolas of five shelves of twelve.
        shoppers: All inside all the time.
        events: Takes and returns of all of them together.
        rng: Of everything random.
    """
    store = _store(plates, rng)
    ids, carts = list(store.plates), [[] for _ in range(shoppers)]  # type: list[PlateId], list[list[PlateId]]
    who = np.arange(events) % shoppers
    turns = np.arange(events) // shoppers + rng.random(shoppers)[who] + rng.uniform(-0.2, 0.2, events)
    times_s = _TAKE_EVERY_S * (turns + 1)
    order = np.argsort(times_s)
    times_s, who = times_s[order], who[order]
    duration_s = float(times_s.max() - times_s.min())
    found, reached = [], []
    for row, (time_s, shopper) in enumerate(zip(times_s.tolist(), who.tolist(), strict=True)):
        back = bool(carts[shopper]) and rng.random() < _PUT_BACK
        plate = carts[shopper].pop() if back else ids[int(rng.integers(plates))]
        if not back:
            carts[shopper].append(plate)
        found.append(_event(row, time_s, plate, 1.0 if back else -1.0, store, rng))
        reached.append(store.plates[plate].centre_m)
    seen = _sightings(np.array(reached), times_s, who, shoppers, rng)
    return Given(store, tuple(found), seen, duration_s)


def _day(scenario: Path, config: PipelineConfig, repeats: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        simulate(read_scenario(scenario), Path(folder) / "recording", seed=seed)
        recording = Recording.open(Path(folder) / "recording")
        run(recording, Path(folder) / "run", config)
        events = tuple(events_from(read_table(Path(folder) / "run" / "events.parquet")))
        shoppers = read_floor_tracks(Path(folder) / "run" / "shoppers.parquet")
    row: dict[str, Any] = {"method": scenario.stem, "varied": None, "plates": len(recording.store.plates)}
    row["shoppers"] = len(shoppers.shoppers)
    return row | _timed(Given(recording.store, events, shoppers, recording.duration_s), config, repeats)


def _timed(given: Given, config: PipelineConfig, repeats: int) -> dict[str, Any]:
    with threadpool_limits(1):
        fuser = CartFuser(given.store, config.fusion)
        seconds = timed(lambda: fuser.fuse(given.events, given.shoppers), repeats)
    middle = float(np.median(seconds))
    return {
        "events": len(given.events),
        **spread("fusion_s", seconds),
        "ms_per_event": 1000 * middle / max(len(given.events), 1),
        "times_real_time": given.duration_s / middle,
    }


def _store(plates: int, rng: np.random.Generator) -> Store:
    per_gondola = _PLATES_PER_SHELF * _SHELVES_PER_GONDOLA
    placed = {}
    for row in range(plates):
        gondola, rest = divmod(row, per_gondola)
        shelf, plate = divmod(rest, _PLATES_PER_SHELF)
        name = PlateId(gondola + 1, shelf + 1, plate + 1)
        centre_m = np.array([0.1 * plate + 1.5 * (gondola % 10), 2.0 * (gondola // 10), 0.3 + 0.3 * shelf])
        placed[name] = Plate(name, centre_m, np.eye(3), np.array([0.1, 0.4]))
    grams = rng.uniform(30.0, 1000.0, plates).round(1).tolist()
    products = {str(p): Product(str(p), f"product of plate {p}", g, 1.0) for p, g in zip(placed, grams, strict=True)}
    return Store(products, placed, {str(p): frozenset({p}) for p in placed})


def _event(row: int, time_s: float, plate: PlateId, sign: float, store: Store, rng: np.random.Generator) -> WeightEvent:
    delta_g = np.array([sign * (store.products[str(plate)].weight_g + rng.normal(0.0, _SCALES_SD_G))])
    covariance_g2 = np.array([[_SCALES_SD_G**2]])
    return WeightEvent(
        f"{row:06}", plate.shelf_id, time_s - 0.4, time_s + 0.4, time_s, (plate,), delta_g, covariance_g2, 1.0
    )


def _sightings(
    reached_m: NDArray[np.float64],
    times_s: NDArray[np.float64],
    who: NDArray[np.int64],
    shoppers: int,
    rng: np.random.Generator,
) -> FloorTracks:
    """Rows of all shoppers: each stands before the plate that is next, and reaches it for half a second."""
    clock_s = np.arange(times_s.min() - 2.0, times_s.max() + 2.0, 1.0 / _SEEN_HZ)
    wrist, n = JOINTS.index("r_wrist"), len(clock_s)
    tables = []
    for shopper in range(shoppers):
        own_s, own_m = times_s[who == shopper], reached_m[who == shopper]
        if not len(own_s):
            own_s, own_m = np.array([0.0]), np.array([[-2.0, -2.0, 1.0]])
        following = np.minimum(np.searchsorted(own_s, clock_s - 0.5), len(own_s) - 1)
        target_m = own_m[following]
        body_m = target_m[:, :2] - [0.0, 0.45]
        reaches = np.abs(own_s[following] - clock_s) < 0.5
        joints_m = np.full((n, len(JOINTS), 3), np.nan)
        score = np.zeros((n, len(JOINTS)))
        hand_m = np.where(reaches[:, None], target_m, np.column_stack([body_m, np.full(n, 1.0)]))
        joints_m[:, wrist] = hand_m + rng.normal(0.0, 0.03, (n, 3))
        score[:, wrist] = 0.95
        tables.append((clock_s, np.full(n, shopper), body_m, joints_m, score))
    time_s, index, xy_m, joints_m, score = (np.concatenate(column) for column in zip(*tables, strict=True))
    names = tuple(f"shopper-{k + 1}" for k in range(shoppers))
    return FloorTracks.sightings(names, time_s, index, xy_m=xy_m, joints_m=joints_m, joint_score=score)
