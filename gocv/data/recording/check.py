"""The validator: everything that can be found wrong in a recording without running it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import GocvError
from gocv.data.detections import read_detections
from gocv.data.poses import read_poses
from gocv.data.progress import with_progress
from gocv.data.recording.parts import Camera, Problem, ScaleGroup
from gocv.data.recording.reader import Recording, frame_times

PERSON = ("person",)
"""The class whose boxes poses are of."""
_SLACK_S = 1.0
"""By so much may something lie outside the recording's clock."""


def check_recording(path: str | Path) -> list[Problem]:
    """Read the recording from end to end, its videos only by header, and list what is wrong.

    Errors mean that the recording is refused or that a file in it is damaged; warnings are what a run works around.
    """
    try:
        recording = Recording.open(path)
    except GocvError as error:
        return [_as_problem(error)]
    found = (part(recording) for part in (_present, _cameras, _planogram, _scales, _joints, _truth))
    return [*recording.problems, *itertools.chain.from_iterable(found)]


def _as_problem(error: GocvError) -> Problem:
    message = error.problem if error.expected is None else f"{error.problem} (expected {error.expected})"
    return Problem("error", message, error.file, error.row, error.key)


def _present(recording: Recording) -> Iterator[Problem]:
    file = _yaml(recording)
    if not recording.scales:
        yield Problem("warning", "there are no scales: nothing can be put on a receipt", file, key="scales")
    if recording.joints is None and not any(c.video or c.detections for c in recording.cameras):
        yield Problem("warning", "there is neither footage nor joints: nobody can be seen", file, key="cameras")


def _cameras(recording: Recording) -> Iterator[Problem]:
    for camera in recording.cameras:
        for readable in (_video, _detections):
            try:
                readable(camera)
            except GocvError as error:
                yield _as_problem(error)
        if camera.poses is not None:
            try:
                yield from _poses(camera, camera.poses)
            except GocvError as error:
                yield _as_problem(error)


def _video(camera: Camera) -> None:
    from gocv.data.video import VideoReader  # late, because a recording without video needs no codecs

    times = frame_times(camera)
    if camera.video is not None:
        VideoReader(camera.video, camera=camera.name, timestamps=times)


def _detections(camera: Camera) -> None:
    if camera.detections is not None:
        read_detections(camera.detections)


def _poses(camera: Camera, file: Path) -> Iterator[Problem]:
    """A pose that is of no box is nobody's: it makes no joints."""
    table = read_poses(file)
    lost = int(np.count_nonzero(table.box < 0))
    if camera.detections is None:
        yield Problem("warning", f"camera {camera.name} has poses but no detections that they are of", str(file))
        return
    boxes = read_detections(camera.detections, PERSON)
    count = dict(zip(boxes.frame.tolist(), np.diff(boxes.first_row).tolist(), strict=True))
    of = np.array([count.get(frame, 0) for frame in table.frame.tolist()], np.int64)
    lost += int(np.count_nonzero(table.box >= np.repeat(of, np.diff(table.first_row))))
    if lost:
        yield Problem("warning", f"{lost} of {len(table.box)} poses are of no box of a person", str(file), key="box")


def _planogram(recording: Recording) -> Iterator[Problem]:
    file, weighed = _yaml(recording), frozenset(plate for group in recording.scales for plate in group.plates)
    for product, plates in sorted(recording.store.planogram.items()):
        if not plates & weighed:
            where = ", ".join(map(str, sorted(plates)))
            message = f"product {product} stands on {where}, which no scale weighs"
            yield Problem("warning", message, file, key="store.planogram")


def _scales(recording: Recording) -> Iterator[Problem]:
    for group in recording.scales:
        try:
            yield from _samples(recording, group)
        except GocvError as error:
            yield _as_problem(error)


def _samples(recording: Recording, group: ScaleGroup) -> Iterator[Problem]:
    """Problems of one group; each sum below runs over all chunks."""
    longest_s = 30 / group.rate_hz
    rows = untimed = gaps = disorder = outside = steps = 0
    last_s, steps_s = np.nan, 0.0
    alive = np.zeros(len(group.plates), bool)
    for samples in with_progress(recording.scale_chunks(group), f"check {group.name}"):
        time_s = samples.time_s[np.isfinite(samples.time_s)]
        elapsed = np.diff(time_s, prepend=last_s)
        even = elapsed[(elapsed > 0) & (elapsed <= longest_s)]
        rows += len(samples)
        untimed += len(samples) - len(time_s)
        gaps += int(np.count_nonzero(elapsed > longest_s))
        disorder += int(np.count_nonzero(elapsed <= 0))
        outside += _outside(recording, time_s)
        steps, steps_s = steps + len(even), steps_s + float(even.sum())
        alive |= np.isfinite(samples.weight_g).any(axis=0)
        last_s = time_s[-1] if len(time_s) else last_s
    if not rows:
        yield Problem("warning", "holds no samples", str(group.file))
        return
    for count, problem in (
        (untimed, "samples have no time: they are left out"),
        (disorder, "samples are not later than the one before"),
        (gaps, f"gaps of more than {longest_s:.2g} s"),
        (outside, "samples lie outside the recording's clock"),
    ):
        if count:
            yield Problem("warning", f"{count} {problem}", str(group.file), key="time_s")
    if steps and abs(steps / steps_s / group.rate_hz - 1) > 0.1:
        message = f"scale group {group.name} is said to run at {group.rate_hz:g} Hz: it runs at {steps / steps_s:.3g}"
        yield Problem("warning", message, str(group.file), key="rate_hz")
    for plate in itertools.compress(group.plates, ~alive):
        yield Problem("warning", f"plate {plate} gave no reading at all", str(group.file), key=str(plate))


def _joints(recording: Recording) -> Iterator[Problem]:
    rows = outside = 0
    try:
        for chunk in with_progress(recording.floor_track_chunks(), "check joints"):
            rows += len(chunk)
            outside += _outside(recording, chunk.time_s)
    except GocvError as error:
        yield _as_problem(error)
        return
    if outside:
        message = f"{outside} of {rows} rows lie outside the recording's clock"
        yield Problem("warning", message, str(recording.joints), key="time_s")


def _truth(recording: Recording) -> Iterator[Problem]:
    truth, store, file = recording.truth, recording.store, _yaml(recording)
    if truth is None:
        return
    sold = {e.product for e in truth.events} | {p for r in truth.receipts or () for p in r.items}
    used = {plate for event in truth.events for plate in event.plates}
    for what, names in (("product", sold - set(store.products)), ("plate", used - set(store.plates))):
        for name in sorted(names):
            yield Problem("warning", f"{what} {name} of the truth is not in the store", file, key="truth")
    outside = _outside(recording, np.array([event.time_s for event in truth.events]))
    if outside:
        message = f"{outside} of {len(truth.events)} events lie outside the recording's clock"
        yield Problem("warning", message, file, key="truth.events")


def _yaml(recording: Recording) -> str:
    return str(recording.path / "recording.yaml")


def _outside(recording: Recording, time_s: NDArray[np.float64]) -> int:
    return int(np.count_nonzero((time_s < -_SLACK_S) | (time_s > recording.duration_s + _SLACK_S)))
