"""gocv's own calibration file: YAML, the calibration of each camera by name, as in a `recording.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from gocv.core import DataError
from gocv.data.calibrations.files import of_file
from gocv.data.config import build, load_yaml
from gocv.data.files import written_whole
from gocv.data.recording.calibration import calibration_of, camera_of
from gocv.data.recording.schema import Calibration
from gocv.geometry import PinholeCamera

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def read_gocv_cameras(path: str | Path) -> dict[str, PinholeCamera]:
    """Read the cameras of a `cameras.yaml`: `docs/multiview_formats.md` lists the fields.

    Args:
        path: The file.

    Returns:
        The cameras by name, in the order of the file; metres, z up, floor at z = 0.

    Raises:
        DataError: The file is missing or malformed; file and key are named.
    """
    file = Path(path)
    cameras = {}
    for name, values in load_yaml(file, DataError).items():
        _check_name(file, name)
        if not isinstance(values, dict):
            raise DataError("is no calibration", file=file, key=name, expected=", ".join(Calibration.model_fields))
        with of_file(file, name):
            cameras[name] = camera_of(build(Calibration, values, error=DataError))
    return cameras


def write_calibration(path: str | Path, cameras: Mapping[str, PinholeCamera]) -> None:
    """Write cameras as a `cameras.yaml`, whole or not at all.

    Args:
        path: The file, replaced where it is there already.
        cameras: By name: letters, digits, `_`, `.` and `-`.

    Raises:
        DataError: A name will not do.
    """
    file = Path(path)
    for name in cameras:
        _check_name(file, name)
    entries = {name: calibration_of(camera) for name, camera in cameras.items()}
    with written_whole(file) as partial:
        text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)
        partial.write_text(text, encoding="utf-8")


def _check_name(file: Path, name: object) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is no name of a camera",
            file=file,
            expected="text of letters, digits, _, . and -, numbers in quotes",
        )
