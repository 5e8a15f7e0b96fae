"""From frames and boxes to vectors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml

from gocv.core import ConfigError, DataError, Detections, Frame
from gocv.reid.checkpoints import save_model
from gocv.reid.colour import ColourHistogram
from gocv.reid.crop_encoder import CropEncoder
from gocv.reid.crops import cut_crops
from gocv.reid.encoder import Encoder
from gocv.reid.model import ReidModel

Make = Callable[..., ReidModel]
RNG = np.random.default_rng(0)
FRAME = Frame(RNG.integers(0, 256, (90, 120, 3), dtype=np.uint8), "door", 0.0, 0)
BOXES = np.float32([[5, 5, 40, 80], [-30, 20, 25, 200], [50, 50, 50, 50], [60, 0, 110, 90], [130, 95, 140, 99]])
CROPS = RNG.integers(0, 256, (7, 64, 32, 3), dtype=np.uint8)


def oracle(name: str) -> ModuleType:
    path = Path(__file__).parents[1] / "oracles" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def detections(boxes: np.ndarray) -> Detections:
    return Detections(boxes, np.ones(len(boxes)), np.zeros(len(boxes)))


@pytest.fixture
def weights(lively: Make, tmp_path: Path) -> Path:
    save_model(lively(mean=(0.2, 0.5, 0.3), std=(0.2, 0.3, 0.1)), tmp_path / "net.safetensors", {})
    return tmp_path / "net.safetensors"


@pytest.fixture(params=["network", "colour"])
def encoder(request: pytest.FixtureRequest) -> CropEncoder:
    if request.param == "colour":
        return ColourHistogram()
    return Encoder(request.getfixturevalue("weights"), device="cpu")


class TestAll:
    def test_rows_are_those_of_the_detections(self, encoder: CropEncoder) -> None:
        found = encoder.encode(FRAME, detections(BOXES))
        assert found.row.tolist() == list(range(len(BOXES)))
        assert (found.vector.shape, found.vector.dtype) == ((len(BOXES), encoder.length), np.float32)
        np.testing.assert_allclose(np.linalg.norm(found.vector, axis=1), 1, rtol=1e-6)
        for row, box in enumerate(BOXES):
            alone = encoder.encode_crops(cut_crops(FRAME.image, [box], encoder.size_px))
            np.testing.assert_allclose(found.vector[row : row + 1], alone, atol=1e-5)
        order = np.array([3, 0, 4, 2, 1])
        again = encoder.encode(FRAME, detections(BOXES[order]))
        np.testing.assert_allclose(again.vector, found.vector[order], atol=1e-5)
        apart = np.linalg.norm(found.vector[:, None] - found.vector, axis=2)[~np.eye(len(BOXES), dtype=bool)]
        assert apart.min() > 0.01

    def test_nothing_is_nothing(self, encoder: CropEncoder) -> None:
        found = encoder.encode(FRAME, Detections.empty())
        assert found.vector.shape == (0, encoder.length)
        assert found.row.shape == (0,)

    def test_frames_together_are_as_one_by_one(self, encoder: CropEncoder) -> None:
        other = Frame(FRAME.image[::-1, :100], "aisle", 0.0, 3)
        frames, found = [other, FRAME, other, FRAME], [detections(BOXES[n:]) for n in (3, 5, 1, 0)]
        together = encoder.encode_frames(frames, found)
        for frame, own, all_ in zip(frames, found, together, strict=True):
            alone = encoder.encode(frame, own)
            np.testing.assert_allclose(all_.vector, alone.vector, atol=1e-5)
            assert all_.row.tolist() == alone.row.tolist() == list(range(len(own)))
        assert encoder.encode_frames([], []) == []
        with pytest.raises(DataError, match="4 frames and 3 tables"):
            encoder.encode_frames(frames, found[:3])

    def test_a_box_that_is_not_finite_is_refused(self, encoder: CropEncoder) -> None:
        bad = BOXES.copy()
        bad[1, 2] = np.nan
        with pytest.raises(DataError, match="not finite"):
            encoder.encode(FRAME, detections(bad))

    def test_other_crops_are_refused(self, encoder: CropEncoder) -> None:
        good = np.zeros((2, *encoder.size_px, 3), np.uint8)
        assert encoder.encode_crops(good).shape == (2, encoder.length)
        for bad in (good[0], good[:, 1:], good[..., :1], good.astype(np.float32)):
            with pytest.raises(DataError, match="crops are"):
                encoder.encode_crops(bad)

    def test_crops_stay_and_may_be_read_only(self, encoder: CropEncoder) -> None:
        crops = np.random.default_rng(1).integers(0, 256, (2, *encoder.size_px, 3), dtype=np.uint8)
        before, free = crops.copy(), encoder.encode_crops(crops)
        crops.flags.writeable = False
        np.testing.assert_array_equal(encoder.encode_crops(crops), free)
        np.testing.assert_array_equal(crops, before)
        np.testing.assert_allclose(encoder.encode_crops(np.ascontiguousarray(crops[:, :, ::-1])[:, :, ::-1]), free)


class TestNetwork:
    def test_vectors_are_the_networks(self, lively: Make, weights: Path) -> None:
        """Pixel by pixel: red, green and blue in [0, 1], mean and deviation of each."""
        model = lively(mean=(0.2, 0.5, 0.3), std=(0.2, 0.3, 0.1))
        given = (CROPS / 255.0 - model.config.mean) / model.config.std
        with torch.inference_mode():
            wanted = model(torch.tensor(given.transpose(0, 3, 1, 2), dtype=torch.float32)).numpy()
        np.testing.assert_allclose(Encoder(weights, device="cpu").encode_crops(CROPS), wanted, atol=1e-5)

    @pytest.mark.parametrize("batch", [1, 2, 7, 100])
    @pytest.mark.parametrize("flip", [False, True])
    def test_how_many_at_a_time_does_not_matter(self, weights: Path, batch: int, flip: bool) -> None:
        one = Encoder(weights, device="cpu", batch=batch, flip=flip).encode_crops(CROPS)
        np.testing.assert_allclose(one, Encoder(weights, device="cpu", flip=flip).encode_crops(CROPS), atol=1e-5)

    def test_no_more_than_a_batch_at_a_time(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        encoder, seen, real = Encoder(weights, device="cpu", batch=3), [], Encoder._vectors
        monkeypatch.setattr(Encoder, "_vectors", lambda self, crops: seen.append(len(crops)) or real(self, crops))
        encoder.encode_crops(CROPS)
        assert seen == [3, 3, 1]

    def test_a_crop_and_its_mirror_image(self, weights: Path) -> None:
        plain, both = Encoder(weights, device="cpu"), Encoder(weights, device="cpu", flip=True)
        mirrored = np.ascontiguousarray(CROPS[:, :, ::-1])
        total = plain.encode_crops(CROPS) + plain.encode_crops(mirrored)
        wanted = total / np.linalg.norm(total, axis=1, keepdims=True)
        np.testing.assert_allclose(both.encode_crops(CROPS), wanted, atol=1e-5)
        np.testing.assert_allclose(both.encode_crops(mirrored), wanted, atol=1e-5)
        assert np.abs(plain.encode_crops(CROPS) - plain.encode_crops(mirrored)).max() > 0.01

    def test_weights_of_others_with_a_description(self, lively: Make, tmp_path: Path) -> None:
        model = lively(vector=24)
        torch.save(model.state_dict(), tmp_path / "net.pt")
        description = {**model.config.model_dump(mode="json"), "neck": "bn"}
        (tmp_path / "net.yaml").write_text(yaml.safe_dump(description))
        save_model(model, tmp_path / "net.safetensors", {})
        theirs = Encoder(tmp_path / "net.pt", model=tmp_path / "net.yaml", device="cpu")
        ours = Encoder(tmp_path / "net.safetensors", device="cpu")
        np.testing.assert_array_equal(theirs.encode_crops(CROPS), ours.encode_crops(CROPS))
        assert (theirs.length, theirs.size_px) == (24, (64, 32))

    def test_arguments_that_are_wrong(self, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        (tmp_path / "net.yaml").write_text("backbon: resnet50\n")
        with pytest.raises(ConfigError, match="batch"):
            Encoder(weights, batch=0)
        with pytest.raises(ConfigError, match="no CUDA device"):
            Encoder(weights, device="cuda")
        with pytest.raises(ConfigError, match="'backbone'"):
            Encoder(weights, model=tmp_path / "net.yaml")
        with pytest.raises(DataError, match="is not there"):
            Encoder(tmp_path / "absent.safetensors")
        assert Encoder(weights).encode_crops(CROPS[:1]).shape == (1, 128)


class TestColour:
    @pytest.mark.parametrize("stripes", [1, 5, 6])
    def test_loops_give_the_same(self, stripes: int) -> None:
        rng = np.random.default_rng(2)
        crops = rng.integers(0, 256, (3, 128, 64, 3), dtype=np.uint8)
        crops[1] = rng.integers(0, 256, (128, 1, 3))
        crops[2] = 0
        found = ColourHistogram(stripes=stripes, batch=2).encode_crops(crops)
        wanted = [oracle("colour_histogram").colour_by_loops(crop, stripes) for crop in crops]
        np.testing.assert_allclose(found, wanted, atol=1e-6)

    def test_the_same_colours_elsewhere_in_a_stripe_are_the_same(self) -> None:
        crop = np.random.default_rng(3).integers(0, 256, (1, 128, 64, 3), dtype=np.uint8)
        encoder = ColourHistogram(stripes=4)
        np.testing.assert_allclose(encoder.encode_crops(crop[:, :, ::-1]), encoder.encode_crops(crop))
        assert (encoder.encode_crops(crop[:, ::-1]) @ encoder.encode_crops(crop).T).item() < 0.999
