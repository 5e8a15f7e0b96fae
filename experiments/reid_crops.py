"""Crops of people to learn and to score re-identification on: `python experiments/reid_crops.py SOURCE FOLDER`.

SOURCE is one of

- `simulated`: shoppers of made-up stores as their ceiling cameras see them, split by person and by store into training
  (seeds below 1000) and test (seeds of 10,000 and more).
- `pets09`: true tracks of the second half of PETS09-S2L1, filmed by one camera. Each stretch of `STRETCH_S` seconds
  stands for one, so that a person is looked for in the other stretches. All are for testing.
- `unlabelled`: real people whose identity is not known, out of pictures with boxes and of footage where a detector
  finds them, those in the first half of PETS09-S2L1 among them, and the made-up people of MultiviewX, whose boxes
  belong to other frames than the pictures at hand. All are for training, by a teacher's vectors alone.

FOLDER gets pictures in the naming of Market-1501 (`bounding_box_train`, `query`, `bounding_box_test`) and `crops.csv`:
file, width and height of the box in pixels, and the share of the person that is seen (empty where that is not known).
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import multiprocessing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from gocv.core import Frame
from gocv.data.files import written_whole
from gocv.data.mot import MotFolder, read_cvml
from gocv.data.progress import with_progress
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.sim import read_scenario, simulate_scene
from gocv.sim.render import render_camera
from gocv.sim.scene import Scene

ROOT = Path(__file__).parents[1]
SCENARIO = ROOT / "configs" / "sim" / "scenarios" / "rush_hour.yaml"
SETTINGS = ("shoppers=60", "hours=0.2")
STORES = {"train": range(100, 116), "test": range(10_200, 10_203)}
"""Seeds of the visits; each has a store of its own."""
RATE_HZ = 0.25
LEAST_SEEN, LEAST_PX, LARGEST_PX = 0.3, 40, 256
EACH_CAMERA, QUERIES = 10, 2
"""Crops of a person in one camera at most, and how many of them are queries in the test part."""
STRETCH_S, PETS_HZ, PETS_STEP, PETS_HALF = 10.0, 7.0, 4, 398
CLIPS = (
    "one-by-one-person-detection.mp4",
    "people-detection.264",
    "retail-store-actions.gif",
    "store-aisle-detection.gif",
)
SCORE, STEP_S = 0.4, 0.5
"""Least score of a detection in footage, and the time between the frames that are looked at."""


@dataclasses.dataclass(frozen=True, slots=True)
class Crop:
    """A part of a picture with one person.

    Attributes:
        image: The picture, (h, w, 3) uint8.
        person: From 1; -1 where it is not known.
        camera: From 1.
        number: Tells crops of a person in a camera apart.
        seen: Share of the person that is seen, neither hidden nor beyond the edge; None where it is not known.
    """

    image: np.ndarray
    person: int
    camera: int
    number: int
    seen: float | None = None


def cut(image: np.ndarray, box: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray | None:
    """The part in a box, which is moved as a detector's would be where `rng` is given; None if it is too small."""
    x0, y0, x1, y1 = box
    size = np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
    moved = box + (rng.normal(0.0, 0.04, 4) * size if rng is not None else 0.0)
    limit = np.array([image.shape[1], image.shape[0]] * 2)
    left, top, right, bottom = np.clip(np.round(moved), 0, limit).astype(int)
    if bottom - top < LEAST_PX or right - left < LEAST_PX // 3:
        return None
    return image[top:bottom, left:right].copy()


def still(scene: Scene) -> Scene:
    """The visit with the shelves as they stand at first: only what is held moves, so cameras need not look anew."""
    stays = [
        dataclasses.replace(stay, until_s=np.inf)
        for stay in scene.stays
        if stay.position_m is not None and stay.from_s <= 0.0
    ]
    held = [stay for stay in scene.stays if stay.holder is not None]
    return dataclasses.replace(scene, stays=stays + held)


def of_store(seed: int) -> list[Crop]:
    """All people of one store, numbered within it from 0, in the order of the cameras."""
    scenario = read_scenario(SCENARIO, [*SETTINGS, f"store.parametric.seed={seed}"])
    scene = still(simulate_scene(scenario, seed=seed))
    names = {motion.name: i for i, motion in enumerate(scene.motions)}
    rng, crops = np.random.default_rng(seed), []
    for camera, name in enumerate(scene.layout.cameras, start=1):
        for frame in render_camera(scene, name, rate_hz=RATE_HZ, seed=seed):
            assert frame.people is not None
            people = frame.people
            seen = people.visible_fraction * share_inside(people.xyxy, frame.image)
            for row in np.flatnonzero(seen >= LEAST_SEEN):
                part = cut(frame.image, people.visible_xyxy[row] + [0, 0, 1, 1], rng)
                if part is not None:
                    who = names[str(people.name[row])]
                    crops.append(Crop(part, who, camera, frame.index, float(seen[row])))
    return thinned(crops, rng)


def share_inside(xyxy: np.ndarray, image: np.ndarray) -> np.ndarray:
    """(n,) share of each body's box that is inside the picture."""
    limit = np.array([image.shape[1], image.shape[0]] * 2)
    size, inside = (
        np.diff(box.reshape(-1, 2, 2), axis=1).prod(axis=2)[:, 0] for box in (xyxy, np.clip(xyxy, 0, limit))
    )
    return inside / np.maximum(size, 1e-9)


def thinned(crops: Iterable[Crop], rng: np.random.Generator) -> list[Crop]:
    """At most `EACH_CAMERA` crops of each person in each camera, drawn by lot."""
    groups: dict[tuple[int, int], list[Crop]] = {}
    for crop in crops:
        groups.setdefault((crop.person, crop.camera), []).append(crop)
    kept: list[Crop] = []
    for group in groups.values():
        chosen = rng.permutation(len(group))[:EACH_CAMERA]
        kept += [group[i] for i in sorted(chosen)]
    return kept


def simulated(workers: int) -> Iterator[tuple[str, Crop]]:
    seeds = [(part, seed) for part, all_ in STORES.items() for seed in all_]
    first = {"train": 1, "test": 5001}
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        stores = pool.imap(of_store, [seed for _, seed in seeds])
        for (part, _), crops in with_progress(zip(seeds, stores, strict=True), "film", len(seeds)):
            known = {who: first[part] + i for i, who in enumerate(sorted({crop.person for crop in crops}))}
            first[part] += len(known)
            taken: Counter[tuple[int, int]] = Counter()
            for crop in crops:
                taken[crop.person, crop.camera] += 1
                query = taken[crop.person, crop.camera] <= QUERIES
                folder = "bounding_box_train" if part == "train" else "query" if query else "bounding_box_test"
                yield folder, dataclasses.replace(crop, person=known[crop.person])


def pets09(root: Path) -> Iterator[tuple[str, Crop]]:
    truth = read_cvml(root / "pets09" / "annotations" / "PETS2009-S2L1.xml")
    taken: Counter[tuple[int, int]] = Counter()
    for frame in VideoReader(root / "pets09" / "S2L1-view001.avi", camera="view001"):
        if frame.index % PETS_STEP or frame.index < PETS_HALF:
            continue
        camera = 1 + int(frame.index / PETS_HZ // STRETCH_S)
        for row in np.flatnonzero(truth.frame == frame.index + 1):
            person = int(truth.track_id[row]) + 1
            part = cut(frame.image, truth.xyxy[row])
            if part is not None:
                taken[person, camera] += 1
                folder = "query" if taken[person, camera] <= QUERIES else "bounding_box_test"
                yield folder, Crop(part, person, camera, frame.index)


def unlabelled(root: Path, weights: Path) -> Iterator[tuple[str, Crop]]:
    detector = OnnxDetector(ROOT / "configs" / "detectors" / "yolox_nano.yaml", weights=weights, min_score=SCORE)
    boxed = of_pennfudan(root), of_coco(root), of_mot17(root)
    found = of_footage(root, detector), of_multiviewx(root, detector), of_pets09(root, detector)
    for source, images in enumerate((*boxed, *found), start=1):
        for number, part in enumerate(with_progress(images, f"source {source}")):
            yield "bounding_box_train", Crop(part, -1, source, number)


def of_pennfudan(root: Path) -> Iterator[np.ndarray]:
    for file in sorted((root / "pennfudan" / "Annotation").glob("*.txt")):
        image = read(root / "pennfudan" / "images" / f"{file.stem}.jpg")
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("Bounding box"):
                numbers = line.partition(" : ")[2].replace("(", "").replace(")", "").replace(" - ", ",").split(",")
                yield from kept(image, np.array([float(n) for n in numbers]) - 1)


def of_coco(root: Path) -> Iterator[np.ndarray]:
    for file in sorted((root / "coco_person" / "images").glob("*/*.jpg")):
        image = read(file)
        size = np.array([image.shape[1], image.shape[0]] * 2)
        labels = file.parents[2] / "labels" / file.parent.name / f"{file.stem}.txt"
        lines = labels.read_text(encoding="utf-8").splitlines() if labels.is_file() else []
        for kind, x, y, w, h in (line.split()[:5] for line in lines):
            if kind == "0":
                middle, half = np.array([float(x), float(y)]), np.array([float(w), float(h)]) / 2
                yield from kept(image, np.concatenate([middle - half, middle + half]) * size)


def of_mot17(root: Path) -> Iterator[np.ndarray]:
    for path in sorted((root / "mot" / "MOT17-mini" / "train").iterdir()):
        folder = MotFolder.open(path)
        truth = folder.truth()
        for frame in folder.frames():
            rows = (truth.frame == frame.index + 1) & (truth.label == 1) & (truth.visibility > 0.3)
            for box in truth.xyxy[rows]:
                yield from kept(frame.image, box)


def of_footage(root: Path, detector: OnnxDetector) -> Iterator[np.ndarray]:
    files = [
        *(root / "clips" / name for name in CLIPS),
        *sorted((root / "nanostore" / "cps-test-01" / "video").glob("*.mp4")),
    ]
    for file in files:
        next_s = -np.inf
        for frame in VideoReader(file, camera=file.stem):
            if frame.time_s >= next_s:
                next_s = frame.time_s + STEP_S
                yield from found_in(frame, detector)


def of_multiviewx(root: Path, detector: OnnxDetector) -> Iterator[np.ndarray]:
    for file in sorted((root / "multiviewx" / "Image_subsets").glob("*/*.jpg")):
        yield from found_in(Frame(read(file), file.parent.name, 0.0, 0), detector)


def of_pets09(root: Path, detector: OnnxDetector) -> Iterator[np.ndarray]:
    for frame in VideoReader(root / "pets09" / "S2L1-view001.avi", camera="view001"):
        if frame.index < PETS_HALF and frame.index % 2 == 0:
            yield from found_in(frame, detector)


def found_in(frame: Frame, detector: OnnxDetector) -> Iterator[np.ndarray]:
    (found,) = detector.detect([frame])
    for box in found.xyxy:
        yield from kept(frame.image, box)


def kept(image: np.ndarray, box: np.ndarray) -> Iterator[np.ndarray]:
    part = cut(image, box.astype(float))
    if part is not None:
        yield part


def read(file: Path) -> np.ndarray:
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB"))


def write(folder: Path, crops: Iterable[tuple[str, Crop]]) -> Counter[str]:
    """Write the pictures, and the table last: where it stands, all is there."""
    counts: Counter[str] = Counter()
    with written_whole(folder / "crops.csv") as table, table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "width_px", "height_px", "seen"])
        for part, crop in crops:
            person = f"{crop.person:04d}" if crop.person >= 0 else "-1"
            name = f"{part}/{person}_c{crop.camera}s1_{crop.number:06d}_{counts[part]:06d}.jpg"
            picture = Image.fromarray(crop.image)
            size = picture.size
            picture.thumbnail((LARGEST_PX, LARGEST_PX))
            (folder / part).mkdir(parents=True, exist_ok=True)
            picture.save(folder / name, quality=92)
            rows.writerow([name, *size, "" if crop.seen is None else f"{crop.seen:.3f}"])
            counts[part] += 1
    for part in ("bounding_box_train", "query", "bounding_box_test"):
        (folder / part).mkdir(exist_ok=True)
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", choices=["simulated", "pets09", "unlabelled"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument(
        "--weights", type=Path, default=Path("../shared/models/yolox_nano.onnx"), help="of the detector"
    )
    parser.add_argument("--workers", type=int, default=2, help="stores at a time")
    given = parser.parse_args()
    sources = {
        "simulated": lambda: simulated(given.workers),
        "pets09": lambda: pets09(given.root),
        "unlabelled": lambda: unlabelled(given.root, given.weights),
    }
    print(dict(write(given.folder, sources[given.source]())))


if __name__ == "__main__":
    main()
