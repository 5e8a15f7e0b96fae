"""Trees: numpy gives what scikit-learn gives, also of what is not known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from gocv.core import DataError
from gocv.interact.labelled import LabelledClips, one_hot
from gocv.interact.trees import fit_trees, read_forest, write_forest

CLASSES = ("take", "return", "touch", "none")


def labelled(features: np.ndarray, label: np.ndarray, classes: tuple[str, ...] = CLASSES) -> LabelledClips:
    n = len(features)
    return LabelledClips(
        classes,
        (),
        tuple(f"number {i}" for i in range(features.shape[1])),
        frames=np.zeros((n, 1, 0), np.float32),
        inside=np.ones((n, 1), bool),
        features=features,
        target=one_hot(label, len(classes)),
        label=np.full((n, 1), -1),
        visit=np.arange(n),
    )


@pytest.fixture(scope="module", params=[2, 4])
def learnt(request) -> tuple[LabelledClips, LabelledClips]:
    """What is learnt from and other clips: classes that two of five numbers tell, a fifth of the numbers unknown."""
    rng = np.random.default_rng(request.param)
    features = rng.normal(size=(600, 5)).astype(np.float32)
    label = ((features[:, 0] > 0).astype(int) + 2 * (features[:, 1] > 0.3)) % request.param
    features[rng.random(features.shape) < 0.2] = np.nan
    clips = labelled(features, label, CLASSES[: request.param])
    return clips[:400], clips[400:]


def test_probabilities_are_those_of_scikit_learn(learnt) -> None:
    clips, others = learnt
    settings = {
        "max_iter": 20,
        "max_leaf_nodes": 8,
        "min_samples_leaf": 10,
        "learning_rate": 0.1,
        "l2_regularization": 1.0,
    }
    forest = fit_trees(clips, **settings)
    theirs = HistGradientBoostingClassifier(**settings, early_stopping=False, random_state=0)
    theirs.fit(clips.features, clips.target.argmax(axis=1))
    np.testing.assert_allclose(forest.probabilities(others), theirs.predict_proba(others.features), atol=1e-5)


def test_a_file_gives_the_same_trees(learnt, tmp_path) -> None:
    clips, others = learnt
    forest = fit_trees(clips, others, max_iter=5)
    assert forest.temperature != 1.0
    write_forest(forest, tmp_path / "trees.safetensors")
    again = read_forest(tmp_path / "trees.safetensors")
    assert (again.classes, again.numbers, again.temperature) == (forest.classes, forest.numbers, forest.temperature)
    np.testing.assert_array_equal(again.probabilities(others), forest.probabilities(others))


def test_a_share_counts_as_a_share_and_a_clip_of_no_class_not_at_all() -> None:
    features = np.repeat(np.array([[0.0], [1.0]], np.float32), 40, axis=0)
    clips = labelled(features, np.repeat([0, 1], 40), ("a", "b"))
    shared = dataclasses.replace(clips, target=np.where(clips.target > 0, np.float32(0.75), np.float32(0.25)))
    forest = fit_trees(shared, max_iter=200, learning_rate=0.3, l2_regularization=0.0)
    np.testing.assert_allclose(forest.probabilities(clips)[[0, -1], 0], [0.75, 0.25], atol=0.02)
    doubled = LabelledClips.concatenate([clips, dataclasses.replace(clips, target=np.zeros_like(clips.target))])
    np.testing.assert_array_equal(fit_trees(doubled).probabilities(clips), fit_trees(clips).probabilities(clips))


def test_a_class_of_which_there_is_nothing_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="'touch'"):
        fit_trees(labelled(np.zeros((3, 1), np.float32), np.array([0, 1, 3])))


def test_a_file_that_holds_no_trees_is_refused(tmp_path) -> None:
    for text in (None, b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "):
        path = tmp_path / "no.safetensors"
        if text is not None:
            path.write_bytes(text)
        with pytest.raises(DataError, match=r"no\.safetensors"):
            read_forest(path)
