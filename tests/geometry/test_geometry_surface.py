"""The names that the room offers, and that it needs nothing but numpy and core."""

from __future__ import annotations

import subprocess
import sys

import gocv.geometry


def test_every_public_name_exists_and_is_documented() -> None:
    assert sorted(gocv.geometry.__all__) == gocv.geometry.__all__
    for name in gocv.geometry.__all__:
        assert getattr(gocv.geometry, name).__doc__, name


def test_imports_no_heavy_library() -> None:
    code = "import sys, gocv.geometry; print(sorted({'torch', 'scipy', 'cv2', 'PIL', 'av'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
