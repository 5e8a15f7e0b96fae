"""`gocv eval mot`, also on the public results, whose scores TrackEval and motmetrics gave."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gocv.cli.app import app

PARITY = Path(__file__).parents[1] / "parity"
PAIRS = {
    "MOT16-13": ("mot/MOT16/MOT16-13/gt/gt.txt", "mot/MOT16/MOT16-13/tracker_result.txt"),
    "TUD-Campus (2)": ("mot/MOT15/TUD-Campus/gt/gt.txt", "mot/MOT15/tracker_results/TUD-Campus.txt"),
    "TUD-Campus": ("mot/MOT15/TUD-Campus/gt/gt.txt", "mot/MOT15/TUD-Campus/tracker_result.txt"),
    "PETS09-S2L1": ("pets09/annotations/PETS2009-S2L1.xml", "mot/MOT15/tracker_results/PETS09-S2L1.txt"),
}
LINES = "1,1,0,0,10,20,1,-1,-1,-1\n2,1,0,0,10,20,1,-1,-1,-1\n"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["eval", "mot", *map(str, arguments)])
    return result.exit_code, result.output


@pytest.mark.parametrize("said_by", ["trackeval", "motmetrics"])
@pytest.mark.parametrize("name", PAIRS)
def test_public_results_score_as_others_say(shared_data: Path, tmp_path: Path, name: str, said_by: str) -> None:
    frozen = json.loads((PARITY / f"{said_by}_files.json").read_text())
    if name not in frozen:
        pytest.skip(f"{said_by} has no scores of {name}")
    want = frozen[name]
    truth, found = (shared_data / part for part in PAIRS[name])
    code, output = run("--gt", truth, "--pred", found, "--json", tmp_path / "out.json")
    assert code == 0, output
    got = json.loads((tmp_path / "out.json").read_text())
    assert set(got["combined"]) >= set(want)
    for scores in (got["combined"], *got["sequences"].values()):
        assert {key: scores[key] for key in want} == pytest.approx(want, abs=1e-9)


def test_folders_of_sequences(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for file in (tmp_path / "gt" / name / "gt" / "gt.txt", tmp_path / "found" / f"{name}.txt"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(LINES)
    code, output = run("--gt", tmp_path / "gt", "--pred", tmp_path / "found", "--json", tmp_path / "out.json")
    assert code == 0, output
    got = json.loads((tmp_path / "out.json").read_text())
    assert list(got["sequences"]) == ["a", "b"]
    assert got["combined"]["hota"] == 1
    one = run("--gt", tmp_path / "gt" / "a" / "gt" / "gt.txt", "--pred", tmp_path / "found")
    assert one[0] == 0
    assert "combined" in one[1]


def test_what_is_missing_or_wrong_is_named(tmp_path: Path) -> None:
    truth, found = tmp_path / "gt.txt", tmp_path / "found.txt"
    truth.write_text(LINES)
    for text, message in (("1,1,0,0,10,x\n", "column 6"), (LINES + LINES, "id 1 more than once in frame 1")):
        found.write_text(text)
        code, output = run("--gt", truth, "--pred", found, "--json", tmp_path / "out.json")
        assert code == 1
        assert message in output
        assert "found.txt" in output
    found.write_text(LINES)
    truth.write_text(LINES + LINES)
    code, output = run("--gt", truth, "--pred", found)
    assert code == 1
    assert "gt.txt" in output  # and not the file of tracks
    assert "found.txt" not in output
    truth.write_text(LINES)
    assert run("--gt", tmp_path / "none", "--pred", found)[0] == 1
    assert run("--gt", truth, "--pred", tmp_path / "none.txt")[0] == 1
    code, output = run("--gt", truth, "--pred", found, "--preprocess", "mot99")
    assert code == 1
    assert "mot17" in output
    assert not (tmp_path / "out.json").exists()
