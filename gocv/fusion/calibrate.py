"""From what fusion believes to a probability that comes true as often as it says.

Fusion's own posterior is only as good as its priors and noise models, so that its probability of a receipt is
recalibrated on receipts whose truth is known: of development recordings, or labelled in the store itself.

Centred isotonic regression (Oron and Flournoy, "Centered isotonic regression", Statistics in Biopharmaceutical Research
2017): receipts in order of what fusion believes, in cells of at least `CELL`, are pooled where neighbours contradict
that order (pool-adjacent-violators), and a pool of n receipts of which k are right stands at its mean log-odds with

    (k + 1/2) / (n + 1),

Jeffreys' estimate, which is never 0 or 1: a thousand receipts without an error do not show that there are none. Between
pools, log-odds are interpolated; beyond the first and last of them they all but stay, rising by `TILT` in all, so that
the surer of two receipts stays the surer one everywhere.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator
from scipy.optimize import isotonic_regression
from scipy.special import expit, logit

from gocv.core import DataError
from gocv.data.config import Model, build
from gocv.data.files import write_json
from gocv.metrics.calibration import checked

Float64 = NDArray[np.float64]

CELL = 10
"""Fewest receipts that are pooled. A cell of one would be drawn halfway to 1/2 by the estimate above."""

TILT = 1e-3
"""By how much log-odds rise beyond the outer pools: nothing that shows, enough to keep the order."""

_SUREST = 1e-12
"""Fusion does not tell apart what is surer than one minus this."""

_OUTERMOST = float(-logit(_SUREST))

_VERSION = 1


class _Document(Model):
    """A calibrator's file."""

    version: Literal[1]
    raw_log_odds: tuple[float, ...] = Field(min_length=1)
    log_odds: tuple[float, ...] = Field(min_length=1)
    count: tuple[Annotated[int, Field(ge=1)], ...] = Field(min_length=1)
    made: dict[str, Any]

    @model_validator(mode="after")
    def _rising(self) -> _Document:
        if not len(self.raw_log_odds) == len(self.log_odds) == len(self.count):
            raise DataError("pools differ in number", key="log_odds", expected="as many as in raw_log_odds and count")
        for key in ("raw_log_odds", "log_odds"):
            values = np.array(getattr(self, key))
            if not np.isfinite(values).all() or (np.diff(values) <= 0).any():
                raise DataError("do not rise", key=key, expected="finite numbers, each above the one before")
        return self


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Calibrator:
    """What a raw probability is worth.

    Attributes:
        raw_log_odds: (k,) float64, rising: log-odds of the raw probability at the centre of each pool.
        log_odds: (k,) float64, rising: log-odds of being right there.
        count: (k,) int64, receipts in each pool.
        made: How it was made: whatever a person needs to make it again.
    """

    raw_log_odds: Float64
    log_odds: Float64
    count: NDArray[np.int64]
    made: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def fit(cls, raw: ArrayLike, right: ArrayLike, made: Mapping[str, Any] | None = None) -> Calibrator:
        """Learn from receipts whose truth is known.

        Args:
            raw: (n,) what fusion believed, in [0, 1].
            right: (n,) whether the receipt was exactly right.
            made: How these came about (recordings, seeds, settings): kept in the file.

        Raises:
            DataError: There are none, they do not fit one another, or are no probabilities or truth values.
        """
        p, hit = checked(raw, right)
        if not len(p):
            raise DataError("there is nothing to calibrate on", expected=f"receipts, better {100 * CELL} than {CELL}")
        x = _log_odds(p)
        cell = _cells(x)
        count, centre, wins = (np.bincount(cell, weights) for weights in (None, x, hit))
        pool = _pools(wins / count, count)
        count, centre, wins = (np.bincount(pool, weights) for weights in (count, centre, wins))
        smoothed = (wins + 0.5) / (count + 1)
        pool = _pools(smoothed, count)  # small pools may have been drawn past their neighbours
        n, centre = np.bincount(pool, count), np.bincount(pool, centre)
        value = np.bincount(pool, smoothed * count) / n
        made = {**(made or {}), "receipts": len(p), "right": int(hit.sum()), "cell": CELL}
        return cls(centre / n, logit(value), n.astype(np.int64), made)

    def apply(self, raw: ArrayLike) -> Float64:
        """Calibrated probabilities, inside (0, 1) and in the order of `raw`.

        Args:
            raw: What fusion believed, in [0, 1]; any shape, which is kept.

        Raises:
            DataError: It is no probability.
        """
        p = np.asarray(raw, np.float64)
        x = _log_odds(checked(p.ravel(), np.zeros(p.size))[0]).reshape(p.shape)
        first, last = min(self.raw_log_odds[0], -_OUTERMOST) - 1, max(self.raw_log_odds[-1], _OUTERMOST) + 1
        knots = np.concatenate([[first], self.raw_log_odds, [last]])
        values = np.concatenate([[self.log_odds[0] - TILT], self.log_odds, [self.log_odds[-1] + TILT]])
        return np.asarray(expit(np.interp(x, knots, values)))

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        columns = {key: getattr(self, key).tolist() for key in ("raw_log_odds", "log_odds", "count")}
        write_json(path, {"version": _VERSION, **columns, "made": dict(self.made)})

    @classmethod
    def load(cls, path: Path) -> Calibrator:
        """Read what `save` wrote.

        Raises:
            DataError: It cannot be read or is not one; the message names the file and the key.
        """
        found = build(_Document, read_document(path, "a calibrator's file"), file=path, error=DataError)
        columns = np.array(found.raw_log_odds), np.array(found.log_odds), np.array(found.count, np.int64)
        return cls(*columns, found.made)


def read_document(path: Path, expected: str) -> dict[str, Any]:
    """A JSON file whose top level is an object.

    Raises:
        DataError: It is missing, is no JSON, or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected=expected) from problem
    if not isinstance(value, dict):
        raise DataError("holds no object", file=path, expected=expected)
    return value


def _log_odds(probability: Float64) -> Float64:
    return np.asarray(logit(np.clip(probability, _SUREST, 1 - _SUREST)))


def _cells(x: Float64) -> NDArray[np.int64]:
    """The cell of each value: at least `CELL` in each, or all in one, equal values never parted, rising with `x`."""
    values, inverse, count = np.unique(x, return_inverse=True, return_counts=True)
    cell, held, left = np.zeros(len(values), np.int64), 0, len(x)
    for row in range(1, len(values)):
        held, left = held + count[row - 1], left - count[row - 1]
        full = held >= CELL and left >= CELL
        cell[row] = cell[row - 1] + full
        held = 0 if full else held
    return cell[inverse]


def _pools(value: Float64, weight: NDArray[Any]) -> NDArray[np.int64]:
    """The pool of each value, by pooling adjacent violators; values of neighbouring pools rise strictly."""
    fitted = isotonic_regression(value, weights=weight).x
    return np.concatenate([[0], np.cumsum(np.diff(fitted) > 1e-12)])
