"""The course of the rate of learning."""

from __future__ import annotations

import numpy as np
import pytest

from gocv.train import ScheduleSettings, factor


@pytest.mark.parametrize(
    ("settings", "epoch", "expected"),
    [
        ({"warmup_epochs": 4}, 0, 0.01),
        ({"warmup_epochs": 4}, 2, 0.505),
        ({"warmup_epochs": 4}, 4, 1.0),
        ({"warmup_epochs": 4, "last": 0.2}, 12, 0.6),
        ({"warmup_epochs": 4, "last": 0.2}, 8, 0.2 + 0.8 * (1 + np.cos(np.pi / 4)) / 2),
        ({"warmup_epochs": 4, "last": 0.2}, 20, 0.2),
        ({"warmup_epochs": 4, "last": 0.2}, 21, 0.2),
        ({"warmup_epochs": 0}, 0, 1.0),
        ({"warmup_epochs": 0, "last": 0.0}, 20, 0.0),
        ({"warmup_epochs": 30}, 20, 0.01 + 0.99 * 2 / 3),
        ({"warmup_epochs": 20}, 20, 1.0),
        ({"kind": "constant", "warmup_epochs": 1}, 20, 1.0),
        ({"kind": "constant", "warmup_epochs": 1}, 0.5, 0.505),
        ({"kind": "steps", "steps": (5, 10), "gamma": 0.5}, 4.99, 1.0),
        ({"kind": "steps", "steps": (5, 10), "gamma": 0.5}, 5, 0.5),
        ({"kind": "steps", "steps": (5, 10), "gamma": 0.5}, 20, 0.25),
    ],
)
def test_values(settings: dict, epoch: float, expected: float) -> None:
    assert factor(ScheduleSettings(**settings), epoch, 20) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", ["cosine", "steps", "constant"])
def test_it_rises_and_then_does_not(kind: str) -> None:
    chosen = ScheduleSettings(kind=kind, warmup_epochs=3, steps=(8, 15))
    values = np.array([factor(chosen, epoch, 20) for epoch in np.linspace(0, 20, 2001)])
    top = int(np.argmax(values))
    assert (top, values[top]) == (300, 1.0)
    assert (np.diff(values[: top + 1]) > 0).all()
    assert (np.diff(values[top:]) <= 0).all()
    assert values.min() > 0
