"""Seven real calibrated cameras: labelled people stand where their boxes' feet are."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from gocv.geometry import PinholeCamera, rodrigues, triangulate

NAMES = ("CVLab1", "CVLab2", "CVLab3", "CVLab4", "IDIAP1", "IDIAP2", "IDIAP3")
FRAMES = range(0, 200, 20)


def numbers(path: Path, tag: str) -> np.ndarray:
    return np.array(" ".join(ElementTree.parse(path).find(tag).itertext()).split()[-9:], float)


def load(folder: Path, intrinsics: str) -> list[PinholeCamera]:
    cameras = []
    for name in NAMES:
        inner, outer = folder / intrinsics / f"intr_{name}.xml", folder / "extrinsic" / f"extr_{name}.xml"
        pose = np.eye(4)
        pose[:3, :3] = rodrigues(numbers(outer, "rvec"))
        pose[:3, 3] = numbers(outer, "tvec") / 100  # the files are in centimetres
        matrix = numbers(inner, "camera_matrix/data").reshape(3, 3)
        cameras.append(PinholeCamera(1920, 1080, matrix, numbers(inner, "distortion_coefficients/data"), pose))
    return cameras


@pytest.fixture(scope="module")
def wildtrack(shared_data: Path) -> tuple[list[PinholeCamera], np.ndarray, np.ndarray]:
    """Cameras, (n, 2) floor positions, and (7, n, 2) middles of the boxes' lower edges, NaN where not seen."""
    folder = shared_data / "wildtrack"
    positions, feet = [], []
    for frame in FRAMES:
        for person in json.loads((folder / f"annotations_positions/{frame:08d}.json").read_text()):
            cell = person["positionID"]
            positions.append([-3.0 + 0.025 * (cell % 480), -9.0 + 0.025 * (cell // 480)])
            boxes = [[v[k] for k in ("xmin", "xmax", "ymax")] for v in person["views"]]
            feet.append([((a + b) / 2, y) if a >= 0 and y < 1079 else (np.nan, np.nan) for a, b, y in boxes])
    return load(folder / "calibrations", "intrinsic_zero"), np.array(positions), np.array(feet).swapaxes(0, 1)


def test_floor_positions_project_to_the_feet(wildtrack) -> None:
    cameras, positions, feet = wildtrack
    for name, camera, seen in zip(NAMES, cameras, feet, strict=True):
        error = np.linalg.norm(camera.floor_to_pixels(positions) - seen, axis=1)
        assert np.isfinite(error).sum() > 40, name
        # The boxes are those of a cylinder around the person, whose lower edge is nearer than its middle.
        assert np.nanmedian(error) < 17, name
        assert np.nanmax(error) < 70, name


def test_feet_stand_where_they_are_labelled(wildtrack) -> None:
    cameras, positions, feet = wildtrack
    for name, camera, seen in zip(NAMES, cameras, feet, strict=True):
        error_m = np.linalg.norm(camera.pixels_to_floor(seen) - positions, axis=1)
        assert np.nanmedian(error_m) < 0.16, name
        assert np.nanmax(error_m) < 0.4, name


def test_triangulated_feet_are_on_the_floor(wildtrack) -> None:
    cameras, positions, feet = wildtrack
    points, rms = triangulate(cameras, feet)
    np.testing.assert_array_equal(np.isfinite(rms), np.isfinite(feet[..., 0]).sum(axis=0) >= 2)
    assert np.nanmedian(np.abs(points[:, 2])) < 0.02
    assert np.nanmax(np.abs(points[:, 2])) < 0.12
    assert np.nanmedian(np.linalg.norm(points[:, :2] - positions, axis=1)) < 0.08
    assert np.nanmedian(rms) < 3.5


def test_original_lenses_invert(shared_data: Path) -> None:
    """Two of the seven fitted polynomials fold back just before a corner of the image: 0.1 % of its pixels at most."""
    grid = np.stack(np.meshgrid(np.arange(0, 1920.0, 8), np.arange(0, 1080.0, 8)), axis=-1)
    lost = {}
    for name, camera in zip(NAMES, load(shared_data / "wildtrack/calibrations", "intrinsic_original"), strict=True):
        origin, direction = camera.rays(grid)
        found = np.isfinite(direction[..., 0])
        lost[name] = int((~found).sum())
        np.testing.assert_allclose(camera.project(origin + 10 * direction[found])[0], grid[found], atol=1e-9)
    assert lost == {"CVLab1": 32, "CVLab2": 0, "CVLab3": 0, "CVLab4": 0, "IDIAP1": 0, "IDIAP2": 3, "IDIAP3": 0}
