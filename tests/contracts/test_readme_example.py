"""The README: its library example runs as it stands, its figures are those of the results."""

from __future__ import annotations

import importlib.util
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


def test_examples_of_tracking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "tracking.md"
    tracking, scoring = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(tracking, page.name, "exec"), {})
    assert capsys.readouterr().out.splitlines()[-1] == "[1] [[114.2  50.  154.2 150. ]]"
    exec(compile(scoring, page.name, "exec"), {})
    assert 0.8 < float(capsys.readouterr().out) < 1


def test_examples_of_reid(capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "reid.md"
    encoding, gallery = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(encoding, page.name, "exec"), {})
    assert re.fullmatch(r"cosine -?\d\.\d\d\n", capsys.readouterr().out)
    exec(compile(gallery, page.name, "exec"), {})
    assert capsys.readouterr().out.startswith("[1] [[")


def test_the_example_of_hands(capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "hands_card.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(example, page.name, "exec"), {})
    assert capsys.readouterr().out.startswith("[1] (1, 64)\n")


def test_examples_of_interaction(capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "interaction.md"
    hands, merl = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(hands, page.name, "exec"), {})
    assert re.fullmatch(r"ann 1/2 3\.\d to 4\.\d s take\n", capsys.readouterr().out)
    exec(compile(merl, page.name, "exec"), {})
    assert capsys.readouterr().out == "4 clips of 128 rows\n"


def test_the_example_of_detection(capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "detection.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(example, page.name, "exec"), {})
    assert re.fullmatch(r"50 of 50 found; 5\d looks at 100 frames\n", capsys.readouterr().out)


def test_the_example_of_multicamera(capsys: pytest.CaptureFixture[str]) -> None:
    page = README.parent / "docs" / "multicamera.md"
    joined, scored = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    exec(compile(joined, page.name, "exec"), {})
    assert capsys.readouterr().out.startswith("4 [")
    exec(compile(scored, page.name, "exec"), {})
    assert capsys.readouterr().out == "1.0 0.5 360.0 5.0\n"


def test_the_table_is_that_of_the_results() -> None:
    """Every figure of the pages comes from a result: run experiments/readme_table.py after a new one."""
    path = README.parent / "experiments" / "readme_table.py"
    spec = importlib.util.spec_from_file_location("readme_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    pages = module.pages()
    assert {page.name for page in pages} == {
        "README.md",
        "calibration.md",
        "hands_card.md",
        "detection.md",
        "fusion.md",
        "interaction.md",
        "multicamera.md",
        "pose_card.md",
        "products.md",
        "reid.md",
        "simulation.md",
        "tracking.md",
    }
    for page, text in pages.items():
        assert page.read_text(encoding="utf-8") == text
