"""One way to read a scene of many cameras, whatever form it has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gocv.core import DataError, nearest
from gocv.data.multiview.campus import read_campus
from gocv.data.multiview.recording import read_recording_views
from gocv.data.multiview.scene import MultiviewScene
from gocv.data.multiview.wildtrack import read_multiviewx, read_wildtrack

_READERS: dict[str, Callable[[str | Path], MultiviewScene]] = {
    "wildtrack": read_wildtrack,
    "multiviewx": read_multiviewx,
    "campus": read_campus,
    "recording": read_recording_views,
}

MULTIVIEW_KINDS = (*_READERS, "nanostore")
"""What `read_multiview` knows. The NanoStore is known and refused: its cameras do not fit its boxes."""


def read_multiview(path: str | Path, kind: str) -> MultiviewScene:
    """Read a scene.

    Args:
        path: The data set's folder, or the recording's.
        kind: One of `MULTIVIEW_KINDS`.

    Raises:
        DataError: There is no such kind, or what is at `path` is missing or malformed; file, row and key are named. For
            "nanostore" always: its `calibration.json`, of another rig date, puts the joints of BENCHMARK-1 tens of
            pixels off the middle of the boxes that the same people have in the same cameras.
    """
    if kind == "nanostore":
        raise DataError(
            "the cameras of the NanoStore were calibrated on another date than its boxes were recorded, and do not fit",
            file=path,
            key="kind",
            expected="a recording (gocv convert nanostore) with cameras that were calibrated (gocv calibrate)",
        )
    if kind not in _READERS:
        raise DataError(f"'{kind}' is no kind of scene", key="kind", expected=nearest(kind, MULTIVIEW_KINDS))
    return _READERS[kind](path)
