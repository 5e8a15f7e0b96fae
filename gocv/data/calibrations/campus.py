"""Calibration of CAMPUS: a MATLAB file, which covers some of the views."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.calibrations.files import numbers, of_file, read_mat
from gocv.geometry import PinholeCamera


def read_campus_cameras(path: str | Path) -> dict[str, PinholeCamera]:
    """Read the calibrated views of CAMPUS (Xu et al., CVPR 2016).

    The set gives a formula for the floor point of a pixel (y, x), which is that of a camera at `T` (metres) with the
    rotation `R` world to camera and the matrix `K` about `center` (x, y), for pixels multiplied by `scale`.

    Args:
        path: `cam_param.mat`, or the sequence's folder, which holds it.

    Returns:
        The cameras by name, such as HC3; metres, z up, floor at z = 0. Pictures are taken to be twice as wide and high
        as `center`.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    file = file / "cam_param.mat" if file.is_dir() else file
    views = read_mat(file, "cam_param")
    if isinstance(views, list) and views and isinstance(views[0], list):  # a cell of structs
        views = [view for cell in views for view in cell]
    cameras = {}
    for row, view in enumerate(views, 1) if isinstance(views, list) else ():
        if not isinstance(view, dict) or not isinstance(view.get("name"), str):
            raise DataError("is not a view", file=file, row=row, key="cam_param", expected="a struct with a name")
        name = view["name"].removeprefix("view-")
        shapes = {"K": (3, 3), "R": (3, 3), "T": (3,), "scale": (), "center": (2,)}
        value = {k: numbers(view.get(k, ""), shape, file=file, key=f"{name}.{k}") for k, shape in shapes.items()}
        if not value["scale"] > 0:
            raise DataError("will not do", file=file, key=f"{name}.scale", expected="more than 0")
        matrix = value["K"].copy()
        matrix[:2, 2] += value["center"]
        matrix[:2] /= value["scale"]
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = value["R"], -value["R"] @ value["T"]
        width, height = (round(2 * float(side)) for side in matrix[:2, 2])
        with of_file(file, name):
            cameras[name] = PinholeCamera(width, height, matrix, np.zeros(5), pose)
    if not cameras:
        raise DataError("holds no view", file=file, key="cam_param", expected="a cell of structs")
    return cameras
