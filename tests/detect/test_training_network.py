"""The network, its weights from Darknet, and its maps read by torch and by numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as f

from gocv.core import DataError
from gocv.detect import heads
from gocv.detect.training.darknet import load_darknet
from gocv.detect.training.network import ANCHORS, STRETCH, STRIDES, PersonNet, decode
from gocv.detect.training.weights import load_weights

LAYERS = [
    *[(3, 32, 3), (32, 64, 3)],
    *[(64, 64, 3), (32, 32, 3), (32, 32, 3), (64, 64, 1)],
    *[(128, 128, 3), (64, 64, 3), (64, 64, 3), (128, 128, 1)],
    *[(256, 256, 3), (128, 128, 3), (128, 128, 3), (256, 256, 1)],
    *[(512, 512, 3), (512, 256, 1), (256, 512, 3), (512, 255, 0), (256, 128, 1), (384, 256, 3), (256, 255, 0)],
]
"""Channels in and out, and size, of the convolutions of yolov4-tiny.cfg; size 0 is 1 without normalisation."""


class Reference:
    """YOLOv4-tiny as its .cfg has it, layer after layer, with the normalisation as a step of its own."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.layers, parts = [], [np.zeros(5, np.float32)]
        for taken, given, size in LAYERS:
            kernel = rng.normal(0, (2 / (taken * max(size, 1) ** 2)) ** 0.5, (given, taken, max(size, 1), max(size, 1)))
            if size:
                shift, mean = rng.normal(0, 0.1, (2, given))
                scale, variance = rng.uniform(0.5, 1.5, (2, given))
                parts += [shift, scale, mean, variance, kernel.ravel()]
                self.layers.append(
                    [torch.tensor(v, dtype=torch.float32) for v in (kernel, mean, variance, scale, shift)]
                )
            else:
                bias = rng.normal(0, 0.1, given)
                parts += [bias, kernel.ravel()]
                self.layers.append([torch.tensor(v, dtype=torch.float32) for v in (kernel, bias)])
        self.values = np.concatenate(parts).astype(np.float32)

    def layer(self, number: int, x: torch.Tensor, stride: int = 1) -> torch.Tensor:
        kernel, *rest = self.layers[number]
        if len(rest) == 1:
            return f.conv2d(x, kernel, rest[0])
        mean, variance, scale, shift = rest
        out = f.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        return f.leaky_relu(f.batch_norm(out, mean, variance, scale, shift), 0.1)

    def __call__(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.layer(1, self.layer(0, pixels / 255, 2), 2)
        for first in (2, 6, 10):
            whole = self.layer(first, x)
            second = self.layer(first + 1, whole[:, whole.shape[1] // 2 :])
            side = self.layer(first + 3, torch.cat([self.layer(first + 2, second), second], 1))
            x = f.max_pool2d(torch.cat([whole, side], 1), 2)
        deep = self.layer(15, self.layer(14, x))
        coarse = self.layer(17, self.layer(16, deep))
        up = self.layer(18, deep).repeat_interleave(2, 2).repeat_interleave(2, 3)
        return coarse, self.layer(20, self.layer(19, torch.cat([up, side], 1)))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(0)


@pytest.fixture(scope="module")
def net(reference: Reference, tmp_path_factory: pytest.TempPathFactory) -> PersonNet:
    file = tmp_path_factory.mktemp("darknet") / "yolov4-tiny.weights"
    reference.values.tofile(file)
    net = PersonNet()
    load_weights(net, file)
    return net.eval()


@torch.no_grad()
def test_weights_of_darknet_give_what_its_layers_give(net: PersonNet, reference: Reference) -> None:
    pixels = torch.rand(1, 3, 96, 64, generator=torch.Generator().manual_seed(0)) * 255
    for ours, whole in zip(net(pixels), reference(pixels), strict=True):
        person = whole.unflatten(1, (3, 85))[:, :, :6].flatten(1, 2)
        torch.testing.assert_close(ours, person, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_values_is_refused(reference: Reference, tmp_path: Path, change: int) -> None:
    file = tmp_path / "other.weights"
    np.resize(reference.values, len(reference.values) + change).tofile(file)
    with pytest.raises(DataError, match=r"values.*expected \d+"):
        load_darknet(PersonNet(), file)


@torch.no_grad()
def test_torch_and_numpy_read_the_same_boxes(net: PersonNet) -> None:
    maps = net(torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(1)) * 255)
    said = decode(maps)
    arrays = [m[0].numpy() for m in maps]
    found = heads.anchored(*arrays, strides=STRIDES, anchors=ANCHORS, stretch=STRETCH, min_score=0.0)
    np.testing.assert_allclose(found.xyxy, said.xyxy[0].numpy(), rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(found.score, said.logits[0].sigmoid().prod(-1).numpy(), rtol=1e-4)


def test_weights_that_were_saved_come_back(net: PersonNet, tmp_path: Path) -> None:
    save_file(net.state_dict(), tmp_path / "model.safetensors")
    again = PersonNet()
    load_weights(again, tmp_path / "model.safetensors")
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx", "absent.onnx"])
def test_what_holds_no_weights_is_refused(tmp_path: Path, name: str) -> None:
    pytest.importorskip("onnx")
    if not name.startswith("absent"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=name):
        load_weights(PersonNet(), tmp_path / name)


def test_what_comes_with_gocv_can_be_learnt_on_from() -> None:
    pytest.importorskip("onnx")
    net = PersonNet()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    load_weights(net)
    assert not any(torch.equal(value, before[name]) for name, value in net.state_dict().items())
