"""Numbers out of XML and JSON files, with complaints that name file, key and what was expected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from gocv.core import DataError


def read_xml(path: Path) -> ElementTree.Element:
    """The root element of an XML file.

    Raises:
        DataError: The file is missing, or no XML.
    """
    try:
        return ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="an XML file") from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"is no XML: {error}", file=path, expected="XML") from error


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: The file is missing, or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="a JSON file") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no JSON: {error}", file=path, expected="JSON") from error


def numbers(value: Any, shape: tuple[int, ...], *, file: Path, key: str) -> NDArray[np.float64]:
    """`value` as finite float64 of `shape`; numbers written as text count, true and false do not.

    Raises:
        DataError: It is something else; `file` and `key` are named.
    """
    expected = f"{' × '.join(map(str, shape))} finite numbers" if shape else "a finite number"
    try:
        array = np.asarray(value)
        array = np.full(1, np.nan) if array.dtype.kind == "b" else array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError("does not hold numbers", file=file, key=key, expected=expected) from error
    if array.size != np.prod(shape, dtype=int) or not np.isfinite(array).all():
        raise DataError(f"has {array.size} values, or one that is not finite", file=file, key=key, expected=expected)
    return array.reshape(shape)


@contextmanager
def of_file(file: Path, key: str | None = None) -> Iterator[None]:
    """A DataError raised within, by an array that will not do, names `file` and `key` as well."""
    try:
        yield
    except DataError as error:
        raise error.within(file=file, key=key) from error


def read_mat(path: Path, name: str) -> Any:
    """A variable of a MATLAB file: cells as lists, a struct as a list of dicts, text as str, numbers as arrays.

    Raises:
        DataError: The file is missing, is none of MATLAB's (before version 7.3), or lacks the variable.
    """
    from scipy.io import loadmat

    try:
        with path.open("rb") as file:
            content = loadmat(file, variable_names=[name])
    except OSError as error:
        raise DataError(f"cannot be read: {error}", file=path, expected="a MATLAB file") from error
    except Exception as error:
        raise DataError(f"is no MATLAB file: {error}", file=path, expected="MATLAB's format 5 to 7.2") from error
    if name not in content:
        raise DataError("is missing", file=path, key=name, expected="a variable of that name")
    return _plain(content[name])


def _plain(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names is not None:
        return [{field: _plain(one[field]) for field in value.dtype.names} for one in value.ravel()]
    if value.dtype == object:
        return [_plain(one) for one in value.ravel()]
    if value.dtype.kind == "U":
        return "".join(value.ravel())
    return value
