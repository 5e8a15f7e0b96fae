"""Heads against loops that read like the papers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gocv.core import DataError
from gocv.detect import heads

SIZE = (64, 32)
STRIDES = (8, 16, 32)
CELLS = 8 * 4 + 4 * 2 + 2 * 1


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def check(got: heads.Candidates, want: list[tuple[list[float], float, int]]) -> None:
    np.testing.assert_allclose(got.xyxy, np.array([w[0] for w in want]).reshape(-1, 4), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(got.score, [w[1] for w in want], rtol=1e-5)
    assert got.label.tolist() == [w[2] for w in want]
    assert (got.xyxy.dtype, got.score.dtype, got.label.dtype) == (np.float32, np.float32, np.int64)


@pytest.mark.parametrize("least", [0.0, 0.3, 0.6, 1.0])
def test_yolox(least: float) -> None:
    rng = np.random.default_rng(0)
    output = rng.normal(0, 1, (CELLS, 5 + 3)).astype(np.float32)
    output[:, 4:] = sigmoid(output[:, 4:])
    want, row = [], 0
    for stride in STRIDES:
        for y in range(SIZE[1] // stride):
            for x in range(SIZE[0] // stride):
                dx, dy, log_w, log_h, objectness, *classes = map(float, output[row])
                row += 1
                score = objectness * max(classes)
                cx, cy, w, h = (x + dx) * stride, (y + dy) * stride, math.exp(log_w) * stride, math.exp(log_h) * stride
                if score >= least:
                    box = [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]
                    want.append((box, score, int(np.argmax(classes))))
    assert row == CELLS
    check(heads.yolox(output, input_size=SIZE, strides=STRIDES, min_score=least), want)


@pytest.mark.parametrize("least", [0.0, 0.3, 0.6, 1.0])
def test_anchored(least: float) -> None:
    rng = np.random.default_rng(6)
    anchors, stretch, want = [[(20.0, 30.0), (40.0, 8.0)], [(5.0, 6.0), (9.0, 4.0)]], 1.2, []
    maps = [rng.normal(0, 2, (2 * 8, SIZE[1] // s, SIZE[0] // s)).astype(np.float32) for s in (16, 8)]
    for given, stride, sizes in zip(maps, (16, 8), anchors, strict=True):
        for number, (width, height) in enumerate(sizes):
            for y in range(SIZE[1] // stride):
                for x in range(SIZE[0] // stride):
                    dx, dy, log_w, log_h, objectness, *classes = map(float, given[8 * number : 8 * number + 8, y, x])
                    score = sigmoid(objectness) * sigmoid(max(classes))
                    cx, cy = (((sigmoid(d) - 0.5) * stretch + 0.5 + c) * stride for d, c in ((dx, x), (dy, y)))
                    w, h = math.exp(log_w) * width, math.exp(log_h) * height
                    if score >= least:
                        want.append(([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], score, int(np.argmax(classes))))
    assert (len(want) > 0) == (least < 1)
    check(heads.anchored(*maps, strides=(16, 8), anchors=anchors, stretch=stretch, min_score=least), want)


@pytest.mark.parametrize("shape", [(15, 2, 2), (10, 2, 2), (16, 4)])
def test_maps_that_do_not_fit_their_anchors_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"expected \(2 \* "):
        heads.anchored(np.zeros(shape), strides=[8], anchors=[[(1, 1), (2, 2)]], stretch=1.0, min_score=0.1)


@pytest.mark.parametrize("least", [0.0, 0.5, 1.0])
def test_yolov8(least: float) -> None:
    rng = np.random.default_rng(1)
    output = np.concatenate([rng.uniform(5, 60, (4, 20)), rng.random((3, 20))]).astype(np.float32)
    want = []
    for cx, cy, w, h, *classes in output.T.astype(float).tolist():
        if max(classes) >= least:
            want.append(([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], max(classes), int(np.argmax(classes))))
    check(heads.yolov8(output, min_score=least), want)


@pytest.mark.parametrize("least", [0.0, 0.5, 1.0])
def test_fastestdet(least: float) -> None:
    rng = np.random.default_rng(2)
    output = rng.normal(0, 1, (5 + 3, 2, 4)).astype(np.float32)
    output[0], output[5:] = sigmoid(output[0]), sigmoid(output[5:])
    want = []
    for y in range(2):
        for x in range(4):
            objectness, dx, dy, w, h, *classes = map(float, output[:, y, x])
            score = objectness**0.6 * max(classes) ** 0.4
            cx, cy = (x + math.tanh(dx)) / 4 * 64, (y + math.tanh(dy)) / 2 * 32
            w, h = 64 / (1 + math.exp(-w)), 32 / (1 + math.exp(-h))
            if score >= least:
                want.append(([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], score, int(np.argmax(classes))))
    check(heads.fastestdet(output, input_size=SIZE, min_score=least), want)


@pytest.mark.parametrize("batch", [False, True])
def test_boxes(batch: bool) -> None:
    xyxy = np.arange(16, dtype=np.float32).reshape(4, 4)
    score, label = np.array([0.9, 0.2, 0.5, 0.8], np.float32), np.array([1, 1, 3, 0])
    given = (xyxy[None], score[None], label[None]) if batch else (xyxy, score, label)
    got = heads.boxes(*given, first_label=1, min_score=0.5)
    check(got, [([0, 1, 2, 3], 0.9, 0), ([8, 9, 10, 11], 0.5, 2)])


def test_ssd_ends_at_the_first_negative_image() -> None:
    rows = [[0, 1, 0.9, 0.25, 0.5, 0.5, 1.0], [0, 1, 0.1, 0, 0, 1, 1], [-1, 0, 0, 0, 0, 0, 0], [0, 1, 0.9, 0, 0, 1, 1]]
    output = np.array(rows, np.float32)[None, None]
    got = heads.ssd(output, input_size=SIZE, first_label=1, min_score=0.5)
    check(got, [([16, 16, 32, 32], 0.9, 0)])


@pytest.mark.parametrize(
    "call",
    [
        lambda: heads.yolox(np.zeros((CELLS - 1, 8)), input_size=SIZE, strides=STRIDES, min_score=0.5),
        lambda: heads.yolox(np.zeros((CELLS, 5)), input_size=SIZE, strides=STRIDES, min_score=0.5),
        lambda: heads.yolov8(np.zeros((4, 10)), min_score=0.5),
        lambda: heads.yolov8(np.zeros((1, 8, 10)), min_score=0.5),
        lambda: heads.fastestdet(np.zeros((85, 484)), input_size=SIZE, min_score=0.5),
        lambda: heads.boxes(np.zeros((2, 4)), np.zeros(3), np.zeros(3), first_label=0, min_score=0.5),
        lambda: heads.ssd(np.zeros((1, 1, 5, 6)), input_size=SIZE, first_label=0, min_score=0.5),
    ],
)
def test_an_output_of_another_shape_is_refused(call: object) -> None:
    with pytest.raises(DataError, match="the network gives"):
        call()  # type: ignore[operator]


def test_nothing_found_is_a_valid_answer() -> None:
    for got in (
        heads.yolov8(np.zeros((6, 0), np.float32), min_score=0.5),
        heads.boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0), first_label=0, min_score=0.5),
    ):
        check(got, [])
