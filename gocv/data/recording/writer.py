"""Writing a recording: into a temporary folder beside the destination, renamed at the end."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from gocv.core import DataError, FloorTracks, PlateId, Store
from gocv.data.config import build
from gocv.data.floor_tracks import FloorTracksWriter
from gocv.data.recording.calibration import calibration_of
from gocv.data.recording.parts import Camera, Truth
from gocv.data.recording.reader import Recording
from gocv.data.recording.scales import ScaleWriter
from gocv.data.recording.schema import VERSION, CameraEntry, ScaleGroupEntry
from gocv.data.recording.store_tables import write_store
from gocv.data.recording.truth import write_truth


class RecordingWriter:
    """Context manager that writes a recording folder whole or not at all.

    At the end of the block the recording is opened as `Recording.open` does, and put in its place if that goes well.

    Args:
        path: The folder to make.
        name: What the recording calls itself.
        origin_unix_s: Unix time of recording time 0.
        duration_s: How long it runs; may be left to `set_duration`.
        store: Products, plates, planogram and zones.
        overwrite: Replace a recording that is there already, once the new one is whole.

    Raises:
        DataError: The folder exists and is not to be replaced, it exists and is no recording, or it cannot be made.
            When the block ends: what was written could not be read again.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        name: str,
        origin_unix_s: float,
        duration_s: float = 0.0,
        store: Store,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        self._overwrite = overwrite
        self._refuse_to_replace()
        self._store = store
        self._settings: dict[str, Any] = {
            "version": VERSION,
            "name": name,
            "clock": {"origin_unix_s": float(origin_unix_s), "duration_s": float(duration_s)},
            "units": {"length": "m", "weight": "g", "time": "s"},
            "zones": [{"name": z.name, "polygon_m": z.polygon_m.tolist()} for z in store.zones],
            "cameras": [],
            "scales": {"clock": {"offset_s": 0.0, "drift_ppm": 0.0}, "groups": []},
            "notes": [],
        }
        self._joints: FloorTracksWriter | None = None
        self._open = ExitStack()
        self._made: list[Path] = []
        self._place = self.path.resolve()  # a link stays, what it leads to is replaced
        self._folder = self._place.with_name(f".{self._place.name}.{os.getpid()}.part")

    def __enter__(self) -> RecordingWriter:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._made = [folder for folder in self._folder.parents if not folder.exists()]
        try:
            self._folder.mkdir(parents=True)
        except OSError as problem:
            raise DataError(f"cannot be written: {problem.strerror}", file=self.path) from problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._open.close()
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)
            for folder in self._made if not self._place.exists() else ():
                with suppress(OSError):  # somebody else may have put something there
                    folder.rmdir()

    def add_camera(self, camera: Camera) -> None:
        """Add a camera; its video, timestamps, detections, poses and truth are copied into the recording.

        Raises:
            DataError: The name will not do, or a file cannot be copied.
        """
        entry: dict[str, Any] = {"name": camera.name, "time_offset_s": float(camera.time_offset_s)}
        if camera.calibration is not None:
            entry["calibration"] = calibration_of(camera.calibration)
        sources = {
            "video": ("video", camera.video),
            "timestamps": ("video", camera.timestamps),
            "detections": ("detections", camera.detections),
            "poses": ("poses", camera.poses),
            "truth": ("truth/frames", camera.truth),
        }
        given = {key: (folder, source) for key, (folder, source) in sources.items() if source is not None}
        entry.update({key: f"{folder}/{camera.name}{source.suffix}" for key, (folder, source) in given.items()})
        build(CameraEntry, entry, error=DataError)
        for key, (_, source) in given.items():
            try:
                shutil.copyfile(source, self._make(entry[key]))
            except OSError as problem:
                message = f"cannot be copied: {problem.strerror}"
                raise DataError(message, file=source, key=f"cameras.{camera.name}.{key}") from problem
        self._settings["cameras"].append(entry)

    def add_pictures(self, folder: Path) -> None:
        """Copy pictures of products, `PRODUCT.png` or `PRODUCT-anything.png` each, into the recording.

        Raises:
            DataError: They cannot be copied.
        """
        self._settings["store"] = {"pictures": "store/pictures"}
        try:
            shutil.copytree(folder, self._make("store/pictures"))
        except OSError as problem:
            raise DataError("pictures cannot be copied", file=folder, key="store.pictures") from problem

    def open_scale_group(self, name: str, plates: tuple[PlateId, ...], rate_hz: float = 60.0) -> ScaleWriter:
        """A writer for the samples of plates that are sampled together; it is closed with the recording.

        Raises:
            DataError: The name or the rate will not do.
        """
        writer = ScaleWriter(self.reserve_scale_group(name, rate_hz), plates)
        self._open.callback(writer.close)
        return writer

    def reserve_scale_group(self, name: str, rate_hz: float = 60.0) -> Path:
        """Where the caller is to write a group's file, with a `ScaleWriter` and before the block ends.

        For samples that come from another process: `open_scale_group` does for those that come from this one.

        Raises:
            DataError: The name or the rate will not do.
        """
        entry = {"name": name, "rate_hz": float(rate_hz), "file": f"scales/{name}.parquet"}
        build(ScaleGroupEntry, entry, error=DataError)
        self._settings["scales"]["groups"].append(entry)
        return self._make(f"scales/{name}.parquet")

    def set_duration(self, duration_s: float) -> None:
        """Say how long the recording runs."""
        self._settings["clock"]["duration_s"] = float(duration_s)

    def set_scale_clock(self, offset_s: float, drift_ppm: float) -> None:
        """Say how the scales' own clock runs: recording time = offset_s + (1 + drift_ppm · 1e-6) · scale time."""
        self._settings["scales"]["clock"] = {"offset_s": float(offset_s), "drift_ppm": float(drift_ppm)}

    def write_joints(self, shoppers: FloorTracks) -> None:
        """Append recorded body joints, times on the recording's clock; call it again with what follows."""
        if self._joints is None:
            self._settings["joints"] = "joints.parquet"
            self._joints = FloorTracksWriter(self._folder / "joints.parquet")
            self._open.callback(self._joints.close)
        self._joints.write(shoppers)

    def write_truth(self, truth: Truth) -> None:
        """Write what really happened."""
        files = write_truth(truth, self._make("truth/events.csv").parent)
        self._settings["truth"] = {key: f"truth/{name}" for key, name in files.items()}

    def note(self, text: str) -> None:
        """Keep a sentence for whoever reads the recording: an assumption, a guess, something left out."""
        self._settings["notes"].append(text)

    def _make(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _finish(self) -> None:
        write_store(self._folder / "store", self._store)
        text = yaml.safe_dump(self._settings, sort_keys=False, allow_unicode=True, width=120)
        (self._folder / "recording.yaml").write_text(text, encoding="utf-8")
        self._read_again()
        self._refuse_to_replace()
        if not self._place.exists():
            os.replace(self._folder, self._place)
            return
        aside = self._folder.with_suffix(".old")
        os.replace(self._place, aside)
        try:
            os.replace(self._folder, self._place)
        except BaseException:
            os.replace(aside, self._place)
            raise
        shutil.rmtree(aside, ignore_errors=True)

    def _read_again(self) -> None:
        try:
            problems = Recording.open(self._folder).problems
            broken = next((p for p in problems if p.severity == "error"), None)
            if broken is not None:
                raise DataError(broken.message, file=broken.file, row=broken.row, key=broken.key)
        except DataError as error:
            file = str(error.file).replace(str(self._folder), str(self.path))
            raise DataError(error.problem, file=file, row=error.row, key=error.key, expected=error.expected) from error

    def _refuse_to_replace(self) -> None:
        if not self.path.exists():
            return
        if not self._overwrite:
            raise DataError("is there already", file=self.path, expected="a new folder, or leave to overwrite it")
        if not (self.path / "recording.yaml").is_file():
            raise DataError("is not a recording, so it will not be overwritten", file=self.path)
