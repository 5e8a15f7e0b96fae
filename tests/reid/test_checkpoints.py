"""Networks in files, ours and those of others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gocv.core import DataError
from gocv.reid.checkpoints import load_foreign, load_model, save_model
from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel

Make = Callable[..., ReidModel]
CROPS = torch.linspace(-2, 2, 3 * 3 * 64 * 32).reshape(3, 3, 64, 32).sin()


def vectors(model: torch.nn.Module) -> Tensor:
    with torch.inference_mode():
        return model(CROPS)


class TestOurs:
    @pytest.mark.parametrize(
        "settings", [{}, {"vector": 24, "neck": "bn_relu"}, {"pooling": "gem", "neck": "none", "mean": (0.1, 0.2, 0.3)}]
    )
    def test_there_and_back(self, lively: Make, tmp_path: Path, settings: dict) -> None:
        model, about = lively(**settings), {"map": 0.5, "recipe": {"epochs": 3, "names": ["a", "ä"]}, "none": None}
        save_model(model, tmp_path / "new" / "net.safetensors", about)
        again, known = load_model(tmp_path / "new" / "net.safetensors")
        assert known == about
        assert again.config == model.config
        assert not again.training
        state = again.state_dict()
        assert set(state) == {key for key in model.state_dict() if not key.startswith("classifier.")}
        assert all(torch.equal(value, model.state_dict()[key]) for key, value in state.items())
        assert torch.equal(vectors(again), vectors(model))

    def test_in_half_the_room(self, lively: Make, tmp_path: Path) -> None:
        model, whole, half = lively(), tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
        save_model(model, whole, {})
        save_model(model, half, {}, stored="float16")
        assert half.stat().st_size < 0.62 * whole.stat().st_size
        again, _ = load_model(half)
        for key, value in again.state_dict().items():
            assert value.dtype == model.state_dict()[key].dtype
            torch.testing.assert_close(value, model.state_dict()[key], rtol=2**-11, atol=2**-24)
        assert not torch.equal(vectors(again), vectors(model))
        torch.testing.assert_close(vectors(again), vectors(model), atol=5e-3, rtol=0)

    def test_in_a_quarter_of_the_room(self, lively: Make, tmp_path: Path) -> None:
        model, whole, small = lively(backbone="mobilenet_v2"), tmp_path / "w.safetensors", tmp_path / "s.safetensors"
        save_model(model, whole, {})
        save_model(model, small, {}, stored="int8")
        assert small.stat().st_size < 0.33 * whole.stat().st_size
        again = load_model(small)[0].state_dict()
        for key, value in ((key, value) for key, value in model.state_dict().items() if key in again):
            step = value.flatten(1).abs().amax(1) / 127 if value.ndim > 1 else value.abs() * 2**-10
            gap = (again[key] - value).abs().flatten(1).amax(1) if value.ndim > 1 else (again[key] - value).abs()
            assert (gap <= 0.5001 * step + 1e-7).all(), key
        assert not torch.equal(again["backbone.0.0.weight"], model.state_dict()["backbone.0.0.weight"])

    def test_a_channel_of_noughts_is_no_trouble(self, lively: Make, tmp_path: Path) -> None:
        model = lively()
        with torch.no_grad():
            model.backbone.conv1.conv.weight[0] = 0
        save_model(model, tmp_path / "small.safetensors", {}, stored="int8")
        again = load_model(tmp_path / "small.safetensors")[0]
        assert torch.equal(again.backbone.conv1.conv.weight[0], torch.zeros(3, 7, 7))

    def test_what_is_too_large_for_half_precision_stays(self, lively: Make, tmp_path: Path) -> None:
        model = lively()
        model.backbone.conv1.bn.running_var[2] = 1e5
        save_model(model, tmp_path / "half.safetensors", {}, stored="float16")
        again, _ = load_model(tmp_path / "half.safetensors")
        assert torch.equal(again.backbone.conv1.bn.running_var, model.backbone.conv1.bn.running_var)

    def test_the_network_may_be_in_any_layout(self, lively: Make, tmp_path: Path) -> None:
        model = lively().to(memory_format=torch.channels_last)
        save_model(model, tmp_path / "net.safetensors", {})
        torch.testing.assert_close(vectors(load_model(tmp_path / "net.safetensors")[0]), vectors(model))

    def test_a_file_is_whole_or_not_there(self, lively: Make, tmp_path: Path) -> None:
        with pytest.raises(TypeError):
            save_model(lively(), tmp_path / "net.safetensors", {"not JSON": object()})
        assert list(tmp_path.iterdir()) == []

    def test_missing_and_unreadable_files(self, tmp_path: Path) -> None:
        (tmp_path / "text.safetensors").write_text("weights")
        (tmp_path / "empty.safetensors").write_bytes(b"")
        torch.save({"a": torch.zeros(1)}, tmp_path / "torch.safetensors")
        save_file({"a": torch.zeros(1)}, tmp_path / "others.safetensors")
        for name, message in [
            ("absent", "is not there"),
            ("text", "cannot be read"),
            ("empty", "cannot be read"),
            ("torch", "cannot be read"),
            ("others", "does not say what it is"),
        ]:
            with pytest.raises(DataError, match=message) as refusal:
                load_model(tmp_path / f"{name}.safetensors")
            assert refusal.value.file == str(tmp_path / f"{name}.safetensors")

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ("{", "described wrongly"),
            ("[]", "described wrongly"),
            ('{"model": {}}', "described wrongly"),
            ('{"model": 3, "about": {}}', "described wrongly"),
            ('{"model": {"nek": "bn"}, "about": {}}', "nek"),
            ('{"model": {"height_px": 3}, "about": {}}', "height_px"),
        ],
    )
    def test_another_description_is_refused(self, tmp_path: Path, said: str, message: str) -> None:
        save_file({"a": torch.zeros(1)}, tmp_path / "net.safetensors", {"gocv.reid": said})
        with pytest.raises(DataError, match=message):
            load_model(tmp_path / "net.safetensors")

    @pytest.mark.parametrize(
        ("change", "key", "expected"),
        [
            ({"backbone.conv1.bn.weight": None}, "backbone.conv1.bn.weight", r"\(16,\)"),
            ({"backbone.conv1.bn.weight": torch.zeros(17)}, "backbone.conv1.bn.weight", r"\(16,\)"),
            ({"backbone.extra": torch.zeros(2)}, "backbone.extra", "no such weights"),
            ({"classifier.weight": torch.zeros(3, 128)}, "classifier.weight", "no such weights"),
        ],
    )
    def test_weights_of_another_network_are_refused(
        self, lively: Make, tmp_path: Path, change: dict, key: str, expected: str
    ) -> None:
        model, path = lively(), tmp_path / "net.safetensors"
        save_model(model, path, {})
        state = {name: value for name, value in {**load_file(path), **change}.items() if value is not None}
        save_file(state, path, {"gocv.reid": json.dumps({"model": model.config.model_dump(mode="json"), "about": {}})})
        with pytest.raises(DataError, match=expected) as refusal:
            load_model(path)
        assert refusal.value.key == key


def published_names() -> Iterator[str]:
    """Of the parameters of OSNet in its authors' files, by their rule; the counters of batches among them."""
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    layer = ["conv.weight", *(f"bn.{name}" for name in norm)]
    small = ["conv1.weight", "conv2.weight", *(f"bn.{name}" for name in norm)]
    yield from (f"conv1.{name}" for name in layer)
    for stage in (2, 3, 4):
        for block in (0, 1):
            here = f"conv{stage}.{block}"
            yield from (f"{here}.conv1.{name}" for name in layer)
            yield from (f"{here}.conv2a.{name}" for name in small)
            for count, letter in ((2, "b"), (3, "c"), (4, "d")):
                yield from (f"{here}.conv2{letter}.{one}.{name}" for one in range(count) for name in small)
            yield from (f"{here}.gate.fc{one}.{name}" for one in (1, 2) for name in ("weight", "bias"))
            yield from (f"{here}.conv3.{name}" for name in layer)
            if block == 0:
                yield from (f"{here}.downsample.{name}" for name in layer)
        if stage < 4:
            yield from (f"conv{stage}.2.0.{name}" for name in layer)
    yield from (f"conv5.{name}" for name in layer)
    yield from ("fc.0.weight", "fc.0.bias", *(f"fc.1.{name}" for name in norm))


OSNET = {"backbone": "osnet_x0_25", "height_px": 64, "width_px": 32, "vector": 512, "neck": "bn_relu"}


def as_published(model: ReidModel, prefix: str = "") -> dict[str, Tensor]:
    """Its weights under the authors' names, and a classifier."""
    state = {key.removeprefix("backbone."): value for key, value in model.state_dict().items()}
    own = {"fc.0.": "reduce.", "fc.1.": "neck.0."}
    found = {}
    for name in published_names():
        key = own[name[:5]] + name[5:] if name.startswith("fc.") else name
        found[prefix + name] = state[key].clone()
    assert len(found) == len([key for key in state if not key.startswith("classifier.")])
    return {**found, f"{prefix}classifier.weight": torch.zeros(9, 512), f"{prefix}classifier.bias": torch.zeros(9)}


class TestOthers:
    @pytest.mark.parametrize("prefix", ["", "module."])
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_osnet_under_its_authors_names(self, lively: Make, tmp_path: Path, prefix: str, wrapped: bool) -> None:
        model = lively(**OSNET)
        state = as_published(model, prefix)
        torch.save({"state_dict": state, "epoch": 3} if wrapped else state, tmp_path / "net.pth")
        again = load_foreign(ReidModelConfig(**OSNET), tmp_path / "net.pth")
        assert torch.equal(vectors(again), vectors(model))
        assert again.classifier is None
        assert not again.training

    def test_as_safetensors(self, lively: Make, tmp_path: Path) -> None:
        model = lively(**OSNET)
        save_file(as_published(model, "module."), tmp_path / "net.safetensors")
        assert torch.equal(
            vectors(load_foreign(ReidModelConfig(**OSNET), tmp_path / "net.safetensors")), vectors(model)
        )

    def test_the_trunk_of_osnet_alone(self, lively: Make, tmp_path: Path) -> None:
        model = lively(**OSNET)
        torch.save(as_published(model), tmp_path / "net.pth")
        trunk = ReidModelConfig(backbone="osnet_x0_25", neck="none", height_px=64, width_px=32)
        again = load_foreign(trunk, tmp_path / "net.pth")
        assert torch.equal(vectors(again.backbone), vectors(model.backbone))

    def test_another_network_is_refused(self, lively: Make, tmp_path: Path) -> None:
        torch.save(as_published(lively(**OSNET)), tmp_path / "net.pth")
        for change, key in [
            ({"backbone": "osnet_x1_0"}, "backbone.conv1.bn.bias"),
            ({"vector": 256}, "neck.0.bias"),
            ({"vector": None}, "neck.0.bias"),
        ]:
            with pytest.raises(DataError, match="does not fit the network") as refusal:
                load_foreign(ReidModelConfig(**{**OSNET, **change}), tmp_path / "net.pth")
            assert refusal.value.key == key
