"""Poses where none were recorded: estimated in the pictures of the people that were found there."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from gocv.core import DataError, Detections, Frame, PoseEstimator
from gocv.data.detections import DetectionTable
from gocv.data.poses import PoseTable, PoseTableWriter, read_poses
from gocv.data.recording import Recording
from gocv.pipeline.config import PipelineConfig
from gocv.pipeline.folder import Report, RunFolder
from gocv.pipeline.parts import make_part

_BATCH = 8


def make_pose_estimator(recording: Recording, config: PipelineConfig) -> PoseEstimator | None:
    """The estimator of the settings; None where none is wanted, or every camera with footage has recorded poses.

    Raises:
        ConfigError: There is no such estimator, or a setting is wrong.
        DataError: Its weights are missing or do not fit.
    """
    if config.pose is None or not any(camera.video and camera.poses is None for camera in recording.cameras):
        return None
    estimator: PoseEstimator = make_part("pose_estimators", "pose", config.pose)
    return estimator


def write_estimated(
    writer: PoseTableWriter, estimator: PoseEstimator, frames: Sequence[Frame], people: Sequence[Detections]
) -> None:
    """Write the poses of people in frames, a pose for each box, in order.

    Raises:
        DataError: The estimator gave other than a pose for each box.
    """
    found = estimator.estimate(frames, people)
    if [len(poses) for poses in found] != [len(boxes) for boxes in people]:
        counts = f"{[len(poses) for poses in found]} poses for {[len(boxes) for boxes in people]} boxes"
        raise DataError(f"an estimator gave {counts}", key="pose")
    for frame, poses in zip(frames, found, strict=True):
        writer.write(frame.index, frame.time_s, poses)


def estimate_recorded(
    estimator: PoseEstimator, found: DetectionTable, frames: Iterable[Frame], writer: PoseTableWriter
) -> list[str]:
    """Write the poses of recorded boxes, looked at in the footage's frames of the same number.

    Args:
        estimator: Finds the keypoints.
        found: The boxes of people.
        frames: The footage.
        writer: Of the table.

    Returns:
        What is wrong: boxes whose frame the footage lacks.

    Raises:
        DataError: As `write_estimated`, or a time that does not ascend.
    """
    unseen = {frame: i for i, frame in enumerate(found.frame.tolist())}
    there = ((frame, unseen.pop(frame.index)) for frame in frames if frame.index in unseen)
    while batch := list(itertools.islice(there, _BATCH)):
        people = [found.detections(at) for _, at in batch]
        write_estimated(writer, estimator, [frame for frame, _ in batch], people)
    boxes = sum(len(found.detections(at)) for at in unseen.values())
    return [f"{boxes} recorded boxes lie in frames that the footage lacks: they have no pose"] if boxes else []


def with_estimated(
    poses: Mapping[str, PoseTable], recording: Recording, folder: RunFolder
) -> tuple[dict[str, PoseTable], Report]:
    """Recorded poses, and for calibrated cameras without them those that the stage "detect" estimated."""
    tables = dict(poses)
    report: Report = []
    for camera in recording.cameras:
        file = folder.table(f"poses-{camera.name}")
        if camera.name in tables or camera.poses is not None or camera.calibration is None or not file.is_file():
            continue
        try:
            tables[camera.name] = read_poses(file)
        except DataError as error:
            report.append({"where": f"camera {camera.name}", "problem": f"its poses are left out: {error}"})
    return tables, report
