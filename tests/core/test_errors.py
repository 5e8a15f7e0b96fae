from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest

from gocv.core import ConfigError, DataError, GocvError, MissingDependencyError, nearest


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ({}, "is odd"),
        ({"file": Path("a") / "b.csv"}, f"{Path('a') / 'b.csv'}: is odd"),
        ({"row": 3}, "row 3: is odd"),
        ({"row": 0}, "row 0: is odd"),
        ({"key": "x"}, "key 'x': is odd"),
        ({"file": "b.csv", "row": 3, "key": "x"}, "b.csv, row 3, key 'x': is odd"),
        ({"key": "x", "expected": "even"}, "key 'x': is odd (expected even)"),
    ],
)
def test_the_message_says_what_where_and_what_would_be_right(place: dict[str, object], text: str) -> None:
    assert str(DataError("is odd", **place)) == text


@pytest.mark.parametrize("kind", [GocvError, DataError, ConfigError, MissingDependencyError])
def test_errors_are_one_family_and_travel_between_processes(kind: type[GocvError]) -> None:
    error = kind("is odd", file="b.csv", row=3, key="x", expected="even")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is kind
        assert isinstance(other, GocvError)
        assert str(other) == str(error)
        assert (other.file, other.row, other.key, other.expected) == ("b.csv", 3, "x", "even")


@pytest.mark.parametrize(
    ("name", "valid", "text"),
    [
        ("treshold", ["threshold", "window"], "'threshold'"),
        ("threshold", ["threshold"], "'threshold'"),
        ("camera", ["scales", "cameras", "zones"], "'cameras'"),
        ("zzz", ["b", "a"], "one of 'a', 'b'"),
        ("zzz", [], "nothing: there are no valid names"),
        ("", ["a"], "one of 'a'"),
    ],
)
def test_nearest(name: str, valid: list[str], text: str) -> None:
    assert nearest(name, iter(valid)) == text
