"""The shopper of cps-test-01 is found: every tenth frame of four cameras, labelled by hand."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from gocv.bench.detect import make_detector
from gocv.core import Detections, Frame

ROOT = Path(__file__).parents[2]
SCRIPT = runpy.run_path(str(ROOT / "experiments" / "find_shopper.py"))


class Case(NamedTuple):
    """A detector, as `gocv bench detect` takes it, and the least shares in which it must find him.

    Attributes:
        detector: Name or YAML file.
        clear_views: Of the frames of a camera in which he is not obscured.
        moments: Of the moments in which he is inside, some camera being enough.
    """

    detector: str
    clear_views: float
    moments: float


CASES = [
    Case("gocv/detect/shipped/person.yaml", clear_views=0.95, moments=1.0),
    Case("configs/detectors/yolox_nano.yaml", clear_views=0.95, moments=1.0),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: Path(c.detector).stem)
def test_the_shopper_is_found(shared_data: Path, shared_models: Path, case: Case) -> None:
    yaml = ROOT / case.detector
    detector = make_detector(str(yaml) if yaml.is_file() else case.detector, [shared_models])
    scores = SCRIPT["find_shopper"](detector, shared_data / "nanostore" / "cps-test-01" / "video")
    assert scores["share_of_clear_views"] >= case.clear_views, scores["missed"]
    assert scores["share_of_moments"] >= case.moments, scores["missed"]


class Still:
    """Finds one box wherever it looks."""

    classes = ("person",)

    def __init__(self, box: list[float]) -> None:
        self.box = box

    def detect(self, frames: list[Frame]) -> list[Detections]:
        return [Detections([self.box], [0.9], [0]) for _ in frames]


@pytest.mark.parametrize(("box", "most"), [([0, 0, 640, 360], 0.3), ([380, 0, 500, 190], 0.5)])
def test_a_box_that_is_always_there_is_not_enough(shared_data: Path, box: list[float], most: float) -> None:
    scores = SCRIPT["find_shopper"](Still(box), shared_data / "nanostore" / "cps-test-01" / "video")
    assert scores["share_of_clear_views"] < most


def test_the_labels_are_boxes_inside_the_picture() -> None:
    labels: dict[str, Any] = json.loads((Path(__file__).parent / "cps_test_01_boxes.json").read_text())
    assert labels["boxes"].keys() == set("1357")
    for boxes in labels["boxes"].values():
        assert all(int(frame) % 10 == 0 and 0 <= int(frame) <= 338 for frame in boxes)
        left, top, right, bottom = np.array(list(boxes.values())).T
        assert (left >= 0).all()
        assert (top >= 0).all()
        assert (right <= 640).all()
        assert (bottom <= 360).all()
        assert (right - left >= 20).all()
        assert (bottom - top >= 20).all()
    views = SCRIPT["read_labels"]()
    assert len(views) == 77
    assert sum(obscured for _, obscured in views.values()) == 10
