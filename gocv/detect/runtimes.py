"""The engines that run a network: ONNX Runtime, and OpenVINO where it is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, MissingDependencyError

RuntimeName = Literal["onnxruntime", "openvino"]


class Runtime(Protocol):
    """A loaded network with one input.

    Attributes:
        input_shape: Its axes; None where any length goes.
        outputs: Names of its outputs.
    """

    input_shape: tuple[int | None, ...]
    outputs: tuple[str, ...]

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[Any]]:
        """The outputs, in their order."""
        ...


def load(runtime: RuntimeName, weights: Path, threads: int | None) -> Runtime:
    """Load a network.

    Raises:
        ConfigError: There is no such runtime.
        DataError: The file is not a network that the runtime can read, or has more than one input.
        MissingDependencyError: The runtime is not installed.
    """
    kinds: dict[str, Any] = {"onnxruntime": _OnnxRuntime, "openvino": _OpenVino}
    if runtime not in kinds:
        raise ConfigError(f"there is no runtime '{runtime}'", key="runtime", expected="'onnxruntime' or 'openvino'")
    loaded: Runtime = kinds[runtime](weights, threads)
    return loaded


class _OnnxRuntime:
    def __init__(self, weights: Path, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for work by spinning take the cores from the video decoder in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                weights.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library raises classes that it does not export
            raise DataError(f"is not a network that ONNX Runtime can read: {error}", file=weights) from error
        inputs = self._session.get_inputs()
        _check_inputs(len(inputs), weights)
        self._input = inputs[0].name
        self._dtype = _DTYPES.get(inputs[0].type, np.float32)
        self.input_shape = tuple(d if isinstance(d, int) else None for d in inputs[0].shape)
        self.outputs = tuple(o.name for o in self._session.get_outputs())

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[Any]]:
        return list(self._session.run(None, {self._input: batch.astype(self._dtype, copy=False)}))


class _OpenVino:
    def __init__(self, weights: Path, threads: int | None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise MissingDependencyError(
                "the runtime 'openvino' needs OpenVINO", expected="pip install gocv[openvino]"
            ) from error
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            model = openvino.Core().read_model(weights)
            self._compiled = openvino.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise DataError(f"is not a network that OpenVINO can read: {error}", file=weights) from error
        _check_inputs(len(self._compiled.inputs), weights)
        shape = self._compiled.input(0).partial_shape
        self._dtype = self._compiled.input(0).element_type.to_dtype()
        self.input_shape = tuple(None if d.is_dynamic else d.get_length() for d in shape)
        self.outputs = tuple(next(iter(o.names), f"output {i}") for i, o in enumerate(self._compiled.outputs))

    def run(self, batch: NDArray[np.float32]) -> list[NDArray[Any]]:
        results = self._compiled([batch.astype(self._dtype, copy=False)])
        return [results[i] for i in range(len(self.outputs))]


_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def _check_inputs(count: int, weights: Path) -> None:
    if count != 1:
        raise DataError(f"the network has {count} inputs", file=weights, expected="one, the picture")
