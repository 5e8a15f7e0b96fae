from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gocv.core import ConfigError, DataError, HandEncoder
from gocv.data.config import build
from gocv.interact.hands import OnnxHandEncoder
from gocv.interact.hands.batches import HandBatches, VarySettings, varied
from gocv.interact.hands.data import read_hand_pictures
from gocv.interact.hands.export import HoldsCalibration
from gocv.interact.hands.training import HandTrainSettings, contrastive, train_hands

SIZE = 16


def write_visit(folder: Path, seed: int, articles: int = 4) -> None:
    """Hands on grey; what they hold is a patch of a colour of its own."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (articles, 3))
    article = np.tile(np.arange(-1, articles), 8)
    crops = rng.integers(100, 120, (len(article), SIZE, SIZE, 3))
    for crop, one in zip(crops, article, strict=True):
        if one >= 0:
            crop[5:11, 5:11] = colours[one]
    catalogue = np.full((articles, 3, 24, 24, 3), 255)
    catalogue[:, :, 6:18, 6:18] = colours[:, None, None, None]
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"visit-{seed}.npz",
        crops=crops.astype(np.uint8),
        article=article,
        visible=np.ones(len(article), bool),
        pasted=np.arange(len(article)) >= len(article) - 4,
        held=np.where(article >= 0, "x", ""),
        catalogue=catalogue.astype(np.uint8),
    )


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> HandTrainSettings:
    root = tmp_path_factory.mktemp("hands")
    for seed in range(6):
        write_visit(root / ("train" if seed < 4 else "tune"), seed)
    return build(
        HandTrainSettings,
        {
            "data": {"train": str(root / "train"), "tune": str(root / "tune")},
            "model": {"size": SIZE, "widths": [8, 8, 8], "joined": 16, "vector": 8},
            "batch": {"articles": 8, "pictures": 2, "catalogue": 1, "others": 16, "steps": 12},
            "rate": 0.01,
            "loop": {"epochs": 3, "accelerator": "cpu", "tensorboard": False},
        },
    )


@pytest.fixture(scope="module")
def trained(settings: HandTrainSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train_hands(settings, tmp_path_factory.mktemp("run"))
    finally:
        torch.set_num_threads(before)


def test_a_training_learns_what_holds_something_and_what_it_is(trained: Path) -> None:
    rows = (trained.parent / "metrics.csv").read_text(encoding="utf-8").splitlines()
    last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    assert float(last["holds_auc"]) > 0.8, "some of what is held is as grey as the rest"
    assert float(last["top_1"]) > 0.5, "a quarter by chance"


def test_the_file_gives_probabilities_and_unit_vectors(trained: Path, settings: HandTrainSettings) -> None:
    encoder = OnnxHandEncoder(trained, batch=3)
    assert isinstance(encoder, HandEncoder)
    pictures = read_hand_pictures(settings.data.tune)
    holds, vector = encoder.encode(pictures.crops[:8])
    assert (holds.shape, vector.shape, holds.dtype) == ((8,), (8, 8), np.float32)
    assert ((holds >= 0) & (holds <= 1)).all()
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(pictures.crops[:1])[1], vector[:1], atol=1e-5)
    assert encoder.encode(pictures.crops[:0])[1].shape == (0, 8)


def test_crops_of_another_size_are_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="16, 16"):
        OnnxHandEncoder(trained).encode(np.zeros((2, 8, 8, 3), np.uint8))
    with pytest.raises(ConfigError):
        OnnxHandEncoder(trained, batch=0)
    (tmp_path / "other.onnx").write_bytes(b"no network")
    for name in ("other.onnx", "none.onnx"):
        with pytest.raises(DataError, match="gocv train hands"):
            OnnxHandEncoder(tmp_path / name)


def test_a_training_takes_crops_of_its_size(settings: HandTrainSettings, tmp_path: Path) -> None:
    model = settings.model.model_copy(update={"size": 24})
    with pytest.raises(ConfigError, match="16 pixels"):
        train_hands(settings.model_copy(update={"model": model}), tmp_path)


def test_batches_are_the_same_whatever_was_drawn_before(settings: HandTrainSettings) -> None:
    pictures = read_hand_pictures(settings.data.train)
    first, second = (HandBatches(pictures, settings.batch, settings.vary, seed=3) for _ in range(2))
    first[0, 0]
    for a, b in zip(first[1, 4], second[1, 4], strict=True):
        torch.testing.assert_close(a, b, equal_nan=True)
    assert not torch.equal(first[1, 4].pixels, first[1, 5].pixels)


def test_a_batch_asks_of_each_picture_what_is_known(settings: HandTrainSettings) -> None:
    batch = HandBatches(read_hand_pictures(settings.data.train), settings.batch, settings.vary, seed=3)[0, 0]
    catalogue = torch.isnan(batch.holds)
    assert int(catalogue.sum()) == 8
    assert (batch.article[catalogue] >= 0).all()
    assert (batch.article[batch.holds == 0] == -1).all()
    assert (batch.holds[:16] == 1).all()


def test_pictures_without_variation_are_as_they_were() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    still = VarySettings(mirror=0, shift=0, zoom=0, turn_deg=0, light=0, tint=0, noise=0)
    found = varied(crops, still, np.random.default_rng(1))
    np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), crops, atol=1e-2)
    assert np.abs(varied(crops, VarySettings(), np.random.default_rng(1)).numpy() - found.numpy()).max() > 10


def test_the_contrastive_loss_is_that_of_its_paper() -> None:
    vector = torch.nn.functional.normalize(torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    label, tau, total = [0, 0, 1, 1, 1], 0.3, 0.0
    for i in range(5):
        others = [j for j in range(5) if j != i]
        bottom = sum(np.exp(float(vector[i] @ vector[j]) / tau) for j in others)
        same = [j for j in others if label[j] == label[i]]
        total -= sum(np.log(np.exp(float(vector[i] @ vector[j]) / tau) / bottom) for j in same) / len(same)
    assert float(contrastive(vector, torch.tensor(label), tau)) == pytest.approx(total / 5, rel=1e-5)


def test_probabilities_are_made_to_fit() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < 0.3
    logit = 3 * (np.log(0.3 / 0.7) + 2 * (rng.normal(np.where(truth, 1.0, -1.0)))) + 1.5
    found = HoldsCalibration.fit(logit, truth, np.ones(4000, bool))
    assert found.slope == pytest.approx(1 / 3, rel=0.1)
    assert found.offset == pytest.approx(-0.5, abs=0.15)
    with pytest.raises(DataError, match="some of each"):
        HoldsCalibration.fit(logit, truth, truth)
