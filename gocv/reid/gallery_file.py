"""The file of a gallery: a NumPy archive without pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gocv.core import DataError
from gocv.data.config import Model, build
from gocv.data.files import written_whole

COLUMNS = {"vector": np.float32, "person": np.int64, "time_s": np.float64, "camera": np.int64, "added": np.int64}
"""What a gallery holds for each vector: (n, D) the vector itself, and (n,) columns; `added` counts what was added."""

_EXPECTED = "what Gallery.save wrote"


class GallerySettings(Model):
    """What a file says of the gallery as a whole."""

    version: int = Field(ge=1, le=1)
    keep: int = Field(ge=1)
    expires_s: float = Field(gt=0, allow_inf_nan=False)
    prior_new: float = Field(gt=0, lt=1)
    clock_s: float | None = Field(allow_inf_nan=False)
    cameras: tuple[str, ...]
    same_person: dict[str, Any]


def write_gallery(
    path: Path, settings: Mapping[str, Any], columns: Mapping[str, NDArray[Any]], forgotten: Sequence[int]
) -> None:
    """Write a gallery, whole or not at all: `COLUMNS`, the numbers of the forgotten, and the settings as JSON."""
    arrays: dict[str, Any] = {**columns, "forgotten": np.array(forgotten, np.int64)}
    with written_whole(path) as temporary, temporary.open("wb") as out:
        np.savez(out, settings=np.array(json.dumps(settings, allow_nan=False)), **arrays)


def read_gallery(path: Path) -> tuple[GallerySettings, dict[str, NDArray[Any]], list[int]]:
    """Settings, columns and the forgotten.

    Raises:
        DataError: The file cannot be read or holds what is no gallery; the message names the key.
    """
    arrays = _arrays(path)
    try:
        values = json.loads(str(arrays["settings"]))
    except ValueError as problem:
        raise DataError(f"is no JSON: {problem}", file=path, key="settings", expected=_EXPECTED) from problem
    if not isinstance(values, dict):
        raise DataError("holds no object", file=path, key="settings", expected=_EXPECTED)
    settings = build(GallerySettings, values, file=path, error=DataError)
    _check_shapes(arrays, path)
    _check_values(arrays, settings, path)
    return settings, {name: arrays[name] for name in COLUMNS}, arrays["forgotten"].tolist()


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in ("settings", "forgotten", *COLUMNS)}
    except KeyError as problem:
        raise DataError(f"lacks an array: {problem.args[0]}", file=path, expected=_EXPECTED) from problem
    except (
        OSError,
        ValueError,
        EOFError,
        BadZipFile,
        TypeError,
        AttributeError,
    ) as problem:  # the last two: no archive
        raise DataError(f"cannot be read: {problem}", file=path, expected=_EXPECTED) from problem


def _check_shapes(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    count = arrays["person"].size
    for name, kind in {**COLUMNS, "forgotten": np.int64}.items():
        array, dimensions = arrays[name], 2 if name == "vector" else 1
        length = array.size if name == "forgotten" else count
        if array.dtype != kind or array.ndim != dimensions or len(array) != length:
            expected = f"{length} rows of {np.dtype(kind)} in {dimensions} dimensions"
            raise DataError(f"has shape {array.shape} of {array.dtype}", file=path, key=name, expected=expected)


def _check_values(arrays: Mapping[str, NDArray[Any]], settings: GallerySettings, path: Path) -> None:
    vector, person, time_s, camera, added = (arrays[name] for name in COLUMNS)
    for key, right, expected in (
        ("vector", np.abs(np.einsum("nd,nd->n", vector, vector) - 1) < 1e-3, "vectors of length 1"),
        ("person", (person >= 0) & ~np.isin(person, arrays["forgotten"]), "people who are not forgotten"),
        ("time_s", time_s <= (-np.inf if settings.clock_s is None else settings.clock_s), "times up to the clock's"),
        ("camera", (camera >= 0) & (camera < len(settings.cameras)), "an index into the cameras"),
        ("added", added >= 0, "whole numbers, 0 or above"),
    ):
        if not right.all():
            row = int(np.flatnonzero(~right)[0]) + 1
            raise DataError("holds what no gallery does", file=path, row=row, key=key, expected=expected)
    most = int(np.unique(person, return_counts=True)[1].max(initial=0))
    if most > settings.keep:
        problem, expected = f"one person has {most} vectors", f"at most {settings.keep}"
        raise DataError(problem, file=path, key="person", expected=expected)
