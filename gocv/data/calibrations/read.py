"""One way to read a calibration, whatever form it has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from gocv.core import DataError, nearest
from gocv.data.calibrations.campus import read_campus_cameras
from gocv.data.calibrations.gocv_file import read_gocv_cameras
from gocv.data.calibrations.json_files import CAMPUS_PX, read_nanostore_cameras, read_shelf_cameras
from gocv.data.calibrations.opencv_storage import read_multiviewx_cameras, read_wildtrack_cameras
from gocv.data.calibrations.text_files import read_towncentre_camera
from gocv.data.calibrations.tsai import read_tsai_cameras
from gocv.geometry import PinholeCamera

_READERS: dict[str, Callable[[str | Path], dict[str, PinholeCamera]]] = {
    "gocv": read_gocv_cameras,
    "wildtrack": read_wildtrack_cameras,
    "wildtrack_original": functools.partial(read_wildtrack_cameras, intrinsics="original"),
    "multiviewx": read_multiviewx_cameras,
    "tsai": read_tsai_cameras,
    "nanostore": read_nanostore_cameras,
    "campus": read_campus_cameras,
    "shelf": read_shelf_cameras,
    "campus3d": functools.partial(read_shelf_cameras, picture_px=CAMPUS_PX),
    "towncentre": read_towncentre_camera,
}

CALIBRATION_KINDS = tuple(_READERS)
"""What `read_calibration` reads."""


def read_calibration(path: str | Path, kind: str = "gocv") -> dict[str, PinholeCamera]:
    """Read cameras.

    Args:
        path: A file or folder, as the kind has it (see the table in `docs/multiview_formats.md`).
        kind: One of `CALIBRATION_KINDS`.

    Returns:
        The cameras by name; metres, z up, floor at z = 0.

    Raises:
        DataError: There is no such kind, or what is at `path` is missing or malformed; file and key are named.
    """
    if kind not in _READERS:
        raise DataError(f"'{kind}' is no kind of calibration", key="kind", expected=nearest(kind, _READERS))
    return _READERS[kind](path)
