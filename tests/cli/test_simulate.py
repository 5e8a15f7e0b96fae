"""`gocv simulate` as a user types it, and what the other commands make of its recordings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gocv.data.recording import Recording

SCENARIOS = Path(__file__).parents[2] / "configs" / "sim" / "scenarios"


def gocv(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gocv", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, check=False, env={**os.environ, **environment}
    )


def _files(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    path = tmp_path_factory.mktemp("simulated") / "recording"
    scenario = SCENARIOS / "hand_over.yaml"
    return path, gocv("simulate", scenario, "-o", path, "--seed", "3", "--shoppers", "4", "--json", PYTHONHASHSEED="1")


def test_json_says_what_happened(simulated: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    path, done = simulated
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    truth = Recording.open(path).truth
    assert truth is not None
    assert truth.receipts is not None
    assert told == {
        "recording": str(path),
        "events": len(truth.events),
        "receipts": {receipt.shopper: dict(receipt.items) for receipt in truth.receipts},
    }
    assert len(told["receipts"]) == 4
    assert any(event.kind == "hand_over" for event in truth.events)


def test_another_process_writes_the_same_bytes(
    simulated: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    again = gocv(
        "simulate", SCENARIOS / "hand_over.yaml", "shoppers=4", "-o", tmp_path / "r", "--seed", "3", PYTHONHASHSEED="2"
    )
    assert again.returncode == 0, again.stderr
    assert _files(tmp_path / "r") == _files(simulated[0])
    assert "4 receipts" in again.stdout
    assert "(simulated, seed 3)" in again.stdout


def test_check_finds_nothing_wrong(simulated: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    done = gocv("check", simulated[0], "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == []


def test_run_gives_a_receipt_to_everybody(
    simulated: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = gocv("run", simulated[0], "-o", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["receipts"]
    assert {receipt["shopper"] for receipt in found} >= set(json.loads(simulated[1].stdout)["receipts"])
    assert any(receipt["items"] for receipt in found)


def test_the_default_folder_is_named_for_scenario_and_seed(tmp_path: Path) -> None:
    done = gocv("simulate", SCENARIOS / "plain_day.yaml", "--hours", "0.1", "--shoppers", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    recording = Recording.open(tmp_path / "recordings" / "plain_day-0")
    assert recording.duration_s >= 360.0
    assert "wrote recordings/plain_day-0" in done.stdout


def _interruptible() -> None:
    """Undo what a shell does to jobs in the background: they, and all that they start, ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.skipif(os.name != "posix", reason="interrupts of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, sent: signal.Signals) -> None:
    """Interrupted while it writes: once its folder in the making is there."""
    command = ["simulate", SCENARIOS / "plain_day.yaml", "-o", tmp_path / "deep" / "out", "--shoppers", "500"]
    running = subprocess.Popen(
        [sys.executable, "-m", "gocv", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=_interruptible,
    )
    try:
        while running.poll() is None and not list(tmp_path.rglob("*.part")):
            time.sleep(0.02)
        assert running.poll() is None, "it was done before it could be interrupted"
        running.send_signal(sent)
        assert running.wait(timeout=60) != 0
    finally:
        running.kill()
        running.wait()
    assert list(tmp_path.iterdir()) == []


def test_help_says_what_can_be_set() -> None:
    done = gocv("simulate", "--help", COLUMNS="200")
    assert done.returncode == 0
    for option in ("--output", "--seed", "--shoppers", "--hours", "--video", "--overwrite", "--json"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ([], 2, "Usage"),
        (["nowhere.yaml"], 1, "nowhere.yaml"),
        ([str(SCENARIOS / "plain_visit.yaml"), "--seed", "-1"], 1, "key 'seed'"),
        ([str(SCENARIOS / "plain_visit.yaml"), "shopers=3"], 1, "'shoppers'"),
        ([str(SCENARIOS / "plain_visit.yaml"), "--shoppers", "9000"], 1, "plain_visit.yaml, key 'shoppers'"),
    ],
)
def test_refusals_are_one_line_and_leave_nothing(
    tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    done = gocv("simulate", *arguments, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
