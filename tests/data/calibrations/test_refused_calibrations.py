"""What is wrong in a calibration file is named: the file, the key, and what is expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from gocv.core import DataError
from gocv.data.calibrations import CALIBRATION_KINDS, read_calibration, read_wildtrack_cameras, write_calibration
from gocv.geometry import PinholeCamera

TSAI = (
    '<Camera name="V"><Geometry width="768" height="576" dpx="0.005" dpy="0.005"/>'
    '<Intrinsic focal="5" kappa1="0.004" cx="380" cy="280" sx="1"/>'
    '<Extrinsic tx="0" ty="0" tz="9000" rx="2" ry="0" rz="0"/></Camera>'
)
MATRIX = "<camera_matrix><data>900 0 960 0 900 540 0 0 1</data></camera_matrix>"
LENS = "<distortion_coefficients><data>0 0 0 0 0</data></distortion_coefficients>"
SHELF = {
    "R": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "T": [0, 0, 1500],
    "fx": 900,
    "fy": 900,
    "cx": 500,
    "cy": 380,
    "k": [0, 0, 0],
    "p": [0, 0],
}
NANO = {"K": np.diag([0.8, 1.4, 1]).tolist(), "Tw": np.eye(4).tolist(), "dist_coeffs": [0] * 5}
CI = [f"{a}{b} = 1" for a in ("FocalLength", "PrincipalPoint", "Translation") for b in "XYZ"]
CI += ["Skew = 0", "RotationX = 1", "RotationY = 0", "RotationZ = 0", "RotationW = 0"]
CI += [f"Distortion{k} = 0" for k in ("K1", "K2", "P1", "P2")]


def storage(folder: Path, outer: str = "<rvec>1 0 0</rvec><tvec>0 0 300</tvec>", inner: str = MATRIX + LENS) -> Path:
    for place, text in (("extrinsic/extr_A", outer), ("intrinsic_zero/intr_A", inner), ("intrinsic/intr_A", inner)):
        file = folder / f"{place}.xml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<opencv_storage>{text}</opencv_storage>")
    return folder


def text(name: str, content: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return write


def nested(entry: dict[str, Any], **changes: Any) -> str:
    """JSON of the entry with some values changed, or left out where None."""
    changed = {**entry, **changes}
    return json.dumps({"0": {key: value for key, value in changed.items() if value is not None}})


def campus(**changes: Any) -> Callable[[Path], Path]:
    view = {"name": "view-A", "K": np.diag([9.0, 9, 1]), "R": np.eye(3), "T": [0, 0, 1.0], "scale": 1, "center": [9, 9]}

    def write(folder: Path) -> Path:
        savemat(folder / "cam_param.mat", {"cam_param": np.array([{**view, **changes}], object)})
        return folder

    return write


CASES: dict[str, tuple[str, Callable[[Path], Path], str, str]] = {
    "no xml": ("tsai", text("V.xml", "<Camera"), "V.xml", "is no XML"),
    "tsai: no focal length": ("tsai", text("V.xml", TSAI.replace("focal", "f")), "Intrinsic.focal", "is missing"),
    "tsai: text": ("tsai", text("V.xml", TSAI.replace('"5"', '"five"')), "Intrinsic.focal", "a finite number"),
    "tsai: no width": ("tsai", text("V.xml", TSAI.replace("768", "0")), "Geometry.width", "more than 0"),
    "no folder": ("wildtrack", lambda folder: folder / "none", "extrinsic", "extr_NAME.xml"),
    "wildtrack: no rvec": ("wildtrack", lambda f: storage(f, "<tvec>0 0 1</tvec>"), "rvec", "is missing"),
    "wildtrack: two numbers": (
        "wildtrack",
        lambda f: storage(f, "<rvec>0 0</rvec><tvec>0 0 1</tvec>"),
        "rvec",
        "3 finite numbers",
    ),
    "wildtrack: no lens": ("wildtrack", lambda f: storage(f, inner=MATRIX), "distortion_coefficients", "is missing"),
    "wildtrack: no matrix": (
        "wildtrack",
        lambda f: storage(f, inner=MATRIX.replace("900", "-900") + LENS),
        "matrix",
        "fx > 0",
    ),
    "wildtrack: other lens": ("wildtrack_original", storage, "intrinsic_original", "cannot be read"),
    "multiviewx: no lens": ("multiviewx", lambda f: storage(f, inner=MATRIX), "distortion_coefficients", "is missing"),
    "shelf: no json": ("shelf", text("s.json", "{"), "s.json", "is no JSON"),
    "shelf: no camera": ("shelf", text("s.json", "{}"), "s.json", "a mapping of names to cameras"),
    "shelf: no camera there": ("shelf", text("s.json", '{"0": 1}'), "'0'", "is not a camera"),
    "shelf: no fx": ("shelf", text("s.json", nested(SHELF, fx=None)), "0.fx", "a finite number"),
    "shelf: short T": ("shelf", text("s.json", nested(SHELF, T=[1, 2])), "0.T", "3 finite numbers"),
    "shelf: true": ("shelf", text("s.json", nested(SHELF, fx=True)), "0.fx", "a finite number"),
    "campus3d: no rotation": (
        "campus3d",
        text("s.json", nested(SHELF, R=np.ones((3, 3)).tolist())),
        "0.camera_T_world",
        "R R^T = 1",
    ),
    "nanostore: no cameras": ("nanostore", text("c.json", "{}"), "cameras", "a mapping of names to cameras"),
    "nanostore: short Tw": (
        "nanostore",
        text("c.json", json.dumps({"cameras": {"1": {**NANO, "Tw": [1]}}})),
        "cameras.1.Tw",
        "4 × 4 finite numbers",
    ),
    "campus: no matlab": ("campus", text("cam_param.mat", "nothing"), "cam_param.mat", "is no MATLAB file"),
    "campus: short T": ("campus", campus(T=[0, 1.0]), "A.T", "3 finite numbers"),
    "campus: no scale": ("campus", campus(scale=0), "A.scale", "more than 0"),
    "towncentre: no skew": (
        "towncentre",
        text("t.ci", "\n".join(line for line in CI if "Skew" not in line)),
        "Skew",
        "a finite number",
    ),
    "towncentre: no rotation": (
        "towncentre",
        text("t.ci", "\n".join(CI).replace("RotationX = 1", "RotationX = 2")),
        "Rotation",
        "length 1",
    ),
    "gocv: a list": ("gocv", text("c.yaml", "- 1"), "c.yaml", "a mapping"),
    "gocv: a number as name": ("gocv", text("c.yaml", "1: {}"), "c.yaml", "numbers in quotes"),
    "gocv: no calibration": ("gocv", text("c.yaml", "a: 1"), "'a'", "width_px"),
    "gocv: no width": ("gocv", text("c.yaml", "a: {height_px: 3}"), "a.width_px", "required"),
    "gocv: unknown key": ("gocv", text("c.yaml", "a: {widht_px: 3}"), "a.widht_px", "'width_px'"),
    "no such kind": ("wildtrak", lambda folder: folder, "kind", "'wildtrack'"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_named(tmp_path: Path, case: str) -> None:
    kind, write, place, expected = CASES[case]
    with pytest.raises(DataError) as error:
        read_calibration(write(tmp_path), kind)
    assert place in str(error.value)
    assert expected in str(error.value)
    assert kind not in CALIBRATION_KINDS or str(tmp_path) in str(error.value)


def test_what_is_right_is_read(tmp_path: Path) -> None:
    """The files above, before anything is wrong in them."""
    files = {
        "tsai": text("V.xml", TSAI),
        "wildtrack": storage,
        "multiviewx": storage,
        "shelf": text("s.json", nested(SHELF)),
        "nanostore": text("c.json", json.dumps({"cameras": {"1": NANO}})),
        "campus": campus(),
        "towncentre": text("t.ci", "\n".join(CI)),
    }
    for kind, write in files.items():
        (tmp_path / kind).mkdir()
        (camera,) = read_calibration(write(tmp_path / kind), kind).values()
        assert camera.width_px > 0


def test_the_example_of_the_documentation_is_a_calibration(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/multiview_formats.md").read_text(encoding="utf-8")
    (tmp_path / "cameras.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    (camera,) = read_calibration(tmp_path / "cameras.yaml").values()
    np.testing.assert_allclose(camera.pixels_to_floor([639.5, 479.5]), [1, 1], atol=1e-9)


def test_there_is_no_third_set_of_intrinsics(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'zero' or 'original'"):
        read_wildtrack_cameras(storage(tmp_path), "one")  # type: ignore[arg-type]


def test_a_camera_needs_a_name_that_names_a_file(tmp_path: Path) -> None:
    camera = PinholeCamera.look_at([0, 0, 3], [1, 1, 0], width_px=64, height_px=48, focal_px=50)
    with pytest.raises(DataError, match=r"a/b.*letters"):
        write_calibration(tmp_path / "cameras.yaml", {"a/b": camera})
    assert not list(tmp_path.iterdir())


def test_no_camera_is_a_calibration_too(tmp_path: Path) -> None:
    write_calibration(tmp_path / "cameras.yaml", {})
    assert read_calibration(tmp_path / "cameras.yaml") == {}
