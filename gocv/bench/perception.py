"""`gocv bench perception`: frames a second from footage to tracks, and where the time goes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread
from gocv.core import DataError, Encoder, MissingDependencyError
from gocv.data.recording import Recording
from gocv.pipeline import PipelineConfig
from gocv.pipeline.appearance import encode_boxes, make_encoder, needs_appearance, update_tracker
from gocv.pipeline.config import DetectorSettings
from gocv.pipeline.detecting import make_detector
from gocv.pipeline.parts import make_part
from gocv.pipeline.perception import footage

_STEPS = ("decode", "detect", "encode", "track")


def bench_perception(recording: Recording, config: PipelineConfig, repeats: int) -> BenchmarkResult:
    """Decode, detect and track all clips of a recording, with each runtime that is installed, in turn.

    With a tracker that needs appearance, what is detected is also encoded.

    Args:
        recording: One with footage.
        config: With a detector that takes a `runtime`.
        repeats: Passes over all clips after one that does not count; the runtimes take turns.

    Returns:
        A row for each runtime: `frames_per_s` from end to end, and milliseconds a frame of each step that there is,
        medians with their spread.

    Raises:
        DataError: There is no footage, no detector in the settings, or a network's weights are missing.
    """
    if config.detect is None or not any(c.video for c in recording.cameras):
        raise DataError("there is nothing to look at", file=recording.path, expected="footage, and detect.model=FILE")
    detectors = {}
    for runtime in ("onnxruntime", "openvino"):
        settings = DetectorSettings(**{**config.detect.model_dump(), "runtime": runtime})
        try:
            detectors[runtime] = make_detector(settings)
        except MissingDependencyError:
            continue
    encoder = make_encoder(config) if needs_appearance(config) else None
    passes: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in detectors}
    for _ in range(repeats + 1):
        for runtime, detector in detectors.items():
            passes[runtime].append(_one_pass(recording, config, detector, encoder))
    rows = [{"method": runtime, **_figures(found[1:])} for runtime, found in passes.items()]
    return BenchmarkResult("perception", rows, environment(), command_line())


def _one_pass(recording: Recording, config: PipelineConfig, detector: Any, encoder: Encoder | None) -> dict[str, float]:
    """Frames, and seconds spent in each step that there is."""
    spent = dict.fromkeys(("frames", *(step for step in _STEPS if step != "encode" or encoder is not None)), 0.0)
    for camera in recording.cameras:
        if camera.video is None:
            continue
        tracker = make_part("trackers", "track", config.track)
        frames: Iterator[Any] = iter(footage(camera))
        while True:
            start = time.perf_counter()
            frame = next(frames, None)
            decoded = time.perf_counter()
            spent["decode"] += decoded - start
            if frame is None:
                break
            (detections,) = detector.detect([frame])
            detected = encoded = time.perf_counter()
            spent["detect"] += detected - decoded
            looks = None
            if encoder is not None:
                looks = encode_boxes(encoder, frame, detections)
                encoded = time.perf_counter()
                spent["encode"] += encoded - detected
            update_tracker(tracker, detections, frame.time_s, looks)
            spent["track"] += time.perf_counter() - encoded
            spent["frames"] += 1
    return spent


def _figures(passes: list[dict[str, float]]) -> dict[str, float]:
    steps = [step for step in _STEPS if step in passes[0]]
    total = [p["frames"] / sum(p[step] for step in steps) for p in passes]
    figures = {"frames": passes[0]["frames"], **spread("frames_per_s", total)}
    for step in steps:
        figures |= spread(f"{step}_ms", [1000 * p[step] / p["frames"] for p in passes])
    return figures
