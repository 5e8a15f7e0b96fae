"""person-detection-retail-0013 made to give boxes: `python experiments/convert_retail.py FROM.onnx TO.onnx`.

The ONNX form of it that is about gives what its single SSD head computes, without the twelve shapes (prior boxes) that
a cell's offsets are from, which its Caffe original held. `--fit` finds them again: on pictures at several sizes, cells
that are sure of a person are paired with the one box of YOLOX-nano that has its middle there; then

    width = prior * exp(0.2 * offset)        (Liu et al., "SSD", ECCV 2016, and its variances in Caffe)

gives the prior as the commonest of the quotients, and likewise for heights. TO gives (1, 5, cells): centre x, centre y,
width, height in pixels of the input, and the person's score, as `gocv.detect.heads.yolov8` takes it.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from gocv.core import Frame
from gocv.data.coco import read_yolo
from gocv.data.files import written_whole
from gocv.data.networks import Network
from gocv.data.pictures import read_picture
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector

WIDTH, HEIGHT, STRIDE, SHAPES = 544, 320, 16, 12
PRIORS_PX = (
    (11.9, 39.3),
    (19.0, 50.9),
    (22.7, 57.6),
    (25.3, 67.2),
    (31.3, 77.4),
    (40.6, 83.4),
    (33.3, 92.3),
    (38.8, 102.0),
    (47.9, 117.7),
    (59.1, 163.4),
    (82.4, 189.6),
    (143.1, 193.0),
)
"""Width and height of each shape, as `--fit` found them (from 8 pairs for the smallest to 1,627 for a large one)."""

_CLIPS = {"one-by-one-person-detection.mp4": 12, "people-detection.264": 8, "store-aisle-detection.gif": 8}
"""Clips, and how many frames apart they are looked at."""
_SIZES = (1.0, 0.75, 0.55, 0.4, 0.28)
_SURE, _SPREAD = 0.6, 0.03
"""Least score of a cell; width of the kernel, in logarithms, by which the commonest quotient is found."""


def convert(source: Path, target: Path) -> None:
    """Write the network with its boxes decoded."""
    model = onnx.load(source)
    offsets, scores = (output.name for output in model.graph.output)
    rows, columns = HEIGHT // STRIDE, WIDTH // STRIDE
    y, x = np.mgrid[:rows, :columns] * STRIDE + STRIDE / 2
    centre = np.repeat(np.stack([x, y], axis=-1).reshape(-1, 2), SHAPES, axis=0)
    prior = np.tile(np.array(PRIORS_PX), (rows * columns, 1))
    constants = {
        "offset_shape": np.array([1, -1, 4], np.int64),
        "score_shape": np.array([1, -1, 2], np.int64),
        "halves": np.array([2, 2], np.int64),
        "ones": np.array([1, 1], np.int64),
        "centre": centre[None].astype(np.float32),
        "tenth": (0.1 * prior)[None].astype(np.float32),
        "fifth": np.array(0.2, np.float32),
        "prior": prior[None].astype(np.float32),
    }
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    node = helper.make_node
    model.graph.node.extend(
        [
            node("Reshape", [offsets, "offset_shape"], ["each"]),
            node("Split", ["each", "halves"], ["moved", "grown"], axis=2),
            node("Mul", ["moved", "tenth"], ["moved_px"]),
            node("Add", ["moved_px", "centre"], ["middle"]),
            node("Mul", ["grown", "fifth"], ["logarithm"]),
            node("Exp", ["logarithm"], ["growth"]),
            node("Mul", ["growth", "prior"], ["size"]),
            node("Reshape", [scores, "score_shape"], ["both"]),
            node("Split", ["both", "ones"], ["background", "person"], axis=2),
            node("Concat", ["middle", "size", "person"], ["rows"], axis=2),
            node("Transpose", ["rows"], ["boxes"], perm=[0, 2, 1]),
        ]
    )
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 5, len(prior)]))
    model.opset_import[0].version = max(13, model.opset_import[0].version)
    onnx.checker.check_model(model)
    with written_whole(target) as temporary:
        onnx.save(model, temporary)


def pictures(root: Path) -> Iterator[np.ndarray]:
    """Frames of clips, and photographs of COCO, each at several sizes on grey."""
    clips = (
        itertools.islice((f.image for f in VideoReader(root / "clips" / name, camera="")), 0, 400, step)
        for name, step in _CLIPS.items()
    )
    photographs = map(read_picture, read_yolo(root / "coco_person", "train2017").files)
    for image in itertools.chain(*clips, photographs):
        for share in _SIZES:
            size = (round(WIDTH * share), round(HEIGHT * share))
            canvas = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
            canvas[: size[1], : size[0]] = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))
            yield canvas


def fit(source: Path, root: Path, teacher: OnnxDetector) -> list[tuple[float, float]]:
    """The shapes' widths and heights, pixels."""
    network = Network(source, threads=1)
    found: list[list[Any]] = [[] for _ in range(SHAPES)]
    for image in pictures(root):
        offset, score = network.run(image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
        offset = offset.reshape(HEIGHT // STRIDE, WIDTH // STRIDE, SHAPES, 4)
        score = score.reshape(*offset.shape[:3], 2)[..., 1]
        (people,) = teacher.detect([Frame(image, "", 0.0, 0)])
        middle, size = (people.xyxy[:, :2] + people.xyxy[:, 2:]) / 2, people.xyxy[:, 2:] - people.xyxy[:, :2]
        for row, column, shape in np.argwhere(score >= _SURE):
            cell = (np.array([column, row]) + 0.5) * STRIDE
            near = np.flatnonzero((np.abs(middle - cell) < 0.35 * size + STRIDE / 2).all(axis=1))
            if len(near) == 1:
                found[shape].append(np.log(size[near[0]]) - 0.2 * offset[row, column, shape, 2:])
    print([len(each) for each in found], "pairs of a cell and a box")
    return [tuple(round(float(np.exp(commonest(side))), 1) for side in np.array(each).T) for each in found]


def commonest(values: np.ndarray) -> float:
    """Where a Gaussian kernel density is highest, among the values."""
    density = np.exp(-0.5 * ((values[:, None] - values) / _SPREAD) ** 2).sum(axis=1)
    near = np.abs(values - values[density.argmax()]) < 2 * _SPREAD
    return float(values[near].mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--fit", action="store_true", help="print the prior boxes instead of converting")
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--teacher", type=Path, default=Path("configs/detectors/yolox_nano.yaml"))
    parser.add_argument("--weights", type=Path, default=Path("../shared/models/yolox_nano.onnx"), help="the teacher's")
    given = parser.parse_args()
    if given.fit:
        teacher = OnnxDetector(given.teacher, weights=given.weights, min_score=0.5, threads=1)
        print(fit(given.source, given.root, teacher))
    else:
        convert(given.source, given.target)


if __name__ == "__main__":
    main()
