"""What holds for every tracker that is registered, whoever wrote it."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple

import numpy as np
import pytest

from gocv.core import Detections, Embeddings, Tracker, Tracks

WALKERS = 3


class Look(NamedTuple):
    time_s: float
    detections: Detections
    embeddings: Embeddings


def scene(seed: int, start_s: float = 100.0, looks: int = 40) -> list[Look]:
    """Three walkers far apart, in another order each time, seen at uneven times; nobody at look 20."""
    rng = np.random.default_rng(seed)
    time_s = start_s + np.cumsum(rng.uniform(0.05, 0.15, looks))
    left_px = np.array([50.0, 400.0, 750.0])[:, None] + 30.0 * (time_s - start_s)
    faces = np.eye(WALKERS, 8)
    result = []
    for i, at_s in enumerate(time_s):
        who = rng.permutation(WALKERS) if i != 20 else np.empty(0, np.int64)
        left = left_px[who, i] + rng.normal(0, 1, len(who))
        top = 100.0 * (1 + who)
        xyxy = np.stack([left, top, left + 60, top + 150], axis=1).astype(np.float32)
        detections = Detections(xyxy, rng.uniform(0.7, 0.95, len(who)), np.zeros(len(who)))
        result.append(Look(float(at_s), detections, Embeddings(faces[who], np.arange(len(who)))))
    return result


def update(tracker: Tracker, look: Look) -> Tracks:
    embeddings = look.embeddings if "embeddings" in tracker.needs else None
    return tracker.update(look.detections, time_s=look.time_s, embeddings=embeddings)


def ids(tracker: Tracker, looks: list[Look]) -> list[list[int]]:
    return [update(tracker, look).track_id.tolist() for look in looks]


def walkers(look: Look) -> list[int]:
    """Which walker each row is: each has a height of its own."""
    return (look.detections.xyxy[:, 1] / 100 - 1).astype(int).tolist()


@pytest.fixture(params=entry_points(group="gocv.trackers"), ids=lambda e: e.name)
def part(request: pytest.FixtureRequest) -> type[Tracker]:
    entry: EntryPoint = request.param
    loaded: type[Tracker] = entry.load()
    return loaded


def test_it_is_a_tracker_and_needs_what_can_be_given(part: type[Tracker]) -> None:
    tracker = part()
    assert isinstance(tracker, Tracker)
    assert tracker.needs <= {"embeddings"}


def test_every_row_is_accounted_for_in_order(part: type[Tracker]) -> None:
    tracker = part()
    for look in scene(0):
        tracks = update(tracker, look)
        count = len(look.detections)
        assert isinstance(tracks, Tracks)
        assert tracks.row.tolist() == list(range(count))
        np.testing.assert_array_equal(tracks.score, look.detections.score)
        assert tracks.xyxy.shape == (count, 4)
        assert np.isfinite(tracks.xyxy).all()
        assert tracks.track_id.shape == (count,)
        confirmed = tracks.track_id[tracks.track_id != -1]
        assert (confirmed > 0).all()
        assert len(set(confirmed.tolist())) == len(confirmed)


def test_each_walker_has_one_id(part: type[Tracker]) -> None:
    looks = scene(1)
    owners: dict[int, set[int]] = {}
    for look, found in list(zip(looks, ids(part(), looks), strict=True))[10:]:
        for walker, track_id in zip(walkers(look), found, strict=True):
            owners.setdefault(walker, set()).add(track_id)
    assert sorted(len(found) for found in owners.values()) == [1] * WALKERS
    assert len(set.union(*owners.values()) - {-1}) == WALKERS


def test_nothing_to_see_is_a_valid_look(part: type[Tracker]) -> None:
    tracker, nobody = part(), Detections.empty()
    for time_s in (0.0, 0.1, 50.0):
        tracks = update(tracker, Look(time_s, nobody, Embeddings.empty()))
        assert len(tracks) == 0
        assert tracks.xyxy.shape == (0, 4)
        assert tracks.xyxy.dtype == np.float32
        assert tracks.track_id.dtype == tracks.row.dtype == np.int64


def test_ids_belong_to_the_instance(part: type[Tracker]) -> None:
    first, second = scene(2), scene(3)
    alone = ids(part(), first), ids(part(), second)
    a, b = part(), part()
    together = [
        (update(a, x).track_id.tolist(), update(b, y).track_id.tolist()) for x, y in zip(first, second, strict=True)
    ]
    assert ([x for x, _ in together], [y for _, y in together]) == alone


def test_reset_forgets_everything(part: type[Tracker]) -> None:
    tracker = part()
    ids(tracker, scene(4, start_s=500.0))
    tracker.reset()
    again = ids(tracker, scene(5, start_s=0.0))
    assert again == ids(part(), scene(5, start_s=0.0))
    assert min(i for row in again for i in row if i != -1) == 1


def test_an_hour_ends_every_track(part: type[Tracker]) -> None:
    tracker = part()
    before = {i for row in ids(tracker, scene(6)) for i in row} - {-1}
    after = {i for row in ids(tracker, scene(6, start_s=3700.0)) for i in row} - {-1}
    assert before
    assert after
    assert not before & after


def test_arguments_are_left_as_they_were(part: type[Tracker]) -> None:
    tracker = part()
    for look in scene(7, looks=15):
        xyxy, score, label = (np.array(a) for a in (look.detections.xyxy, look.detections.score, look.detections.label))
        given = Detections(xyxy, score, label)  # holds views of these arrays, which can be written to
        update(tracker, look._replace(detections=given))
        for array, original in ((xyxy, "xyxy"), (score, "score"), (label, "label")):
            np.testing.assert_array_equal(array, getattr(look.detections, original))


def test_what_is_done_to_the_arguments_later_does_not_matter(part: type[Tracker]) -> None:
    looks, tracker, seen = scene(8), part(), []
    for look in looks:
        xyxy = np.array(look.detections.xyxy)
        given = Detections(xyxy, look.detections.score, look.detections.label)
        seen.append(update(tracker, look._replace(detections=given)).track_id.tolist())
        xyxy[:] = 0
    assert seen == ids(part(), looks)
