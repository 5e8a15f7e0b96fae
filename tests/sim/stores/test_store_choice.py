"""One key of a scenario file that says which store is meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gocv.core import ConfigError
from gocv.data.config import Model, build, load
from gocv.data.recording import RecordingWriter
from gocv.sim.scales import SHAKY
from gocv.sim.stores.choice import StoreChoice
from gocv.sim.stores.demo import demo_layout

CONFIGS = Path(__file__).parents[3] / "configs" / "sim" / "stores"


class Settings(Model):
    """A file that holds such a choice."""

    store: StoreChoice = StoreChoice()


def chosen(folder: Path, text: str, *overrides: str) -> StoreChoice:
    (folder / "settings.yaml").write_text(text)
    return load(Settings, folder / "settings.yaml", overrides).store


def test_the_demonstration_store_is_meant_where_nothing_is_said(tmp_path: Path) -> None:
    for choice in (StoreChoice(), chosen(tmp_path, "store: {name: demo}")):
        assert len(choice.layout().store.plates) == 172


def test_a_file_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "stores").mkdir()
    (tmp_path / "stores" / "candy.yaml").write_text((CONFIGS / "aim3s_candy.yaml").read_text())
    assert len(chosen(tmp_path, "store: {file: ./stores/candy.yaml}").layout().store.products) == 48


def test_numbers_and_overrides_make_a_store(tmp_path: Path) -> None:
    text = "store: {parametric: {aisles: 1, gondolas_per_row: 1, products: 10}}"
    assert len(chosen(tmp_path, text).layout().store.products) == 10
    assert len(chosen(tmp_path, text, "store.parametric.products=12").layout().store.products) == 12


def test_a_recording_is_a_store_whose_gondolas_shake_where_that_is_asked_for(tmp_path: Path) -> None:
    demo = demo_layout()
    with RecordingWriter(tmp_path / "made", name="made", origin_unix_s=1.0, duration_s=9.0, store=demo.store):
        pass
    layout = chosen(tmp_path, "store: {recording: ./made, noise: {2: shaky}}").layout()
    assert layout.store.planogram == demo.store.planogram
    assert [gondola.number for gondola in layout.gondolas.values() if gondola.noise == SHAKY] == [2]
    for noise, key in (({7: "shaky"}, "noise.7"), ({1: "loud"}, "noise.1"), ({1: {"sd_g": -1.0}}, "noise.1.sd_g")):
        with pytest.raises(ConfigError) as refused:
            StoreChoice(recording=tmp_path / "made", noise=noise).layout()
        assert refused.value.key == key


@pytest.mark.parametrize(
    ("values", "key", "message"),
    [
        ({"name": "demo", "file": "x.yaml"}, "store", "got name and file"),
        ({"name": "Demo"}, "store.name", "'demo'"),
        ({"noise": {1: "shaky"}}, "store", "only beside recording"),
        ({"parametric": {"products": 9999}}, "store.parametric.products", "2000"),
        ({"parametric": {"products": 900}}, "store.parametric.products", "do not fit on 480 plates"),
        ({"fiel": "x.yaml"}, "store.fiel", "'file'"),
    ],
)
def test_a_choice_that_is_none_is_refused(values: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        build(Settings, {"store": values}, file="settings.yaml")
    assert refused.value.key == key


def test_what_only_the_shelves_show_is_refused_with_its_key() -> None:
    choice = StoreChoice.model_validate({"parametric": {"products": 430, "second_facings": 0.0, "pitch_m": 0.05}})
    with pytest.raises(ConfigError) as refused:
        choice.layout()
    assert refused.value.key == "parametric.products"
    with pytest.raises(ConfigError) as refused:
        StoreChoice(file=Path("nowhere.yaml")).layout()
    assert refused.value.file == "nowhere.yaml"
