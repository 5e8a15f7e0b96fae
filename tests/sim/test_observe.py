"""What is seen of the shoppers: noise as fitted, names that break and swap, and the truth about them."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest

from gocv.core import JOINTS, ConfigError, DataError, FloorTracks
from gocv.sim.faults import BlindArea
from gocv.sim.observe import JointNoise, JointStream, observe

RESULTS = Path(__file__).parents[2] / "experiments" / "results" / "joint_noise.json"
ROWS = json.loads(RESULTS.read_text())["rows"]
FITTED = next(row for row in ROWS if row["method"] == "fitted")
HOLDING = JointNoise().holding_names()
PERFECT = dataclasses.replace(HOLDING, lost_per_s=(0.0,) * 8)


@dataclasses.dataclass(frozen=True, eq=False)
class Walker:
    """Goes round in a circle of half a metre about a place; all joints are above it."""

    name: str
    start_s: float
    end_s: float
    centre_m: tuple[float, float] = (0.0, 0.0)
    radius_m: float = 0.5
    period_s: float = 20.0

    @property
    def xy_m(self) -> np.ndarray:
        return self.place(np.arange(self.start_s, self.end_s, 0.1))

    def place(self, time_s: np.ndarray) -> np.ndarray:
        angle = 2 * np.pi * time_s / self.period_s
        return np.array(self.centre_m) + self.radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def at(self, time_s: np.ndarray, of: np.ndarray) -> np.ndarray:
        return self.place(time_s)

    def joints_m(self, time_s: np.ndarray) -> np.ndarray:
        place = np.pad(self.place(time_s), ((0, 0), (0, 1)))[:, None]
        return place + np.linspace(1.7, 0.9, len(JOINTS))[None, :, None] * np.array([0.0, 0.0, 1.0])


def _stream(walkers, noise=HOLDING, seed=0, until=(), **more) -> tuple[FloorTracks, JointStream]:
    stream = JointStream(noise, np.random.SeedSequence(seed), **more)
    waiting, parts = sorted(walkers, key=lambda w: w.start_s), []
    for stop in [*until, np.inf]:
        while waiting and waiting[0].start_s < stop:
            stream.add(waiting.pop(0))
        parts.append(stream.finish() if stop == np.inf else stream.rows_until(stop))
    names = parts[-1].shoppers
    return FloorTracks.concatenate([dataclasses.replace(part, shoppers=names) for part in parts]), stream


def test_the_defaults_are_the_fit() -> None:
    noise = JointNoise()
    for key, of in (("fast_m", "fast_m"), ("slow_m", "slow_m"), ("score", "score_median")):
        assert getattr(noise, key) == pytest.approx(FITTED[of], rel=0.02), key
    assert noise.slow_s == pytest.approx(FITTED["slow_s"], rel=0.05)
    assert noise.lost_per_s == pytest.approx(FITTED["assumed_lost_per_s"])
    for key in ("lost_s", "away_per_h", "away_s", "breaks_per_h", "swap", "swap_within_m"):
        assert getattr(noise, key) == FITTED[f"assumed_{key}"], key


@pytest.mark.parametrize("seed", range(3))
def test_noise_has_the_measured_size_and_memory(seed) -> None:
    walker = Walker("someone", 0.0, 1800.0)
    rows, _ = _stream([walker], PERFECT, seed)
    error = rows.joints_m - walker.joints_m(rows.time_s)
    expected = np.hypot(FITTED["fast_m"], FITTED["slow_m"])
    np.testing.assert_allclose(error.std(axis=(0, 2)), expected, rtol=0.08)
    wrist = error[:, JOINTS.index("l_wrist")]
    share = FITTED["slow_m"][-1] ** 2 / expected[-1] ** 2
    for lag in (1, 2, 5):
        correlation = np.mean([np.corrcoef(c[lag:], c[:-lag])[0, 1] for c in wrist.T])
        assert correlation == pytest.approx(share * np.exp(-0.1 * lag / FITTED["slow_s"]), abs=0.05)
    ground = rows.xy_m - walker.place(rows.time_s)
    assert ground.std() == pytest.approx(HOLDING.ground_m, rel=0.08)
    np.testing.assert_allclose(rows.covariance_m2[0], np.eye(2) * HOLDING.ground_m**2)


def test_bones_seem_to_change_their_length_as_they_did() -> None:
    """Simulated rigid arms, seen: the length of a bone varies as the measured one's, by the root of both ends'."""
    lengths = {row["data"].split(": ")[1]: row["length_sd_m"] for row in ROWS if row["method"] == "bone"}
    walker = Walker("someone", 0.0, 900.0)
    rows, _ = _stream([walker], PERFECT)
    for bone, measured in lengths.items():
        if bone.startswith(("head", "neck")):
            continue
        ends = [rows.joints_m[:, JOINTS.index(joint), 0] for joint in bone.split(" to ")]
        assert (ends[1] - ends[0]).std() == pytest.approx(measured, rel=0.25)


def test_fast_noise_has_outliers_as_the_real_one() -> None:
    noise = dataclasses.replace(PERFECT, slow_m=(1e-9,) * 8)
    walker = Walker("someone", 0.0, 900.0)
    rows, _ = _stream([walker], noise)
    error = (rows.joints_m - walker.joints_m(rows.time_s))[:, 0]
    robust = 1.4826 * np.median(np.abs(error))
    assert 0.02 < (np.abs(error) > 4 * robust).mean() < 0.09


def test_scores_lie_where_they_did_and_are_0_where_a_joint_is_lost() -> None:
    rows, _ = _stream([Walker("someone", 0.0, 1800.0)])
    lost = np.isnan(rows.joints_m).any(axis=2)
    np.testing.assert_array_equal(rows.joint_score == 0, lost)
    for j in range(len(JOINTS)):
        score = rows.joint_score[~lost[:, j], j]
        assert np.median(score) == pytest.approx(FITTED["score_median"][j], abs=0.01)
        assert np.percentile(score, 5) == pytest.approx(FITTED["score_p05"][j], abs=0.15)
    assert (rows.joint_score <= 1).all()


def test_joints_are_lost_in_runs_the_hands_most() -> None:
    rows, _ = _stream([Walker("someone", 0.0, 3600.0)])
    lost = np.isnan(rows.joints_m).any(axis=2)
    share = lost.mean(axis=0)
    expected = np.array(HOLDING.lost_per_s) * HOLDING.lost_s
    np.testing.assert_allclose(share, expected, rtol=0.35)
    edges = np.diff(lost.astype(int), axis=0, prepend=0)
    assert lost.sum() / (edges == 1).sum() == pytest.approx(3.0, abs=0.4)


def test_all_stand_on_one_grid_in_order_and_nobody_is_seen_before_or_after() -> None:
    walkers = [Walker("a", 1.03, 30.0), Walker("b", 2.0, 25.55), Walker("c", 2.0, 9.0)]
    rows, _ = _stream(walkers)
    np.testing.assert_allclose(rows.time_s * 10, np.round(rows.time_s * 10), atol=1e-6)
    assert (np.lexsort((rows.shopper, rows.time_s)) == np.arange(len(rows))).all()
    assert rows.shoppers == ("a", "b", "c")
    for i, walker in enumerate(walkers):
        own = rows.time_s[rows.shopper == i]
        assert walker.start_s <= own.min() < walker.start_s + 0.1
        assert walker.end_s - 0.1 < own.max() <= walker.end_s
        np.testing.assert_allclose(np.diff(own), 0.1, atol=1e-9)


@pytest.mark.parametrize("until", [(0.5, 7.0, 7.05, 59.9, 60.0, 133.3), tuple(range(5, 400, 5)), (1000.0,)])
def test_the_same_rows_and_names_come_out_however_they_are_cut(until) -> None:
    noise = JointNoise(breaks_per_h=120.0, away_per_h=120.0, swap=0.5)
    walkers = [Walker(f"w{i}", 11.0 * i, 11.0 * i + 150.0, (0.3 * i, 0.0), period_s=17.0 + i) for i in range(15)]
    whole, stream = _stream(walkers, noise, 3)
    cut, again = _stream(walkers, noise, 3, until)

    def said(rows: FloorTracks) -> list[str]:
        return [rows.shoppers[i] for i in rows.shopper]

    assert said(whole) == said(cut)
    assert stream.names() == again.names()
    assert len(stream.names()) > 20
    for key in ("time_s", "xy_m", "joints_m", "joint_score"):
        np.testing.assert_array_equal(getattr(whole, key), getattr(cut, key))


def _person_of(stream: JointStream, name: str, time_s: float) -> str:
    return [span.person for span in stream.names() if span.name == name and span.from_s <= time_s][-1]


@pytest.mark.parametrize("seed", range(3))
def test_names_tell_who_each_row_really_was(seed) -> None:
    noise = dataclasses.replace(PERFECT, breaks_per_h=60.0, swap=0.5)
    walkers = [Walker(f"w{i}", 5.0 * i, 5.0 * i + 200.0, (0.4 * i, 0.0), period_s=13.0 + i) for i in range(8)]
    rows, stream = _stream(walkers, noise, seed)
    by_name = {walker.name: walker for walker in walkers}
    swapped = 0
    for when, index, place in zip(rows.time_s, rows.shopper, rows.xy_m, strict=True):
        name = rows.shoppers[index]
        person = _person_of(stream, name, when)
        assert np.linalg.norm(place - by_name[person].place(np.array([when]))[0]) < 0.08
        swapped += not name.startswith(person)
    assert swapped > 100
    assert any("." in name for name in rows.shoppers)


def test_a_broken_identity_goes_on_under_a_new_name_after_a_gap() -> None:
    noise = dataclasses.replace(PERFECT, breaks_per_h=60.0)
    rows, stream = _stream([Walker("w", 0.0, 600.0)], noise)
    names = [span.name for span in stream.names()]
    assert names[:2] == ["w", "w.2"]
    assert len(set(names)) == len(names)
    assert 4 <= len(stream.names()) - 1 <= 18
    ends = np.flatnonzero(np.diff(rows.shopper))
    assert (np.diff(rows.time_s)[ends] > 0.15).all()
    assert {span.person for span in stream.names()} == {"w"}


def test_names_swap_only_between_those_who_are_close_and_never_when_switched_off() -> None:
    apart = [Walker("a", 0.0, 300.0), Walker("b", 0.0, 300.0, (3.0, 0.0))]
    close = [Walker("a", 0.0, 300.0), Walker("b", 0.0, 300.0, (0.3, 0.0), period_s=21.0)]
    sure = dataclasses.replace(PERFECT, swap=1.0)
    assert [span.name for span in _stream(apart, sure)[1].names()] == ["a", "b"]
    assert len(_stream(close, sure)[1].names()) >= 4
    assert [span.name for span in _stream(close, PERFECT)[1].names()] == ["a", "b"]


def test_one_encounter_is_one_chance() -> None:
    """Two who stand together for minutes swap once, not with every row."""
    side_by_side = [Walker("a", 0.0, 300.0), Walker("b", 0.0, 300.0, (0.3, 0.0))]
    assert len(_stream(side_by_side, dataclasses.replace(PERFECT, swap=1.0))[1].names()) == 2


def test_a_shopper_may_be_lost_for_a_while_and_keeps_the_name() -> None:
    rows, stream = _stream([Walker("w", 0.0, 3600.0)], dataclasses.replace(PERFECT, away_per_h=60.0))
    gaps = np.diff(rows.time_s)
    assert 30 <= (gaps > 0.15).sum() <= 90
    assert gaps[gaps > 0.15].mean() == pytest.approx(1.6, rel=0.4)
    assert len(stream.names()) == 1


def test_nobody_is_seen_where_no_camera_looks() -> None:
    area = BlindArea(((0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0)), from_s=20.0, until_s=60.0)
    rows, _ = _stream([Walker("w", 0.0, 100.0)], PERFECT, blind=[area])
    during = (rows.time_s >= 20.0) & (rows.time_s < 60.0)
    assert np.nanmax(rows.joints_m[during, :, 0]) < 0.0
    assert 150 < during.sum() < 250
    assert (~during).sum() == 601
    assert not np.isnan(rows.joints_m[~during]).any()


def test_shoppers_come_in_order_and_not_into_the_past() -> None:
    stream = JointStream(HOLDING, np.random.SeedSequence(0))
    stream.add(Walker("a", 10.0, 20.0))
    with pytest.raises(DataError, match="10 s or later"):
        stream.add(Walker("b", 9.0, 20.0))
    stream.rows_until(15.0)
    with pytest.raises(DataError, match="15 s or later"):
        stream.add(Walker("b", 12.0, 20.0))
    with pytest.raises(DataError, match="already"):
        stream.add(Walker("a", 16.0, 20.0))
    assert len(stream.rows_until(15.0)) == 0
    stream.add(Walker("b", 16.0, 20.0))
    assert len(stream.finish()) == 51 + 41
    assert len(stream.finish()) == 0


def test_an_empty_store_gives_no_rows() -> None:
    stream = JointStream(HOLDING, np.random.SeedSequence(0))
    assert len(stream.rows_until(100.0)) == 0
    assert len(stream.finish()) == 0
    assert stream.names() == []


def test_observe_gives_all_at_once() -> None:
    walkers = [Walker("late", 5.0, 20.0), Walker("early", 1.0, 10.0)]
    rows = observe(walkers, np.random.default_rng(0))
    assert rows.shoppers == ("early", "late")
    assert len(rows) == 151 + 91
    np.testing.assert_array_equal(rows.joints_m, observe(walkers, np.random.default_rng(0)).joints_m)
    assert len(observe([], np.random.default_rng(0))) == 0


def test_who_has_left_is_forgotten_and_a_day_takes_seconds() -> None:
    """A tenth of a day of a thousand shoppers; the rest is more of the same."""
    stream = JointStream(JointNoise(), np.random.SeedSequence(0))
    start, rows = time.perf_counter(), 0
    for i in range(100):
        stream.add(Walker(f"w{i}", 28.8 * i, 28.8 * i + 240.0, (0.5 * (i % 12), 0.0)))
        rows += len(stream.rows_until(28.8 * i))
        assert len(stream._present) <= 12
        assert len(stream._waiting) <= 2
    rows += len(stream.finish())
    assert not stream._present
    assert time.perf_counter() - start < 15.0
    assert rows == pytest.approx(100 * 2401, rel=0.05)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fast_m", (0.01,) * 7),
        ("slow_m", (-0.01,) * 8),
        ("slow_s", 0.0),
        ("score", (1.5,) * 8),
        ("score", (0.0,) * 8),
        ("lost_per_s", (float("nan"),) * 8),
        ("lost_s", -1.0),
        ("breaks_per_h", -1.0),
        ("swap", 1.5),
        ("swap_within_m", -0.5),
    ],
)
def test_senseless_noise_is_refused_by_name(key, value) -> None:
    with pytest.raises(ConfigError) as caught:
        JointNoise(**{key: value})
    assert caught.value.key == key


def test_an_encounter_ends_only_when_they_have_parted() -> None:
    """Two whose distance swings between 0.4 m and 0.7 m, twice a minute, never part."""
    hovering = [Walker("a", 0.0, 600.0, radius_m=0.0), Walker("b", 0.0, 600.0, (0.55, 0.0), 0.15, 30.0)]
    assert len(_stream(hovering, dataclasses.replace(PERFECT, swap=1.0))[1].names()) == 2 + 2
    parting = [Walker("a", 0.0, 600.0, radius_m=0.0), Walker("b", 0.0, 600.0, (1.0, 0.0), 0.6, 30.0)]
    assert len(_stream(parting, dataclasses.replace(PERFECT, swap=1.0))[1].names()) > 2 + 20


def test_the_first_row_is_as_far_off_as_any() -> None:
    first = [_stream([Walker("w", 0.0, 0.5)], PERFECT, seed)[0].joints_m[0] for seed in range(60)]
    error = np.array(first) - Walker("w", 0.0, 0.5).joints_m(np.array([0.0]))[0]
    assert error[:, -1].std() == pytest.approx(np.hypot(FITTED["fast_m"], FITTED["slow_m"])[-1], rel=0.2)
