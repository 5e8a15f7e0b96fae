"""Pictures for the person detector to learn from and be scored on: `python experiments/detector_frames.py …`.

It takes a SOURCE and a FOLDER. SOURCE is one of

- `rendered`: made-up stores as their ceiling cameras see them, with exact boxes around what is seen of people. Seeds
  below 1000 are for learning (`train`), those of 10,000 and more for the score (`test`).
- `footage`: real clips, stores' shelves and goods without labels. Boxes are those on which two teachers agree
  (YOLOX-nano, Apache-2.0; YOLOv4-tiny, MIT, at 640 pixels) or one is sure; of which one is not sure is to be ignored.
  Of the clip of people from above the first `LEARNT_S` seconds are for learning.

FOLDER gets `train` and `test` with the pictures, and `annotations/instances_train.json` and `…_test.json`, as COCO
has it.
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from gocv.core import Frame
from gocv.data.coco import DetectionSet, LabelledBoxes, write_coco
from gocv.data.pictures import read_picture
from gocv.data.progress import with_progress
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.detect.training.darknet import load_darknet
from gocv.detect.training.export import export_detector
from gocv.detect.training.network import PersonNet
from gocv.detect.training.settings import ExportSettings
from gocv.geometry import area, iou
from gocv.sim import read_scenario, simulate_scene
from gocv.sim.render import render_camera
from gocv.sim.scene import Scene

ROOT = Path(__file__).parents[1]
CONFIGS = ROOT / "configs"
SCENARIOS = CONFIGS / "sim" / "scenarios"
STORES = {"train": range(300, 310), "test": range(10_300, 10_303)}
"""Seeds of the visits; each has a store of its own."""
RATE_HZ, CAMERAS, PER_CAMERA = 0.5, 2, 16
LEAST_SEEN = 0.15
"""Share of a person below which nobody need find them."""
CLIPS = {
    "people-detection.264": 0.4,
    "one-by-one-person-detection.mp4": 2.0,
    "retail-store-actions.gif": 0.5,
    "store-aisle-detection.gif": 0.3,
    "bottle-detection.mp4": 2.0,
}
"""Seconds between the frames that are taken."""
LEARNT_S = 15.0
GOODS = 60
SEEN, SURE, DOUBT, SAME = 0.3, 0.6, 0.15, 0.5
"""Scores of a box that counts as seen, that stands alone, that is looked at at all; overlap of boxes that are one."""


class Picture(NamedTuple):
    """A picture with its boxes.

    Attributes:
        image: (h, w, 3) uint8.
        xyxy: (n, 4).
        ignore: (n,) bool.
    """

    image: np.ndarray
    xyxy: np.ndarray
    ignore: np.ndarray


def still(scene: Scene) -> Scene:
    """The visit with the shelves as they stand at first: only what is held moves, so cameras need not look anew."""
    stays = [
        dataclasses.replace(stay, until_s=np.inf)
        for stay in scene.stays
        if stay.position_m is not None and stay.from_s <= 0.0
    ]
    held = [stay for stay in scene.stays if stay.holder is not None]
    return dataclasses.replace(scene, stays=stays + held)


def of_store(seed: int) -> list[Picture]:
    """What the cameras of one store see; every third store is crowded, every third has staff who restock."""
    name, settings = (
        ("rush_hour", ["shoppers=12", "hours=0.07"]),
        ("plain_visit", []),
        ("busy_day", ["shoppers=12", "hours=0.07"]),
    )[seed % 3]
    rng = np.random.default_rng(seed)
    shape = [f"store.parametric.seed={seed}", f"store.parametric.aisles={rng.integers(1, 3)}"]
    scene = still(simulate_scene(read_scenario(SCENARIOS / f"{name}.yaml", [*settings, *shape]), seed=seed))
    pictures = []
    for camera in sorted(rng.choice(list(scene.layout.cameras), CAMERAS, replace=False)):
        start = rng.uniform(0, max(scene.duration_s - (PER_CAMERA + 1) / RATE_HZ, 0))
        end = min(start + PER_CAMERA / RATE_HZ, scene.duration_s)
        for frame in render_camera(scene, camera, rate_hz=RATE_HZ, seed=seed, from_s=start, until_s=end):
            assert frame.people is not None
            height, width = frame.image.shape[:2]
            inside = share_inside(frame.people.xyxy, width, height) * frame.people.visible_fraction
            shown = np.isfinite(frame.people.visible_xyxy).all(axis=1)
            xyxy = frame.people.visible_xyxy[shown] + [0, 0, 1, 1]
            pictures.append(Picture(frame.image, xyxy, inside[shown] < LEAST_SEEN))
    return pictures


def share_inside(xyxy: np.ndarray, width: int, height: int) -> np.ndarray:
    """(n,) share of each body's box that is inside the picture."""
    size, inside = (
        np.diff(box.reshape(-1, 2, 2), axis=1).prod(axis=2)[:, 0]
        for box in (xyxy, np.clip(xyxy, 0, [width, height, width, height]))
    )
    return inside / np.maximum(size, 1e-9)


def rendered(part: str, workers: int) -> Iterator[Picture]:
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        for pictures in with_progress(pool.imap(of_store, STORES[part]), f"film {part}", len(STORES[part])):
            yield from pictures


def footage(root: Path, teachers: list[OnnxDetector]) -> Iterator[Picture]:
    for name, step_s in CLIPS.items():
        next_s = 0.0
        for frame in VideoReader(root / "clips" / name, camera=name):
            if frame.time_s >= next_s and not (name == "people-detection.264" and frame.time_s >= LEARNT_S):
                next_s = frame.time_s + step_s
                yield agreed(frame.image, teachers)
    shelves = sorted((root / "store_shelves").rglob("*.jpg"))
    goods = sorted((root / "grocerystore_packages").rglob("*.jpg"))
    for file in [*shelves, *goods[:: max(1, len(goods) // GOODS)]]:
        image = read_picture(file)
        whole = Image.fromarray(image)
        whole.thumbnail((960, 960))
        yield agreed(np.asarray(whole), teachers)


def darknet(weights: Path, folder: Path) -> OnnxDetector:
    """YOLOv4-tiny as its authors trained it."""
    net = PersonNet()
    load_darknet(net, weights)
    written = export_detector(net, folder, ExportSettings(name="teacher", int8=False, longest_px=640), [])
    return OnnxDetector(written, min_score=DOUBT)


def agreed(image: np.ndarray, teachers: list[OnnxDetector]) -> Picture:
    """The boxes that two teachers see, or one surely; those of which one is not sure are to be ignored."""
    found = [teacher.detect([Frame(image, "teacher", 0.0, 0)])[0] for teacher in teachers]
    xyxy, score = np.concatenate([f.xyxy for f in found]), np.concatenate([f.score for f in found])
    who = np.repeat(np.arange(len(found)), [len(f) for f in found])
    boxes, ignore = [], []
    left = np.ones(len(xyxy), bool)
    for best in np.argsort(-score, kind="stable"):
        if not left[best]:
            continue
        same = left & (iou(xyxy[best : best + 1], xyxy)[0] >= SAME)
        same[best] = True
        left &= ~same
        seeing = len(set(who[same & (score >= SEEN)].tolist()))
        boxes.append(np.average(xyxy[same], axis=0, weights=score[same]))
        ignore.append(seeing < 2 and score[best] < SURE)
    return Picture(image, np.array(boxes, np.float64).reshape(-1, 4), np.array(ignore, bool))


def write(folder: Path, part: str, pictures: Iterable[Picture]) -> None:
    """Write the pictures, then the table."""
    files, size, boxes, ignore = [], [], [], []
    (folder / part).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        files.append(folder / part / f"{number:05d}.jpg")
        Image.fromarray(picture.image).save(files[-1], quality=93)
        size.append([picture.image.shape[1], picture.image.shape[0]])
        boxes.append(picture.xyxy)
        ignore.append(picture.ignore)
    xyxy, image = np.concatenate(boxes), np.repeat(np.arange(len(files)), [len(b) for b in boxes])
    rows = LabelledBoxes(image, xyxy, np.zeros(len(xyxy), np.int64), np.concatenate(ignore), area(xyxy))
    numbers = np.arange(1, len(files) + 1)
    name = f"{folder.name} {part}"
    dataset = DetectionSet(name, tuple(files), np.array(size), numbers, ("person",), (1,), rows)
    write_coco(folder / "annotations" / f"instances_{part}.json", dataset)
    print(f"{name}: {len(files)} pictures, {len(xyxy)} boxes, {int(rows.ignore.sum())} of them to ignore")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=["rendered", "footage"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--yolox", type=Path, default=Path("../shared/models/yolox_nano.onnx"), help="a teacher")
    parser.add_argument("--darknet", type=Path, help="yolov4-tiny.weights, the other teacher")
    parser.add_argument("--workers", type=int, default=1, help="stores at a time")
    given = parser.parse_args()
    if given.source == "rendered":
        for part in STORES:
            write(given.folder, part, rendered(part, given.workers))
    else:
        yolox = OnnxDetector(CONFIGS / "detectors" / "yolox_nano.yaml", weights=given.yolox, min_score=DOUBT)
        write(given.folder, "train", footage(given.root, [yolox, darknet(given.darknet, given.folder)]))


if __name__ == "__main__":
    main()
