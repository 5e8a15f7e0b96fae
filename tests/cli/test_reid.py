"""`gocv train reid`, `gocv export reid`, `gocv bench reid`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gocv.bench.reid import by_cameras, encode_pictures, make_encoder, scored
from gocv.cli.app import app
from gocv.data.reid import ReidPictures, read_reid
from gocv.reid.checkpoints import save_model
from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel

PEOPLE = 6


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, result.output


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """People each in a colour of their own, seen by three cameras."""
    rng = np.random.default_rng(0)
    for part, first, shots in (("bounding_box_train", 1, 2), ("query", 101, 1), ("bounding_box_test", 101, 2)):
        (tmp_path / "people" / part).mkdir(parents=True)
        for person in range(first, first + PEOPLE):
            colour = 40 + 35 * (person % 100) * np.array([1, 0, 0]) + 200 * (person % 2) * np.array([0, 1, 0])
            for camera in (1, 2, 3):
                for shot in range(shots):
                    image = np.clip(colour + rng.normal(0, 4, (48, 24, 3)), 0, 255).astype(np.uint8)
                    name = f"{person:04d}_c{camera}s1_{shot:06d}_{part == 'query':02d}.png"
                    Image.fromarray(image).save(tmp_path / "people" / part / name)
    return tmp_path / "people"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    config = ReidModelConfig(backbone="osnet_x0_25", height_px=64, width_px=32, vector=16)
    save_model(ReidModel(config), tmp_path / "net.safetensors", {})
    return tmp_path / "net.safetensors"


def test_encoders_are_scored_in_a_table_and_json(root: Path, weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    options = ("--model", "colour", "--model", weights, "--rerank", "--expand", "--pairs", "--json", out)
    status, printed = run("bench", "reid", "--root", root, *options)
    assert status == 0, printed
    assert "colour" in printed
    rows = json.loads(out.read_text())["rows"]
    assert [row["method"] for row in rows if row["cameras"] == "all"] == ["colour"] * 3 + ["net"] * 3
    assert [row["ranking"] for row in rows[:3]] == ["cosine", "expanded", "re-ranked"]
    assert {row["cameras"] for row in rows} == {"all"} | {f"{a} to {b}" for a in (1, 2, 3) for b in (1, 2, 3) if a != b}
    assert rows[0]["map"] == pytest.approx(1.0)  # colours tell them apart
    assert rows[0]["queries"] == 3 * PEOPLE
    assert rows[0]["left_out"] == 0


def test_a_picture_that_is_broken_is_left_out_and_counted(root: Path, tmp_path: Path) -> None:
    min((root / "bounding_box_test").iterdir()).write_bytes(b"nothing")
    status, _ = run("bench", "reid", "--root", root, "--model", "colour", "--json", tmp_path / "s.json")
    assert status == 0
    assert json.loads((tmp_path / "s.json").read_text())["rows"][0]["left_out"] == 1


def test_an_encoder_is_described_by_a_file(root: Path, weights: Path, tmp_path: Path) -> None:
    described = tmp_path / "mine.yaml"
    described.write_text(f"part: default\nweights: {weights.name}\nbatch: 4\n")
    status, printed = run("bench", "reid", "--root", root, "--model", described, "--weights", weights.parent)
    assert status == 0, printed
    assert "mine" in printed


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (("--model", "color"), "colour"),
        (("--model", "nowhere.safetensors"), "nowhere.safetensors"),
        (("--format", "market"), "market1501"),
        (("--format", "market1501"), "751"),
    ],
)
def test_what_is_wrong_is_named(root: Path, options: tuple[str, ...], wanted: str) -> None:
    status, printed = run("bench", "reid", "--root", root, *options)
    assert status == 1
    assert wanted in printed


def test_pairs_of_cameras_are_scored_as_if_there_were_no_others(root: Path) -> None:
    data, encoder = read_reid("folder", root), make_encoder("colour")
    query, asked, _ = encode_pictures(encoder, data.query, "query")
    gallery, searched, _ = encode_pictures(encoder, data.gallery, "gallery")
    gallery = gallery[np.random.default_rng(0).permutation(len(gallery))]  # so that not all is right
    found = dict(by_cameras(query, gallery, asked, searched))
    mine, theirs = asked.camera == 2, searched.camera == 3
    assert found["2 to 3"] == scored(query[mine], gallery[theirs], asked[mine], searched[theirs])
    assert found["2 to 3"]["queries"] == PEOPLE
    assert found["2 to 3"]["map"] < 1


def test_a_pair_without_a_match_has_no_row() -> None:
    asked = ReidPictures((Path("a"),), np.array([1]), np.array([1]))
    searched = ReidPictures((Path("b"), Path("c")), np.array([1, 2]), np.array([2, 3]))
    vectors = np.eye(3, dtype=np.float32)
    assert [cameras for cameras, _ in by_cameras(vectors[:1], vectors[1:], asked, searched)] == ["1 to 2"]


def test_a_training_is_configured_run_and_scored(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    config.write_text(
        f"data: {{labelled: [{{root: {root}}}]}}\n"
        "model: {backbone: osnet_x0_25, height_px: 64, width_px: 32, vector: 16}\n"
        "batch: {people: 3, pictures: 2}\nloop: {epochs: 1, accelerator: cpu, devices: 1}\n"
    )
    status, printed = run("train", "reid", "-c", config, "loop.tensorboard=false", "-o", tmp_path / "out")
    assert status == 0, printed
    assert (tmp_path / "out" / "model.safetensors").is_file()
    status, printed = run("bench", "reid", "--root", root, "--model", tmp_path / "out" / "model.safetensors")
    assert status == 0, printed


def test_a_setting_that_is_none_is_refused_with_the_nearest(root: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("modle: {}\n")
    status, printed = run("train", "reid", "-c", tmp_path / "c.yaml")
    assert status == 1
    assert "'modle'" in printed
    assert "model" in printed.split("expected")[1]


def test_an_encoder_is_written_to_onnx(weights: Path, tmp_path: Path, root: Path) -> None:
    status, printed = run("export", "reid", tmp_path / "net.onnx", "--weights", weights)
    assert status == 0, printed
    described = tmp_path / "exported.yaml"
    described.write_text(
        "part: onnx\nweights: net.onnx\nheight_px: 64\nwidth_px: 32\nmean: [0, 0, 0]\nstd: [1, 1, 1]\n"
    )
    ours, theirs = make_encoder(str(weights)), make_encoder(str(described), tmp_path)
    crops = np.random.default_rng(0).integers(0, 256, (5, 64, 32, 3), dtype=np.uint8)
    np.testing.assert_allclose(ours.encode_crops(crops), theirs.encode_crops(crops), atol=1e-4)
