"""Calibrations of WILDTRACK and MultiviewX: XML of OpenCV's storage, two files a camera."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError
from gocv.data.calibrations.files import numbers, of_file, read_xml
from gocv.geometry import PinholeCamera, rodrigues

_PICTURE_PX = (1920, 1080)
"""Of both data sets; the files do not say."""

MULTIVIEWX_FIELD_M = (25.0, 16.0)
"""Extent of the floor of MultiviewX."""


def read_wildtrack_cameras(
    path: str | Path, intrinsics: Literal["zero", "original"] = "zero"
) -> dict[str, PinholeCamera]:
    """Read the cameras of WILDTRACK (Chavdarova et al., CVPR 2018).

    Args:
        path: The folder `calibrations`, or the data set's folder, which holds it.
        intrinsics: "zero" fits the pictures of the data set, whose lens distortion was taken out; "original" fits the
            pictures as they were filmed.

    Returns:
        The cameras by name, CVLab1 … IDIAP3, in the order of the data set's `viewNum`. Metres (the files hold
        centimetres), z up, floor at z = 0.

    Raises:
        DataError: A file is missing or malformed; file and key are named.
    """
    if intrinsics not in ("zero", "original"):
        raise DataError(f"{intrinsics!r} is no set of intrinsics", key="intrinsics", expected="'zero' or 'original'")
    return _read(Path(path), f"intrinsic_{intrinsics}", unit_m=0.01)


def read_multiviewx_cameras(path: str | Path) -> dict[str, PinholeCamera]:
    """Read the cameras of MultiviewX (Hou et al., ECCV 2020).

    Args:
        path: The folder `calibrations`, or the data set's folder, which holds it.

    Returns:
        The cameras by name, Camera1 … Camera6, in the order of the data set's `viewNum`. Metres, as in the files, z up,
        floor at z = 0. The data set's own frame is left-handed: there no rotation has the people before the cameras,
        and the files hold one that has them behind. Here y is 16 m less the data set's y, which mends both.

    Raises:
        DataError: A file is missing or malformed; file and key are named.
    """
    theirs_t_ours = np.diag([1.0, -1.0, 1.0, 1.0])
    theirs_t_ours[1, 3] = MULTIVIEWX_FIELD_M[1]
    behind = np.diag([-1.0, -1.0, -1.0, 1.0])
    return {
        name: dataclasses.replace(camera, camera_T_world=behind @ camera.camera_T_world @ theirs_t_ours)
        for name, camera in _read(Path(path), "intrinsic", unit_m=1.0).items()
    }


def _read(path: Path, inner_folder: str, unit_m: float) -> dict[str, PinholeCamera]:
    folder = path / "calibrations" if (path / "calibrations").is_dir() else path
    files = sorted((folder / "extrinsic").glob("extr_*.xml"))
    if not files:
        raise DataError("there is no camera", file=folder / "extrinsic", expected="files extr_NAME.xml")
    cameras = {}
    for outer in files:
        name = outer.stem.removeprefix("extr_")
        inner = folder / inner_folder / f"intr_{name}.xml"
        lens, place = read_xml(inner), read_xml(outer)
        camera_t_world = np.eye(4)
        camera_t_world[:3, :3] = rodrigues(_numbers(place, "rvec", (3,), outer))
        camera_t_world[:3, 3] = _numbers(place, "tvec", (3,), outer) * unit_m
        matrix = _numbers(lens, "camera_matrix", (3, 3), inner)
        distortion = _numbers(lens, "distortion_coefficients", (5,), inner)
        with of_file(inner):
            cameras[name] = PinholeCamera(*_PICTURE_PX, matrix, distortion, camera_t_world)
    return cameras


def _numbers(root: ElementTree.Element, key: str, shape: tuple[int, ...], file: Path) -> NDArray[np.float64]:
    """A matrix of OpenCV's storage, or, as WILDTRACK has them, its numbers alone."""
    element = root.find(key)
    if element is None:
        raise DataError("is missing", file=file, key=key, expected=f"<{key}> of OpenCV's storage")
    data = element.find("data")
    text = (element if data is None else data).text or ""
    return numbers(text.split(), shape, file=file, key=key)
