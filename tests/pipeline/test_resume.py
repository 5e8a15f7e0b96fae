"""A run that is killed and started again ends with the same receipts, byte for byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gocv.core import ConfigError
from gocv.data.config import load
from gocv.data.recording import Recording
from gocv.pipeline import STAGES, PipelineConfig, run
from gocv.pipeline.folder import RunFolder
from gocv.pipeline.runner import _RUN


class Killed(BaseException):
    """Not an Exception: nothing in the pipeline may swallow it."""


@pytest.fixture(scope="module")
def whole(demo: Recording, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "run"
    run(demo, path)
    return (path / "receipts.json").read_bytes()


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_in_a_stage(
    demo: Recording, tmp_path: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, stage: str, when: str
) -> None:
    real = _RUN[stage]

    def dies(*arguments):
        if when == "after":
            real(*arguments)
        raise Killed

    monkeypatch.setitem(_RUN, stage, dies)
    with pytest.raises(Killed):
        run(demo, tmp_path / "run")
    monkeypatch.setitem(_RUN, stage, real)

    done = []
    for name, function in _RUN.items():
        monkeypatch.setitem(_RUN, name, lambda *a, name=name, function=function: (done.append(name), function(*a))[1])
    run(demo, tmp_path / "run")
    assert done == list(STAGES[STAGES.index(stage) :])
    assert (tmp_path / "run" / "receipts.json").read_bytes() == whole


def test_killed_by_the_system(demo: Recording, tmp_path: Path, whole: bytes) -> None:
    """SIGKILL at ten moments of a run; whatever is left, the next run ends right."""
    command = [sys.executable, "-m", "gocv", "run", str(demo.path), "-o", str(tmp_path / "run")]
    for attempt in range(10):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3 + 0.15 * attempt)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert not list((tmp_path / "run").glob(".*"))
    assert (tmp_path / "run" / "receipts.json").read_bytes() == whole


def test_finished_run_is_not_done_again(demo: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(demo, tmp_path / "run")
    monkeypatch.setattr("gocv.pipeline.runner._RUN", dict.fromkeys(_RUN))
    assert run(demo, tmp_path / "run") == first


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["fusion.beam=8"], ["fusion"]),
        (["shelf.rest_s=1.5"], ["shelf", "fusion"]),
        (["interact.rate_hz=2"], ["interact", "shelf", "fusion"]),
        (["multicamera.merge.join_m=1"], ["multicamera", "interact", "shelf", "fusion"]),
    ],
)
def test_another_setting_redoes_what_it_touches(
    demo: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], expected: list[str]
) -> None:
    run(demo, tmp_path / "run")
    done = []
    for name, function in list(_RUN.items()):
        monkeypatch.setitem(_RUN, name, lambda *a, name=name, function=function: (done.append(name), function(*a))[1])
    run(demo, tmp_path / "run", load(PipelineConfig, None, overrides))
    assert done == expected


def test_restart_from_a_stage(demo: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(demo, tmp_path / "run")
    done = []
    for name, function in list(_RUN.items()):
        monkeypatch.setitem(_RUN, name, lambda *a, name=name, function=function: (done.append(name), function(*a))[1])
    run(demo, tmp_path / "run", restart_from="fusion")
    assert done == ["fusion"]
    with pytest.raises(ConfigError, match="'fusion'"):
        run(demo, tmp_path / "run", restart_from="fusoin")


def test_a_file_that_settings_name_counts_by_its_content(demo: Recording, tmp_path: Path) -> None:
    model = tmp_path / "model.yaml"
    config = load(PipelineConfig, None, [f"detect.model={model}"])
    prints = []
    for text in ("one", "another", "another"):
        if not model.exists() or model.read_text() != text:
            model.write_text(text)
        prints.append(RunFolder(tmp_path / "run", demo, config)._fingerprints)
    assert prints[0] != prints[1] == prints[2]
