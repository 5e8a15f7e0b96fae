"""The README's library example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gocv.sim import simulate_visit

README = Path(__file__).parents[2] / "README.md"


def test_library_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    truth = simulate_visit(tmp_path / "demo" / "recording", seed=0)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) > len(truth.events) / 2
    assert all(re.search(r"\d s  shelf \d/\d .* g  .*[01]\.\d{3}$", line) for line in printed)
