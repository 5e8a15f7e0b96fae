"""Networks in ONNX files: those of others, and ours written to one."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from gocv.core import ConfigError, DataError
from gocv.reid import export
from gocv.reid.checkpoints import save_model
from gocv.reid.encoder import Encoder
from gocv.reid.export import export_onnx
from gocv.reid.model import ReidModel
from gocv.reid.onnx import OnnxEncoder

Make = Callable[..., ReidModel]
Written = tuple[ReidModel, Path, float]
CROPS = np.random.default_rng(0).integers(0, 256, (5, 64, 32, 3), dtype=np.uint8)


def channel_means(path: Path, batch: int | str, *, flat: bool = True, size: tuple[int, int] = (64, 32)) -> Path:
    """A network whose vector is the mean of each channel, (n, 3) or (n, 3, 1, 1), plus 1, 2, 3."""
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3, *size])
    shape = [batch, 3] if flat else [batch, 3, 1, 1]
    vector = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    added = np.float32([1, 2, 3]).reshape(shape[1:])
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["m"], keepdims=int(not flat)),
        helper.make_node("Add", ["m", "added"], ["y"]),
    ]
    held = [numpy_helper.from_array(np.int64([2, 3]), "axes"), numpy_helper.from_array(added, "added")]
    graph = helper.make_graph(nodes, "means", [given], [vector], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


SETTINGS = {"height_px": 64, "width_px": 32, "threads": 1}


class TestOthers:
    @pytest.mark.parametrize("batch", [1, "n"])
    @pytest.mark.parametrize("flat", [True, False])
    @pytest.mark.parametrize("colours", ["rgb", "bgr"])
    @pytest.mark.parametrize("at_a_time", [1, 2, 16])
    def test_pixels_become_vectors(
        self, tmp_path: Path, batch: int | str, flat: bool, colours: str, at_a_time: int
    ) -> None:
        """The mean and deviation are of the channels in the network's order."""
        path, mean, std = channel_means(tmp_path / "net.onnx", batch, flat=flat), (10.0, 90.0, 200.0), (2.0, 5.0, 9.0)
        encoder = OnnxEncoder(path, mean=mean, std=std, colours=colours, batch=at_a_time, **SETTINGS)
        channels = CROPS if colours == "rgb" else CROPS[..., ::-1]
        wanted = (channels.astype(float).mean((1, 2)) - mean) / std + (1, 2, 3)
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        found = encoder.encode_crops(CROPS)
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        assert (encoder.length, encoder.size_px, found.dtype) == (3, (64, 32), np.float32)
        assert encoder.encode_crops(CROPS[:0]).shape == (0, 3)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"height_px": 0}, "out of range"),
            ({"batch": 0}, "out of range"),
            ({"threads": -1}, "out of range"),
            ({"std": (1.0, 0.0, 1.0)}, "out of range"),
        ],
    )
    def test_numbers_out_of_range(self, tmp_path: Path, settings: dict, message: str) -> None:
        path = channel_means(tmp_path / "net.onnx", 1)
        with pytest.raises(ConfigError, match=message):
            OnnxEncoder(path, **{**SETTINGS, **settings})

    def test_a_network_for_other_crops_is_refused(self, tmp_path: Path) -> None:
        path = channel_means(tmp_path / "net.onnx", "n", size=(128, 64))
        with pytest.raises(DataError, match="does not take a crop of 64 x 32") as refusal:
            OnnxEncoder(path, **SETTINGS)
        assert refusal.value.file == str(path)

    @pytest.mark.parametrize("name", ["net.onnx", "net.xml"])
    def test_no_such_file_or_another(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataError, match="is not there"):
            OnnxEncoder(tmp_path / name, **SETTINGS)
        if name == "net.xml":
            pytest.importorskip("openvino")
        for content in (b"", b"no network", b"<net/>"):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(DataError):
                OnnxEncoder(tmp_path / name, **SETTINGS)


PLAIN = {"mean": (0, 0, 0), "std": (1, 1, 1), **SETTINGS}


@pytest.fixture(scope="module", params=["osnet_x0_25", "mobilenet_v2"])
def written(request: pytest.FixtureRequest, lively: Make, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A network, its file, and how far the two are apart; that takes seconds."""
    path = tmp_path_factory.mktemp("onnx") / "new" / "net.onnx"
    model = lively(backbone=request.param, mean=(0.2, 0.5, 0.3), vector=24, pooling="gem").train()
    return model, path, export_onnx(model, path)


class TestOurs:
    def test_onnx_runtime_gives_our_vectors(self, written: Written, tmp_path: Path) -> None:
        model, path, apart = written
        assert 0 <= apart < 1e-4
        assert model.training  # as it was
        assert list(path.parent.iterdir()) == [path]  # the weights are inside
        save_model(model, tmp_path / "net.safetensors", {})
        ours = Encoder(tmp_path / "net.safetensors", device="cpu").encode_crops(CROPS)
        for batch in (1, 2, 5):
            theirs = OnnxEncoder(path, **PLAIN, batch=batch)
            np.testing.assert_allclose(theirs.encode_crops(CROPS), ours, atol=1e-4)
        assert np.abs(ours[1:] - ours[:1]).max() > 0.05
        loaded = onnx.load(path)
        assert [one.name for one in loaded.graph.input] == ["crops"]
        assert [one.name for one in loaded.graph.output] == ["vectors"]

    @pytest.fixture
    def _copied(self, written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
        """The exporter writes that file, whatever it is given."""
        monkeypatch.setattr(torch.onnx, "export", lambda net, given, path, **named: shutil.copy(written[1], path))

    @pytest.mark.usefixtures("_copied")
    def test_a_file_of_another_network_does_not_stay(self, written: Written, tmp_path: Path) -> None:
        model = copy.deepcopy(written[0])
        assert export_onnx(model, tmp_path / "net.onnx") == written[2]
        (tmp_path / "net.onnx").unlink()
        model.reduce.bias.data[3] += 0.05
        with pytest.raises(DataError, match=r"ONNX Runtime's vectors are .* off"):
            export_onnx(model, tmp_path / "net.onnx")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.usefixtures("_copied")
    @pytest.mark.parametrize("value", [np.nan, 0.0])
    def test_a_file_that_is_wrong_for_several_crops_does_not_stay(
        self, written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
    ) -> None:
        class FirstAlone(OnnxEncoder):
            def encode_crops(self, crops: np.ndarray) -> np.ndarray:
                found = super().encode_crops(crops)
                found[1:] = value
                return found

        monkeypatch.setattr(export, "OnnxEncoder", FirstAlone)
        (tmp_path / "net.onnx").write_text("what was there")
        with pytest.raises(DataError, match=r"ONNX Runtime's vectors are .* off"):
            export_onnx(written[0], tmp_path / "net.onnx")
        assert (tmp_path / "net.onnx").read_text() == "what was there"
        assert len(list(tmp_path.iterdir())) == 1
