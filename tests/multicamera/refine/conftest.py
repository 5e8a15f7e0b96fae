"""Looks of own tracks, written out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gocv.multicamera.refine.blocks import Blocks

Row = tuple[int, int, int, float, float, int]
"""Moment, camera, own track, x, y and shopper."""


def blocks(rows: Sequence[Row], vectors: np.ndarray | None = None, step_s: float = 0.5) -> Blocks:
    table = np.array(sorted(rows), np.float64).reshape(-1, 6)
    return Blocks(
        np.arange(int(table[:, 0].max(initial=-1)) + 1) * step_s,
        vectors,
        moment=table[:, 0].astype(np.int64),
        camera=table[:, 1].astype(np.int64),
        own=table[:, 2].astype(np.int64),
        xy_m=table[:, 3:5],
        covariance_m2=np.tile(0.02 * np.eye(2), (len(table), 1, 1)),
        overlooked=np.zeros(len(table)),
        who=table[:, 5].astype(np.int64),
    )


@pytest.fixture
def blocks_from() -> Callable[..., Blocks]:
    return blocks
