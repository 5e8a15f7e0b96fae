"""How often a detector finds the shopper of cps-test-01: `python experiments/find_shopper.py -d DETECTOR… --json FILE`.

Every tenth frame of the four clips is labelled by hand, in `tests/detect/cps_test_01_boxes.json`. A view is a labelled
frame of one camera in which some of him is to be seen while he is inside the store; it is found where a detection
overlaps the label by an IoU of 0.3. A moment is found where one of the cameras that see him finds him.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

from gocv.bench.detect import make_detector
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import Detector
from gocv.data.video import VideoReader
from gocv.geometry import iou

LABELS = Path(__file__).parents[1] / "tests" / "detect" / "cps_test_01_boxes.json"
LEAST_IOU = 0.3


def read_labels(file: Path = LABELS) -> dict[tuple[str, int], tuple[list[float], bool]]:
    """The shopper's box in each view, by camera and frame, and whether he is obscured in it."""
    labels = json.loads(file.read_text(encoding="utf-8"))
    first, last = labels["inside"]
    obscured = {(camera, frame) for camera, (a, b) in labels["obscured"].items() for frame in range(a, b + 1)}
    return {
        (camera, int(frame)): (box, (camera, int(frame)) in obscured)
        for camera, boxes in labels["boxes"].items()
        for frame, box in boxes.items()
        if first <= int(frame) <= last
    }


def find_shopper(detector: Detector, clips: Path) -> dict[str, Any]:
    """Counts and shares of views and moments in which he is found.

    Args:
        detector: With the class "person".
        clips: Folder of `cam1.mp4` and so on.
    """
    labels = read_labels()
    person = detector.classes.index("person")
    found: dict[tuple[str, int], bool] = {}
    last = max(frame for _, frame in labels)
    for camera in sorted({camera for camera, _ in labels}):
        for frame in itertools.islice(VideoReader(clips / f"cam{camera}.mp4", camera=camera), last + 1):
            if (view := (camera, frame.index)) in labels:
                (seen,) = detector.detect([frame])
                overlap = iou(seen.xyxy[seen.label == person], [labels[view][0]])
                found[view] = bool((overlap >= LEAST_IOU).any())
    clear = [view for view, (_, obscured) in labels.items() if not obscured]
    moments = sorted({frame for _, frame in labels})
    held = [any(found.get((camera, moment), False) for camera in "1357") for moment in moments]
    by_camera = {
        f"share_camera_{camera}": _share([found[view] for view in labels if view[0] == camera]) for camera in "1357"
    }
    return {
        "views": len(labels),
        "share_of_views": _share(list(found.values())),
        "clear_views": len(clear),
        "share_of_clear_views": _share([found[view] for view in clear]),
        "moments": len(moments),
        "share_of_moments": _share(held),
        **by_camera,
        "missed": ", ".join(f"{camera}:{frame}" for (camera, frame), hit in found.items() if not hit),
    }


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--detector", action="append", required=True, help="as for gocv bench detect")
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--weights", type=Path, action="append", default=[], help="as for gocv bench detect")
    parser.add_argument("--runtime", default="openvino")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    clips = given.root / "nanostore" / "cps-test-01" / "video"
    rows = []
    for name in given.detector:
        detector = make_detector(name, given.weights, runtime=given.runtime)
        rows.append({"method": Path(name).stem, **find_shopper(detector, clips)})
        print(rows[-1])
    if given.json is not None:
        BenchmarkResult("shopper of cps-test-01", rows, environment(), command_line()).write(given.json)


if __name__ == "__main__":
    main()
