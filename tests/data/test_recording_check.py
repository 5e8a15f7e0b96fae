"""What the validator finds by reading a recording from end to end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from gocv.core import FloorTracks
from gocv.data.floor_tracks import write_floor_tracks
from gocv.data.recording import Problem, check_recording
from gocv.data.recording.check import Recording

YAML, LEFT, JOINTS, EVENTS = "recording.yaml", "scales/left.parquet", "joints.parquet", "truth/events.csv"
VIDEO, TIMES, BOXES = "video/ceiling-1.mp4", "video/ceiling-1.csv", "detections/door.parquet"
TIME_S = (np.arange(600) / 60 + 100.0) / (1 + 50e-6)  # on the clock of the small recording's scales

Spoil = Callable[[Path], object]


def samples(time_s: np.ndarray = TIME_S, **weights: np.ndarray | None) -> Spoil:
    def spoil(folder: Path) -> None:
        given = {"1/1/1": weights.get("first"), "1/1/2": weights.get("second")}
        plates = {name: np.full(len(time_s), 5.0) if w is None else w for name, w in given.items()}
        table = {"time_s": time_s, **plates}
        pq.write_table(pa.table({k: pa.array(v, from_pandas=True) for k, v in table.items()}), folder / LEFT)

    return spoil


def joints(*time_s: float) -> Spoil:
    return lambda folder: write_floor_tracks(
        folder / JOINTS, FloorTracks.sightings(("a",), np.array(time_s), np.zeros(len(time_s)))
    )


def settings(**changed: object) -> Spoil:
    def spoil(folder: Path) -> None:
        file = folder / YAML
        values = {**yaml.safe_load(file.read_text(encoding="utf-8")), **changed}
        file.write_text(yaml.safe_dump(values), encoding="utf-8")

    return spoil


def content(name: str, data: str | bytes) -> Spoil:
    return lambda folder: (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def cut(name: str) -> Spoil:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-200])


def warning(file: str, key: str | None, words: str) -> tuple:
    return ("warning", file, None, key, words)


def error(file: str, words: str, key: str | None = None, row: int | None = None) -> tuple:
    return ("error", file, row, key, words)


def without(*which: int) -> np.ndarray:
    return np.delete(TIME_S, which)


def changed(*values: tuple[int, float]) -> np.ndarray:
    time_s = TIME_S.copy()
    for index, value in values:
        time_s[index] = value
    return time_s


@pytest.mark.parametrize(
    ("spoil", "wanted"),
    [
        # scales
        (samples(), []),
        (samples(without(*range(100, 129))), []),
        (samples(without(*range(100, 130))), [warning(LEFT, "time_s", "1 gaps of more than 0.5 s")]),
        (samples(changed((7, np.nan), (8, np.inf))), [warning(LEFT, "time_s", "2 samples have no time")]),
        (
            samples(changed((7, TIME_S[6]), (20, TIME_S[18]))),
            [warning(LEFT, "time_s", "2 samples are not later than the one before")],
        ),
        (samples(TIME_S + 1.505), [warning(LEFT, "time_s", "30 samples lie outside the recording's clock")]),
        (samples(TIME_S - 1.995), [warning(LEFT, "time_s", "60 samples lie outside the recording's clock")]),
        (samples(TIME_S[::2]), [warning(LEFT, "rate_hz", "left is said to run at 60 Hz: it runs at 30")]),
        (samples(TIME_S[::60]), [warning(LEFT, "time_s", "9 gaps of more than 0.5 s")]),
        (samples(TIME_S[:0]), [warning(LEFT, None, "holds no samples")]),
        (samples(TIME_S[:1]), []),
        (samples(second=np.full(600, np.nan)), [warning(LEFT, "1/1/2", "plate 1/1/2 gave no reading at all")]),
        (samples(second=np.where(np.arange(600) == 300, 5, np.nan)), []),
        (
            settings(scales={}),
            [
                warning(YAML, "scales", "there are no scales"),
                warning(YAML, "store.planogram", "product 007 stands on 1/1/1, 1/1/2, which no scale weighs"),
                warning(YAML, "store.planogram", "product 42 stands on 2/1/1, which no scale weighs"),
            ],
        ),
        # joints
        (joints(-0.9, 10.9), []),
        (joints(-1.1, 5, 11.1), [warning(JOINTS, "time_s", "2 of 3 rows lie outside the recording's clock")]),
        (cut(JOINTS), [error(JOINTS, "cannot be read")]),
        (settings(cameras=[], joints=None), [warning(YAML, "cameras", "neither footage nor joints")]),
        # cameras
        (content(VIDEO, "no video"), [error(VIDEO, "not a video")]),
        (content(VIDEO, b""), [error(VIDEO, "not a video")]),
        (
            content(TIMES, "time_s\n0\n0.1\n"),
            [error(VIDEO, "there are 2 timestamps (expected one for each of the 5 frames)", key="timestamps")],
        ),
        (content(TIMES, "time_s\n0\n\n0.1\n0.2\n0.3\n0.4\n"), [error(TIMES, "the row is blank", row=2)]),
        (content(TIMES, "time_s\n0\nx\n"), [error(TIMES, "'x' will not do", key="time_s", row=2)]),
        (content(TIMES, "time\n0\n"), [error(TIMES, "the column is missing", key="time_s")]),
        (cut(BOXES), [error(BOXES, "is not Parquet")]),
        # truth
        (
            content(EVENTS, "time_s,shopper,product,quantity,plates\n11.5,a,008,1,1/1/1;9/9/9\n5,a,42,1,\n"),
            [
                warning(YAML, "truth", "product 008 of the truth is not in the store"),
                warning(YAML, "truth", "plate 9/9/9 of the truth is not in the store"),
                warning(YAML, "truth.events", "1 of 2 events lie outside the recording's clock"),
            ],
        ),
    ],
)
def test_problems_name_their_place(spoil: Spoil, wanted: list[tuple], small_recording: Path) -> None:
    spoil(small_recording)
    problems = check_recording(small_recording)
    for problem, (severity, file, row, key, words) in zip(problems, wanted, strict=True):
        place = (severity, str(small_recording / file), row, key)
        assert (problem.severity, problem.file, problem.row, problem.key) == place
        assert words in problem.message


def test_sums_run_over_chunks(small_recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gap, a step back and a rate are found wherever the chunks are cut."""
    samples(np.delete(changed((7, TIME_S[6]), (20, np.nan), (500, TIME_S[499])), range(100, 200)))(small_recording)
    whole = check_recording(small_recording)
    assert len(whole) == 3
    scale_chunks = Recording.scale_chunks
    for seconds in (0.01, 0.1, 0.35):
        monkeypatch.setattr(Recording, "scale_chunks", lambda self, group, s=seconds: scale_chunks(self, group, s))
        assert check_recording(small_recording) == whole


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("error", "is odd"), "error: is odd"),
        (Problem("warning", "is odd", "a.csv", 3, "x"), "warning: a.csv, row 3, key 'x': is odd"),
        (Problem("warning", "is odd", key="x"), "warning: key 'x': is odd"),
    ],
)
def test_a_problem_reads_as_a_sentence(problem: Problem, text: str) -> None:
    assert str(problem) == text
