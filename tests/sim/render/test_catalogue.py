from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gocv.data.recording import Recording
from gocv.sim import Scenario, simulate

pytest.importorskip("vtkmodules")


def test_a_filmed_recording_has_pictures_of_all_that_is_sold(tmp_path: Path) -> None:
    """Scenes that differ in a thing or two are not the same to look at: every picture differs from every other."""
    simulate(Scenario(shoppers=1, frames_hz=0.05), tmp_path / "visit", seed=1, video=True)
    recording = Recording.open(tmp_path / "visit")
    assert recording.pictures is not None
    pictures = {path.stem: np.asarray(Image.open(path)) for path in recording.pictures.iterdir()}
    for product in recording.store.products:
        for name in (product, f"{product}-2", f"{product}-3"):
            white = (pictures[name] == 255).all(axis=2)
            assert pictures[name].shape == (96, 96, 3)
            assert 0.05 < white.mean() < 0.95
            assert white[0].all()
            assert white[:, 0].all()
    assert len({picture.tobytes() for picture in pictures.values()}) == len(pictures)
