"""Networks written to ONNX: small, without traces, and the same as in torch."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from gocv.core import DataError, MissingDependencyError
from gocv.data.networks import Network
from gocv.train.export import check_close, folded, free_batch, rounded, with_rounded_kernels, write_onnx


@pytest.fixture(scope="module")
def net() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 64, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 8, 3))
    with torch.no_grad():
        for _ in range(3):
            net(torch.randn(8, 3, 12, 12) * 3 + 1)
    return net.eval()


def written(net: nn.Module, path: Path, **options: Any) -> Network:
    pytest.importorskip("onnxscript")
    named: dict[str, Any] = {"inputs": ["pixels"], "outputs": ["map"], "axes": free_batch("input")}
    write_onnx(net, (torch.zeros(2, 3, 12, 12),), path, **named, **options)
    return Network(path, threads=1)


def test_a_file_gives_what_torch_gives_for_any_number_of_pictures(net: nn.Module, tmp_path: Path) -> None:
    network = written(net, tmp_path / "net.onnx", about={"what": {"a": 1}})
    assert ([p.name for p in network.inputs], [p.name for p in network.outputs]) == (["pixels"], ["map"])
    assert network.about("what") == {"a": 1}
    for n in (1, 5):
        given = torch.randn(n, 3, 12, 12)
        with torch.inference_mode():
            wanted = net(given).numpy()
        assert check_close(network.run(given.numpy()), [wanted], most=1e-4, file="net.onnx") < 1e-4


def test_a_file_does_not_say_where_it_was_written(net: nn.Module, tmp_path: Path) -> None:
    written(net, tmp_path / "net.onnx")
    content = (tmp_path / "net.onnx").read_bytes()
    for trace in (Path(torch.__file__).parent, Path(__file__).parents[2], ".py"):
        assert str(trace).encode() not in content


def test_int8_takes_less_room_and_is_float32_arithmetic_on_rounded_kernels(net: nn.Module, tmp_path: Path) -> None:
    whole, small = written(net, tmp_path / "whole.onnx"), written(net, tmp_path / "small.onnx", int8=True)
    assert small.file.stat().st_size < 0.5 * whole.file.stat().st_size
    given = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        wanted, exact = with_rounded_kernels(net)(given).numpy(), net(given).numpy()
    check_close(small.run(given.numpy()), [wanted], most=1e-4, file=small.file)
    assert np.abs(wanted - exact).max() > 1e-3


def test_batch_normalisation_becomes_part_of_the_convolution_before_it(net: nn.Module) -> None:
    before = copy.deepcopy(net.state_dict())
    found = folded(net)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in found.modules())
    given = torch.randn(2, 3, 12, 12)
    with torch.inference_mode():
        torch.testing.assert_close(found(given), net(given), atol=1e-5, rtol=1e-4)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("shape", [(4, 7), (5, 3, 2, 2)])
def test_rounded_kernels_are_half_a_step_off_at_most(shape: tuple[int, ...]) -> None:
    kernel = np.random.default_rng(0).normal(0, 3, shape).astype(np.float32)
    kernel[1] = 0
    whole, scale = rounded(kernel)
    assert (whole.dtype, scale.shape) == (np.int8, (shape[0], *[1] * (len(shape) - 1)))
    assert (np.abs(whole * scale - kernel) <= 0.5001 * scale).all()
    np.testing.assert_allclose(scale.ravel()[[0, 2]], np.abs(kernel[[0, 2]]).reshape(2, -1).max(1) / 127, rtol=1e-6)


@pytest.mark.parametrize("found", [1.2, np.nan])
def test_what_is_further_off_than_it_may_be_is_refused(found: float) -> None:
    with pytest.raises(DataError, match=r"net\.onnx: ONNX Runtime's maps are .* off \(expected 0\.1 at most"):
        check_close([np.ones(3), np.array([found])], [np.ones(3), np.ones(1)], most=0.1, file="net.onnx", what="maps")


def test_a_missing_exporter_is_named(net: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'gocv\[train\]'"):
        write_onnx(net, (), tmp_path / "net.onnx", inputs=[], outputs=[], axes={})
