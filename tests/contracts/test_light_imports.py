"""What importing gocv and its rooms must not bring with it. Each import runs in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import gocv

ROOMS = sorted(path.parent.name for path in Path(gocv.__file__).parent.glob("*/__init__.py"))
WITH_NETWORKS = {"detect", "reid", "interact", "train"}
TORCH = ["torch", "torchvision", "torchaudio", "lightning"]
OPTIONAL = ["ultralytics", "openvino", "albumentations", "pyvista", "cv2"]

IMPORT = """
import importlib.abc, json, sys

class Forbid(importlib.abc.MetaPathFinder):
    asked = []
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            self.asked.append(name)
            raise ImportError(f"{name} is forbidden here")

room, *FORBIDDEN = sys.argv[1:]
sys.meta_path.insert(0, Forbid())
importlib.import_module(room)
print(json.dumps({"asked": Forbid.asked, "loaded": sorted(sys.modules)}))
"""


def imported(module: str, forbidden: list[str]) -> dict[str, list[str]]:
    """What importing `module` asked for of `forbidden`, and all that is loaded after it."""
    done = subprocess.run([sys.executable, "-c", IMPORT, module, *forbidden], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result: dict[str, list[str]] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_without_what_it_need_not_have(room: str) -> None:
    """Asking for torch and doing without would cost its seconds wherever it is installed, so asking fails too."""
    forbidden = OPTIONAL if room in WITH_NETWORKS else OPTIONAL + TORCH
    result = imported(f"gocv.{room}", forbidden)
    assert result["asked"] == []
    assert not set(forbidden) & set(result["loaded"])
    assert f"gocv.{room}" in result["loaded"]


def test_the_forbidden_are_noticed() -> None:
    with pytest.raises(AssertionError, match="yaml is forbidden here"):
        imported("gocv.data.config", ["yaml"])


def test_gocv_alone_is_its_version_and_no_more() -> None:
    loaded = {name.partition(".")[0] for name in imported("gocv", [])["loaded"]}
    third_party = loaded - sys.stdlib_module_names - {"gocv", "__main__"}
    assert not third_party & {"numpy", "scipy", "pydantic", "yaml", "typer", "rich", "PIL", "av", "pyarrow", "torch"}
    assert "gocv" in loaded
