"""Which frames are looked at, and in what order those of several cameras come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ConfigError, Frame
from gocv.detect.pacing import at_rate, every, together

NOTHING = np.zeros((1, 1, 3), np.uint8)


def frames(times: list[float], camera: str = "1") -> list[Frame]:
    return [Frame(NOTHING, camera, time_s, index) for index, time_s in enumerate(times)]


@pytest.mark.parametrize(
    ("rate_hz", "times", "kept"),
    [
        (10.0, [0.1 * i for i in range(8)], [*range(8)]),  # its own rate, in sums of fractions
        (25.0, [0.1 * i for i in range(8)], [*range(8)]),  # slower than the rate
        (5.0, [0.1 * i for i in range(8)], [0, 2, 4, 6]),
        (4.0, [0.1 * i for i in range(11)], [0, 3, 5, 8, 10]),  # 2.5 frames a look: never behind for long
        (5.0, [0.0, 0.1, 0.2, 2.0, 2.1, 2.2, 2.3], [0, 2, 3, 5]),  # a gap is not made up for
        (5.0, [7.3], [0]),
        (5.0, [], []),
    ],
)
def test_frames_come_at_the_rate_by_their_times(rate_hz: float, times: list[float], kept: list[int]) -> None:
    assert [frame.index for frame in at_rate(frames(times), rate_hz)] == kept


@settings(max_examples=100, deadline=None)
@given(st.floats(0.5, 30), st.lists(st.floats(0.01, 0.5), min_size=1, max_size=60))
def test_looks_are_no_more_than_the_rate_and_none_is_late_by_a_frame(rate_hz: float, steps: list[float]) -> None:
    given_frames = frames(np.cumsum(steps).tolist())
    kept = list(at_rate(given_frames, rate_hz))
    duration_s = given_frames[-1].time_s - given_frames[0].time_s
    assert kept[0] is given_frames[0]
    assert len(kept) <= 1 + (duration_s + max(steps)) * rate_hz * 1.01
    gaps = np.diff([frame.time_s for frame in kept])
    assert (gaps <= 1 / rate_hz + max(steps) + 1e-6).all()


def test_every_third_frame_counts_those_that_were_dropped() -> None:
    given_frames = [frame for frame in frames([0.1 * i for i in range(12)]) if frame.index not in (0, 4, 6)]
    assert [frame.index for frame in every(given_frames, 3)] == [1, 7, 10]


def test_frames_of_several_cameras_come_in_order_of_time() -> None:
    cameras = [frames([0.0, 0.2, 0.4], "1"), frames([0.1, 0.15, 0.9], "2"), frames([], "3")]
    batches = list(together(cameras, 4))
    assert [[(f.camera, f.index) for f in batch] for batch in batches] == [
        [("1", 0), ("2", 0), ("2", 1), ("1", 1)],
        [("1", 2), ("2", 2)],
    ]


def test_what_cannot_be_is_refused() -> None:
    for wrong in (at_rate(frames([0.0]), 0.0), every(frames([0.0]), 0), together([], 0)):
        with pytest.raises(ConfigError, match="expected"):
            list(wrong)
