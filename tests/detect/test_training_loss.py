"""The losses: least where the network says what is there, and deaf to what is to be ignored."""

from __future__ import annotations

import pytest
import torch

from gocv.detect.training.loss import assigned, detection_loss, distillation_loss
from gocv.detect.training.network import ANCHORS, STRIDES, Decoded, decode
from gocv.detect.training.pictures import Shown
from gocv.detect.training.settings import LossSettings

SIDE = 128
CELLS = 3 * 4 * 4 + 3 * 8 * 8
SETTINGS = LossSettings()


def shown(*boxes: tuple[float, ...], ignore: tuple[bool, ...] | None = None) -> Shown:
    flags = torch.tensor(ignore or [False] * len(boxes), dtype=torch.bool)
    xyxy = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Shown(torch.zeros(1, 3, SIDE, SIDE), torch.zeros(len(boxes), dtype=torch.int64), xyxy, flags, torch.ones(1))


def saying(*boxes: tuple[float, ...], logit: float = 9.0) -> Decoded:
    """What is said where the cells and anchors that stand for these boxes have them, and all others nothing."""
    xyxy, logits = decode((torch.zeros(1, 18, 4, 4), torch.zeros(1, 18, 8, 8)))
    logits = torch.full_like(logits, -9.0)
    real = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    box, place = assigned(real, SIDE, SETTINGS.shape_iou)
    xyxy[0, place], logits[0, place] = real[box], logit
    return Decoded(xyxy, logits)


def total(said: Decoded, there: Shown) -> float:
    return float(sum(detection_loss(said, there, SETTINGS).values()))


@pytest.mark.parametrize("box", [(0, 0, 20, 30), (30, 40, 67, 98), (0, 0, 128, 128), (100, 90, 128, 128)])
def test_a_box_is_stood_for_by_a_cell_that_has_its_centre_and_an_anchor_of_its_shape(box: tuple[float, ...]) -> None:
    xyxy = torch.tensor([box], dtype=torch.float32)
    rows, places = assigned(xyxy, SIDE, 1.0)
    assert rows.tolist() == [0]
    starts = decode((torch.zeros(1, 18, 4, 4), torch.zeros(1, 18, 8, 8))).xyxy[0, places[0]]
    stride = STRIDES[int(places[0] >= 48)]
    assert (((starts[:2] + starts[2:]) - (xyxy[0, :2] + xyxy[0, 2:])).abs() / 2 <= stride / 2 + 1e-3).all()
    size = xyxy[0, 2:] - xyxy[0, :2]

    def like(anchor: torch.Tensor) -> float:
        shared = torch.minimum(size, anchor).prod()
        return float(shared / (size.prod() + anchor.prod() - shared))

    best = max(like(torch.tensor(a)) for level in ANCHORS for a in level)
    assert like(starts[2:] - starts[:2]) == pytest.approx(best, rel=1e-4)


def test_more_anchors_stand_for_a_box_where_they_are_alike_enough() -> None:
    xyxy = torch.tensor([[10.0, 10, 91, 92]])
    assert len(assigned(xyxy, SIDE, 0.9)[0]) == 2  # of the one shape that both grids have
    assert len(assigned(xyxy, SIDE, 0.0)[0]) == 6


PERSON, OTHER = (20, 20, 60, 90), (80, 40, 120, 110)


def test_the_truth_costs_least() -> None:
    right = total(saying(PERSON, OTHER), shown(PERSON, OTHER))
    assert right < 0.1
    assert total(saying(PERSON), shown(PERSON, OTHER)) > right + 1  # missed
    assert total(saying(PERSON, OTHER, (10, 90, 40, 120)), shown(PERSON, OTHER)) > right + 1  # made up
    assert total(saying(PERSON, OTHER, logit=1.0), shown(PERSON, OTHER)) > right + 0.3  # unsure
    moved = tuple(v + 8 for v in PERSON)
    off = saying(PERSON, OTHER)
    off.xyxy[off.logits[..., 0] > 0] += 8
    assert total(off, shown(PERSON, OTHER)) > right + 0.3
    assert total(saying(moved, OTHER), shown(moved, OTHER)) < 0.1


def test_what_is_to_be_ignored_may_be_said_or_not() -> None:
    there = shown(PERSON, OTHER, ignore=(False, True))
    assert total(saying(PERSON), there) == pytest.approx(total(saying(PERSON, OTHER), there), abs=0.05)


def test_no_people_are_valid() -> None:
    assert total(saying(), shown()) < 0.2
    assert total(saying(PERSON), shown()) > 1


def test_what_was_said_before_is_held_to_where_it_is_wanted() -> None:
    before, lost, moved = saying(PERSON, OTHER), saying(PERSON), saying(PERSON, OTHER)
    moved.xyxy[:] += 5

    def apart(said: Decoded, weight: float = 1.0) -> float:
        return float(distillation_loss(said, before, torch.tensor([weight]), SETTINGS))

    assert apart(before) == pytest.approx(0.0, abs=1e-4)
    assert apart(lost) > 1
    assert apart(moved) > 0.1
    assert apart(lost, 0.5) == pytest.approx(apart(lost) / 2, rel=1e-3)
    assert apart(lost, 0.0) == 0.0
