"""Typed settings from YAML, with `key=value` overrides and errors that name the nearest valid key."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from gocv.core import ConfigError, GocvError, nearest

Settings = TypeVar("Settings", bound="Model")


class Model(BaseModel):
    """Base of every group of settings: unknown keys are errors, values are checked, nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a mapping: PyYAML would take the last and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"'{key.value}' stands there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path, error: type[GocvError] = ConfigError) -> dict[str, Any]:
    """Read a YAML file whose top level is a mapping.

    Raises:
        GocvError: Of the class `error`: the file is missing, is not YAML (the row is its line), or not a mapping.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as problem:
        raise error(f"cannot be read: {problem}", file=path, expected="YAML in UTF-8") from problem
    except (yaml.YAMLError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        row = None if mark is None else mark.line + 1
        raise error(f"is not YAML: {getattr(problem, 'problem', problem)}", file=path, row=row) from problem
    if not isinstance(value, dict):
        raise error("holds no settings", file=path, expected="a mapping of keys to values")
    return value


def build(
    model: type[Settings],
    values: dict[str, Any],
    *,
    file: str | Path | None = None,
    error: type[GocvError] = ConfigError,
) -> Settings:
    """Check `values` against `model`.

    Raises:
        GocvError: Of the class `error`, naming the file, the key and what would be right.
    """
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        raise _explain(model, problem, file, error) from problem
    except GocvError as problem:  # a part of the settings that checks itself knows its key, but not the file
        raise error(problem.problem, file=file, key=problem.key, expected=problem.expected) from problem


def load(model: type[Settings], path: Path | None = None, overrides: Sequence[str] = ()) -> Settings:
    """Settings from defaults, then the YAML file at `path`, then `overrides` such as "shelf.window=60".

    In the file, text that starts with "./" or "../" is a path relative to the file. A group that names another
    `part` than the default starts afresh: the default's own settings would not fit it.

    Raises:
        ConfigError: The file or an override is wrong; the message names the key and the nearest valid one.
    """
    values = model().model_dump(mode="json")
    if path is not None:
        values = _merged(values, _with_paths(load_yaml(path), path.parent))
        build(model, values, file=path)
    # Parts first: naming another part discards the settings before it, also those that were given with it.
    for override in sorted(overrides, key=lambda o: o.partition("=")[0].split(".")[-1] != "part"):
        values = _merged(values, _parsed(override))
    return build(model, values, file="command line" if overrides else path)


def _parsed(override: str) -> dict[str, Any]:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"'{override}' is not an override", expected="key=value, such as shelf.window=60")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as problem:
        raise ConfigError(f"'{text}' is not a YAML value", file="command line", key=key) from problem
    for part in reversed(key.split(".")):
        value = {part: value}
    return value  # type: ignore[no-any-return]


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    if "part" in new and new["part"] != old.get("part"):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def _with_paths(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        return {key: _with_paths(inner, folder) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_paths(inner, folder) for inner in value]
    if isinstance(value, str) and value.startswith(("./", "../")):
        return str(folder / value)
    return value


def _explain(
    model: type[BaseModel], problem: ValidationError, file: str | Path | None, error: type[GocvError]
) -> GocvError:
    # A misspelt key is often also a missing one: its spelling is what to mend.
    first = min(problem.errors(), key=lambda e: e["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"]) if first["loc"] else None
    if first["type"] == "extra_forbidden":
        siblings = _fields_at(model, first["loc"][:-1])
        return error("is not a known key", file=file, key=place, expected=nearest(str(first["loc"][-1]), siblings))
    got = "" if first["type"] in ("missing", "value_error") else f": got {reprlib.repr(first['input'])}"
    return error(f"{first['msg'].removeprefix('Value error, ')}{got}", file=file, key=place)


def _fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the model at `location`; what is no field is a position in a list or a key of a dict."""
    for part in location:
        if part in model.model_fields:
            model = _inner_model(model.model_fields[str(part)].annotation) or model
    return list(model.model_fields)


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_inner_model, getattr(annotation, "__args__", ()))), None)
