"""How well joints are known from poses in several cameras: real labels, simulated pixels, and a simulated store.

python experiments/triangulate_joints.py --root ../shared/data
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import JOINTS, FloorTracks
from gocv.data.calibrations import read_calibration
from gocv.data.multiview.actors import read_actors
from gocv.data.nanostore import Sightings, read_documents
from gocv.data.poses import PoseTable
from gocv.geometry import PinholeCamera
from gocv.multicamera import JointSettings, match_poses, triangulate_joints
from gocv.multicamera.views import Association, CameraView
from gocv.pipeline.poses import add_joints
from gocv.sim import Scenario, read_scenario, simulate_scene
from gocv.sim.multiview import look
from gocv.sim.scene import Scene
from gocv.sim.sightings import people_of
from gocv.sim.stores.ceiling import with_cameras

Array = NDArray[np.float64]
Row = dict[str, Any]
CHI2_95 = 7.815
NOISE_PX = (1.0, 2.0, 4.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, default=Path("experiments/results/joints.json"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    rows = [
        *campus(options.root, rng),
        *nanostore(options.root, rng),
        *store(options.seed),
        *matched(options.seed),
        *speed(rng),
    ]
    BenchmarkResult("joints", rows, environment(options.seed), command_line()).write(options.json)
    for row in rows:
        print(json.dumps({key: round(v, 4) if isinstance(v, float) else v for key, v in row.items()}))


def campus(root: Path, rng: np.random.Generator) -> list[Row]:
    """The 3-D labels of `actorsGT.mat` are Campus': they project onto its 2-D labels through Campus' cameras."""
    folder = root / "shelf_campus_calibration"
    cameras = list(read_calibration(folder / "calibration_campus.json", "campus3d").values())
    actors = read_actors(folder / "actorsGT.mat")
    truth, seen = actors.joints_m, np.moveaxis(actors.joints_px, 1, 0)
    projected = np.stack([camera.project(truth)[0] for camera in cameras])
    by_hand = np.array([np.array_equal(view, view.round()) for view in seen])
    rows: list[Row] = []
    for views in ([c for c in range(3) if by_hand[c]], range(3)):
        used = list(views)
        found = triangulate_joints([cameras[c] for c in used], seen[used], np.ones((len(used), *truth.shape[:2])), 1.0)
        row = scored("Campus, its 2-D labels", found.joints_m, found.covariance_m2, truth)
        off_px = np.linalg.norm(seen[used] - projected[used], axis=3)
        rows.append({**row, "cameras": len(used), "labelled_by_hand": int(by_hand[used].sum()), "people": len(truth)})
        rows[-1]["label_off_px_median"] = float(np.median(off_px))
    return rows + noisy("Campus, 3-D labels projected", cameras, truth, rng, repeats=50)


def nanostore(root: Path, rng: np.random.Generator) -> list[Row]:
    """Real joints of a real shopper in a real store, seen by the simulator's ceiling cameras."""
    sightings = Sightings()
    for document in read_documents(root / "nanostore" / "BENCHMARK-1" / "full_targets.json"):
        sightings.add(document)
    joints_m = sightings.floor_tracks(0.0).joints_m
    truth = joints_m[np.isfinite(joints_m).all(axis=(1, 2))]
    middle = np.median(truth.reshape(-1, 3), axis=0)
    own = list(read_calibration(root / "nanostore" / "layout", "nanostore").values())
    rows = noisy("BENCHMARK-1's joints, the store's cameras", own, truth, rng, repeats=4)
    for count in (2, 3, 4, 6, 8):
        cameras = ceiling(count, middle)
        rows += noisy("BENCHMARK-1's joints, ceiling cameras", cameras, truth, rng, repeats=4)
    return rows


def noisy(what: str, cameras: list[PinholeCamera], truth: Array, rng: np.random.Generator, repeats: int) -> list[Row]:
    """Gaussian noise on exact pixels; with one view of another place from three cameras on."""
    people = np.tile(truth, (repeats, 1, 1))
    exact = np.stack([camera.project(people)[0] for camera in cameras])
    rows: list[Row] = []
    for sd_px in NOISE_PX:
        for outlier in (False, True) if len(cameras) > 2 else (False,):
            seen = exact + rng.normal(0, sd_px, exact.shape)
            for view, camera in zip(seen, cameras, strict=True):
                view[~((view >= 0) & (view < [camera.width_px, camera.height_px])).all(axis=-1)] = np.nan
            row, bad = np.arange(len(people)), rng.integers(len(cameras), size=len(people))
            if outlier:
                turn = rng.uniform(0, 2 * np.pi, (len(people), 1))
                seen[bad, row] += 15 * sd_px * np.stack([np.cos(turn), np.sin(turn)], axis=2)
            found = triangulate_joints(
                cameras, seen, np.full(seen.shape[:3], 0.9), sd_px * 0.9 ** JointSettings().power
            )
            scores = scored(what, found.joints_m, found.covariance_m2, people)
            there = np.isfinite(seen).all(axis=3)
            scores |= {"cameras": len(cameras), "views_median": float(np.median(there.sum(axis=0)))}
            scores |= {"noise_px": sd_px, "outlier": outlier}
            if outlier:
                wrong = np.zeros_like(there)
                wrong[bad, row] = True
                scores["outlier_rejected"] = 1 - float(found.used[wrong & there].mean())
                scores["good_view_kept"] = float(found.used[~wrong & there].mean())
            rows.append(scores)
    return rows


def store(seed: int) -> list[Row]:
    """A simulated visit seen by detectors that err, hide and swap as the simulator has it; who is who is known."""
    rows: list[Row] = []
    for count in (2, 4, 8):
        scenario = Scenario(shoppers=3, cameras=count)
        scene = simulate_scene(scenario, seed=7)
        views, who, poses = seen_by_all(scene, scenario, seed)
        names = tuple(m.name for m in scene.motions)
        time_s = np.arange(0, scene.duration_s, 0.1)
        parts = [(i, time_s[(time_s >= m.start_s) & (time_s <= m.end_s)], m) for i, m in enumerate(scene.motions)]
        shopper = np.concatenate([np.full(len(t), i) for i, t, _ in parts])
        truth = np.concatenate([m.joints_m(t) for _, t, m in parts])
        shoppers = FloorTracks.sightings(names, np.concatenate([t for _, t, _ in parts]), shopper)
        found = add_joints(views, Association(shoppers, who), poses)
        for part, joints in (("all joints", range(8)), ("head", [0]), ("wrists", [6, 7])):
            off = np.linalg.norm(found.joints_m - truth, axis=2)[:, list(joints)]
            score = found.joint_score[:, list(joints)]
            known = np.isfinite(off)
            row: Row = {"what": f"simulated store, {part}", "cameras": count, "known": float(known.mean())}
            row |= millimetres(off[known])
            for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 0.99), (0.99, 1.01)):
                inside = known & (score >= low) & (score < high)
                if inside.sum() >= 30:
                    row[f"within_200_mm_at_score_{low:g}"] = float((off[inside] < 0.2).mean())
                    row[f"share_at_score_{low:g}"] = float(inside.sum() / known.sum())
            rows.append(row)
    return rows


def seen_by_all(
    scene: Scene, scenario: Scenario, seed: int
) -> tuple[list[CameraView], dict[str, NDArray[np.int64]], dict[str, PoseTable]]:
    """Boxes, which motion they are of (-1: none), and poses of every camera."""
    seen = look(scene, scenario.boxes, seed=seed, rate_hz=10.0, poses=scenario.poses)
    numbers = people_of(scene)
    motion_of = np.full(len(numbers) + 1, -1)
    for number, motion in enumerate(scene.motions):
        motion_of[numbers[motion.person]] = number
    views = [CameraView(name, scene.layout.cameras[name], table) for name, table in seen.scene.detections.items()]
    person = {name: np.where(of >= 0, seen.sightings[name].person[of], -1) for name, of in seen.of.items()}
    return views, {name: motion_of[rows] for name, rows in person.items()}, dict(seen.poses)


def matched(seed: int) -> list[Row]:
    """Poses of a crowd, matched by geometry alone: share of pairs of poses that are rightly together or apart."""
    rows: list[Row] = []
    scenario = read_scenario(Path("configs/sim/scenarios/rush_hour.yaml"), ["shoppers=20", "hours=null", "features=[]"])
    for count in (2, 4, 8):
        scene = simulate_scene(scenario.model_copy(update={"cameras": count}), seed=11)
        views, who, poses = seen_by_all(scene, scenario, seed)
        cameras = [view.calibration for view in views if view.calibration]
        right = joined = true = 0
        people = []
        for frame in range(0, len(views[0].seen), 10):
            tables = [poses[view.camera].poses_of(frame) for view in views]
            rows_of = []
            for view in views:
                table = poses[view.camera]
                rows_of.append(view.seen.first_row[frame] + table.box[slice(*table.first_row[frame : frame + 2])])
            sizes = [view.seen.boxes.xyxy[rows] for view, rows in zip(views, rows_of, strict=True)]
            sd = [np.repeat(np.sqrt(np.prod(b[:, 2:] - b[:, :2], axis=1))[:, None] * 0.03, 17, axis=1) for b in sizes]
            truth = np.concatenate([who[view.camera][rows] for view, rows in zip(views, rows_of, strict=True)])
            group = np.concatenate(match_poses(cameras, tables, sd))
            pairs = np.triu(np.ones((len(truth), len(truth)), bool), 1)
            same, together = (truth[:, None] == truth) & pairs, (group[:, None] == group) & pairs
            right, joined, true = right + (same & together).sum(), joined + together.sum(), true + same.sum()
            people.append(len(set(truth.tolist())))
        row = {"what": "poses matched, simulated crowd", "cameras": count, "people_median": float(np.median(people))}
        rows.append({**row, "precision": float(right / max(joined, 1)), "recall": float(right / max(true, 1))})
    return rows


def speed(rng: np.random.Generator) -> list[Row]:
    """Joints a second on one core, everything in sight of every camera."""
    rows: list[Row] = []
    for count in (2, 4, 12):
        cameras = ceiling(count, np.array([0.0, 0.0, 1.2]))
        truth = rng.uniform([-1, -1, 0.6], [1, 1, 1.8], (1000, len(JOINTS), 3))
        seen = np.stack([camera.project(truth)[0] for camera in cameras])
        seen += rng.normal(0, 2, seen.shape)
        for share in (0.0, 0.2):
            given = seen + 60.0 * (rng.random(seen.shape[:3]) < share / count)[..., None]
            spent = []
            for _ in range(4):
                start = time.process_time()
                triangulate_joints(cameras, given, np.full(seen.shape[:3], 0.9), 2.0)
                spent.append(time.process_time() - start)
            rate = truth.shape[0] * truth.shape[1] / float(np.median(spent[1:]))
            rows.append({"what": "speed", "cameras": count, "joints_with_an_outlier": share, "joints_per_s": rate})
    return rows


def scored(what: str, joints_m: Array, covariance_m2: Array, truth: Array) -> Row:
    error = joints_m - truth
    known = np.isfinite(error).all(axis=2)
    squared = np.einsum("ki,kij,kj->k", error[known], np.linalg.inv(covariance_m2[known]), error[known])
    row: Row = {"what": what, "known": float(known.mean())} | millimetres(np.linalg.norm(error[known], axis=1))
    return row | {"nees_mean_of_3": float(squared.mean()), "inside_95": float((squared < CHI2_95).mean())}


def millimetres(off_m: Array) -> Row:
    return {"median_mm": float(1e3 * np.median(off_m)), "p95_mm": float(1e3 * np.quantile(off_m, 0.95))}


def ceiling(count: int, middle_m: Array) -> list[PinholeCamera]:
    """The simulator's cameras around a place: those of a room of 6 by 5 m."""
    layout = with_cameras(simulate_layout(), max(count, 4))
    shift = np.array([*(middle_m[:2] - np.array(layout.origin_m) - np.array(layout.size_m) / 2), 0.0])
    moved = []
    for camera in list(layout.cameras.values())[:count]:
        pose = camera.camera_T_world.copy()
        pose[:3, 3] -= pose[:3, :3] @ shift
        moved.append(PinholeCamera(camera.width_px, camera.height_px, camera.matrix, camera.distortion, pose))
    return moved


def simulate_layout() -> Any:
    return Scenario().store.layout()


if __name__ == "__main__":
    main()
