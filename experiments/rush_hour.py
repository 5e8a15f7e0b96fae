"""Who is whom in a rush hour under eight cameras, with and without appearance: `python experiments/rush_hour.py`.

For each seed the visit is simulated and its boxes are made from geometry, as a detector would find them. `LOOKS_HZ`
times a second the same scene is drawn and what lies in the boxes is encoded by the encoder that comes with gocv; boxes
in between have no vector. All of it is kept under `--work`, so that a second run only associates. Settings are chosen
on seeds below 1000; the result in `experiments/results/rush_hour.json` is of seeds from 10,000 on.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from gocv.bench.multicamera_methods import FLOOR_DISTANCE, TRUE_IDENTITIES, methods, true_identities
from gocv.bench.multicamera_scores import score_floor
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import Embeddings
from gocv.data.detections import DetectionTable
from gocv.data.embeddings import EmbeddingTableWriter, read_vectors
from gocv.data.files import write_json
from gocv.data.multiview import MultiviewScene, read_scene, write_scene
from gocv.multicamera.views import CameraView
from gocv.pipeline import PipelineConfig
from gocv.reid.crops import cut_crops
from gocv.sim import read_scenario, simulate_scene
from gocv.sim.multiview import Views, look

ROOT = Path(__file__).parents[1]
SCENARIO = ROOT / "configs" / "sim" / "scenarios" / "rush_hour_eight_cameras.yaml"
RESULT = ROOT / "experiments" / "results" / "rush_hour.json"
LOOKS_HZ = 2.0


@dataclasses.dataclass(frozen=True)
class Job:
    """One visit.

    Attributes:
        scenario: File.
        seed: Of the visit.
        from_s: Since when it is filmed.
        until_s: Until when, exclusive; None for the end.
        work: Folder of all visits.
    """

    scenario: Path
    seed: int
    from_s: float
    until_s: float | None
    work: Path

    @property
    def folder(self) -> Path:
        """Where its files are."""
        until = "end" if self.until_s is None else f"{self.until_s:g}"
        return self.work / f"{self.scenario.stem}-{self.seed}-{self.from_s:g}-{until}"


def geometry(job: Job) -> MultiviewScene:
    """The boxes of the visit, made now unless they lie there."""
    file, owners = job.folder / "scene.npz", job.folder / "persons.npz"
    if not (file.exists() and owners.exists()):
        scenario = read_scenario(job.scenario)
        start = time.perf_counter()
        scene = simulate_scene(scenario, seed=job.seed)
        acted = time.perf_counter()
        span = {"rate_hz": scenario.frames_hz, "from_s": job.from_s, "until_s": job.until_s}
        views = look(scene, scenario.boxes, seed=job.seed, **span)
        seconds = {"simulate_s": acted - start, "boxes_s": time.perf_counter() - acted}
        write_json(job.folder / "facts.json", {**facts(views), **seconds})
        write_scene(file, views.scene)
        np.savez_compressed(owners, **persons(views))
    return read_scene(file)


def persons(views: Views) -> dict[str, np.ndarray]:
    """Who each box really is, by camera; -1 for nobody."""
    return {name: np.where(of < 0, -1, views.sightings[name].person[of]) for name, of in views.of.items()}


def facts(views: Views) -> dict[str, Any]:
    """What a reader should know of the boxes."""
    scene, of = views.scene, views.of
    seen = views.sightings
    found = {name: seen[name][rows[rows >= 0]] for name, rows in of.items()}
    boxes = sum(len(rows) for rows in of.values())
    true = sum(len(rows) for rows in found.values())
    shown = [int((s.visible_fraction > 0).sum()) for s in seen.values()]
    edge = sum(int((s.inside_fraction < 0.99).sum()) for s in found.values())
    time_s = next(iter(scene.labels.values())).time_s
    present = np.bincount(np.searchsorted(time_s, scene.truth.time_s), minlength=len(time_s))
    watched = {(int(f), int(p)) for s in found.values() for f, p in zip(s.frame, s.person, strict=True)}
    return {
        "people": len(np.unique(scene.truth.person)),
        "shopper_hours": len(scene.truth) * float(np.median(np.diff(time_s))) / 3600,
        "most_at_once": int(present.max()),
        "mean_at_once": float(present.mean()),
        "boxes": boxes,
        "false_share": 1 - true / boxes,
        "found_share_of_shown": true / sum(shown),
        "feet_hidden_share": sum(int((~s.feet_seen).sum()) for s in found.values()) / true,
        "head_hidden_share": sum(int((~s.head_seen).sum()) for s in found.values()) / true,
        "cut_by_picture_share": edge / true,
        "half_hidden_share": sum(int((s.visible_fraction < 0.5).sum()) for s in found.values()) / true,
        "cameras_a_person": true / max(1, len(scene.truth)),
        "moments_of_people_in_no_box_share": 1 - len(watched) / max(1, len(scene.truth)),
    }


def film(job: Job, scene: MultiviewScene, workers: int) -> None:
    """A table of vectors for each camera: the scene is drawn in processes of their own, without torch in them."""
    missing = [name for name in scene.cameras if not _vectors_file(job, name).exists()]
    if not missing:
        return
    from gocv.reid.encoder import Encoder

    encoder = Encoder()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_core) as pool:
        jobs = {name: pool.submit(_crops, job, name, scene.detections[name], encoder.size_px) for name in missing}
        for name, future in jobs.items():
            frames, seconds = future.result()
            file = job.folder / f"crops-{name}.npz"
            with np.load(file, allow_pickle=False) as kept:
                crops, position, row = kept["crops"], kept["position"], kept["row"]
            start = time.perf_counter()
            vector = encoder.encode_crops(crops)
            encoded_s = time.perf_counter() - start
            with EmbeddingTableWriter(_vectors_file(job, name)) as writer:
                for frame in np.unique(position):
                    own = position == frame
                    writer.write(int(scene.detections[name].frame[frame]), Embeddings(vector[own], row[own]))
            figures = {"frames": frames, "crops": len(crops), "draw_s": seconds, "encode_s": encoded_s}
            write_json(job.folder / f"filmed-{name}.json", figures)
            print(job.folder.name, name, {key: round(value, 1) for key, value in figures.items()}, flush=True)
            file.unlink()


def _crops(job: Job, name: str, boxes: DetectionTable, size_px: tuple[int, int]) -> tuple[int, float]:
    """Draw one camera's pictures and keep what lies in the boxes; how many pictures, and seconds that it took."""
    from gocv.sim.render import render_camera

    start, crops, position, row = time.perf_counter(), [], [], []
    scene = simulate_scene(read_scenario(job.scenario), seed=job.seed)
    span = {"rate_hz": LOOKS_HZ, "from_s": job.from_s, "until_s": job.until_s}
    frames = 0
    for frame in render_camera(scene, name, seed=job.seed, truth=False, **span):
        at = int(np.argmin(np.abs(boxes.time_s - frame.time_s)))
        if abs(boxes.time_s[at] - frame.time_s) > 1e-6:
            raise ValueError(f"there are no boxes of {frame.time_s} s")
        own = boxes.detections(at)
        crops.append(cut_crops(frame.image, own.xyxy, size_px))
        position += [at] * len(own)
        row += range(len(own))
        frames += 1
    arrays = {"position": np.array(position, np.int64), "row": np.array(row, np.int64)}
    np.savez(job.folder / f"crops-{name}.npz", crops=np.concatenate(crops), **arrays)
    return frames, time.perf_counter() - start


def _one_core() -> None:
    os.environ.setdefault("LP_NUM_THREADS", "1")


def _vectors_file(job: Job, name: str) -> Path:
    return job.folder / f"embeddings-{name}.parquet"


def camera_views(job: Job, scene: MultiviewScene, *, appearance: bool) -> list[CameraView]:
    """What the cameras saw; with appearance, a vector for each box that was encoded and NaN for the others."""
    views = []
    for name, camera in scene.cameras.items():
        seen = scene.detections[name]
        frames = seen.frame.tolist()
        vector = read_vectors(_vectors_file(job, name), frames, seen.first_row) if appearance else None
        views.append(CameraView(name, camera, seen, vector))
    return views


def measure(job: Job, scene: MultiviewScene, looks: Sequence[bool]) -> list[dict[str, Any]]:
    """Scores of each method on the floor."""
    with np.load(job.folder / "persons.npz", allow_pickle=False) as kept:
        person = dict(kept)
    known = {**methods(PipelineConfig()), TRUE_IDENTITIES: lambda views: true_identities(views, person)}
    rows = []
    for method, run in known.items():
        for appearance in looks if method not in (FLOOR_DISTANCE, TRUE_IDENTITIES) else [False]:
            views = camera_views(job, scene, appearance=appearance)
            start = time.perf_counter()
            found = run(views)
            seconds = time.perf_counter() - start
            scores = score_floor(scene, found)
            shown = {} if scores is None else scores.json()
            rows.append(
                {
                    "method": method,
                    "appearance": appearance,
                    "scenario": job.scenario.stem,
                    "seed": job.seed,
                    **shown,
                    "compute_s": seconds,
                }
            )
            print({key: round(v, 3) if isinstance(v, float) else v for key, v in rows[-1].items()}, flush=True)
    return rows


def main() -> None:
    """Make what is missing, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", type=Path, default=SCENARIO)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10_000, 10_001])
    parser.add_argument("--from-s", type=float, default=60.0)
    parser.add_argument("--until-s", type=float, default=150.0)
    parser.add_argument("--whole", action="store_true", help="the whole visit, in place of --from-s and --until-s")
    parser.add_argument("--no-appearance", action="store_true", help="geometry alone: nothing is drawn")
    parser.add_argument("--only-make", action="store_true", help="make the data and measure nothing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "rush_hour")
    parser.add_argument("--json", type=Path, help=f"where to write, such as {RESULT.relative_to(ROOT)}")
    given = parser.parse_args()
    span = (0.0, None) if given.whole else (given.from_s, given.until_s)
    rows = []
    for seed in given.seeds:
        job = Job(given.scenario.resolve(), seed, *span, given.work)
        scene = geometry(job)
        if not given.no_appearance:
            film(job, scene, given.workers)
        if not given.only_make:
            rows += measure(job, scene, [False] if given.no_appearance else [False, True])
    if given.json is not None:
        BenchmarkResult("rush_hour", rows, environment(), command_line()).write(given.json)


if __name__ == "__main__":
    main()
