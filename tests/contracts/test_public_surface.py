"""What gocv offers exists and is explained."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import gocv

MODULES = ["gocv", *sorted(m.name for m in pkgutil.walk_packages(gocv.__path__, "gocv.") if "__main__" not in m.name)]
PACKAGES = [name for name in MODULES if hasattr(importlib.import_module(name), "__all__")]


def explained(thing: Any) -> bool:
    """Whether it has a docstring of its own: that of a base class, or the signature of a dataclass, is none."""
    doc = vars(thing).get("__doc__") if isinstance(thing, type) else getattr(thing, "__doc__", None)
    return bool(doc and doc.strip()) and not doc.startswith(f"{getattr(thing, '__name__', '')}(")


def public_things(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Public functions and classes that `module` defines, and the public methods of those classes."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(thing):
            yield name, thing
        if isinstance(thing, type):
            yield name, thing
            for method, value in vars(thing).items():
                function = getattr(value, "__func__", getattr(value, "fget", value))
                if not method.startswith("_") and inspect.isfunction(function):
                    yield f"{name}.{method}", function


def explained_constants(module: ModuleType) -> set[str]:
    """Names that the source of `module` gives a value and then a text."""
    body = ast.parse(inspect.getsource(module)).body
    names = set()
    for statement, after in itertools.pairwise(body):
        text = (
            isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str)
        )
        if text and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_the_rooms_were_found() -> None:
    assert {"gocv.core", "gocv.geometry", "gocv.track", "gocv.shelf", "gocv.fusion", "gocv.pipeline"} <= set(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_that_is_offered_exists_and_is_explained(name: str) -> None:
    package = importlib.import_module(name)
    offered = package.__all__
    assert len(set(offered)) == len(offered)
    assert [n for n in offered if not hasattr(package, n)] == []
    inside = [importlib.import_module(m) for m in MODULES if m == name or m.startswith(f"{name}.")]
    constants = set().union(*map(explained_constants, inside))
    bare = [n for n in offered if n not in constants and not explained(getattr(package, n))]
    assert bare == []


@pytest.mark.parametrize("name", MODULES)
def test_nothing_public_lacks_a_docstring(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__
    assert [n for n, thing in public_things(module) if not explained(thing)] == []
