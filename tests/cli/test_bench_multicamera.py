"""`gocv bench multicamera` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gocv.cli.app import app


def test_the_result_is_printed_and_written(shared_data: Path, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    asked = ["bench", "multicamera", "--root", str(shared_data / "multiviewx"), "--format", "multiviewx"]
    done = CliRunner().invoke(
        app, [*asked, "--seeds", "1", "--ids", "none", "--miss", "0.4", "--json", str(file), "track.part=bytetrack"]
    )
    assert done.exit_code == 0, done.output
    assert "floor distance" in done.output
    result = json.loads(file.read_text(encoding="utf-8"))
    assert {row["ids"] for row in result["rows"]} == {"none"}
    assert all(0.35 < row["missed"] < 0.5 for row in result["rows"])
    assert any("bytetrack" in note for note in result["notes"])
    assert any('"miss":0.4' in note for note in result["notes"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "multiview"], "multiviewx"),
        (["--format", "wildtrack", "--method", "flor"], "floor distance"),
        (["--format", "wildtrack", "--ids", "some"], "broken"),
        (["--format", "wildtrack"], "extrinsic"),
    ],
)
def test_what_will_not_do_is_refused_in_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "multicamera", "--root", str(tmp_path), *arguments])
    assert done.exit_code == 1
    assert said in done.output
    assert done.output.count("\n") == 1
