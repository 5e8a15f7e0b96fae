from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gocv.core import ConfigError, DataError, MissingDependencyError
from gocv.data.networks import Network, Port

PICTURE = np.arange(24, dtype=np.uint8).reshape(1, 3, 2, 4)


@pytest.fixture
def weights(mirror: Path) -> Path:
    """Of a network that reshapes (1, 3, 2, 4) to (1, 6, 4)."""
    return mirror.with_suffix(".onnx")


def said(weights: Path, text: str) -> Path:
    """The network with something under the key `about` of its metadata."""
    onnx = pytest.importorskip("onnx")
    model = onnx.load(weights)
    onnx.helper.set_model_props(model, {"about": text})
    onnx.save(model, weights)
    return weights


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_network_says_what_it_takes_and_brings_what_it_is_given_to_that_type(weights: Path, runtime: Any) -> None:
    pytest.importorskip(runtime)
    network = Network(weights, runtime=runtime, threads=1)
    assert network.inputs == (Port("x", (1, 3, 2, 4), np.dtype(np.float32)),)
    assert network.outputs == (Port("y", (1, 6, 4), np.dtype(np.float32)),)
    (found,) = network.run(PICTURE)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, PICTURE.reshape(1, 6, 4))
    (found,) = network.run(PICTURE[..., ::-1])  # not contiguous
    np.testing.assert_array_equal(found, PICTURE[..., ::-1].reshape(1, 6, 4))


def test_openvino_takes_more_than_one_where_it_is_asked_to(weights: Path) -> None:
    pytest.importorskip("openvino")
    assert Network(weights, runtime="openvino").inputs[0].shape[0] == 1
    assert Network(weights, runtime="openvino", any_batch=True).inputs[0].shape[0] is None


@pytest.mark.parametrize(
    ("options", "part"),
    [({"runtime": "tensorrt"}, "'onnxruntime' or 'openvino'"), ({"threads": 0}, "threads.*at least 1")],
)
def test_wrong_arguments_are_explained(weights: Path, options: dict[str, Any], part: str) -> None:
    with pytest.raises(ConfigError, match=part):
        Network(weights, **options)


@pytest.mark.parametrize("content", [None, b"", b"no network"])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_what_is_no_network_is_refused_with_what_was_wanted(
    tmp_path: Path, runtime: Any, content: bytes | None
) -> None:
    pytest.importorskip(runtime)
    if content is not None:
        (tmp_path / "some.onnx").write_bytes(content)
    with pytest.raises(DataError, match=r"some\.onnx.*expected what finds hands") as caught:
        Network(tmp_path / "some.onnx", runtime=runtime, wanted="what finds hands")
    assert "\n" not in str(caught.value)


def test_another_number_of_inputs_is_refused(weights: Path) -> None:
    with pytest.raises(DataError, match="has 1 inputs, not 2"):
        Network(weights, inputs=2)
    assert len(Network(weights, inputs=None).inputs) == 1


def test_a_missing_openvino_is_named(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingDependencyError, match=r"pip install gocv\[openvino\]"):
        Network(weights, runtime="openvino")


def test_a_network_says_what_it_is(weights: Path) -> None:
    with pytest.raises(DataError, match="about"):
        Network(weights).about("about")
    network = Network(said(weights, json.dumps({"classes": ["take"]})))
    assert network.about("about", "classes") == {"classes": ["take"]}
    with pytest.raises(DataError, match="about: prior"):
        network.about("about", "classes", "prior")


@pytest.mark.parametrize("text", ["", "take", "[1]"])
def test_what_it_says_must_be_an_object(weights: Path, text: str) -> None:
    with pytest.raises(DataError, match="does not say what it is"):
        Network(said(weights, text)).about("about")
