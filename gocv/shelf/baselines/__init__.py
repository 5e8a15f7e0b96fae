"""Published methods as they were, to measure against: weight-event detectors and the product model of AIM3S."""

from gocv.shelf.baselines.aim3s import (
    Identification,
    identify,
    labelled_change,
    location_probability,
    normal_overlap,
    product_order,
    weight_probability,
)
from gocv.shelf.baselines.mps import MpsDetector
from gocv.shelf.baselines.team6 import Team6Detector

__all__ = [
    "Identification",
    "MpsDetector",
    "Team6Detector",
    "identify",
    "labelled_change",
    "location_probability",
    "normal_overlap",
    "product_order",
    "weight_probability",
]
