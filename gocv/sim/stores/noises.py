"""The noise of a gondola's scales, as a file may say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from gocv.core import ConfigError, nearest
from gocv.sim.scales import SHAKY, ScaleNoise

NOISES: Mapping[str, ScaleNoise] = {"quiet": ScaleNoise(), "shaky": SHAKY}
"""Noises that have a name."""


def noise_of(value: object, key: str) -> ScaleNoise:
    """A noise by its name, or from the fields that differ from the quiet one.

    Raises:
        ConfigError: It is neither, or a field is out of range; `key` is that of the value.
    """
    if isinstance(value, str):
        if value not in NOISES:
            raise ConfigError(f"'{value}' is no noise", key=key, expected=f"{nearest(value, NOISES)}, or fields")
        return NOISES[value]
    if not isinstance(value, dict):
        raise ConfigError(f"{value!r} is no noise", key=key, expected="'quiet', 'shaky', or fields of ScaleNoise")
    known = [field.name for field in dataclasses.fields(ScaleNoise)]
    for name, number in value.items():
        if name not in known:
            raise ConfigError("is not a known key", key=f"{key}.{name}", expected=nearest(str(name), known))
        span = isinstance(getattr(ScaleNoise(), name), tuple)
        numbers = list(number) if span and isinstance(number, (list, tuple)) else [number]
        if len(numbers) != 1 + span or any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers):
            wanted = "two numbers, low and high" if span else "a number"
            raise ConfigError(f"{number!r} cannot be", key=f"{key}.{name}", expected=wanted)
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
    try:
        return ScaleNoise(**fields)
    except ConfigError as error:
        raise ConfigError(error.problem, key=f"{key}.{error.key}", expected=error.expected) from error
