"""The commands as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def gocv(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gocv", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, gocv("demo", "-o", folder)


def test_demo_equals_the_truth(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, done = demo
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 of 3 receipts are exactly the truth" in done.stdout
    truth = json.loads((folder / "recording" / "truth" / "receipts.json").read_text())["receipts"]
    found = json.loads((folder / "run" / "receipts.json").read_text())["receipts"]
    assert {r["shopper"]: {i["product"]: i["quantity"] for i in r["items"]} for r in found} == {
        r["shopper"]: {i["product"]: i["quantity"] for i in r["items"]} for r in truth
    }
    assert (folder / "run" / "report.png").read_bytes().startswith(b"\x89PNG")


def test_demo_says_nothing_of_progress(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    assert demo[1].stderr == ""


def test_run_prints_json_for_programs(demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    done = gocv("run", demo[0] / "recording", "-o", tmp_path / "run", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) == {"recording", "receipts", "names", "evidence", "report"}
    for receipt in result["receipts"]:
        known = {"shopper", "items", "probability", "needs_review", "accounts", "left_s", "released_s"}
        assert set(receipt) == known
        for item in receipt["items"]:
            assert set(item) == {"product", "name", "quantity", "probability", "events"}
            assert item["events"]
            assert set(item["events"]) <= set(result["evidence"])


def test_run_default_folder_and_restart(demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    assert gocv("run", demo[0] / "recording", cwd=tmp_path).returncode == 0
    before = (tmp_path / "runs" / "recording" / "receipts.json").read_bytes()
    assert gocv("run", demo[0] / "recording", "--from", "shelf", "--video", cwd=tmp_path).returncode == 0
    assert (tmp_path / "runs" / "recording" / "receipts.json").read_bytes() == before
    assert (tmp_path / "runs" / "recording" / "timeline.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["run", "nowhere"], 1, "error: nowhere: is not a recording"),
        (["run", "RECORDING", "fusion.bem=3"], 1, "'fusion.bem'"),
        (["run", "RECORDING", "--from", "fusoin"], 1, "'fusion'"),
        (["run", "RECORDING", "-c", "missing.yaml"], 1, "missing.yaml"),
        (["check", "nowhere"], 1, ""),
        (["convert", "nanostore", "nowhere", "there"], 1, "nowhere"),
        (["bench", "nanostore", "--root", "nowhere"], 1, "nowhere"),
        (["run"], 2, "Usage"),
        (["rum"], 2, "Usage"),
    ],
)
def test_refusals(
    demo: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    real = [str(demo[0] / "recording") if a == "RECORDING" else a for a in arguments]
    done = gocv(*real, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_corrupt_archive(tmp_path: Path) -> None:
    """It is refused with the place named, and nothing is left half made."""
    archive = tmp_path / "dump.archive"
    archive.write_bytes(bytes.fromhex("6de29981") + b"this is no BSON document at all")
    done = gocv("convert", "nanostore", archive, tmp_path / "recording")
    assert done.returncode == 1
    assert "dump.archive, row byte" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["dump.archive"]


def test_check(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    done = gocv("check", demo[0] / "recording", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["demo", "--help"], ["bench", "nanostore", "--help"]]
)
def test_help(arguments: list[str]) -> None:
    done = gocv(*arguments)
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_bench_nanostore(shared_data: Path, tmp_path: Path) -> None:
    """Without a detector cps-test-01 has no shopper to charge; BENCHMARK-1 is right all the same."""
    done = gocv("bench", "nanostore", "--root", shared_data / "nanostore", "--json", tmp_path / "result.json")
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert set(result) == {"benchmark", "rows", "environment", "command"}
    assert set(result["environment"]) == {"versions", "seed", "hardware"}
    f1 = {row["recording"]: row["f1"] for row in result["rows"]}
    assert f1["BENCHMARK-1"] == 1
    assert f1["mean of 2"] == pytest.approx((1 + f1["cps-test-01"]) / 2)
