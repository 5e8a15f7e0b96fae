"""The detector that the settings name, with what is wrapped around it, and the frames that it is shown."""

from __future__ import annotations

from collections.abc import Iterable

from gocv.core import Detector, Frame
from gocv.detect.pacing import at_rate, every
from gocv.detect.skipping import SkippingDetector
from gocv.detect.tiles import TiledDetector
from gocv.pipeline.config import DetectorSettings
from gocv.pipeline.parts import make_part


def make_detector(settings: DetectorSettings) -> Detector:
    """The part, then tiles, then skipping, so that a frame is skipped as a whole.

    Raises:
        ConfigError: As `make_part`.
    """
    detector: Detector = make_part("detectors", "detect", settings)
    if settings.tiles is not None:
        detector = TiledDetector(detector, settings.tiles)
    return detector if settings.skip is None else SkippingDetector(detector, settings.skip)


def paced(frames: Iterable[Frame], settings: DetectorSettings, camera: str) -> Iterable[Frame]:
    """The frames of a camera that are to be looked at; the others are as if the camera had not taken them."""
    count = settings.every.get(camera, 1) if isinstance(settings.every, dict) else settings.every
    rate_hz = settings.rate_hz.get(camera) if isinstance(settings.rate_hz, dict) else settings.rate_hz
    if count > 1:
        frames = every(frames, count)
    return frames if rate_hz is None else at_rate(frames, rate_hz)
