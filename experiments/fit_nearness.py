"""Fit how nearness becomes a likelihood: maximum likelihood of who really did it, among the shoppers who were present.

Events are the truth's, with an error of up to 0.1 s in time, so that nothing depends on a detector of weight events.
Every other visit is seen by a worse tracker than the one that was measured (`experiments/fit_joint_noise.py`): twice
the noise, and hands that are lost four times as often. Bodies are fitted first, without any hands; then the rest.
Settings are fitted on the first seeds and scored on as many later ones, all of development.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import JOINTS, FloorTracks, ShelfId, Store, WeightEvent
from gocv.data.recording import Recording, Truth
from gocv.fusion.nearness import NearnessSettings, nearness
from gocv.geometry import distance_to_box
from gocv.sim import read_scenario, simulate
from gocv.sim.observe import JointNoise

SEEDS = {  # so many of each that no scenario drowns the others
    "plain_visit": 30,
    "very_close": 30,
    "crossing_arms": 30,
    "simultaneous_takes": 30,
    "rush_hour": 3,
    "hand_over": 30,
}
HELD_OUT = 500
TIME_ERROR_S = 0.1
WRISTS = [JOINTS.index("l_wrist"), JOINTS.index("r_wrist")]
BODY = {"arm_m": (0.3, 1.2), "body_sd_m": (0.05, 1.0)}
"""Ranges that are physically sensible, the fit stays inside: a simulated tracker knows no gross errors, hands are never
known to less than the survey of the plates, and no detector times an event to better than its window allows."""
HANDS = {
    "x": (0.04, 0.3),
    "y": (0.04, 0.3),
    "z": (0.04, 0.3),
    "still_sd_m": (0.02, 0.3),
    "tail": (1.0, 5.0),
    "leave_m": (0.03, 0.4),
    "linger": (0.02, 0.9),
    "time_sd_s": (0.08, 0.3),
    "unseen": (0.01, 0.95),
    "stray": (0.003, 0.2),
    "absent": (5e-4, 0.1),
    "cap": (100.0, 5_000.0),
}


class Case(NamedTuple):
    """An event, what was seen around it, and who did it."""

    event: WeightEvent
    store: Store
    around: FloorTracks
    shopper: str


class Score(NamedTuple):
    """How often the most likely shopper was the right one, and the mean of -log of the right one's probability."""

    accuracy: float
    log_loss: float
    events: int


def worse(noise: JointNoise) -> JointNoise:
    """A tracker of twice the noise that loses hands four times as often."""
    return dataclasses.replace(
        noise,
        fast_m=tuple(2 * sd for sd in noise.fast_m),
        slow_m=tuple(2 * sd for sd in noise.slow_m),
        lost_per_s=tuple(4 * rate for rate in noise.lost_per_s),
    )


def cases(scenarios: Path, name: str, seeds: Sequence[int], rng: np.random.Generator) -> list[Case]:
    """The events at shelves of a scenario at which at least two shoppers were there."""
    found: list[Case] = []
    for seed in seeds:
        scenario = read_scenario(scenarios / f"{name}.yaml")
        if seed % 2:
            scenario = scenario.model_copy(update={"joints": worse(scenario.joints)})
        with tempfile.TemporaryDirectory() as folder:
            truth = simulate(scenario, Path(folder) / "recording", seed=seed)
            recording = Recording.open(Path(folder) / "recording")
            tracks = recording.floor_tracks()
        tracks = tracks[np.argsort(tracks.time_s, kind="stable")]
        for number, happened in enumerate(truth.events):
            if happened.kind == "shelf":
                time_s = happened.time_s + rng.uniform(-TIME_ERROR_S, TIME_ERROR_S)
                grams = recording.store.products[happened.product].weight_g * happened.quantity
                delta_g = np.full(len(happened.plates), -grams / len(happened.plates))
                event = WeightEvent(
                    str(number),
                    ShelfId(*happened.plates[0][:2]),
                    time_s - 0.4,
                    time_s + 0.4,
                    time_s,
                    happened.plates,
                    delta_g,
                    np.eye(len(delta_g)),
                    1.0,
                )
                around = tracks[slice(*np.searchsorted(tracks.time_s, (time_s - 5.4, time_s + 5.4)))]
                if len(np.unique(around.shopper)) > 1:
                    found.append(Case(event, recording.store, around, called(truth, happened.shopper, happened.time_s)))
    return found


def called(truth: Truth, shopper: str, time_s: float) -> str:
    """The name under which a shopper is seen at a time."""
    latest = {span.name: span for span in truth.names if span.time_s <= time_s}
    own = [(span.time_s, span.name) for span in latest.values() if span.shopper == shopper]
    return max(own)[1] if own else shopper


def nearest_hand(case: Case) -> dict[str, float]:
    """What nearness was before: the least distance from a wrist to the plates within half a second, Gaussian."""
    event, rows = case.event, case.around
    rows = rows[(rows.time_s >= event.start_s - 0.5) & (rows.time_s <= event.end_s + 0.5)]
    likelihood: dict[str, float] = {}
    for shopper in np.unique(rows.shopper):
        own = rows[rows.shopper == shopper]
        wrists_m = own.joints_m[:, WRISTS]
        seen = (own.joint_score[:, WRISTS] >= 0.3) & np.isfinite(wrists_m).all(axis=2)
        hands_m, floor_m = [np.inf], [np.inf]
        for plate in (case.store.plates[p] for p in event.plates):
            lift = plate.rotation @ [0.0, 0.0, 0.125]
            box_m = np.array([*plate.size_m, 0.25])
            hands_m += distance_to_box(wrists_m[seen], plate.centre_m + lift, plate.rotation, box_m).tolist()
            floor_m += np.linalg.norm(own.xy_m - plate.centre_m[:2], axis=1).tolist()
        hand = math.exp(-0.5 * (min(hands_m) / 0.15) ** 2)
        unseen = 1 - seen.any(axis=0).mean()
        body = unseen * math.exp(-0.5 * (max(0.0, min(floor_m) - 0.7) / 0.35) ** 2)
        likelihood[rows.shoppers[shopper]] = max(hand, body)
    return likelihood


def calibrated(settings: NearnessSettings) -> Callable[[Case], dict[str, float]]:
    """Likelihoods by shopper, as gocv has them."""
    return lambda case: {n.shopper: n.likelihood for n in nearness(case.event, case.store, case.around, settings)}


def score(of: Sequence[Case], method: Callable[[Case], dict[str, float]]) -> Score:
    """Who is most likely, and how likely the right one is."""
    right, loss = 0.0, 0.0
    for case in of:
        likelihood = method(case)
        own = likelihood.get(case.shopper, 0.0)
        best = max(likelihood.values(), default=0.0)
        right += own / best // 1 / list(likelihood.values()).count(best) if own else 0.0  # who ties is drawn by lot
        loss -= math.log(max(own / max(math.fsum(likelihood.values()), 1e-300), 1e-12))
    return Score(right / len(of), loss / len(of), len(of))


def fit(of: Sequence[Case], start: NearnessSettings, ranges: dict[str, tuple[float, float]]) -> NearnessSettings:
    """The settings within `ranges` that make who really did it most probable; searched in their logarithms."""
    before = {**dict(zip("xyz", start.hand_sd_m, strict=True)), **start.model_dump()}

    def settings_of(logs: Any) -> NearnessSettings:
        values = dict(zip(ranges, np.exp(logs).tolist(), strict=True))
        if "x" in values:
            values["hand_sd_m"] = tuple(values.pop(axis) for axis in "xyz")
        return NearnessSettings.model_validate({**start.model_dump(), **values})

    found = minimize(
        lambda logs: score(of, calibrated(settings_of(logs))).log_loss,
        [math.log(before[key]) for key in ranges],
        method="L-BFGS-B",
        bounds=[(math.log(low), math.log(high)) for low, high in ranges.values()],
        options={"eps": 0.02, "maxiter": 20, "ftol": 1e-4},
    )
    return settings_of(found.x)


def rounded(settings: NearnessSettings) -> NearnessSettings:
    """To two digits: the data say no more."""
    values = {
        key: tuple(float(f"{v:.2g}") for v in value) if isinstance(value, tuple) else float(f"{value:.2g}")
        for key, value in settings.model_dump().items()
        if key != "mode"
    }
    return NearnessSettings.model_validate(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenarios", type=Path, default=Path("configs/sim/scenarios"))
    parser.add_argument("--json", type=Path, default=Path("experiments/results/nearness.json"))
    parser.add_argument("--score-only", action="store_true", help="score the settings that gocv has")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    settings = NearnessSettings()
    if not options.score_only:
        pooled = [c for name, n in SEEDS.items() for c in cases(options.scenarios, name, range(n), rng)]
        bodies = fit(pooled, settings.model_copy(update={"mode": "body"}), BODY)
        settings = rounded(fit(pooled, bodies.model_copy(update={"mode": "hands"}), HANDS))
        print(settings)
    by_body = settings.model_copy(update={"mode": "body"})
    methods = {
        "nearest hand": nearest_hand,
        "nearness": calibrated(settings),
        "nearness, bodies alone": calibrated(by_body),
        "presence": calibrated(settings.model_copy(update={"mode": "presence"})),
    }
    rows = []
    for name, n in SEEDS.items():
        held_out = cases(options.scenarios, name, range(HELD_OUT, HELD_OUT + n), rng)
        for method, likelihood in methods.items():
            begun_s = time.perf_counter()
            found = score(held_out, likelihood)
            spent_ms = 1e3 * (time.perf_counter() - begun_s) / len(held_out)
            row = {"method": method, "scenario": name, "events": found.events, "accuracy": round(found.accuracy, 4)}
            rows.append({**row, "log_loss": round(found.log_loss, 4), "ms_per_event": round(spent_ms, 3)})
            print(rows[-1])
    rows.append({"method": "settings", **settings.model_dump()})
    BenchmarkResult("nearness", rows, environment(HELD_OUT), command_line()).write(options.json)


if __name__ == "__main__":
    main()
