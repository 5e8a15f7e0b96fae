"""Cameras calibrated from people who walk: how far off is the floor?

python experiments/calibrate_walkers.py --root ../shared/data

Simulated: two walkers, boxes at 10 Hz whose edges are off by 3 % of their height (the error lasts 0.2 s), 10 % missed,
cut off by the picture, feet hidden 3 % of the time. The shop is that of the demonstration (6.4 m by 4.2 m, four cameras
under the ceiling); the hall is 12 m by 8 m without shelves, four cameras along its walls. Real: WILDTRACK's labels,
each camera's own tracks, nobody known across cameras. Errors are those of floor points where people walk, in the
picture of a camera, after the frame was turned and shifted onto the true one, without scale.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import GocvError
from gocv.data.multiview import read_wildtrack
from gocv.geometry import PinholeCamera
from gocv.multicamera.calibration import Lens, WalkersCalibration, WalkerSettings, calibrate_walkers, floor_errors
from gocv.multicamera.calibration.poses import parameters_of
from gocv.multicamera.views import CameraView
from gocv.sim.layout import StoreLayout
from gocv.sim.routes import Floor
from gocv.sim.stores import demo_layout, with_cameras
from gocv.sim.strollers import BoxFaults, boxes_seen, stroll

RATE_HZ = 10.0
MEAN_M, SD_M = 1.72, 0.08
SEEDS = (10_304, 10_305, 10_306)
MINUTES = (0.5, 1.0, 2.0, 5.0)
LABEL_M = 1.80
"""Height of WILDTRACK's rectangles, a fact of how they were made, not of the calibration."""


def hall() -> StoreLayout:
    return with_cameras(StoreLayout.build((), (), zones=(), size_m=(12.0, 8.0), door_m=(0.15, 4.0)), 4)


def mounted(cameras: Mapping[str, PinholeCamera], rng: np.random.Generator) -> dict[str, PinholeCamera]:
    """As somebody on a ladder leaves them: rolled and tilted by a degree or two."""
    found = {}
    for name, camera in cameras.items():
        parameters = parameters_of(camera)
        parameters[2:5] += np.radians(rng.normal(0, [1.0, 1.5, 2.0]))
        found[name] = Lens.of(camera).camera(parameters)
    return found


def knocked(camera: PinholeCamera, degrees: float) -> PinholeCamera:
    parameters = parameters_of(camera)
    parameters[4] += np.radians(degrees)
    return Lens.of(camera).camera(parameters)


@dataclasses.dataclass
class Walk:
    """A simulated recording."""

    cameras: dict[str, PinholeCamera]
    views: list[CameraView]
    xy_m: np.ndarray
    heights_m: tuple[float, ...]


def walk(layout: StoreLayout, seed: int, minutes: float, knock: tuple[str, float] | None = None) -> Walk:
    rng = np.random.default_rng(seed)
    cameras, floor = mounted(layout.cameras, rng), Floor(layout)
    heights = tuple(float(h) for h in np.round(rng.normal(MEAN_M, SD_M, 2), 3))
    time_s = np.arange(0, 60 * minutes, 1 / RATE_HZ)
    people = [stroll(floor, f"walker-{i}", h, float(time_s[-1]), rng) for i, h in enumerate(heights)]
    views = []
    for name, camera in cameras.items():
        moved = (time_s[-1] * 0.6, knocked(camera, knock[1])) if knock and knock[0] == name else None
        views.append(CameraView(name, None, boxes_seen(camera, people, time_s, BoxFaults(), rng, moved)[0]))
    xy_m = np.concatenate([m.at(time_s[::10], m.xy_m) for m in people])
    return Walk(cameras, views, xy_m, heights)


def row(method: str, made: WalkersCalibration, errors: Mapping[str, np.ndarray], **about: Any) -> dict[str, Any]:
    off = np.concatenate(list(errors.values()))
    return {
        "method": method,
        **about,
        "median_floor_error_m": float(np.median(off)),
        "p95_floor_error_m": float(np.quantile(off, 0.95)),
        "worst_camera_m": max(float(np.median(own)) for own in errors.values() if len(own)),
        "rms_px": float(np.median([r.rms_px for r in made.reports])),
        "rms_share": float(np.median([r.rms_share for r in made.reports])),
        "suspects": [f"{r.camera}: {r.suspect}" for r in made.reports if r.suspect],
    }


def simulated(shop: str, layout: StoreLayout, minutes: tuple[float, ...]) -> list[dict[str, Any]]:
    rows = []
    for seed in SEEDS:
        for duration in minutes:
            made = walk(layout, seed, duration)
            for lens in ("known", "unknown"):
                for heights in (
                    ("known", "mean", "mean, one camera's measured") if duration == max(minutes) else ("known",)
                ):
                    about = {"shop": shop, "lens": lens, "heights": heights, "minutes": duration, "seed": seed}
                    rows.append(one(made, about))
                    print(rows[-1], flush=True)
    return rows


def one(made: Walk, about: dict[str, Any]) -> dict[str, Any]:
    lenses = [Lens.of(c) if about["lens"] == "known" else Lens(c.width_px, c.height_px) for c in made.cameras.values()]
    known = made.heights_m if about["heights"] == "known" else ()
    name, camera = next(iter(made.cameras.items()))
    measured = {name: float(camera.position_m[2])} if "camera" in about["heights"] else {}
    settings = WalkerSettings(known_heights_m=known, height_m=MEAN_M, height_sd_m=SD_M, camera_heights_m=measured)
    try:
        found = calibrate_walkers(made.views, lenses, settings)
    except GocvError as error:
        return {"method": "walkers", **about, "refused": str(error)}
    return row("walkers", found, floor_errors(found.cameras, made.cameras, made.xy_m), **about)


def wildtrack(root: Path) -> list[dict[str, Any]]:
    scene = read_wildtrack(root / "wildtrack")
    cameras = {name: camera for name, camera in scene.cameras.items() if camera is not None}
    views = [CameraView(name, None, scene.labels[name]) for name in cameras]
    settings = WalkerSettings(
        body="rectangle", known_heights_m=(LABEL_M,), known_height_sd_m=0.005, edge_share=0.01, most_boxes=6000
    )
    rows = []
    for lens in ("known", "unknown"):
        lenses = [Lens.of(c) if lens == "known" else Lens(c.width_px, c.height_px) for c in cameras.values()]
        found = calibrate_walkers(views, lenses, settings)
        errors = floor_errors(found.cameras, cameras, scene.truth.xy_m)
        about = {"shop": "WILDTRACK (real)", "lens": lens, "heights": f"labels of {LABEL_M} m"}
        each = {name: round(float(np.median(own)), 4) for name, own in errors.items()}
        rows.append({**row("walkers", found, errors, **about), "median_by_camera_m": each})
        print(rows[-1], flush=True)
    return rows


def knocks() -> list[dict[str, Any]]:
    rows = []
    for seed in SEEDS:
        made = walk(demo_layout(), seed, 5.0, knock=("camera-2", 5.0))
        about = {"shop": "demo, camera-2 turned by 5° after 3 min", "lens": "known", "heights": "known", "minutes": 5.0}
        rows.append(one(made, {**about, "seed": seed}))
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of the public data sets")
    parser.add_argument("--json", type=Path, default=Path("experiments/results/calibration.json"))
    options = parser.parse_args()
    rows = simulated("demo", demo_layout(), MINUTES[-1:]) + simulated("hall", hall(), MINUTES)
    rows += [*knocks(), *wildtrack(options.root)]
    notes = ["the frame is aligned by turning and shifting; where heights are 'mean', the walkers' are drawn from "
             f"N({MEAN_M}, {SD_M}) m and only that is known"]  # fmt: skip
    result = BenchmarkResult("calibration", rows, environment(SEEDS[0]), command_line(), notes)
    result.write(options.json)


if __name__ == "__main__":
    main()
