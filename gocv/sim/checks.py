"""Refusing settings that make no sense, with the key and what would be right."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator

from gocv.core import ConfigError


def _in_order(span: tuple[float, float]) -> tuple[float, float]:
    first, last = span
    if not (math.isfinite(first) and math.isfinite(last) and first <= last):
        raise ValueError(f"Input should be two finite numbers, the smaller one first: got {first:g}, {last:g}")
    return span


Span = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""A setting that is a range."""


def check_number(key: str, value: float, low: float = 0.0, high: float = math.inf) -> None:
    """Refuse what is not a finite number between two bounds, both included.

    Raises:
        ConfigError: It is not; `key` is named.
    """
    if low <= value <= high and math.isfinite(value):
        return
    bounds = [f" from {low:g}"] if low > -math.inf else []
    bounds += [f" to {high:g}"] if high < math.inf else []
    raise ConfigError(f"{value} cannot be", key=key, expected="a finite number" + "".join(bounds))


def check_span(key: str, span: tuple[float, float], low: float = 0.0, high: float = math.inf) -> None:
    """Refuse what is not two numbers in order between two bounds, all included.

    Raises:
        ConfigError: It is not; `key` is named.
    """
    if len(span) != 2 or not low <= span[0] <= span[1] <= high:
        raise ConfigError(f"{span} is no range", key=key, expected=f"(low, high) between {low:g} and {high:g}")
