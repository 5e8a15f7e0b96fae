"""What the repository must not hold: places on somebody's machine, and research data of others."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 1_000_000
WEIGHTS_BYTES = {".safetensors": 5_000_000, ".onnx": 7_000_000}
"""Of a network that comes with gocv, in a folder named `shipped`."""
SMALLEST_BYTES = 1_000
"""Smaller files may be alike by chance."""

HOMES = r"/(?:home|Users)/\w|[A-Z]:\\Users\\"
TOO_GENERAL = {Path(p) for p in ("/", "/usr", "/usr/local", "/usr/src", "/opt", "/home", "/srv", "/mnt", "/var")}


@pytest.fixture(scope="module")
def files() -> list[Path]:
    """What is committed here, or could be."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git working tree")
    # The clone may belong to another user than the one who runs the tests, in which case git wants to be told.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    found = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert Path(__file__) in found
    return found


def places_here() -> set[Path]:
    """Folders that only this machine has."""
    places = {ROOT, ROOT.parent, Path.home(), Path(sys.prefix)}
    return places - TOO_GENERAL - {Path(sys.base_prefix), Path(tempfile.gettempdir())}


def foreign_places(text: str) -> list[str]:
    here = "|".join(re.escape(str(place)) for place in places_here())
    return [match.group() for match in re.finditer(rf"(?<![\w./~-])(?:(?:{here})\b|{HOMES})", text)]


def test_no_file_names_a_place_on_somebodys_machine(files: list[Path]) -> None:
    found = {}
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if places := foreign_places(text):
            found[str(path.relative_to(ROOT))] = places
    assert found == {}


def test_no_network_tells_of_the_code_that_it_was_written_by(files: list[Path]) -> None:
    """The exporter of torch notes for each node in which line of which file it began."""
    networks = [path for path in files if path.suffix == ".onnx"]
    assert networks
    assert [path.name for path in networks if b'File "/' in path.read_bytes()] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (f"see {ROOT}/notes.txt", 1),
        (f"'{ROOT}'", 1),
        ("at " + "/".join(["", "home", "ada", "data"]), 1),
        ("C:" + "\\Users\\ada", 1),
        (f"../{ROOT.name}/notes.txt", 0),
        ("https://example.org/home/page", 0),
        ("~/data and ../shared/data and /tmp", 0),
    ],
)
def test_such_places_are_noticed(text: str, count: int) -> None:
    assert len(foreign_places(text)) == count


def test_no_file_is_large(files: list[Path]) -> None:
    def most(path: Path) -> int:
        return WEIGHTS_BYTES.get(path.suffix, LARGEST_BYTES) if path.parent.name == "shipped" else LARGEST_BYTES

    assert [str(p.relative_to(ROOT)) for p in files if p.stat().st_size > most(p)] == []


def test_no_file_is_a_copy_of_research_data(files: list[Path], shared_data: Path) -> None:
    sizes = {path.stat().st_size for path in files} - set(range(SMALLEST_BYTES))
    theirs = {digest(path): path for path in files_of_size(shared_data, sizes)}
    assert [str(p.relative_to(ROOT)) for p in files if p.stat().st_size in sizes and digest(p) in theirs] == []


def test_copies_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    copy = tmp_path / "inner" / "copy.py"
    copy.write_bytes(Path(__file__).read_bytes())
    (found,) = files_of_size(tmp_path, {Path(__file__).stat().st_size})
    assert found == copy
    assert digest(found) == digest(Path(__file__))


def files_of_size(folder: Path, sizes: set[int]) -> Iterator[Path]:
    """Files below `folder` that are as large as one of ours: only those are worth reading."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.stat().st_size in sizes:
                yield path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
