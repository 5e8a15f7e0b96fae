"""Pictures of single people to learn poses from: `python experiments/pose_crops.py SOURCE FOLDER`.

SOURCE is one of

- `simulated`: shoppers of made-up stores as their ceiling cameras see them, with exact keypoints (seeds below 1000).
- `simulated_test`: the same of test seeds (10,000 and more), to measure on.
- `coco`: people in COCO's train2017 pictures.
- `footage`: people in PETS09, MOT17-mini, clips of a store and of people seen from above, and the made-up people of
  MultiviewX. Their keypoints are not known, as those of COCO's; `pose_teacher.py` adds a teacher's.

FOLDER gets `pictures/NUMBER.jpg`, each one person with some room around, and the table `poses.npz` that
`gocv.detect.pose.pictures` reads.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from reid_crops import CLIPS, SCENARIO, read, share_inside, still

from gocv.core import Frame
from gocv.data.mot import MotFolder
from gocv.data.poses import COCO17
from gocv.data.progress import with_progress
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.detect.pose.pictures import PosePictures, write_pose_pictures
from gocv.sim import read_scenario, simulate_scene
from gocv.sim.render import render_camera

ROOT = Path(__file__).parents[1]
SETTINGS = ("shoppers=40", "hours=0.15")
SEEDS = {"simulated": range(201, 206), "simulated_test": range(10_301, 10_302)}
"""Of the visits; each has a store of its own."""
RATE_HZ = 0.1
LEAST_SEEN, LEAST_PX = 0.3, 40
HIDDEN_WEIGHT = 0.2
"""How much a hidden keypoint's place counts, against one that is seen."""
ROOM, LARGEST_PX = 1.6, 288
"""The part that is cut out, against the box, and its larger side when it is written."""
PETS_STEP = 16
SCORE, STEP_S = 0.4, 0.4
PAINTED = {"retail-store-actions.gif"}
"""Clips in which another estimator's keypoints are drawn on the people."""


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """One person in a picture.

    Attributes:
        image: (h, w, 3) uint8.
        box: (4,) xyxy in its pixels.
        source: Where it comes from; what is held out together has one name.
        keypoints: (17, 2) pixels.
        seen: (17,) whether each is seen; NaN where that is not known.
        weight: (17,) how much each one's place counts.
    """

    image: np.ndarray
    box: np.ndarray
    source: str
    keypoints: np.ndarray
    seen: np.ndarray
    weight: np.ndarray


def cut(
    image: np.ndarray, box: np.ndarray, source: str, points: np.ndarray | None = None, seen: object = None
) -> Person:
    """The part around a box, made smaller where it is large."""
    middle, half = (box[:2] + box[2:]) / 2, max(box[2] - box[0], box[3] - box[1]) / 2
    wanted = np.concatenate([middle - ROOM * half, middle + ROOM * half])
    left, top, right, bottom = np.clip(np.round(wanted), 0, [image.shape[1], image.shape[0]] * 2).astype(int)
    part = Image.fromarray(np.ascontiguousarray(image[top:bottom, left:right]))
    scale = min(1.0, LARGEST_PX / max(part.size))
    size = tuple(max(1, round(side * scale)) for side in part.size)
    ratio = np.array(size) / part.size
    part = part.resize(size, Image.Resampling.BOX, reducing_gap=None) if scale < 1 else part
    # Pixels of keypoints are counted from the middle of the first one, those of boxes from its edge.
    points = np.full((len(COCO17), 2), np.nan) if points is None else (points + 0.5 - [left, top]) * ratio - 0.5
    moved = (box - [left, top, left, top]) * np.tile(ratio, 2)
    shown = np.full(len(COCO17), np.nan) if seen is None else np.asarray(seen, float)
    inside = np.isfinite(points).all(axis=1) & (points >= 0).all(axis=1) & (points < np.array(size)).all(axis=1)
    weight = np.where(inside & np.isfinite(shown), np.where(shown > 0, 1.0, HIDDEN_WEIGHT), 0.0)
    return Person(np.asarray(part), moved, source, points, shown, weight)


def of_store(seed: int) -> list[Person]:
    """Everybody whom the cameras of one store see."""
    scenario = read_scenario(SCENARIO, [*SETTINGS, f"store.parametric.seed={seed}"])
    scene = still(simulate_scene(scenario, seed=seed))
    people = []
    for name in scene.layout.cameras:
        for frame in render_camera(scene, name, rate_hz=RATE_HZ, seed=seed):
            assert frame.people is not None
            truth = frame.people
            shown = truth.visible_fraction * share_inside(truth.xyxy, frame.image)
            for row in np.flatnonzero(shown >= LEAST_SEEN):
                box = truth.visible_xyxy[row] + [0, 0, 1, 1]
                if max(box[2] - box[0], box[3] - box[1]) >= LEAST_PX:
                    seen = truth.keypoint_visible[row]
                    people.append(cut(frame.image, box, f"store {seed}", truth.keypoints_px[row], seen))
    return people


def simulated(seeds: Iterable[int], workers: int) -> Iterator[Person]:
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        for people in pool.imap(of_store, seeds):
            yield from people


def footage(root: Path, weights: Path) -> Iterator[Person]:
    detector = OnnxDetector(
        ROOT / "configs" / "detectors" / "yolox_nano.yaml", weights=weights, min_score=SCORE, threads=1
    )
    for source, people in {
        "mot17": of_mot17(root),
        "clips": of_clips(root, detector),
        "pets09": of_pets09(root, detector),
        "multiviewx": of_multiviewx(root, detector),
    }.items():
        yield from with_progress(people, source)


def of_coco(root: Path, part: str = "train2017") -> Iterator[Person]:
    for file in sorted((root / "coco_person" / "images" / part).glob("*.jpg")):
        image = read(file)
        size = np.array([image.shape[1], image.shape[0]] * 2)
        labels = file.parents[2] / "labels" / part / f"{file.stem}.txt"
        lines = labels.read_text(encoding="utf-8").splitlines() if labels.is_file() else []
        for kind, x, y, w, h in (line.split()[:5] for line in lines):
            if kind == "0":
                middle, half = np.array([float(x), float(y)]), np.array([float(w), float(h)]) / 2
                yield from large(image, np.concatenate([middle - half, middle + half]) * size, f"coco {file.stem}")


def of_mot17(root: Path) -> Iterator[Person]:
    for path in sorted((root / "mot" / "MOT17-mini" / "train").iterdir()):
        folder = MotFolder.open(path)
        truth = folder.truth()
        for frame in list(folder.frames())[::3]:
            rows = (truth.frame == frame.index + 1) & (truth.label == 1) & (truth.visibility > 0.3)
            for box in truth.xyxy[rows]:
                yield from large(frame.image, box.astype(float), f"mot17 {path.name}")


def of_clips(root: Path, detector: OnnxDetector) -> Iterator[Person]:
    for name in [clip for clip in CLIPS if clip not in PAINTED]:
        next_s = -np.inf
        for frame in VideoReader(root / "clips" / name, camera=name):
            if frame.time_s >= next_s:
                next_s = frame.time_s + STEP_S
                yield from found_in(frame, detector, f"clip {name}")


def of_pets09(root: Path, detector: OnnxDetector) -> Iterator[Person]:
    for frame in VideoReader(root / "pets09" / "S2L1-view001.avi", camera="view001"):
        if frame.index % PETS_STEP == 0:
            yield from found_in(frame, detector, "pets09")


def of_multiviewx(root: Path, detector: OnnxDetector) -> Iterator[Person]:
    for file in sorted((root / "multiviewx" / "Image_subsets").glob("*/*.jpg"))[::2]:
        yield from found_in(Frame(read(file), file.parent.name, 0.0, 0), detector, "multiviewx")


def found_in(frame: Frame, detector: OnnxDetector, source: str) -> Iterator[Person]:
    (found,) = detector.detect([frame])
    for box in found.xyxy:
        yield from large(frame.image, box.astype(float), source)


def large(image: np.ndarray, box: np.ndarray, source: str) -> Iterator[Person]:
    box = np.clip(box, 0, [image.shape[1], image.shape[0]] * 2)
    if max(box[2] - box[0], box[3] - box[1]) >= LEAST_PX and min(box[2] - box[0], box[3] - box[1]) >= LEAST_PX / 3:
        yield cut(image, box, source)


def write(folder: Path, people: Iterable[Person]) -> Counter[str]:
    """Write the pictures, and the table last: where it stands, all is there."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    rows: list[Person] = []
    for number, person in enumerate(people):
        Image.fromarray(person.image).save(folder / "pictures" / f"{number:06d}.jpg", quality=92)
        rows.append(dataclasses.replace(person, image=np.empty((0, 0, 3), np.uint8)))
    table = PosePictures(
        picture=np.array([f"pictures/{number:06d}.jpg" for number in range(len(rows))], dtype=np.str_),
        source=np.array([person.source for person in rows], dtype=np.str_),
        xyxy=np.array([person.box for person in rows]).reshape(-1, 4),
        keypoints_px=np.array([person.keypoints for person in rows]).reshape(-1, len(COCO17), 2),
        seen=np.array([person.seen for person in rows]).reshape(-1, len(COCO17)),
        weight=np.array([person.weight for person in rows]).reshape(-1, len(COCO17)),
    )
    write_pose_pictures(folder, table)
    return Counter(person.source.split()[0] for person in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=[*SEEDS, "coco", "footage"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument(
        "--weights", type=Path, default=Path("../shared/models/yolox_nano.onnx"), help="of the detector"
    )
    parser.add_argument("--workers", type=int, default=1, help="stores at a time")
    given = parser.parse_args()
    if given.source in SEEDS:
        found = simulated(SEEDS[given.source], given.workers)
    else:
        found = of_coco(given.root) if given.source == "coco" else footage(given.root, given.weights)
    print(dict(write(given.folder, found)))


if __name__ == "__main__":
    main()
