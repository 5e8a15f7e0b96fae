"""Calibrations in lines of text: TownCentre's .ci."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gocv.core import DataError
from gocv.data.calibrations.files import numbers, of_file
from gocv.geometry import PinholeCamera

_TOWNCENTRE_PX = (1920, 1080)


def read_towncentre_camera(path: str | Path) -> dict[str, PinholeCamera]:
    """Read the camera of TownCentre (Benfold and Reid, CVPR 2011): `Key = number` lines, a unit quaternion, metres.

    The floor is z = 0 and z points up.

    Args:
        path: `TownCentre-calibration.ci`.

    Returns:
        One camera, called by the file's name.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    lines = [line.partition("=") for line in _text(file).splitlines()]
    given = {key.strip(): value.strip() for key, _, value in lines}

    def at(*keys: str) -> list[float]:
        return [float(numbers(given.get(key, "missing"), (), file=file, key=key)) for key in keys]

    (fx, fy), (x0, y0), (skew,) = (
        at("FocalLengthX", "FocalLengthY"),
        at("PrincipalPointX", "PrincipalPointY"),
        at("Skew"),
    )
    x, y, z, w = at("RotationX", "RotationY", "RotationZ", "RotationW")
    length = float(np.sqrt(x * x + y * y + z * z + w * w))
    if abs(length - 1) > 1e-4:
        raise DataError(f"has length {length:g}", file=file, key="RotationX … W", expected="a quaternion of length 1")
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = at("TranslationX", "TranslationY", "TranslationZ")
    distortion = np.array([*at("DistortionK1", "DistortionK2", "DistortionP1", "DistortionP2"), 0.0])
    matrix = np.array([[fx, skew, x0], [0.0, fy, y0], [0.0, 0.0, 1.0]])
    with of_file(file):
        return {file.stem: PinholeCamera(*_TOWNCENTRE_PX, matrix, distortion, pose)}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read: {error}", file=file, expected="a text file") from error
