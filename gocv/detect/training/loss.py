"""What the detector is told to do better."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_iou, complete_box_iou_loss

from gocv.detect.training.network import ANCHORS, STRIDES, Decoded
from gocv.detect.training.pictures import Shown
from gocv.detect.training.settings import LossSettings

_SPOKEN, _LEAST = 0.2, 1e-6
"""Score from which on a box of the network as it was is held to; bound of what logarithms are taken of."""


def assigned(xyxy: Tensor, side: int, shape_iou: float) -> tuple[Tensor, Tensor]:
    """Which cell and anchor stand for which box.

    For each box the anchor of the shape most like its own, and others that are alike enough, in the cell in which its
    centre lies.

    Args:
        xyxy: (m, 4) pixels of a square.
        side: Of the square.
        shape_iou: Overlap of shapes that is alike enough.

    Returns:
        (p,) rows of the boxes, and (p,) places in the order of `gocv.detect.training.network.decode`.
    """
    centre, size = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    anchors = xyxy.new_tensor([a for level in ANCHORS for a in level])
    shared = torch.minimum(size[:, None], anchors).prod(-1)
    like = shared / (size.prod(-1)[:, None] + anchors.prod(-1) - shared)
    chosen = like > shape_iou
    if len(xyxy):
        chosen[torch.arange(len(xyxy)), like.argmax(dim=1)] = True
    box, anchor = chosen.nonzero(as_tuple=True)
    per_level, level = len(ANCHORS[0]), anchor // len(ANCHORS[0])
    grid = torch.tensor([side // s for s in STRIDES], device=xyxy.device)
    first = torch.tensor([0, per_level * int(grid[0]) ** 2], device=xyxy.device)
    stride = torch.tensor(STRIDES, device=xyxy.device)
    cell = (centre[box] / stride[level][:, None]).long().clamp(min=0)
    cell = torch.minimum(cell, (grid[level] - 1)[:, None])
    place = first[level] + (anchor % per_level) * grid[level] ** 2 + cell[:, 1] * grid[level] + cell[:, 0]
    return box, place


def detection_loss(said: Decoded, shown: Shown, settings: LossSettings) -> dict[str, Tensor]:
    """1 - CIoU (Zheng et al. 2020, arXiv:1911.08287, eq. 10) and the cross entropy of the score, for each person."""
    score = _score(said)
    wanted, counts = torch.zeros_like(score), torch.ones_like(score)
    real = shown.xyxy[~shown.ignore]
    square = shown.square[~shown.ignore]
    box, place = assigned(real, shown.pixels.shape[-1], settings.shape_iou)
    with torch.no_grad():
        for image in range(len(score)):
            boxes = said.xyxy[image]
            counts[image] *= ~_overlaps(boxes, real[square == image], settings.ignore_iou)
            counts[image] *= ~_within(boxes, shown.xyxy[shown.ignore & (shown.square == image)])
        wanted[square[box], place], counts[square[box], place] = 1.0, 1.0
    people = max(len(box), 1)
    apart = complete_box_iou_loss(said.xyxy[square[box], place], real[box], reduction="sum")
    return {
        "box": settings.box * apart / people,
        "score": settings.score * (counts * _entropy(score, wanted)).sum() / people,
    }


def distillation_loss(said: Decoded, before: Decoded, weight: Tensor, settings: LossSettings) -> Tensor:
    """How far the network has moved from what it said before: its scores, and the boxes that it was sure of.

    Args:
        said: What it says.
        before: What it said.
        weight: (b,) of each square.
        settings: Weights of the parts.
    """
    score, target = _score(said), _score(before)
    wanted = weight[:, None].expand_as(score)
    sure = target * (target > _SPOKEN) * (wanted > 0)
    spoken = sure * wanted
    moved = _entropy(score, target) - _entropy(target, target)
    rows = spoken.nonzero(as_tuple=True)
    apart = complete_box_iou_loss(said.xyxy[rows], before.xyxy[rows]) * spoken[rows]
    total: Tensor = settings.score * (moved * wanted).sum() + settings.box * apart.sum()
    return total / sure.sum().clamp(min=1.0)


def _score(said: Decoded) -> Tensor:
    return said.logits.sigmoid().prod(-1).clamp(_LEAST, 1 - _LEAST)


def _entropy(score: Tensor, wanted: Tensor) -> Tensor:
    return -(wanted * score.log() + (1 - wanted) * (1 - score).log())


def _overlaps(boxes: Tensor, people: Tensor, least: float) -> Tensor:
    """(k,) whether a box overlaps somebody by more."""
    if not len(people):
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    overlaps: Tensor = box_iou(boxes, people).amax(dim=1) > least
    return overlaps


def _within(boxes: Tensor, ignored: Tensor) -> Tensor:
    """(k,) whether half of a box lies in one that is to be ignored."""
    if not len(ignored):
        return torch.zeros(len(boxes), dtype=torch.bool, device=boxes.device)
    size = torch.minimum(boxes[:, None, 2:], ignored[:, 2:]) - torch.maximum(boxes[:, None, :2], ignored[:, :2])
    own = (boxes[:, 2:] - boxes[:, :2]).prod(dim=-1)
    return (size.clamp(min=0).prod(-1).amax(dim=1) / own.clamp(min=1e-6)) > 0.5
