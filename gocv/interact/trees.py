"""Boosted trees over the numbers of an episode: scikit-learn learns them, numpy runs them, plain numbers keep them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file
from scipy.special import log_softmax, softmax

from gocv.core import DataError
from gocv.data.files import written_whole
from gocv.interact.calibrate import fit_temperature
from gocv.interact.clips import Clips
from gocv.interact.labelled import LabelledClips

Float32 = NDArray[np.float32]
Int32 = NDArray[np.int32]

_KEY = "gocv.interact.trees"
_COLUMNS = ("feature", "threshold", "unknown_left", "left", "right", "value", "roots", "start", "prior")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees whose leaves add up to log odds (Friedman 2001, "Greedy function approximation", algorithm 6).

    Attributes:
        classes: Names.
        numbers: Names of the K numbers that are asked for.
        feature: (N,) int32, number that a node asks for; -1 at a leaf.
        threshold: (N,) float32, the number is at most this on the left.
        unknown_left: (N,) bool, whether what is not known goes left.
        left: (N,) int32, node on the left.
        right: (N,) int32, node on the right.
        value: (N,) float32, of a leaf.
        roots: (R, C) int32, first node of each tree.
        start: (C,) float32, log odds before all trees.
        prior: (C,) float32, share of each class in what was learnt from.
        temperature: By which log odds are divided (Guo et al. 2017, arXiv:1706.04599, §4.2).
    """

    classes: tuple[str, ...]
    numbers: tuple[str, ...]
    feature: Int32
    threshold: Float32
    unknown_left: NDArray[np.bool_]
    left: Int32
    right: Int32
    value: Float32
    roots: Int32
    start: Float32
    prior: Float32
    temperature: float = 1.0

    def logits(self, features: Float32) -> NDArray[np.float64]:
        """(n, C) log odds of (n, K) numbers, before the temperature."""
        node = np.broadcast_to(self.roots.reshape(-1), (len(features), self.roots.size)).copy()
        rows = np.arange(len(features))[:, None]
        while (asks := self.feature[node] >= 0).any():
            asked = features[rows, np.maximum(self.feature[node], 0)]
            unknown = np.isnan(asked)
            goes_left = np.where(unknown, self.unknown_left[node], asked <= self.threshold[node])
            node = np.where(asks, np.where(goes_left, self.left[node], self.right[node]), node)
        leaves = self.value[node].reshape(len(features), *self.roots.shape)
        return np.asarray(leaves.sum(axis=1, dtype=np.float64) + self.start)

    def probabilities(self, clips: Clips | LabelledClips) -> NDArray[np.float64]:
        """(n, C) of each class, if classes are as frequent as in what was learnt from."""
        return np.asarray(softmax(self.logits(clips.features) / self.temperature, axis=1))


def fit_trees(clips: LabelledClips, held_out: LabelledClips | None = None, *, seed: int = 0, **settings: Any) -> Forest:
    """Learn trees.

    Args:
        clips: What is learnt from; a clip of two classes counts for each by its share.
        held_out: Other visits, which set the temperature; it stays 1 without.
        seed: Of everything random.
        **settings: Of `sklearn.ensemble.HistGradientBoostingClassifier`.

    Raises:
        DataError: A class has no clip.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]

    row, label = np.nonzero(clips.target > 0)
    weight = clips.target[row, label]
    if len(np.unique(label)) < len(clips.classes):
        missing = [name for i, name in enumerate(clips.classes) if i not in label]
        raise DataError(f"no clip is of class '{missing[0]}'", key="target", expected="some of each class")
    chosen = {
        "max_iter": 150,
        "learning_rate": 0.08,
        "max_leaf_nodes": 12,
        "min_samples_leaf": 15,
        "l2_regularization": 1.0,
    }
    model = HistGradientBoostingClassifier(**{**chosen, **settings}, early_stopping=False, random_state=seed)
    known = np.where(np.isfinite(clips.features).any(axis=0), clips.features, np.float32(0))  # it cannot bin nothing
    model.fit(known[row], label, sample_weight=weight)
    forest = _forest(model, clips, np.bincount(label, weight, minlength=len(clips.classes)))
    if held_out is None or not len(held_out):
        return forest
    found = fit_temperature(log_softmax(forest.logits(held_out.features), axis=1), held_out.target)
    return dataclasses.replace(forest, temperature=found)


def _forest(model: Any, clips: LabelledClips, weight: NDArray[Any]) -> Forest:
    """What scikit-learn has learnt, as arrays. With two classes it has one tree a round, for the second."""
    two = len(clips.classes) == 2
    parts, roots, size = [], [], 0
    for trees in model._predictors:
        row = []
        for tree in trees:
            row.append(size)
            parts.append((tree.nodes, size))
            size += len(tree.nodes)
        roots.append(row)
    nodes = np.concatenate([part for part, _ in parts])
    offset = np.concatenate([np.full(len(part), first) for part, first in parts])
    leaf = nodes["is_leaf"].astype(bool)
    start = np.asarray(model._baseline_prediction, np.float64).reshape(-1)
    if two:  # a leaf that says nothing stands for the trees of the first class
        nodes, offset, leaf = np.append(nodes, nodes[leaf][:1]), np.append(offset, 0), np.append(leaf, True)
        nodes[-1]["value"] = 0.0
        roots, start = [[size, *row] for row in roots], np.array([0.0, *start])
    return Forest(
        clips.classes,
        clips.numbers,
        feature=np.where(leaf, -1, nodes["feature_idx"]).astype(np.int32),
        threshold=_rounded_down(nodes["num_threshold"]),
        unknown_left=nodes["missing_go_to_left"].astype(bool),
        left=(nodes["left"] + offset).astype(np.int32),
        right=(nodes["right"] + offset).astype(np.int32),
        value=np.where(leaf, nodes["value"], 0.0).astype(np.float32),
        roots=np.array(roots, np.int32),
        start=start.astype(np.float32),
        prior=(weight / weight.sum()).astype(np.float32),
    )


def _rounded_down(threshold: NDArray[np.float64]) -> Float32:
    """The largest float32 that is no larger: a float32 is at most the one where it is at most the other."""
    near = threshold.astype(np.float32)
    return np.where(near.astype(np.float64) > threshold, np.nextafter(near, np.float32(-np.inf)), near)


def write_forest(forest: Forest, path: Path) -> None:
    """Write trees as safetensors, whole or not at all."""
    about = {"classes": forest.classes, "numbers": forest.numbers, "temperature": forest.temperature}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as temporary:
        columns = {name: np.ascontiguousarray(getattr(forest, name)) for name in _COLUMNS}
        save_file(columns, temporary, {_KEY: json.dumps(about)})


def read_forest(path: Path) -> Forest:
    """Read what `write_forest` wrote.

    Raises:
        DataError: The file is missing or is another one.
    """
    try:
        with safe_open(path, "np") as file:
            about = json.loads((file.metadata() or {})[_KEY])
            columns = {name: file.get_tensor(name) for name in _COLUMNS}
    except (OSError, SafetensorError, KeyError, ValueError) as problem:
        raise DataError(f"cannot be read: {problem}", file=path, expected="trees of write_forest") from problem
    return Forest(tuple(about["classes"]), tuple(about["numbers"]), **columns, temperature=float(about["temperature"]))
