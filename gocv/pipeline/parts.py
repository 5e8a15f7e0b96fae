"""Parts of the pipeline by name: ours and those of other packages, through entry points.

A package registers a part under one of the groups `gocv.detectors`, `gocv.encoders`, `gocv.pose_estimators`,
`gocv.trackers`, `gocv.hand_encoders`, `gocv.interaction_models`, `gocv.product_recognisers`, `gocv.event_detectors`.
The arguments of its constructor, with their annotations and defaults, are its settings.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import Any

from pydantic import ConfigDict, create_model

from gocv.core import ConfigError, nearest
from gocv.data.config import Model, build


class PartSettings(Model):
    """A part by name, with its own settings as further keys."""

    model_config = ConfigDict(extra="allow", frozen=True)

    part: str


def make_part(group: str, key: str, settings: PartSettings, **given: Any) -> Any:
    """Make the part that `settings` names.

    Args:
        group: What kind of part, such as "trackers".
        key: Where the settings stand in the configuration, for errors.
        settings: Name of the part and its constructor's arguments.
        **given: Arguments that the pipeline knows, such as a rate; the part takes those that it has a use for,
            unless the settings say otherwise.

    Raises:
        ConfigError: There is no such part, or a setting is unknown or of the wrong type.
    """
    factory, arguments = _resolve(group, key, settings, given)
    with _placed(key):
        return factory(**arguments)


def check_part(group: str, key: str, settings: PartSettings, given: Collection[str] = ()) -> None:
    """Check the names and types of a part's settings without making it.

    Args:
        group: As for `make_part`.
        key: As for `make_part`.
        settings: As for `make_part`.
        given: Names of the arguments that the pipeline will know.

    Raises:
        ConfigError: As for `make_part`.
    """
    _resolve(group, key, settings, {}, given)


def _resolve(
    group: str, key: str, settings: PartSettings, given: dict[str, Any], later: Collection[str] = ()
) -> tuple[Any, dict[str, Any]]:
    factory = _factory(group, key, settings.part)
    signature = inspect.signature(factory)
    chosen = {**{k: v for k, v in given.items() if k in signature.parameters}, **(settings.model_extra or {})}
    with _placed(key):
        return factory, _checked(factory, signature, chosen, later)


@contextmanager
def _placed(key: str) -> Iterator[None]:
    """Put `key` before the keys that errors name."""
    try:
        yield
    except ConfigError as error:
        place = f"{key}.{error.key}" if error.key else key
        raise ConfigError(error.problem, file=error.file, key=place, expected=error.expected) from error


def _factory(group: str, key: str, name: str) -> Any:
    known = {entry.name: entry for entry in entry_points(group=f"gocv.{group}")}
    if name not in known:
        raise ConfigError(f"there is no part '{name}'", key=f"{key}.part", expected=nearest(name, known))
    return known[name].load()


def _checked(
    factory: Any, signature: inspect.Signature, values: dict[str, Any], later: Collection[str]
) -> dict[str, Any]:
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    fields: dict[str, Any] = {
        name: (hints.get(name, Any), ... if p.default is p.empty else p.default)
        for name, p in signature.parameters.items()
        if name in values or name not in later
    }
    schema = create_model("PartArguments", __base__=_Arguments, **fields)
    checked = build(schema, values)
    return {name: getattr(checked, name) for name in values}


class _Arguments(Model):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, protected_namespaces=())
