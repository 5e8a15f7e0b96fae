"""Box formats, the IoU family against a scalar oracle and torchvision, non-maximum suppression."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gocv.core import DataError
from gocv.geometry import boxes as B

FAMILY = (B.iou, B.ioa, B.giou, B.diou, B.ciou)


def random_boxes(n: int, seed: int, dtype: type = np.float64) -> np.ndarray:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 100, (n, 2))
    return np.hstack([corner, corner + rng.uniform(1, 60, (n, 2))]).astype(dtype)


# Small whole numbers make touching, nested, repeated, empty and inverted boxes common.
any_boxes = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.integers(-3, 8).map(float), fill=st.nothing()
)


def scalar_family(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Textbook definitions for two boxes, with the limits documented for boxes of no area."""

    def ratio(x: float, y: float) -> float:
        return x / y if y > 0 else 0.0

    wa, ha, wb, hb = (max(v, 0.0) for v in (a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]))
    inter = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    union = wa * ha + wb * hb - inter
    cw = max(max(a[2], b[2]) - min(a[0], b[0]), 0.0)
    ch = max(max(a[3], b[3]) - min(a[1], b[1]), 0.0)
    iou = ratio(inter, union)
    gap = ((a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2) / 4
    diagonal = cw**2 + ch**2
    diou = iou - ratio(gap, diagonal)
    v = 4 / math.pi**2 * (math.atan2(wa, ha) - math.atan2(wb, hb)) ** 2
    return {
        "iou": iou,
        "ioa": ratio(inter, wa * ha),
        "giou": iou - ratio(cw * ch - union, cw * ch),
        "diou": diou,
        "ciou": diou - ratio(v * v, 1 - iou + v),
    }


@given(any_boxes, any_boxes)
@example(np.array([[0.0, 0, 0, 0]]), np.array([[0.0, 4, 0, 0]]))  # inverted: a centre outside what encloses both
@example(np.zeros((1, 4)), np.zeros((1, 4)))
def test_family_equals_its_definitions_and_is_finite(a: np.ndarray, b: np.ndarray) -> None:
    upright_a, upright_b = (x[(x[:, 2] >= x[:, 0]) & (x[:, 3] >= x[:, 1])] for x in (a, b))
    for function in FAMILY:
        assert np.isfinite(function(a, b)).all()
        expected = [[scalar_family(p, q)[function.__name__] for q in upright_b] for p in upright_a]
        expected = np.reshape(expected, (len(upright_a), len(upright_b)))
        np.testing.assert_allclose(function(upright_a, upright_b), expected, atol=1e-12, err_msg=function.__name__)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("box_iou", B.iou),
        ("generalized_box_iou", B.giou),
        ("distance_box_iou", B.diou),
        ("complete_box_iou", B.ciou),
    ],
)
def test_family_equals_torchvision(name: str, ours) -> None:
    ops = pytest.importorskip("torchvision.ops")
    torch = pytest.importorskip("torch")
    a, b = random_boxes(40, 0), random_boxes(30, 1)
    theirs = getattr(ops, name)(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(ours(a, b), theirs, atol=1e-6)  # theirs adds 1e-7 to its denominators
    np.testing.assert_allclose(ours(a.astype(np.float32), b.astype(np.float32)), theirs, atol=1e-5)


@pytest.mark.parametrize("function", FAMILY)
@pytest.mark.parametrize(
    ("left", "right", "result"),
    [
        (np.float32, np.float32, np.float32),
        (np.float32, np.float64, np.float64),
        (np.float64, np.float64, np.float64),
        (np.int32, np.int32, np.float64),
        (np.float16, np.float32, np.float64),
    ],
)
def test_result_type(function, left: type, right: type, result: type) -> None:
    assert function(random_boxes(3, 0, left), random_boxes(2, 1, right)).dtype == result


@pytest.mark.parametrize("function", FAMILY)
def test_empty_family(function) -> None:
    some = random_boxes(3, 0, np.float32)
    none = np.empty((0, 4), np.float32)
    assert function(some, none).shape == (3, 0)
    assert function(none, some).shape == (0, 3)
    assert function(none, none).shape == (0, 0)
    assert function([], []).shape == (0, 0)
    assert function(some, none).dtype == np.float32


@pytest.mark.parametrize("function", FAMILY)
def test_arguments_are_left_alone(function) -> None:
    a, b = random_boxes(5, 0), random_boxes(4, 1)
    before = a.copy(), b.copy()
    function(a, b)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


@pytest.mark.parametrize("function", [B.iou, B.giou, B.diou, B.ciou])
def test_a_box_is_itself(function) -> None:
    a = random_boxes(50, 3, np.float32)
    np.testing.assert_array_equal(np.diag(function(a, a)), 1)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (B.xyxy_to_xywh, B.xywh_to_xyxy),
        (B.xyxy_to_cxcywh, B.cxcywh_to_xyxy),
        (B.xywh_to_cxcywh, B.cxcywh_to_xywh),
    ],
)
@given(boxes=any_boxes)
def test_formats_round_trip(there, back, boxes: np.ndarray) -> None:
    np.testing.assert_array_equal(back(there(boxes)), boxes)
    assert there(boxes.astype(np.float32)).dtype == np.float32
    assert there([]).shape == (0, 4)


@given(any_boxes)
def test_formats_agree(boxes: np.ndarray) -> None:
    np.testing.assert_array_equal(B.xywh_to_cxcywh(B.xyxy_to_xywh(boxes)), B.xyxy_to_cxcywh(boxes))


@given(any_boxes)
def test_clip_keeps_the_part_inside(boxes: np.ndarray) -> None:
    clipped = B.clip_to_image(boxes, 5, 4)
    assert ((clipped >= 0) & (clipped <= [5, 4, 5, 4])).all()
    np.testing.assert_allclose(B.area(clipped), B.ioa([[0.0, 0.0, 5.0, 4.0]], boxes)[0] * 20)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: B.iou(np.zeros((2, 5)), np.zeros((2, 4))), "(2, 5)"),
        (lambda: B.iou(np.zeros((2, 4)), np.zeros(4)), "(4,)"),
        (lambda: B.area([["a", 0, 0, 0]]), "numbers"),
        (lambda: B.nms(np.zeros((2, 4)), [1.0], 0.5), "score"),
        (lambda: B.nms(np.zeros((2, 4)), [1.0, 1.0], 0.5, label=[1]), "label"),
        (lambda: B.nms(np.zeros((2, 4)), [1.0, 1.0], 1.5), "iou_threshold"),
        (lambda: B.nms(np.zeros((2, 4)), [1.0, 1.0], float("nan")), "iou_threshold"),
    ],
)
def test_errors_name_what_is_wrong(call, named: str) -> None:
    with pytest.raises(DataError) as caught:
        call()
    assert named in str(caught.value)


def slow_nms(boxes: np.ndarray, score: np.ndarray, threshold: float, label: np.ndarray) -> list[int]:
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-score[i], i)):
        if all(label[i] != label[k] or scalar_family(boxes[i], boxes[k])["iou"] <= threshold for k in kept):
            kept.append(i)
    return kept


@given(any_boxes, st.sampled_from([0.0, 0.21, 0.5, 1.0]), st.randoms(use_true_random=False))
def test_nms_equals_the_greedy_definition(boxes: np.ndarray, threshold: float, random) -> None:
    score = np.array([random.choice([0.1, 0.5, 0.9]) for _ in boxes])
    label = np.array([random.choice([0, 1]) for _ in boxes], np.int64)
    kept = B.nms(boxes, score, threshold, label)
    assert kept.dtype == np.int64
    assert kept.tolist() == slow_nms(boxes, score, threshold, label)


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 1500])
def test_nms_equals_torchvision(n: int) -> None:
    ops = pytest.importorskip("torchvision.ops")
    torch = pytest.importorskip("torch")
    boxes, rng = random_boxes(n, 5, np.float32), np.random.default_rng(6)
    score, label = rng.permutation(n).astype(np.float32), rng.integers(0, 3, n)
    theirs = ops.batched_nms(torch.from_numpy(boxes), torch.from_numpy(score), torch.from_numpy(label), 0.45)
    np.testing.assert_array_equal(B.nms(boxes, score, 0.45, label), theirs.numpy())
