"""Which frames are looked at at all, and in what order those of several cameras come."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence

from gocv.core import ConfigError, Frame

_SLACK = 1e-3
"""Share of a period by which a frame may be early: times are sums of fractions."""


def at_rate(frames: Iterable[Frame], rate_hz: float) -> Iterator[Frame]:
    """Frames of one camera at a rate, by their times: the first one that comes when the next is due.

    Frames that a camera dropped are not made up for. A camera that is slower than the rate keeps all its frames.

    Args:
        frames: In order of time.
        rate_hz: Frames a second.

    Raises:
        ConfigError: The rate is not above 0.

    >>> import numpy as np
    >>> frames = [Frame(np.zeros((1, 1, 3), np.uint8), "1", 0.1 * i, i) for i in range(10)]
    >>> [frame.index for frame in at_rate(frames, 4.0)]
    [0, 3, 5, 8]
    """
    if not rate_hz > 0:
        raise ConfigError(f"is {rate_hz}", key="rate_hz", expected="above 0")
    period_s = 1 / rate_hz
    due_s = -float("inf")
    for frame in frames:
        if frame.time_s >= due_s - _SLACK * period_s:
            late = frame.time_s - due_s >= period_s
            due_s = (frame.time_s if late else due_s) + period_s
            yield frame


def every(frames: Iterable[Frame], count: int) -> Iterator[Frame]:
    """Every `count`-th frame of one camera, by position in its video, from the first one given.

    Raises:
        ConfigError: The count is not above 0.
    """
    if count < 1:
        raise ConfigError(f"is {count}", key="count", expected="1 or more")
    first = None
    for frame in frames:
        first = frame.index if first is None else first
        if (frame.index - first) % count == 0:
            yield frame


def together(cameras: Sequence[Iterable[Frame]], size: int) -> Iterator[list[Frame]]:
    """Frames of several cameras in order of time, in batches: a network is quicker on many pictures at once.

    Args:
        cameras: The frames of each, in order of time.
        size: Frames in a batch; the last one may have fewer.

    Raises:
        ConfigError: The size is not above 0.
    """
    if size < 1:
        raise ConfigError(f"is {size}", key="size", expected="1 or more")
    merged = iter(heapq.merge(*cameras, key=lambda frame: frame.time_s))
    while batch := list(itertools.islice(merged, size)):
        yield batch
