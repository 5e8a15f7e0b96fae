"""How the rate of learning changes."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from gocv.data.config import Model


class ScheduleSettings(Model):
    """A rise, then a fall.

    Attributes:
        warmup_epochs: For which the rate rises in a straight line from a hundredth (arXiv:1903.07071, §3.1).
        kind: "cosine" falls to `last` of the rate along half a cosine (arXiv:1608.03983, eq. 5), "steps" is multiplied
            by `gamma` at `steps`, "constant" stays.
        steps: Epochs.
        gamma: Factor at each of the steps.
        last: Share of the rate at the end.
    """

    warmup_epochs: float = Field(default=1.0, ge=0)
    kind: Literal["cosine", "steps", "constant"] = "cosine"
    steps: tuple[float, ...] = (40.0, 70.0)
    gamma: float = Field(default=0.1, gt=0, le=1)
    last: float = Field(default=0.01, ge=0, le=1)


def factor(settings: ScheduleSettings, epoch: float, epochs: float) -> float:
    """By what the rate is multiplied.

    Args:
        settings: The course.
        epoch: Epochs done, with their fraction.
        epochs: Of the whole training.
    """
    if epoch < settings.warmup_epochs:
        return 0.01 + 0.99 * epoch / settings.warmup_epochs
    if settings.kind == "constant":
        return 1.0
    if settings.kind == "steps":
        return settings.gamma ** sum(epoch >= step for step in settings.steps)
    done = (epoch - settings.warmup_epochs) / max(epochs - settings.warmup_epochs, 1e-9)
    return settings.last + (1 - settings.last) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
