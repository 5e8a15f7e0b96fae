"""What cannot be simulated is refused with file, key and reason, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from gocv.cli.app import app
from gocv.core import ConfigError, DataError
from gocv.data.recording import Recording
from gocv.sim import Scenario, simulate, simulate_visit, visit

STORE = {
    "size_m": [4.0, 3.0],
    "door_m": [0.15, 1.5],
    "gondolas": [{"number": 1, "corner_m": [1.5, 2.5], "plates": 6, "heights_m": [0.5, 1.0]}],
    "products": [
        {"id": "0001", "name": "tea", "weight_g": 120.0},
        {"id": "0002", "name": "jam", "weight_g": 300.0},
    ],
    "facings": [
        {"product": "0001", "shelf": "1/1", "plates": [1, 2, 3]},
        {"product": "0002", "shelf": "1/2", "plates": [4, 5]},
    ],
    "zones": [{"name": "entrance", "polygon_m": [[0, 1], [0.6, 1], [0.6, 2], [0, 2]]}],
    "cameras": [{"name": "ceiling", "position_m": [2.0, 1.0, 2.7], "look_at_m": [2.0, 1.5, 0.0]}],
}


def _stray_facing(store: dict) -> None:
    store["facings"][1]["plates"] = [9]


def _camera_in_a_wall(store: dict) -> None:
    store["cameras"][0]["position_m"] = [-0.5, 1.0, 2.0]


def _camera_in_a_gondola(store: dict) -> None:
    store["cameras"][0]["position_m"] = [1.8, 2.7, 0.6]


def _negative_noise(store: dict) -> None:
    store["gondolas"][0]["noise"] = {"sd_g": -1.0}


def _unknown_product(store: dict) -> None:
    store["facings"][0]["product"] = "0003"


def _misspelt(store: dict) -> None:
    store["gondolas"][0]["plate"] = store["gondolas"][0].pop("plates")


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["simulate", *map(str, arguments)])


def _told(result: Result) -> str:
    return " ".join(result.stderr.split())


def _write(path: Path, settings: dict) -> Path:
    path.write_text(yaml.safe_dump(settings))
    return path


def test_the_store_of_these_cases_is_good(tmp_path) -> None:
    _write(tmp_path / "store.yaml", STORE)
    scenario = _write(tmp_path / "scenario.yaml", {"store": {"file": "./store.yaml"}, "shoppers": 2})
    done = _run(scenario, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert Recording.open(tmp_path / "out").store.products.keys() == {"0001", "0002"}


@pytest.mark.parametrize(
    ("spoil", "key", "reason"),
    [
        (_stray_facing, "facings.1", "plate 1/2/9"),
        (_camera_in_a_wall, "cameras", "is in a wall"),
        (_camera_in_a_gondola, "cameras", "is inside gondola 1"),
        (_negative_noise, "gondolas.0.noise.sd_g", "-1"),
        (_unknown_product, "facings.0.product", "0003"),
        (_misspelt, "gondolas.0.plate", "'plates'"),
    ],
)
def test_a_store_that_cannot_be_is_refused(tmp_path, spoil: Callable[[dict], None], key, reason) -> None:
    store = yaml.safe_load(yaml.safe_dump(STORE))
    spoil(store)
    file = _write(tmp_path / "store.yaml", store)
    scenario = _write(tmp_path / "scenario.yaml", {"store": {"file": "./store.yaml"}})
    _refused(tmp_path, _run(scenario, "-o", tmp_path / "out"), file.name, key, reason)


@pytest.mark.parametrize(
    ("settings", "key", "reason"),
    [
        ({"shopers": 3}, "'shopers'", "'shoppers'"),
        ({"features": ["crosing_arms"]}, "'features.0'", "'crossing_arms'"),
        ({"shoppers": 5000}, "'shoppers'", "more is to be taken than is stocked"),
        ({"fill": 0.01, "shoppers": 60}, "'shoppers'", "more is to be taken than is stocked"),
        ({"joints": {"fast_m": [-0.1] * 8}}, "fast_m", "-0.1"),
        ({"store": {"name": "dmeo"}}, "'store.name'", "'demo'"),
        ({"store": {"file": "./missing.yaml"}}, "missing.yaml", "No such file"),
        ({"store": {"recording": "./missing"}}, "missing", "is not a recording"),
        ({"store": {"parametric": {"products": 2000}}}, "'store.parametric.products'", "do not fit"),
        ({"faults": [{"kind": "stuck"}, {"kind": "stuck", "plate": "7/7/7"}]}, "'faults.1.plate'", "no plate 7/7/7"),
        ({"faults": [{"kind": "dead_camera", "camera": "north"}]}, "'faults.0.camera'", "no camera north"),
        ({"faults": [{"kind": "dead_gondola", "gondola": 9}]}, "'faults.0.gondola'", "no gondola 9"),
        ({"replay": {"labels": "./no.json", "dataset": "x"}}, "replay", "store.recording"),
        ("just text", "scenario.yaml", ""),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_scenario_that_cannot_be_is_refused(tmp_path, settings, key, reason) -> None:
    scenario = _write(tmp_path / "scenario.yaml", settings)
    _refused(tmp_path, _run(scenario, "-o", tmp_path / "out"), ".yaml" if "missing" not in key else "", key, reason)


@pytest.mark.parametrize(
    ("arguments", "key", "reason"),
    [
        (["--seed", "-1"], "'seed'", "-1"),
        (["--shoppers", "0"], "'shoppers'", "0"),
        (["--hours", "-2"], "'hours'", "-2"),
        (["shoppers=none"], "'shoppers'", "none"),
        (["habits.stop=1"], "'habits.stop'", "'stops'"),
        (["shoppers"], "shoppers", "key=value"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path, arguments, key, reason) -> None:
    scenario = _write(tmp_path / "scenario.yaml", {"shoppers": 2})
    _refused(tmp_path, _run(scenario, "-o", tmp_path / "out", *arguments), "", key, reason)


def test_a_scenario_that_is_missing_is_refused(tmp_path) -> None:
    _refused(tmp_path, _run(tmp_path / "nowhere.yaml", "-o", tmp_path / "out"), "nowhere.yaml", "nowhere.yaml", "")


def _refused(folder: Path, result: Result, file: str, key: str, reason: str) -> None:
    """One line that names file, key and reason, exit status 1, and no trace in the folder."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    told = _told(result)
    assert told.startswith("error: ")
    for part in (file, key, reason):
        assert part in told
    assert [path.name for path in folder.iterdir() if path.suffix != ".yaml"] == []


def test_a_folder_that_is_there_is_kept(tmp_path) -> None:
    scenario = _write(tmp_path / "scenario.yaml", {"shoppers": 1})
    assert _run(scenario, "-o", tmp_path / "out").exit_code == 0
    before = (tmp_path / "out" / "truth" / "events.csv").read_bytes()
    again = _run(scenario, "-o", tmp_path / "out", "--seed", "5")
    assert again.exit_code == 1
    assert "out: is there already" in _told(again)
    assert (tmp_path / "out" / "truth" / "events.csv").read_bytes() == before
    assert _run(scenario, "-o", tmp_path / "out", "--seed", "5", "--overwrite").exit_code == 0
    assert (tmp_path / "out" / "truth" / "events.csv").read_bytes() != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    foreign = _run(scenario, "-o", tmp_path / "mine", "--overwrite")
    assert foreign.exit_code == 1
    assert "is not a recording, so it will not be overwritten" in _told(foreign)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out", "scenario.yaml"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path) -> None:
    scenario = _write(tmp_path / "scenario.yaml", {"shoppers": 1})
    (tmp_path / "file").write_text("")
    refused = _run(scenario, "-o", tmp_path / "file" / "out")
    assert refused.exit_code == 1
    assert "file/out: cannot be written: " in _told(refused)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "scenario.yaml"]


@pytest.mark.parametrize("stage", ["weigh", "stays_of", "JointStream.finish"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError])
def test_a_run_that_breaks_off_leaves_nothing(tmp_path, monkeypatch, stage, error) -> None:
    def broken(*arguments: object, **more: object) -> None:
        raise error

    if stage == "stays_of":
        pytest.importorskip("gocv.sim.render")
    owner, _, name = stage.rpartition(".")
    monkeypatch.setattr(getattr(visit, owner) if owner else visit, name, broken)
    with pytest.raises(error):
        simulate(Scenario(shoppers=1), tmp_path / "deep" / "er" / "out", seed=0, video=stage == "stays_of")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_breaks_off_keeps_what_was_there(tmp_path, monkeypatch) -> None:
    simulate_visit(tmp_path / "out", seed=1, shoppers=1)
    before = sorted(path for path in tmp_path.rglob("*"))
    monkeypatch.setattr(visit, "weigh", lambda tasks: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        simulate_visit(tmp_path / "out", seed=2, shoppers=1, overwrite=True)
    assert sorted(path for path in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "error", "key"),
    [
        ({"seed": -1}, DataError, "seed"),
        ({"seed": 1, "shoppers": 0}, DataError, "shoppers"),
        ({"seed": 1, "shoppers": 2000}, ConfigError, "shoppers"),
    ],
)
def test_the_function_refuses_too(tmp_path, arguments, error, key) -> None:
    with pytest.raises(error, match=f"key '{key}'"):
        simulate_visit(tmp_path / "visit", **arguments)
    assert not list(tmp_path.iterdir())
