"""Networks in files, opened and run by ONNX Runtime, or by OpenVINO where it is installed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from gocv.core import ConfigError, DataError, MissingDependencyError

RuntimeName = Literal["onnxruntime", "openvino"]


@dataclasses.dataclass(frozen=True, slots=True)
class Port:
    """An input or an output of a network.

    Attributes:
        name: As the file has it.
        shape: Length of each axis; None where any goes.
        dtype: Of its values.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


class Network:
    """A network in a file.

    Args:
        weights: The file: `.onnx`, and with OpenVINO `.xml` as well.
        runtime: "onnxruntime", or "openvino", which is an optional extra.
        threads: That the runtime may use; None leaves it to the runtime.
        inputs: How many the network must have; None takes any number.
        any_batch: Whether OpenVINO is to make the first axis of all inputs free, whatever the file says.
        wanted: What the file should be, for errors.

    Attributes:
        file: It is in.
        inputs: In the order in which `run` takes them.
        outputs: In the order in which `run` gives them.

    Raises:
        ConfigError: There is no such runtime, or `threads` is below 1.
        DataError: The file is missing, is not a network that the runtime can read, or has other inputs.
        MissingDependencyError: The runtime is not installed.
    """

    def __init__(
        self,
        weights: str | Path,
        *,
        runtime: RuntimeName = "onnxruntime",
        threads: int | None = None,
        inputs: int | None = 1,
        any_batch: bool = False,
        wanted: str = "a network",
    ) -> None:
        if runtime not in ("onnxruntime", "openvino"):
            raise ConfigError(f"there is no runtime '{runtime}'", key="runtime", expected="'onnxruntime' or 'openvino'")
        if threads is not None and threads < 1:
            raise ConfigError(f"is {threads}", key="threads", expected="at least 1, or none given")
        self.file, self._wanted = Path(weights), wanted
        if not self.file.is_file():
            raise DataError("is not there", file=self.file, expected=wanted)
        self._engine: _Engine
        if runtime == "openvino":
            self._engine = _OpenVino(self.file, threads, any_batch, wanted)
        else:
            self._engine = _OnnxRuntime(self.file, threads, wanted)
        self.inputs, self.outputs = self._engine.inputs, self._engine.outputs
        if inputs is not None and len(self.inputs) != inputs:
            problem = f"the network has {len(self.inputs)} inputs, not {inputs}"
            raise DataError(problem, file=self.file, expected=wanted)

    def run(self, *given: NDArray[Any]) -> list[NDArray[Any]]:
        """The outputs for an array of each input, brought to the input's type; in the order of `outputs`."""
        pairs = zip(given, self.inputs, strict=True)
        return self._engine.run([np.ascontiguousarray(array, port.dtype) for array, port in pairs])

    def about(self, key: str, *names: str) -> dict[str, Any]:
        """What an ONNX file says of itself: a JSON object in its metadata.

        Args:
            key: Under which it stands there.
            names: That the object must have.

        Raises:
            DataError: It is not there, is no object, or lacks a name.
        """
        try:
            said = dict(json.loads(self._engine.metadata[key]))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError("does not say what it is", file=self.file, key=key, expected=self._wanted) from error
        for name in names:
            if name not in said:
                raise DataError("is not said", file=self.file, key=f"{key}: {name}", expected=self._wanted)
        return said


class _Engine(Protocol):
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]

    def run(self, given: list[NDArray[Any]]) -> list[NDArray[Any]]: ...


class _OnnxRuntime:
    def __init__(self, file: Path, threads: int | None, wanted: str) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that wait for work by spinning take the cores from the video decoder in between.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the library raises classes that it does not export
            raise _unreadable("ONNX Runtime", error, file, wanted) from error
        self.inputs = tuple(_port_of(one) for one in self._session.get_inputs())
        self.outputs = tuple(_port_of(one) for one in self._session.get_outputs())
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, given: list[NDArray[Any]]) -> list[NDArray[Any]]:
        names = (port.name for port in self.inputs)
        return list(self._session.run(None, dict(zip(names, given, strict=True))))


class _OpenVino:
    def __init__(self, file: Path, threads: int | None, any_batch: bool, wanted: str) -> None:
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
            model = openvino.Core().read_model(file)
            if any_batch:
                model.reshape({one: [-1, *list(one.partial_shape)[1:]] for one in model.inputs})
            self._compiled = openvino.compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise _unreadable("OpenVINO", error, file, wanted) from error
        self.inputs = tuple(_port(one, f"input {i}") for i, one in enumerate(self._compiled.inputs))
        self.outputs = tuple(_port(one, f"output {i}") for i, one in enumerate(self._compiled.outputs))
        self.metadata: Mapping[str, str] = {}

    def run(self, given: list[NDArray[Any]]) -> list[NDArray[Any]]:
        results = self._compiled(given)
        return [results[i] for i in range(len(self.outputs))]


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
    "tensor(int8)": np.int8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def _port_of(node: Any) -> Port:
    """Of ONNX Runtime."""
    shape = tuple(length if isinstance(length, int) else None for length in node.shape)
    return Port(node.name, shape, np.dtype(_DTYPES.get(node.type, np.float32)))


def _port(node: Any, otherwise: str) -> Port:
    """Of OpenVINO, where nodes need not have a name."""
    shape = tuple(None if length.is_dynamic else length.get_length() for length in node.partial_shape)
    return Port(next(iter(node.names), otherwise), shape, np.dtype(node.element_type.to_dtype()))


def _unreadable(runtime: str, error: Exception, file: Path, wanted: str) -> DataError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"is not a network that {runtime} can read: {reason}", file=file, expected=wanted)
