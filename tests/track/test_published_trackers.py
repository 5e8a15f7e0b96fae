"""What each of the published trackers adds to SORT."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from gocv.core import ConfigError, DataError, Detections, Embeddings
from gocv.track import BotSortTracker, ByteTracker, DeepSortTracker, OcSortTracker, OnlineTracker, SortTracker

CONFIGS = Path(__file__).parents[2] / "configs" / "trackers"
NAMES: dict[str, type[OnlineTracker]] = {
    "botsort": BotSortTracker,
    "bytetrack": ByteTracker,
    "deepsort": DeepSortTracker,
    "ocsort": OcSortTracker,
    "sort": SortTracker,
}
BYTES = (ByteTracker, BotSortTracker)


def boxes(*lefts: float, score: float | list[float] = 0.9, top: float = 50.0, label: int = 0) -> Detections:
    xyxy = [[left, top, left + 40, top + 100] for left in lefts]
    return Detections(np.array(xyxy).reshape(-1, 4), np.broadcast_to(score, len(lefts)), np.full(len(lefts), label))


def looks(*vectors: list[float]) -> Embeddings:
    made = np.array(vectors, np.float32)
    return Embeddings(made / np.linalg.norm(made, axis=1, keepdims=True), np.arange(len(vectors)))


def ids(tracker: OnlineTracker, frames: list[Detections], start: int = 0) -> list[list[int]]:
    return [tracker.update(f, time_s=(start + i) / 30).track_id.tolist() for i, f in enumerate(frames)]


@pytest.mark.parametrize("name", NAMES)
def test_the_config_holds_the_defaults(name: str) -> None:
    values = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    signature = inspect.signature(NAMES[name].__init__).parameters
    assert values == {key: p.default for key, p in signature.items() if key != "self"}


@pytest.mark.parametrize("name", NAMES)
def test_search_ranges_hold_the_defaults_and_make_trackers(name: str) -> None:
    ranges = yaml.safe_load((CONFIGS / "search" / f"{name}.yaml").read_text())
    defaults = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    assert set(ranges) <= set(defaults)
    for key, entry in ranges.items():
        assert entry["low"] <= defaults[key] <= entry["high"]
        for end in ("low", "high"):
            NAMES[name](**{key: entry[end]})


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("bytetrack", "high_score", 1.1),
        ("bytetrack", "new_track_score", -0.1),
        ("bytetrack", "min_similarity", 1.0),
        ("bytetrack", "min_iou_low", -0.1),
        ("bytetrack", "min_similarity_new", 1.0),
        ("bytetrack", "duplicate_iou", 1.1),
        ("bytetrack", "min_hits", 0),
        ("botsort", "proximity_iou", 1.0),
        ("botsort", "min_cosine", 1.5),
        ("botsort", "momentum", 1.0),
        ("ocsort", "high_score", 2.0),
        ("ocsort", "low_score", -1.0),
        ("ocsort", "min_iou", 1.0),
        ("ocsort", "direction_weight", -0.1),
        ("ocsort", "direction_frames", 0),
        ("ocsort", "virtual_steps", 0),
        ("ocsort", "rate_hz", 0.0),
        ("deepsort", "max_cosine_distance", 0.0),
        ("deepsort", "motion_weight", 1.1),
        ("deepsort", "momentum", 1.0),
        ("deepsort", "min_iou", 1.0),
        ("deepsort", "max_age_s", np.inf),
    ],
)
def test_settings_out_of_range_are_refused(name: str, key: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=key):
        NAMES[name](**{key: value})


@pytest.mark.parametrize("made", BYTES)
def test_a_low_detection_continues_a_track_and_starts_none(made: type[OnlineTracker]) -> None:
    frames = [boxes(100.0)] * 5 + [boxes(100.0, score=0.2)] * 5
    assert ids(made(), frames) == [[1]] * 10
    assert ids(made(), [boxes(100.0, score=0.2)] * 5) == [[-1]] * 5
    assert ids(made(), [boxes(100.0, score=0.65)] * 5) == [[-1]] * 5


@pytest.mark.parametrize("made", BYTES)
def test_a_low_detection_finds_a_lost_track_again(made: type[OnlineTracker]) -> None:
    frames = [boxes(100.0)] * 5 + [boxes()] * 5 + [boxes(100.0, score=0.3)]
    assert ids(made(), frames)[-1] == [1]


@pytest.mark.parametrize("made", BYTES)
def test_the_high_detection_goes_first(made: type[OnlineTracker]) -> None:
    """The low box fits better, but the track takes the high one."""
    tracker = made()
    ids(tracker, [boxes(100.0)] * 5)
    assert ids(tracker, [boxes(100.0, 108.0, score=[0.3, 0.9])], start=5) == [[-1, 1]]


@pytest.mark.parametrize("made", BYTES)
def test_the_first_frame_confirms_at_once_and_later_ones_do_not(made: type[OnlineTracker]) -> None:
    assert ids(made(), [boxes(100.0), boxes(100.0, 400.0), boxes(100.0, 400.0)]) == [[1], [1, -1], [1, 2]]


@pytest.mark.parametrize("made", BYTES)
def test_a_new_track_that_is_not_seen_again_at_once_is_dropped(made: type[OnlineTracker]) -> None:
    frames = [boxes(), boxes(100.0), boxes(), boxes(100.0), boxes(100.0)]
    assert ids(made(), frames) == [[], [-1], [], [-1], [1]]


@pytest.mark.parametrize("made", BYTES)
def test_of_a_lost_and_a_live_track_in_one_place_the_younger_goes(made: type[OnlineTracker]) -> None:
    """A walker is hidden; somebody else comes to stand where the track waits, with another class's box between."""
    tracker = made(min_similarity=0.6)
    ids(tracker, [boxes(100.0)] * 10)
    assert ids(tracker, [boxes(70.0)], start=10) == [[-1]]  # too far to be the first
    rest = ids(tracker, [boxes(70.0 + 3 * i) for i in range(1, 15)], start=11)
    assert len({i for row in rest for i in row} - {-1}) <= 2
    assert len(tracker._table) == 1


def test_appearance_keeps_people_apart_where_overlap_cannot() -> None:
    """Two people swap places between two frames in which they overlap."""
    red, blue = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
    together, swapped = boxes(100.0, 112.0), boxes(112.0, 100.0)
    got = {}
    for seeing in (True, False):
        tracker = BotSortTracker(with_appearance=seeing)
        for i in range(6):
            tracker.update(together, time_s=i / 30, embeddings=looks(red, blue))
        got[seeing] = tracker.update(swapped, time_s=0.2, embeddings=looks(red, blue)).track_id.tolist()
    assert got == {True: [1, 2], False: [2, 1]}


def test_a_moving_camera_can_be_told() -> None:
    shift = [[1.0, 0.0, 60.0], [0.0, 1.0, 0.0]]
    for told, want in ((True, [1]), (False, [-1])):
        tracker = BotSortTracker()
        ids(tracker, [boxes(100.0)] * 5)
        if told:
            tracker.move(shift)
        assert ids(tracker, [boxes(160.0)], start=5) == [want]
    with pytest.raises(DataError, match=r"\(2, 3\)"):
        BotSortTracker().move(np.eye(3))


@pytest.mark.parametrize("tracker", [DeepSortTracker(), BotSortTracker(with_appearance=True)], ids=["deep", "bot"])
def test_appearance_that_is_missing_or_of_another_length_is_refused(tracker: OnlineTracker) -> None:
    people = boxes(100.0, 300.0)
    with pytest.raises(DataError, match="embeddings"):
        tracker.update(people, time_s=0.0)
    with pytest.raises(DataError, match="detection 1"):
        tracker.update(people, time_s=0.0, embeddings=looks([1.0, 0.0]))
    tracker.update(people, time_s=0.0, embeddings=looks([1.0, 0.0], [0.0, 1.0]))
    with pytest.raises(DataError, match="3 values"):
        tracker.update(people, time_s=0.1, embeddings=looks([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    assert len(tracker.update(people, time_s=0.1, embeddings=looks([1.0, 0.0], [0.0, 1.0]))) == 2


def test_deepsort_knows_a_hidden_person_by_looks() -> None:
    """Two people are hidden behind a shelf and come out the other way round."""
    red, blue = [1.0, 0.1, 0.0], [0.0, 0.1, 1.0]
    tracker = DeepSortTracker()
    for i in range(30):
        tracker.update(boxes(100.0, 150.0), time_s=i / 30, embeddings=looks(red, blue))
    later = tracker.update(boxes(150.0, 100.0), time_s=1.5, embeddings=looks(red, blue))
    assert later.track_id.tolist() == [1, 2]
    stranger = tracker.update(boxes(150.0, 100.0), time_s=1.55, embeddings=looks([0.0, 1.0, 0.0], blue))
    assert stranger.track_id.tolist()[1] == 2


def test_ocsort_takes_the_filter_back_to_what_it_saw() -> None:
    """Somebody walks, is hidden for three frames, and is seen again where they stopped meanwhile."""
    walk, stopped = [boxes(100 + 10.0 * i) for i in range(20)], boxes(300.0)
    off = {}
    for tracker in (OcSortTracker(min_iou=0.05), SortTracker(rate_hz=30.0, min_iou=0.05)):
        ids(tracker, [*walk, boxes(), boxes(), boxes()])
        found = tracker.update(stopped, time_s=23 / 30)
        assert found.track_id.tolist() == [1]
        off[type(tracker)] = abs(float(found.xyxy[0, [0, 2]].mean()) - 320)
    assert off[OcSortTracker] < 0.95 * off[SortTracker]


def test_ocsort_recovers_who_stopped_behind_something() -> None:
    """Somebody walks, is hidden for ten frames, and stands where they were last seen, far from the prediction."""
    walk = [boxes(100 + 12.0 * i) for i in range(20)]
    back = [boxes(100 + 12.0 * 19)]
    for made, want in ((OcSortTracker(), [1]), (SortTracker(rate_hz=30.0), [-1])):
        ids(made, walk)
        assert ids(made, back, start=30) == [want]


def test_ocsort_prefers_who_goes_on_in_the_same_direction() -> None:
    """Two boxes at the same distance from the prediction, before and behind it."""
    walk = [boxes(100 + 6.0 * i) for i in range(20)]
    ahead, behind = 100 + 6.0 * 20 + 8, 100 + 6.0 * 20 - 8.5
    for weight, want in ((0.8, [1, -1]), (0.0, [1, -1])):
        tracker = OcSortTracker(direction_weight=weight)
        ids(tracker, walk)
        assert ids(tracker, [boxes(ahead, behind)], start=20) == [want]
    still = OcSortTracker(direction_weight=0.8)
    ids(still, walk)
    closer_behind = 100 + 6.0 * 18 - 14  # nearer where it was, but the way back
    assert ids(still, [boxes(ahead + 6, closer_behind)], start=20)[0][0] == 1


def test_ocsort_without_low_scores_loses_who_is_seen_badly() -> None:
    frames = [boxes(100.0)] * 5 + [boxes(100.0, score=0.3)]
    assert ids(OcSortTracker(), frames)[-1] == [1]
    assert ids(OcSortTracker(low_score=None), frames)[-1] == [-1]


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_changes_nothing(name: str) -> None:
    tracker = NAMES[name]()
    face = looks([1.0, 0.0])
    for i in range(5):
        tracker.update(boxes(100.0), time_s=i / 30, embeddings=face)
    for time_s in (0.05, np.nan):
        with pytest.raises(DataError, match="time_s"):
            tracker.update(boxes(100.0), time_s=time_s, embeddings=face)
    again = [tracker.update(boxes(100.0), time_s=5 / 30, embeddings=face) for _ in range(3)]
    assert [one.track_id.tolist() for one in again] == [[1]] * 3
    np.testing.assert_allclose(again[0].xyxy, again[2].xyxy, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_many_frames_leave_no_more_than_few(name: str) -> None:
    """Whoever is gone is forgotten: the table does not grow with time."""
    rng = np.random.default_rng(0)
    tracker = NAMES[name]()
    for i in range(600):
        corner = rng.uniform(0, 2000, (8, 2))
        frame = Detections(np.concatenate([corner, corner + 60], axis=1), rng.uniform(0, 1, 8), np.zeros(8))
        tracker.update(frame, time_s=i / 30, embeddings=looks(*rng.normal(size=(8, 4)).tolist()))
    assert len(tracker._table) < 200
