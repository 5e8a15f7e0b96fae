"""The parts that gocv registers, as an installed package shows them."""

from __future__ import annotations

import inspect
import typing
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
GROUPS = (
    "gocv.detectors",
    "gocv.encoders",
    "gocv.event_detectors",
    "gocv.hand_encoders",
    "gocv.interaction_models",
    "gocv.pose_estimators",
    "gocv.product_recognisers",
    "gocv.trackers",
)
PARTS = [entry for group in GROUPS for entry in entry_points(group=group)]


def test_what_is_declared_is_installed() -> None:
    """Fails where the package was installed before its entry points changed: install it again."""
    tomllib = pytest.importorskip("tomllib", reason="tomllib came with Python 3.11")
    declared = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]
    installed = {group: {e.name: e.value for e in entry_points(group=group)} for group in GROUPS}
    assert set(declared) == set(GROUPS)
    assert all(declared[group].items() <= installed[group].items() for group in GROUPS)


@pytest.mark.parametrize("entry", PARTS, ids=lambda e: f"{e.group}:{e.name}")
def test_a_part_loads_and_says_what_can_be_set(entry: EntryPoint) -> None:
    """The arguments of its constructor are its settings: each has a type, and its docstring tells of each."""
    part = entry.load()
    hints = typing.get_type_hints(part.__init__ if inspect.isclass(part) else part)
    arguments = inspect.signature(part).parameters
    assert part.__doc__
    assert [name for name in arguments if name not in hints] == []
    assert [name for name in arguments if f"{name}:" not in part.__doc__] == []
