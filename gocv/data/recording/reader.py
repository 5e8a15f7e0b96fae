"""Opening a recording and streaming what it holds."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError, FloorTracks, Plate, PlateId, ScaleSamples, Store, Zone
from gocv.data.config import build, load_yaml
from gocv.data.floor_tracks import floor_track_chunks, read_floor_tracks
from gocv.data.recording.calibration import camera_of
from gocv.data.recording.parts import Camera, Problem, ScaleGroup, Truth
from gocv.data.recording.scales import read_plates_of, read_samples
from gocv.data.recording.schema import VERSION, CameraEntry, RecordingFile, ScaleClock
from gocv.data.recording.store_tables import read_planogram, read_plates, read_products
from gocv.data.recording.truth import read_truth
from gocv.data.tables import read_csv


@dataclasses.dataclass(frozen=True, slots=True)
class Recording:
    """A recording folder, opened. Samples, joints and video stay on disk until they are asked for.

    Attributes:
        path: The folder.
        name: As the recording calls itself.
        origin_unix_s: Unix time of recording time 0.
        duration_s: How long it runs.
        store: What does not move.
        cameras: In the order of the file.
        scales: Groups of plates that could be opened.
        scale_clock: How the scales' own clock runs.
        pictures: Folder of pictures of products, PRODUCT.png or PRODUCT-anything.png each, or None.
        joints: Parquet table of recorded body joints, or None.
        truth: What really happened, or None where nothing is known.
        notes: What whoever made the recording wanted said.
        problems: What is wrong and does not stand in the way of a run.
    """

    path: Path
    name: str
    origin_unix_s: float
    duration_s: float
    store: Store
    cameras: tuple[Camera, ...]
    scales: tuple[ScaleGroup, ...]
    scale_clock: ScaleClock
    pictures: Path | None
    joints: Path | None
    truth: Truth | None
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]

    @classmethod
    def open(cls, path: str | Path) -> Recording:
        """Read everything but samples, joints, detections, poses and video.

        Raises:
            DataError: recording.yaml or a table of the store is missing or malformed, the truth is malformed, or two
                groups weigh one plate; file, row and key are named.
        """
        return _open(cls, Path(path))

    def scale_chunks(self, group: ScaleGroup, chunk_s: float = 60.0) -> Iterator[ScaleSamples]:
        """Samples of `group` in the file's order, on the recording's clock, about `chunk_s` seconds at a time.

        Raises:
            DataError: The file is broken.
        """
        clock = self.scale_clock
        for samples in read_samples(group.file, max(1, math.ceil(chunk_s * group.rate_hz))):
            time_s = clock.offset_s + (1 + clock.drift_ppm * 1e-6) * samples.time_s
            yield dataclasses.replace(samples, time_s=time_s)

    def floor_tracks(self, windows: Sequence[tuple[float, float]] | None = None) -> FloorTracks:
        """Recorded body joints whose time lies in any of `windows`, or all; no rows where none were recorded.

        Raises:
            DataError: The table is broken.
        """
        return FloorTracks.empty(shoppers=()) if self.joints is None else read_floor_tracks(self.joints, windows)

    def floor_track_chunks(self) -> Iterator[FloorTracks]:
        """All recorded body joints, in the file's order and in bounded memory; see `gocv.data.floor_tracks`.

        Raises:
            DataError: The table is broken; what came before has been handed over.
        """
        return iter(()) if self.joints is None else floor_track_chunks(self.joints)


def frame_times(camera: Camera) -> NDArray[np.float64] | None:
    """(n,) float64, seconds on the recording's clock, of every frame, or None where the video's own times hold.

    Raises:
        DataError: The table of timestamps is malformed.
    """
    if camera.timestamps is None:
        return None
    return np.array([row.finite("time_s") for row in read_csv(camera.timestamps, ["time_s"])])


def _open(cls: type[Recording], path: Path) -> Recording:
    file = path / "recording.yaml"
    if not file.is_file():
        raise DataError("is not a recording", file=path, expected="a folder that holds recording.yaml")
    settings = _settings(file)
    problems: list[Problem] = []
    scales = _scales(path, settings, problems)
    truth = {key: _present(path, name, f"truth.{key}", problems) for key, name in settings.truth}
    return cls(
        path=path,
        name=settings.name,
        origin_unix_s=settings.clock.origin_unix_s,
        duration_s=settings.clock.duration_s,
        store=_store(path, settings, scales, problems),
        cameras=tuple(_camera(path, entry, problems) for entry in settings.cameras),
        scales=scales,
        scale_clock=settings.scales.clock,
        pictures=_folder(path, settings.store.pictures, "store.pictures", problems),
        joints=_present(path, settings.joints, "joints", problems),
        truth=read_truth(truth) if any(truth.values()) else None,
        notes=settings.notes,
        problems=tuple(problems),
    )


def _settings(file: Path) -> RecordingFile:
    values = load_yaml(file, DataError)
    if values.get("version") != VERSION:  # before the keys, which another version may have named otherwise
        problem = f"version {values.get('version', 'is missing and')} cannot be read"
        raise DataError(problem, file=file, key="version", expected=str(VERSION))
    return build(RecordingFile, values, file=file, error=DataError)


def _folder(path: Path, name: str | None, key: str, problems: list[Problem]) -> Path | None:
    """The folder of that name, or None and a warning where it is missing."""
    if name is None or (path / name).is_dir():
        return None if name is None else path / name
    message = f"{name} is missing: the run goes on without it"
    problems.append(Problem("warning", message, str(path / "recording.yaml"), key=key))
    return None


def _present(path: Path, name: str | None, key: str, problems: list[Problem]) -> Path | None:
    """The file of that name, or None and a warning where it is missing."""
    if name is None or os.path.isfile(path / name):
        return None if name is None else path / name
    message = f"{name} is missing: the run goes on without it"
    problems.append(Problem("warning", message, str(path / "recording.yaml"), key=key))
    return None


def _scales(path: Path, settings: RecordingFile, problems: list[Problem]) -> tuple[ScaleGroup, ...]:
    groups: list[ScaleGroup] = []
    weighed: dict[PlateId, str] = {}
    for entry in settings.scales.groups:
        file = _present(path, entry.file, f"scales.groups.{entry.name}.file", problems)
        if file is None:
            continue
        try:
            plates = read_plates_of(file)
        except DataError as error:
            message = f"scale group {entry.name} is left out: {error.problem}"
            problems.append(Problem("error", message, error.file, error.row, error.key))
            continue
        for plate in plates:
            if plate in weighed:
                problem = f"scale group {weighed[plate]} weighs this plate too"
                raise DataError(problem, file=file, key=str(plate), expected="each plate in one group")
            weighed[plate] = entry.name
        groups.append(ScaleGroup(entry.name, entry.rate_hz, file, plates))
    return tuple(groups)


def _store(path: Path, settings: RecordingFile, scales: tuple[ScaleGroup, ...], problems: list[Problem]) -> Store:
    files = settings.store
    zones = tuple(Zone(z.name, np.array(z.polygon_m)) for z in settings.zones)
    plates = read_plates(path / files.plates)
    for plate in (plate for group in scales for plate in group.plates):
        plates.setdefault(plate, Plate.unsurveyed(plate))
    products, lost = read_products(path / files.products, problems)
    store = Store(products, plates, {}, zones)
    return dataclasses.replace(store, planogram=read_planogram(path / files.planogram, store, problems, lost))


def _camera(path: Path, entry: CameraEntry, problems: list[Problem]) -> Camera:
    place = f"cameras.{entry.name}"
    video, timestamps, detections, truth, poses = (
        _present(path, name, f"{place}.{key}", problems)
        for key, name in (
            ("video", entry.video),
            ("timestamps", entry.timestamps),
            ("detections", entry.detections),
            ("truth", entry.truth),
            ("poses", entry.poses),
        )
    )
    try:
        calibration = None if entry.calibration is None else camera_of(entry.calibration)
    except DataError as error:
        key = f"{place}.calibration.{error.key or ''}".rstrip(".")
        file = path / "recording.yaml"
        raise DataError(error.problem, file=file, key=key, expected=error.expected) from error
    return Camera(entry.name, video, entry.time_offset_s, timestamps, calibration, detections, truth, poses)
