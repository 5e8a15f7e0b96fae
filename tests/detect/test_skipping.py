"""Frames that need no look: nobody is lost, an empty camera costs next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import Detections, Frame
from gocv.data.video import VideoReader
from gocv.detect import OnnxDetector
from gocv.detect.skipping import SkippingDetector, SkipSettings, shrink

HEIGHT, WIDTH, RATE_HZ = 120, 200, 10.0
STORE = (
    np.random.default_rng(0)
    .integers(60, 200, (HEIGHT // 20, WIDTH // 20, 3))
    .repeat(20, 0)
    .repeat(20, 1)
    .astype(np.float32)
)
PERSON = (250, 30, 240)


class Finder:
    """Finds what has the colour of a person, but for the frames named.

    Attributes:
        looked: Numbers of the frames that it was shown, by camera.
    """

    classes = ("person",)

    def __init__(self, misses: Sequence[int] = ()) -> None:
        self.misses = set(misses)
        self.looked: list[tuple[str, int]] = []

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        self.looked += [(frame.camera, frame.index) for frame in frames]
        return [self.find(frame) for frame in frames]

    def find(self, frame: Frame) -> Detections:
        y, x = np.nonzero((np.abs(frame.image - np.array(PERSON)) < 40).all(axis=2))
        if len(x) < 40 or frame.index in self.misses:
            return Detections.empty()
        return Detections([[x.min(), y.min(), x.max() + 1, y.max() + 1]], [0.9], [0])


def film(
    places: Sequence[int | None],
    *,
    camera: str = "1",
    noise: float = 4.0,
    light: Sequence[float] | None = None,
    seed: int = 0,
) -> list[Frame]:
    """Frames of a store, in each of which a person stands at a place, or nobody is; the sensor is noisy."""
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, noise, (HEIGHT + 64, WIDTH + 64, 3)).astype(np.float32)
    frames = []
    for index, place in enumerate(places):
        image = STORE + np.float32(0 if light is None else light[index])
        if place is not None:
            image[30:100, max(0, place) : max(0, place + 30)] = PERSON
        down, right = rng.integers(0, 64, 2)
        image = image + grain[down : down + HEIGHT, right : right + WIDTH]
        frames.append(Frame(np.clip(image, 0, 255).astype(np.uint8), camera, index / RATE_HZ, index))
    return frames


def test_an_empty_camera_costs_less_than_a_twentieth_of_the_looks() -> None:
    finder = Finder()
    detector = SkippingDetector(finder)
    found = [len(one) for frame in film([None] * 400) for one in detector.detect([frame])]
    assert sum(found) == 0
    assert detector.looks == len(finder.looked) < 0.05 * detector.frames
    assert detector.frames == 400


def test_who_enters_is_found_at_once() -> None:
    """By the second frame in which there is enough of them to be found."""
    walk = [None] * 100 + list(range(-28, 170, 4)) + [None] * 30
    frames = film(walk)
    alone = [bool(len(Finder().find(frame))) for frame in frames]
    detector = SkippingDetector(Finder())
    seen = [bool(len(one)) for frame in frames for one in detector.detect([frame])]
    first = alone.index(True)
    assert seen.index(True) - first <= 1
    assert seen[first + 1 :] == alone[first + 1 :]
    assert detector.looks < 0.7 * detector.frames


@pytest.mark.parametrize("misses", [[], [*range(160, 172)], [*range(150, 195)]], ids=["none", "a second", "long"])
def test_who_stands_still_is_never_lost(misses: list[int]) -> None:
    """Half a minute without a move; even where the detector misses them for longer than `calm_s`."""
    frames = film([None] * 100 + [*range(0, 100, 5)] + [100] * 300)
    finder = Finder(misses)
    alone = [bool(len(Finder(misses).find(frame))) for frame in frames]
    detector = SkippingDetector(finder)
    seen = [bool(len(one)) for frame in frames for one in detector.detect([frame])]
    assert seen[102:] == alone[102:]


def test_who_was_there_from_the_beginning_is_not_taken_for_background() -> None:
    frames = film([100] * 200 + [None] * 60)
    detector = SkippingDetector(Finder())
    seen = [bool(len(one)) for frame in frames for one in detector.detect([frame])]
    assert seen == [True] * 200 + [False] * 60
    # Once they are gone for `calm_s`, the empty store is the background at once.
    assert detector.looks < 200 + 2.5 * RATE_HZ + 4


def test_who_comes_too_slowly_to_be_noticed_is_found_when_it_is_time_to_look() -> None:
    chosen = SkipSettings(least_change=300.0, recheck_s=1.5)
    detector = SkippingDetector(Finder(), chosen)
    frames = film([None] * 50 + [100] * 50)
    seen = [bool(len(one)) for frame in frames for one in detector.detect([frame])]
    assert seen.index(True) - 50 <= 1.5 * RATE_HZ
    assert all(seen[seen.index(True) :])


def test_light_that_changes_everywhere_wakes_nobody() -> None:
    light = 12 * np.sin(np.arange(300) / 40)
    detector = SkippingDetector(Finder())
    detector.detect(film([None] * 300, light=light.tolist()))
    assert detector.looks < 0.06 * detector.frames


def test_what_was_put_down_is_learnt() -> None:
    """A box that stays: looked at until the background has it."""
    empty, filled = film([None] * 50), film([None] * 500, seed=1)
    for frame in filled:
        frame.image[60:100, 120:180] = (20, 200, 20)
    detector = SkippingDetector(Finder(), SkipSettings(learn_s=5.0))
    again = [Frame(frame.image, "1", i / RATE_HZ, i) for i, frame in enumerate([*empty, *filled])]
    looks = []
    for frame in again:
        detector.detect([frame])
        looks.append(detector.looks)
    assert looks[100] - looks[50] > 40
    assert looks[-1] - looks[-200] < 0.05 * 200


def test_a_screen_is_got_used_to() -> None:
    rng = np.random.default_rng(3)
    frames = film([None] * 600)
    for frame in frames:
        frame.image[20:60, 20:80] = rng.integers(0, 256, 3)
    detector = SkippingDetector(Finder())
    looks = [detector.looks for frame in frames if detector.detect([frame])]
    assert looks[50] > 30
    assert looks[-1] - looks[-300] < 0.05 * 300


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([None, None, 20, 21, 100, 160])), min_size=1, max_size=5),
    st.lists(st.integers(1, 60), min_size=1, max_size=8),
    st.sets(st.integers(0, 120), max_size=20),
)
def test_the_size_of_a_batch_makes_no_difference(
    stays: list[tuple[int, int | None]], sizes: list[int], misses: set[int]
) -> None:
    """Two cameras mixed, in batches of any size, as each alone frame by frame."""
    places = [place for count, place in stays for _ in range(count)]
    one, other = film(places, seed=1), film(places[::-1], camera="2", seed=2)
    mixed = [frame for pair in zip(one, other, strict=True) for frame in pair]
    chosen = SkipSettings(calm_s=0.5, recheck_s=1.0)
    alone = SkippingDetector(Finder([*misses]), chosen)
    single = [alone.detect([frame])[0] for frame in mixed]
    batched = SkippingDetector(Finder([*misses]), chosen)
    results, first = [], 0
    while first < len(mixed):
        size = sizes[first % len(sizes)]
        results += batched.detect(mixed[first : first + size])
        first += size
    assert [r.xyxy.tolist() for r in results] == [r.xyxy.tolist() for r in single]
    # A guess that somebody's finding makes void may have been one look too many for each frame after it.
    assert alone.looks <= batched.looks <= batched.frames


def test_small_pictures_are_means_of_blocks() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[:20, 20:40, 1] = 100
    np.testing.assert_allclose(shrink(image, 20), [[0, 100, 0], [0, 0, 0]])
    assert shrink(image[:15, :15], 10).shape == (2, 2)
    assert SkippingDetector(Finder()).detect([]) == []


def test_in_a_real_clip_nobody_is_lost(shared_data: Path, shared_models: Path) -> None:
    """A room that is empty for five seconds, into which somebody walks, stands, and walks out after sixteen."""
    path = shared_data / "clips" / "one-by-one-person-detection.mp4"
    frames = list(islice(VideoReader(path, camera="1"), 0, 240, 2))
    model = Path(__file__).parents[2] / "configs" / "detectors" / "fastestdet.yaml"
    inner = OnnxDetector(model, weights=shared_models / "FastestDet.onnx", threads=1)
    every = inner.detect(frames)
    detector = SkippingDetector(inner)
    some = [one for frame in frames for one in detector.detect([frame])]
    assert sum(map(len, every)) > 60
    assert [len(one) for one in some] == [len(one) for one in every]
    before = SkippingDetector(inner)
    before.detect([frame for frame in frames if frame.time_s < 4.5])
    assert before.looks <= 3
