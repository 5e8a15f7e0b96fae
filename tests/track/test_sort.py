"""SORT over real time."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import ConfigError, DataError, Detections, Tracker
from gocv.track import SortTracker

CONFIG = Path(__file__).parents[2] / "configs" / "trackers" / "sort.yaml"


def boxes(*lefts: float, top: float = 50.0, score: float = 0.9, label: int = 0) -> Detections:
    """People 40 px wide and 100 px high whose left edges are at `lefts`."""
    xyxy = [[left, top, left + 40, top + 100] for left in lefts]
    return Detections(np.array(xyxy).reshape(-1, 4), np.full(len(lefts), score), np.full(len(lefts), label))


def ids(tracker: SortTracker, frames: list[tuple[float, Detections]]) -> list[list[int]]:
    return [tracker.update(d, time_s=t).track_id.tolist() for t, d in frames]


def standing(count: int, **options: Any) -> list[tuple[float, Detections]]:
    return [(i / 10, boxes(100.0, **options)) for i in range(count)]


def test_it_is_a_tracker() -> None:
    tracker = SortTracker()
    assert isinstance(tracker, Tracker)
    assert tracker.needs == frozenset()


def test_the_config_holds_the_defaults() -> None:
    values = yaml.safe_load(CONFIG.read_text())
    made, default = SortTracker(**values), SortTracker()
    assert {k: getattr(default, k) for k in values} == {k: getattr(made, k) for k in values} == values
    assert set(values) == {"min_iou", "max_age_s", "min_hits", "new_track_score", "min_score", "rate_hz"}


@pytest.mark.parametrize(
    ("options", "confirmed_from"), [({}, 2), ({"min_hits": 1}, 0), ({"min_hits": 5}, 4), ({"new_track_score": 0.9}, 2)]
)
def test_a_track_is_confirmed_by_hits_in_a_row(options: dict[str, Any], confirmed_from: int) -> None:
    got = ids(SortTracker(**options), standing(8))
    assert got == [[-1]] * confirmed_from + [[1]] * (8 - confirmed_from)


def test_a_miss_before_confirmation_starts_the_count_anew() -> None:
    frames = standing(2) + [(0.2, boxes())] + [(0.3 + t, d) for t, d in standing(4)]
    assert ids(SortTracker(), frames) == [[-1], [-1], [], [-1], [-1], [1], [1]]


@pytest.mark.parametrize(
    ("hidden_frames", "later"),
    [(3, 1), (9, 1), (10, -1), (30, -1)],  # seen again 0.4, 1.0, 1.1 and 3.1 s after the last sight of them
)
def test_a_hidden_person_keeps_the_id_for_as_long_as_max_age(hidden_frames: int, later: int) -> None:
    frames = standing(10) + [((10 + i) / 10, boxes()) for i in range(hidden_frames)]
    back = (10 + hidden_frames) / 10
    assert ids(SortTracker(max_age_s=1.0), [*frames, (back, boxes(100.0))])[-1] == [later]
    # Frames that never came are the same as frames without detections.
    assert ids(SortTracker(max_age_s=1.0), [*standing(10), (back, boxes(100.0))])[-1] == [later]


def test_a_returning_person_past_max_age_gets_a_new_id() -> None:
    frames = [*standing(5), *((5 + t, d) for t, d in standing(5))]
    assert [i[0] for i in ids(SortTracker(), frames)] == [-1, -1, 1, 1, 1, -1, -1, 2, 2, 2]


@pytest.mark.parametrize("row_order", [[0, 1], [1, 0]])
def test_people_who_cross_keep_their_ids(row_order: list[int]) -> None:
    tracker, seen = SortTracker(), []
    for i in range(41):
        right, left = 20 + 10.0 * i, 420 - 10.0 * i
        people = Detections.concatenate([boxes(right, top=40), boxes(left, top=70)])[row_order]
        seen.append(tracker.update(people, time_s=i / 10).track_id[np.argsort(row_order)])
    confirmed = np.array(seen[2:])
    assert (confirmed == confirmed[0]).all()
    assert sorted(confirmed[0]) == [1, 2]


def test_one_hidden_behind_the_other_while_crossing() -> None:
    tracker, first, last = SortTracker(), None, None
    for i in range(41):
        right, left = 20 + 10.0 * i, 420 - 10.0 * i
        hidden = abs(right - left) < 30
        people = boxes(right) if hidden else boxes(right, left)
        got = tracker.update(people, time_s=i / 10).track_id.tolist()
        first = got if i == 2 else first
        last = got
    assert first == [1, 2]
    assert last == first


def test_misses_of_a_walker_do_not_break_the_track() -> None:
    rng = np.random.default_rng(3)
    tracker, seen = SortTracker(), set()
    for i in range(100):
        person = boxes(50 + 5.0 * i) if i < 3 or rng.random() < 0.6 else boxes()
        seen |= set(tracker.update(person, time_s=i / 10).track_id.tolist())
    assert seen == {-1, 1}


def test_prediction_follows_real_time_when_the_rate_varies() -> None:
    rng = np.random.default_rng(0)
    speed_px_s = 80.0
    times = np.concatenate([np.arange(10) / 10, 1 + np.cumsum(rng.choice([0.03, 0.1, 0.6], 60))])
    got = ids(SortTracker(), [(float(t), boxes(speed_px_s * t)) for t in times])
    assert got[2:] == [[1]] * (len(times) - 2)
    # A frame index in place of time loses the walker where 0.6 s lie between two frames: 48 px, wider than the box.
    by_index = ids(SortTracker(), [(i / 10, boxes(speed_px_s * t)) for i, t in enumerate(times)])
    assert by_index[2:] != got[2:]


def test_every_row_is_accounted_for_in_order() -> None:
    tracker = SortTracker()
    weak = boxes(400.0, score=0.3)
    flat = Detections([[10, 10, 10, 30]], [0.9], [0])
    unknown = Detections([[np.nan, 10, 30, 30]], [0.9], [0])
    for i in range(5):
        given_rows = Detections.concatenate([weak, boxes(100.0 + i), flat, unknown])
        tracks = tracker.update(given_rows, time_s=i / 10)
        assert tracks.row.tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(tracks.score, given_rows.score)
        np.testing.assert_array_equal(tracks.xyxy[[0, 2, 3]], given_rows.xyxy[[0, 2, 3]])
    assert tracks.track_id.tolist() == [-1, 1, -1, -1]
    np.testing.assert_allclose(tracks.xyxy[1], given_rows.xyxy[1], atol=2.0)


def test_a_weak_detection_continues_a_track_and_starts_none() -> None:
    frames = [*standing(4), (0.4, boxes(100.0, score=0.2)), (0.5, boxes(100.0, score=0.2))]
    assert ids(SortTracker(), frames)[-1] == [1]
    assert ids(SortTracker(min_score=0.3), frames)[-1] == [-1]
    assert ids(SortTracker(), standing(10, score=0.49)) == [[-1]] * 10


def test_a_second_box_on_a_person_does_not_take_the_identity_over() -> None:
    """Between 1.0 and 2.0 s the detector gives the person and, scoring less, the person with an outstretched arm."""
    tracker, seen = SortTracker(), []
    for i in range(40):
        arm = Detections([[100, 50, 190, 150]], [0.6 if i != 15 else 0.95], [0])
        rows = Detections.concatenate([boxes(100.0), arm] if 10 <= i < 20 else [boxes(100.0)])
        seen += tracker.update(rows, time_s=i / 10).track_id.tolist()
    assert set(seen) == {-1, 1}
    assert seen.count(1) == 38


def test_someone_who_steps_out_from_behind_another_gets_an_identity() -> None:
    tracker = SortTracker()
    for i in range(30):
        got = tracker.update(boxes(100.0) if i < 5 else boxes(100.0, 100 + 4.0 * (i - 4)), time_s=i / 10).track_id
    assert got.tolist() == [1, 2]


def test_classes_do_not_mix() -> None:
    frames = standing(4) + [((4 + i) / 10, boxes(100.0, label=1)) for i in range(3)]
    assert ids(SortTracker(), frames) == [[-1], [-1], [1], [1], [-1], [-1], [2]]


def test_the_same_time_again_gets_the_same_ids_and_teaches_nothing() -> None:
    plain, repeated = SortTracker(), SortTracker()
    rng = np.random.default_rng(0)
    for i in range(30):
        frame = boxes(*(100 + 8.0 * i + rng.normal(0, 2, 1)), 400.0)
        want = plain.update(frame, time_s=i / 10)
        got = [repeated.update(frame, time_s=i / 10) for _ in range(3)]
        for one in got:
            np.testing.assert_array_equal(one.track_id, want.track_id)
            np.testing.assert_allclose(one.xyxy, want.xyxy)


@pytest.mark.parametrize("time_s", [0.25, -np.inf, np.nan, np.inf])
def test_time_that_cannot_be_is_refused_and_changes_nothing(time_s: float) -> None:
    tracker = SortTracker()
    ids(tracker, standing(4))
    with pytest.raises(DataError, match="time_s"):
        tracker.update(boxes(100.0), time_s=time_s)
    assert tracker.update(boxes(100.0), time_s=0.4).track_id.tolist() == [1]


def test_reset_forgets_ids_and_time() -> None:
    tracker = SortTracker()
    first = ids(tracker, standing(6))
    tracker.reset()
    assert ids(tracker, standing(6)) == first


def test_trackers_do_not_share_ids() -> None:
    one, other = SortTracker(), SortTracker()
    frames = standing(5)
    interleaved = [(ids(one, [f])[0], ids(other, [f])[0]) for f in frames]
    assert [a for a, _ in interleaved] == [b for _, b in interleaved] == ids(SortTracker(), frames)


def test_no_detections_ever() -> None:
    tracker = SortTracker()
    for i in range(5):
        assert len(tracker.update(Detections.empty(), time_s=i / 10)) == 0


people = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(-5, 60), st.integers(-5, 60), st.floats(0, 1)),
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(frames=st.lists(st.tuples(st.floats(0, 2), people), max_size=12))
def test_whatever_comes_rows_match_and_ids_are_unique(frames: list[tuple[float, list[Any]]]) -> None:
    tracker, time_s, highest = SortTracker(min_hits=2), 0.0, 0
    for elapsed, rows in frames:
        time_s += elapsed
        table = np.array(rows, np.float64).reshape(-1, 5)
        xyxy = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], axis=1)
        tracks = tracker.update(Detections(xyxy, table[:, 4], np.zeros(len(table))), time_s=time_s)
        assert tracks.row.tolist() == list(range(len(rows)))
        known = tracks.track_id[tracks.track_id != -1]
        assert len(set(known.tolist())) == len(known)
        assert (known > 0).all()
        assert max(known, default=0) <= highest + len(known)
        highest = max(highest, *known.tolist(), 0)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min_iou", 1.0),
        ("max_age_s", -1.0),
        ("max_age_s", np.inf),
        ("min_hits", 0),
        ("new_track_score", 1.5),
        ("min_score", -0.1),
        ("rate_hz", 0.0),
    ],
)
def test_settings_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=key):
        SortTracker(**{key: value})


def read_mot(path: Path) -> dict[int, np.ndarray]:
    """Frame → rows of (left, top, width, height, score or id) of a MOTChallenge file."""
    frames: dict[int, list[list[float]]] = {}
    with path.open() as file:
        for row in csv.reader(file):
            frames.setdefault(int(row[0]), []).append([*map(float, row[2:6]), float(row[6]), float(row[1])])
    return {frame: np.array(rows) for frame, rows in frames.items()}


def test_real_detections_of_a_crowded_pavement(shared_data: Path) -> None:
    """TUD-Campus, 71 frames at 25 fps, 8 people: tracks are few, long and on people."""
    from gocv.geometry import iou

    folder = shared_data / "mot" / "MOT15" / "TUD-Campus"
    found, truth = read_mot(folder / "det" / "det.txt"), read_mot(folder / "gt" / "gt.txt")
    tracker = SortTracker(rate_hz=25.0)
    on_people, outputs, owners = 0, 0, {}
    for frame in range(1, 72):
        rows = found.get(frame, np.empty((0, 6)))
        xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        tracks = tracker.update(Detections(xyxy, rows[:, 4], np.zeros(len(rows))), time_s=frame / 25)
        confirmed = tracks[tracks.track_id > 0]
        real = truth[frame]
        overlap = iou(confirmed.xyxy, np.concatenate([real[:, :2], real[:, :2] + real[:, 2:4]], axis=1))
        for number, track_id in enumerate(confirmed.track_id.tolist()):
            outputs += 1
            if overlap[number].max() >= 0.5:
                on_people += 1
                owners.setdefault(track_id, []).append(int(real[overlap[number].argmax(), 5]))
    purity = sum(max(map(o.count, set(o))) for o in owners.values()) / on_people
    assert on_people / outputs > 0.9
    assert purity > 0.9
    assert len(owners) <= 16
