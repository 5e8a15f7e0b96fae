"""What comes with gocv: the calibrator and the review policy that `experiments/calibrate_fusion.py` made."""

from __future__ import annotations

from pathlib import Path

CALIBRATOR = Path(__file__).parent / "calibrator.json"
POLICY = Path(__file__).parent / "review.json"
