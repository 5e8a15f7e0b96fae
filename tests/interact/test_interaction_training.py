"""A small network learns, goes on, and gives in ONNX what it gives in torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gocv.core import ConfigError, DataError
from gocv.interact.export import export_network
from gocv.interact.hand_network import HandNetwork
from gocv.interact.labelled import LabelledClips, one_hot, write_clips
from gocv.interact.network import InteractionNet, NetworkSettings
from gocv.interact.training import InteractionTrainSettings, train_interaction

SMALL = {"width": 8, "blocks": 2, "dropout": 0.0}
ABOUT = {
    "classes": ["a", "b"],
    "channels": ["x", "y"],
    "numbers": ["k"],
    "prior": [0.5, 0.5],
    "temperature": 2.0,
    "rows": False,
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def made(n: int, seed: int, *, rows: bool = False, numbers: int = 1) -> LabelledClips:
    """Clips whose class is the sign of a step within the rows that they are about; of three classes where rows are."""
    rng = np.random.default_rng(seed)
    classes = ("down", "up", "still") if rows else ("down", "up")
    label, frames = rng.integers(0, len(classes), n), 0.2 * rng.normal(size=(n, 16, 2))
    inside = np.zeros((n, 16), bool)
    inside[:, 5:11] = True
    step = np.array([-1.0, 1.0, 0.0])[label]
    frames[:, 5:11, 0] += step[:, None]
    return LabelledClips(
        classes,
        ("height", "noise"),
        tuple(f"number {i}" for i in range(numbers)),
        frames=frames.astype(np.float32),
        inside=inside,
        features=np.full((n, numbers), np.nan, np.float32),
        target=one_hot(np.full(n, -1) if rows else label, len(classes)),
        label=np.where(inside, label[:, None], len(classes) - 1) if rows else np.full((n, 16), -1),
        visit=np.arange(n),
    )


def settings(folder: Path, *, epochs: int = 4, **changes: Any) -> InteractionTrainSettings:
    loop = {"epochs": epochs, "accelerator": "cpu", "devices": 1, "tensorboard": False}
    values = {
        "data": {"train": [str(folder / "train.safetensors")], "held_out": [str(folder / "held.safetensors")]},
        "network": SMALL,
        "optimizer": {"batch": 16, "rate": 0.01},
        "loop": loop,
        **changes,
    }
    return InteractionTrainSettings.model_validate(values)


@pytest.fixture
def folder(tmp_path) -> Path:
    write_clips(made(96, 0), tmp_path / "train.safetensors")
    write_clips(made(48, 1), tmp_path / "held.safetensors")
    return tmp_path


def test_what_was_learnt_runs_without_torch_and_is_right(folder) -> None:
    weights = train_interaction(settings(folder), folder / "run")
    network, clips = HandNetwork(weights), made(60, 2)
    assert network.classes == ("down", "up")
    assert not network.of_rows
    assert network.prior.sum() == pytest.approx(1, abs=1e-4)
    found = network.probabilities(clips)
    assert (found.argmax(axis=1) == clips.target.argmax(axis=1)).mean() > 0.95
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_training_that_was_stopped_goes_on_to_the_same_end(folder) -> None:
    whole = train_interaction(settings(folder), folder / "whole").read_bytes()
    train_interaction(settings(folder, epochs=4), folder / "parts")
    (folder / "parts" / "model.onnx").unlink()
    assert train_interaction(settings(folder), folder / "parts").read_bytes() == whole


def test_classes_of_rows_are_learnt_with_the_same_settings(folder) -> None:
    for name, seed in (("train", 0), ("held", 1)):
        write_clips(made(96, seed, rows=True, numbers=0), folder / f"{name}.safetensors")
    network, clips = (
        HandNetwork(train_interaction(settings(folder, epochs=8), folder / "run")),
        made(40, 2, rows=True, numbers=0),
    )
    assert network.of_rows
    assert network.classes == ("down", "up", "still")
    assert (network.row_probabilities(clips).argmax(axis=2) == clips.label).mean() > 0.9


def test_a_training_without_clips_names_the_key() -> None:
    with pytest.raises(ConfigError, match=r"data\.train"):
        train_interaction(InteractionTrainSettings(), "nowhere")


@pytest.mark.parametrize("numbers", [0, 1])
def test_the_written_network_gives_what_torch_gives(tmp_path, numbers) -> None:
    torch.manual_seed(0)
    net = InteractionNet(2, numbers, 2, NetworkSettings.model_validate(SMALL))
    about = {**ABOUT, "numbers": ["k"][:numbers]}
    assert export_network(net, tmp_path / "net.onnx", about, frames=10) < 1e-4
    network = HandNetwork(tmp_path / "net.onnx")
    assert network.temperature == 2.0
    clips, rows = network.logits(np.zeros((0, 5, 2), np.float32), np.zeros((0, 5)), np.zeros((0, numbers), np.float32))
    assert clips.shape == (0, 2)
    assert rows.shape == (0, 5, 2)


def test_rows_outside_of_the_clip_are_context_and_numbers_may_be_unknown() -> None:
    torch.manual_seed(0)
    net = InteractionNet(2, 1, 2, NetworkSettings(width=8, blocks=1, dropout=0.0)).eval()
    frames, inside = torch.randn(1, 20, 2), torch.zeros(1, 20)
    inside[:, 8:12] = 1
    changed = frames.clone()
    changed[:, 0] += 10  # further away than the network sees
    unknown = torch.full((1, 1), torch.nan)
    with torch.inference_mode():
        before, after = (net(f, inside, unknown)[0] for f in (frames, changed))
        assert torch.allclose(before, after, atol=1e-2)
        assert torch.isfinite(before).all()
        assert not torch.allclose(before, net(frames, inside, torch.ones(1, 1))[0], atol=1e-4)


def test_a_file_that_is_no_such_network_is_refused(tmp_path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"no network")
    for name in ("other.onnx", "absent.onnx"):
        with pytest.raises(DataError, match=name):
            HandNetwork(tmp_path / name)
