"""A small recording that has everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gocv.core import Detections, FloorTracks, Plate, PlateId, Product, ScaleSamples, Store, Zone
from gocv.data.detections import DetectionTableWriter
from gocv.data.recording import Camera, RecordingWriter, Truth, TruthEvent, TruthReceipt
from gocv.data.video import write_video
from gocv.geometry import PinholeCamera, rodrigues

RATE_HZ, DURATION_S = 60.0, 10.0
PLATES = {"left": (PlateId(1, 1, 1), PlateId(1, 1, 2)), "right": (PlateId(2, 1, 1),)}


def small_store() -> Store:
    surveyed = Plate(PLATES["left"][0], np.array([1.0, 2.0, 0.9]), rodrigues([0, 0, 0.5]), np.array([0.3, 0.4]))
    plates = [surveyed, *map(Plate.unsurveyed, (PLATES["left"][1], *PLATES["right"]))]
    products = (
        Product("007", "Milch, 3,5 %", 1030.0, 4.5, 1.19),
        Product("42", "牛奶", 500.0),
        Product("9", "unplaced"),
    )
    return Store(
        {p.id: p for p in products},
        {p.id: p for p in plates},
        {"007": frozenset(PLATES["left"]), "42": frozenset(PLATES["right"])},
        (Zone("entrance", np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])),),
    )


def write_small(path: Path, sources: Path, **settings: object) -> Path:
    """Write the recording to `path`, and what is copied into it to `sources`."""
    sources.mkdir(exist_ok=True)
    write_video(sources / "a.mp4", [np.full((16, 16, 3), 99, np.uint8)] * 5, 10)
    (sources / "times.csv").write_text("time_s\n0\n0.1\n0.25\n0.3\n0.4\n")
    with DetectionTableWriter(sources / "boxes.parquet", classes=["person"]) as boxes:
        boxes.write(0, 0.0, Detections([[0, 0, 1, 1]], [0.5], [0]))
    looking = PinholeCamera.look_at(
        [0, 0, 3], [2, 1, 0], width_px=16, height_px=16, focal_px=20, distortion=[0.1, 0, 0, 0, 0]
    )
    given = {"name": "small", "origin_unix_s": 1.76e9, "duration_s": DURATION_S, "store": small_store(), **settings}
    with RecordingWriter(path, **given) as writer:
        writer.add_camera(Camera("ceiling-1", sources / "a.mp4", 0.5, sources / "times.csv", looking))
        writer.add_camera(Camera("door", detections=sources / "boxes.parquet"))
        writer.set_scale_clock(-100.0, 50.0)
        scale_time = (np.arange(DURATION_S * RATE_HZ) / RATE_HZ + 100.0) / (1 + 50e-6)
        for name, plates in PLATES.items():
            group = writer.open_scale_group(name, plates, RATE_HZ)
            weight = np.full((len(scale_time), len(plates)), 1000.0)
            weight[5, 0] = np.nan
            group.write(ScaleSamples(plates, scale_time, weight))
        for start in (0, 5):
            writer.write_joints(FloorTracks.sightings(("anna", "Бо"), start + np.arange(5.0), [0, 1, 0, 1, 0]))
        writer.write_truth(
            Truth(
                (TruthEvent(2.5, "anna", "007", 2, PLATES["left"]), TruthEvent(1.5, "Бо", "42", -1, ())),
                (TruthReceipt("anna", {"007": 2}), TruthReceipt("Бо", {})),
            )
        )
        writer.note("made by hand: for a test")
    return path


@pytest.fixture(scope="session")
def _small_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    return write_small(folder / "recording", folder / "sources")


@pytest.fixture
def small_recording(_small_recording: Path, tmp_path: Path) -> Path:
    """A copy of the small recording, to be spoilt."""
    import shutil

    return Path(shutil.copytree(_small_recording, tmp_path / "recording"))


@pytest.fixture
def write_small_recording(tmp_path: Path) -> Callable[..., Path]:
    """Writes the small recording to a path, with other settings of the writer where given."""
    return lambda path, **settings: write_small(path, tmp_path / "sources", **settings)
