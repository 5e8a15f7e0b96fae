"""Tsai's camera model, as the XML of PETS 2009 has it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.calibrations.files import numbers, of_file, read_xml
from gocv.geometry import PinholeCamera

_KEYS = {
    "Geometry": ("width", "height", "dpx", "dpy"),
    "Intrinsic": ("focal", "kappa1", "cx", "cy", "sx"),
    "Extrinsic": ("tx", "ty", "tz", "rx", "ry", "rz"),
}
_METRES = 0.001
_ROWS = 64
"""The fit is made on so many pixels across, and as many down, the outermost included."""


@dataclasses.dataclass(frozen=True, slots=True)
class TsaiCamera:
    """A camera of Tsai's model and what it became.

    Attributes:
        camera: The nearest pinhole camera with Brown-Conrady distortion; metres, z up, floor at z = 0.
        misfit_px: The most by which it puts any pixel of the image elsewhere than Tsai's model does, pixels past the
            fold of Tsai's formula left aside: what is seen there it cannot say.
    """

    camera: PinholeCamera
    misfit_px: float


def read_tsai_cameras(path: str | Path) -> dict[str, PinholeCamera]:
    """The cameras of `read_tsai`, without what became of their lenses.

    Raises:
        DataError: As `read_tsai`.
    """
    return {name: tsai.camera for name, tsai in read_tsai(path).items()}


def read_tsai(path: str | Path) -> dict[str, TsaiCamera]:
    """Read a camera of Tsai's model, or a folder of them.

    R. Tsai, "A versatile camera calibration technique for high-accuracy 3D machine vision metrology", IEEE J. Robotics
    and Automation 1987, eqs. 4 to 8, lengths in millimetres:

        (X_c, Y_c, Z_c) = R_z R_y R_x (x_w, y_w, z_w) + t           world to camera
        (X_u, Y_u) = f (X_c, Y_c) / Z_c                             on the sensor, undistorted
        (X_u, Y_u) = (X_d, Y_d) (1 + kappa1 (X_d^2 + Y_d^2))        on the sensor, distorted
        x = s_x X_d / d_px + c_x,  y = Y_d / d_py + c_y             pixels

    The distorted point gives the undistorted one here, and the other way round in `PinholeCamera`. So k1, k2 and k3 are
    those that put the pixels of the image, each from where Tsai's model has it undistorted, nearest to where they are,
    by least squares; `misfit_px` says how near. d_px stands in the file, where it is d_x ncx / nfx. Of PETS 2009, it is
    0.001, 1.4, 0.03 and 0.00 px for the views 1 to 4, 0.6 and 0.8 px for 5 and 6; views 7 and 8 (31 and 8.6 px, at the
    far corner) have a lens that three coefficients do not follow so far out.

    Args:
        path: An XML file with `<Camera name="…">`, or a folder of such files.

    Returns:
        The cameras by name, in the order of the files' names.

    Raises:
        DataError: A file is missing or malformed, or two cameras share a name; file and key are named.
    """
    place = Path(path)
    files = sorted(place.glob("*.xml")) if place.is_dir() else [place]
    if not files:
        raise DataError("there is no camera", file=place, expected="XML files of Tsai's model")
    cameras: dict[str, TsaiCamera] = {}
    for file in files:
        root = read_xml(file)
        name = root.get("name", file.stem)
        if name in cameras:
            raise DataError(f"camera {name} stands there twice", file=file, key="name", expected="each name once")
        values = {}
        for tag, keys in _KEYS.items():
            element = root.find(tag)
            for key in keys:
                text = None if element is None else element.get(key)
                if text is None:
                    raise DataError("is missing", file=file, key=f"{tag}.{key}", expected="a number")
                values[key] = float(numbers(text, (), file=file, key=f"{tag}.{key}"))
        _check(values, file)
        with of_file(file):
            cameras[name] = _converted(values)
    return cameras


def _check(values: Mapping[str, float], file: Path) -> None:
    for tag, keys in _KEYS.items():
        for key in {"width", "height", "dpx", "dpy", "focal", "sx"} & set(keys):
            if not values[key] > 0:
                raise DataError(f"{values[key]:g} will not do", file=file, key=f"{tag}.{key}", expected="more than 0")


def _converted(values: Mapping[str, float]) -> TsaiCamera:
    width, height = int(values["width"]), int(values["height"])
    fx, fy = values["focal"] * values["sx"] / values["dpx"], values["focal"] / values["dpy"]
    matrix = np.array([[fx, 0.0, values["cx"]], [0.0, fy, values["cy"]], [0.0, 0.0, 1.0]])
    pose = np.eye(4)
    pose[:3, :3] = _rotation(values["rx"], values["ry"], values["rz"])
    pose[:3, 3] = _METRES * np.array([values["tx"], values["ty"], values["tz"]])
    radial, misfit_px = _fitted(matrix, (width, height), values["kappa1"] * values["focal"] ** 2)
    k1, k2, k3 = radial
    return TsaiCamera(PinholeCamera(width, height, matrix, np.array([k1, k2, 0.0, 0.0, k3]), pose), misfit_px)


def _rotation(rx: float, ry: float, rz: float) -> NDArray[np.float64]:
    """R_z R_y R_x: about x first, then about y, then about z."""
    (cx, sx), (cy, sy), (cz, sz) = ((np.cos(angle), np.sin(angle)) for angle in (rx, ry, rz))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: NDArray[np.float64] = about_z @ about_y @ about_x
    return rotation


def _fitted(
    matrix: NDArray[np.float64], picture_px: tuple[int, int], kappa: float
) -> tuple[NDArray[np.float64], float]:
    """(3,) k1, k2, k3 for x_u = x_d (1 + kappa |x_d|^2) in normalised coordinates, and the largest error in pixels."""
    across, down = (np.linspace(0.0, size - 1, _ROWS) for size in picture_px)
    pixels = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    focal, centre = matrix[[0, 1], [0, 1]], matrix[:2, 2]
    distorted = (pixels - centre) / focal
    undistorted = distorted * (1 + kappa * np.square(distorted).sum(axis=1, keepdims=True))
    s = np.square(undistorted).sum(axis=1)[:, None]
    # Linear in k1, k2, k3: what each adds to x and y, in pixels.
    terms = np.stack([undistorted * s**power * focal for power in (1, 2, 3)], axis=-1)
    scale = np.abs(terms).max(axis=(0, 1))
    wanted = (distorted - undistorted) * focal
    grows = 1 + 3 * kappa * np.square(distorted).sum(axis=1) > 0
    solved = np.linalg.lstsq((terms / scale)[grows].reshape(-1, 3), wanted[grows].ravel(), rcond=None)[0] / scale
    return solved, float(np.linalg.norm(terms @ solved - wanted, axis=1)[grows].max())
