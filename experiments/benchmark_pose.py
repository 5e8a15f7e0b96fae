"""Pose estimators side by side: `python experiments/benchmark_pose.py --json FILE`.

- `wrists`: people in COCO val2017 and in the clips of cps-test-01, whose wrists were labelled by eye
  (`tests/detect/wrists.json`). PCK at 0.1 of the larger side of the box: of the wrist of the named side, and of the
  nearer one of the two that were found.
- `rendered`: shoppers of a test seed, as `pose_crops.py simulated_test` draws them: PCK and OKS of keypoints that are
  seen, and how far scores are from the share of keypoints that are seen and right (`rendered_score_ece`).
- `cpu_ms_person`: processor time with one thread, cutting out and decoding included, median over rounds of 16 people.

MoveNet gets the square around the box; YOLOv8n-pose, which finds people by itself, the whole picture, of which the pose
counts whose box is most like the one given.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from movenet import Lightning, Thunder, square

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread
from gocv.core import Detections, Frame
from gocv.data.networks import Network
from gocv.data.pictures import read_picture
from gocv.data.poses import COCO17, COCO_SIGMA
from gocv.data.video import VideoReader
from gocv.detect.config import Input
from gocv.detect.pose import DefaultPose
from gocv.detect.pose.pictures import read_pose_pictures
from gocv.detect.preprocess import prepare
from gocv.geometry import iou
from gocv.metrics.calibration import calibration_error
from gocv.metrics.poses import correct_keypoints, keypoint_similarity

ROOT = Path(__file__).parents[1]
WRISTS = ROOT / "tests" / "detect" / "wrists.json"
SIDES = [COCO17.index("l_wrist"), COCO17.index("r_wrist")]
TIMED, ROUNDS = 16, 9
Estimate = Callable[[list[np.ndarray], np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(n, 17, 2) places and (n, 17) scores in pictures, one for each of n (n, 4) boxes."""


def ours(weights: Path | None, runtime: Any, min_score: float = 0.0) -> Estimate:
    net = DefaultPose(weights, runtime=runtime, threads=1, min_score=min_score)

    def estimate(images: list[np.ndarray], boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames = [Frame(image, "camera", 0.0, i) for i, image in enumerate(images)]
        people = [Detections(box[None], np.ones(1), np.zeros(1)) for box in boxes.astype(np.float32)]
        found = net.estimate(frames, people)
        return np.concatenate([p.keypoints_px for p in found]), np.concatenate([p.score for p in found])

    return estimate


def unrounded(checkpoint: Path) -> Estimate:
    """The network of a training, its kernels as float32."""
    import torch

    from gocv.detect.pose.export import export_pose
    from gocv.detect.pose.net import PoseModelConfig, PoseNet

    state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    net = PoseNet(PoseModelConfig())
    net.load_state_dict({key.removeprefix("net."): value for key, value in state.items()})
    with tempfile.TemporaryDirectory() as folder:
        export_pose(net, Path(folder) / "pose.onnx", whole_numbers=False)
        return ours(Path(folder) / "pose.onnx", "onnxruntime")


def movenet(net: Any) -> Estimate:
    def estimate(images: list[np.ndarray], boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rows = []
        for image, box in zip(images, boxes, strict=True):
            part, corner, side = square(image, box, net.side)
            (found,) = net(part[None])
            rows.append(np.concatenate([corner + found[:, 1::-1] * side - 0.5, found[:, 2:]], axis=1))
        table = np.array(rows).reshape(-1, 17, 3)
        return table[..., :2], table[..., 2]

    return estimate


def yolov8(model: Path) -> Estimate:
    net, wanted = (
        Network(model, runtime="openvino", threads=1),
        Input(width=640, height=640, channels="rgb", scale=1 / 255, resize="letterbox_centred"),
    )

    def estimate(images: list[np.ndarray], boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places, scores = np.full((len(boxes), 17, 2), np.nan), np.zeros((len(boxes), 17))
        for i, (image, box) in enumerate(zip(images, boxes, strict=True)):
            tensor, place = prepare(image, wanted)
            found = net.run(tensor[None])[0][0].T
            found = found[found[:, 4] >= 0.1]
            if not len(found):
                continue
            middle, half = found[:, :2], found[:, 2:4] / 2
            like = iou(place.to_frame(np.concatenate([middle - half, middle + half], axis=1)), box[None])[:, 0]
            points = found[(like + 0.1 * found[:, 4] * (like > 0.3)).argmax(), 5:].reshape(17, 3)
            if like.max() > 0.3:
                places[i] = place.to_frame(np.tile(points[:, :2], 2))[:, :2]
                scores[i] = points[:, 2]
        return places, scores

    return estimate


def labelled(root: Path) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, boxes, (n, 2, 2) left and right wrists, NaN where not labelled, and which are of a store."""
    people = json.loads(WRISTS.read_text(encoding="utf-8"))["people"]
    clips: dict[str, dict[int, np.ndarray]] = {}
    for name in {one["picture"] for one in people if one["picture"].endswith(".mp4")}:
        wanted = {one["frame"] for one in people if one["picture"] == name}
        video = VideoReader(root / name, camera=name)
        clips[name] = {frame.index: frame.image for frame in video if frame.index in wanted}
    images = [
        clips[one["picture"]][one["frame"]] if one["picture"] in clips else read_picture(root / one["picture"])
        for one in people
    ]
    nothing = [np.nan, np.nan]
    wrists = [[one.get("l_wrist", nothing), one.get("r_wrist", nothing)] for one in people]
    store = np.array([one["picture"] in clips for one in people])
    return images, np.array([one["xyxy"] for one in people]), np.array(wrists), store


def of_wrists(estimate: Estimate, root: Path) -> dict[str, Any]:
    images, boxes, truth, store = labelled(root)
    points, score = (found[:, SIDES] for found in estimate(images, boxes))
    known = np.isfinite(truth).all(axis=2)
    right = correct_keypoints(points, truth, boxes)
    either = right | correct_keypoints(points[:, ::-1], truth, boxes)
    row: dict[str, Any] = {"wrists": int(known.sum())}
    for name, of in (("", known), ("_coco", known & ~store[:, None]), ("_store", known & store[:, None])):
        row[f"wrist_pck{name}"] = float(right[of].mean())
        row[f"wrist_pck_either{name}"] = float(either[of].mean())
    order = np.argsort(-score[known])
    half = order[: len(order) // 2]
    return {**row, "wrist_pck_surer_half": float(right[known][half].mean())}


def of_rendered(estimate: Estimate, folder: Path) -> dict[str, Any]:
    table = read_pose_pictures(folder)
    images = [read_picture(Path(file)) for file in table.picture.tolist()]
    points, score = estimate(images, table.xyxy)
    seen = (table.seen > 0.5) & (table.weight > 0)
    right = correct_keypoints(points, np.nan_to_num(table.keypoints_px), table.xyxy)
    like = keypoint_similarity(points, np.nan_to_num(table.keypoints_px), table.xyxy, seen, COCO_SIGMA)
    told = table.seen >= 0
    wrists, hidden = seen[:, SIDES], (table.seen == 0)[:, SIDES]
    return {
        "rendered_people": len(table),
        "rendered_pck": float(right[seen].mean()),
        "rendered_wrist_pck": float(right[:, SIDES][wrists].mean()),
        "rendered_oks": float(np.nanmean(like)),
        "rendered_score_ece": calibration_error(score[told].clip(0, 1), (right & seen)[told]).error,
        "rendered_wrist_score_seen": float(np.median(score[:, SIDES][wrists])),
        "rendered_wrist_score_hidden": float(np.median(score[:, SIDES][hidden])),
    }


def of_time(estimate: Estimate, root: Path) -> dict[str, Any]:
    images, boxes, _, _ = labelled(root)
    images, boxes, spent = images[:TIMED], boxes[:TIMED], []
    for _ in range(ROUNDS + 1):
        start = time.process_time()
        estimate(images, boxes)
        spent.append((time.process_time() - start) * 1000 / len(images))
    return spread("cpu_ms_person", spent[1:])


def methods(given: argparse.Namespace) -> Iterator[tuple[str, Estimate]]:
    yield "gocv", ours(given.weights, "onnxruntime")
    yield "gocv, OpenVINO", ours(given.weights, "openvino")
    if given.checkpoint:
        yield "gocv, kernels not rounded", unrounded(given.checkpoint)
    lightning = given.models / "movenet_single_pose_lightning_ptq.tflite"
    yield "MoveNet Lightning, int8", movenet(Lightning(lightning))
    if given.thunder:
        yield "MoveNet Thunder (the teacher)", movenet(Thunder(given.thunder))
    folder = given.models / "agpl" / "yolov8n-pose_int8_openvino_model"
    yield "YOLOv8n-pose, int8 (AGPL-3.0)", yolov8(folder / "yolov8n-pose.xml")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--models", type=Path, default=Path("../shared/models"), help="where others' weights are")
    parser.add_argument("--thunder", type=Path, help="movenet-thunder.json, its weights beside it")
    parser.add_argument("--rendered", type=Path, default=Path("runs/pose/simulated_test"), help="of pose_crops.py")
    parser.add_argument("--weights", type=Path, help="of gocv's network [default: those that come with it]")
    parser.add_argument("--checkpoint", type=Path, help="best.ckpt of the training that they come from")
    parser.add_argument("--only", help="of the methods, those whose name begins so")
    parser.add_argument("--json", type=Path, help="where to write the result")
    given = parser.parse_args()
    rows = []
    for name, estimate in methods(given):
        if given.only and not name.startswith(given.only):
            continue
        row = {"method": name, **of_wrists(estimate, given.root)}
        if given.rendered.is_dir():
            row |= of_rendered(estimate, given.rendered)
        rows.append({**row, **of_time(estimate, given.root)})
        print(json.dumps(rows[-1]))
    if given.json:
        BenchmarkResult("pose", rows, environment(), command_line()).write(given.json)


if __name__ == "__main__":
    main()
