"""`gocv bench reid`: encoders on re-identification data sets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.core import DataError
from gocv.data.config import build, load_yaml
from gocv.data.reid import ReidDataset, ReidPictures, read_reid
from gocv.metrics.reid import ReidScores, evaluate_reid, expand, rank_queries, rerank
from gocv.pipeline.parts import PartSettings, make_part
from gocv.reid.crop_encoder import CropEncoder
from gocv.reid.crops import encode_files
from gocv.reid.products import quickest_product

Float32 = NDArray[np.float32]


def make_encoder(model: str, weights: Path = Path()) -> CropEncoder:
    """An encoder by what names it on the command line.

    Args:
        model: A registered name such as "default" or "colour", a `.safetensors` file that `gocv train reid` wrote, or
            a YAML file with `part` and its settings, as in `configs/encoders`.
        weights: Folder below which the weights are that YAML files name.

    Raises:
        ConfigError: There is no such encoder, or a setting is wrong.
        DataError: A file is missing or not right.
    """
    path = Path(model)
    if path.suffix == ".safetensors":
        settings = build(PartSettings, {"part": "default", "weights": str(path)})
    elif path.suffix in (".yaml", ".yml"):
        values = load_yaml(path)
        placed = {
            key: str(root / values[key])
            for key, root in (("weights", weights), ("model", path.parent))
            if key in values
        }
        settings = build(PartSettings, values | placed, file=path)
    else:
        settings = PartSettings(part=model)
    encoder: CropEncoder = make_part("encoders", "model", settings)
    return encoder


def encode_pictures(encoder: CropEncoder, pictures: ReidPictures, what: str) -> tuple[Float32, ReidPictures, list[str]]:
    """Vectors of pictures.

    Returns:
        (k, D) float32; the pictures that they are of; what is wrong with those that could not be decoded.
    """
    vectors, kept, problems = encode_files(encoder.encode_crops, pictures.files, encoder.size_px, what)
    return vectors, pictures[kept], problems


def bench_reid(
    root: Path,
    models: Sequence[str],
    *,
    kind: str = "folder",
    check: bool = True,
    reranked: bool = False,
    expanded: bool = False,
    pairs: bool = False,
    weights: Path = Path(),
) -> BenchmarkResult:
    """Score encoders on query and gallery of a data set, by the rule of Market-1501.

    Args:
        root: The data set.
        models: As for `make_encoder`.
        kind: Its format, as for `gocv.data.reid.read_reid`.
        check: Whether its counts must be the published ones.
        reranked: Whether k-reciprocal re-ranking is scored as well.
        expanded: Whether query expansion is scored as well.
        pairs: Whether each pair of cameras is scored as well, the query's first.
        weights: As for `make_encoder`.

    Returns:
        Rows with `method`, `ranking`, `cameras`, `queries`, `map`, `rank_1`, `rank_5`, `rank_10`, `minp`, `length` of
        the vectors, `crops_per_s` (decoding left out), and `left_out`, the pictures that could not be decoded.

    Raises:
        ConfigError: As `make_encoder`.
        DataError: As `read_reid` and `make_encoder`, or no picture could be used.
    """
    dataset = read_reid(kind, root, check=check)
    rows: list[dict[str, Any]] = []
    for model in models:
        rows += _of_model(model, weights, dataset, reranked=reranked, expanded=expanded, pairs=pairs)
    return BenchmarkResult(f"reid, {dataset.name}", rows, environment(), command_line())


def _of_model(
    model: str, weights: Path, dataset: ReidDataset, *, reranked: bool, expanded: bool, pairs: bool
) -> Iterator[dict[str, Any]]:
    encoder = make_encoder(model, weights)
    name = Path(model).stem
    query, asked, wrong = encode_pictures(encoder, dataset.query, f"{name}: query")
    gallery, searched, broken = encode_pictures(encoder, dataset.gallery, f"{name}: gallery")
    if not len(asked) or not len(searched):
        raise DataError("no picture could be decoded", file=dataset.query.files[0].parent)
    about = {
        "length": encoder.length,
        "crops_per_s": crops_per_s(encoder),
        "left_out": len(wrong) + len(broken),
    }
    whole = scored(query, gallery, asked, searched)
    yield {"method": name, "ranking": "cosine", "cameras": "all", **whole, **about}
    if expanded:
        wider = expand(query, gallery, query_camera=asked.camera, gallery_camera=searched.camera)
        yield {
            "method": name,
            "ranking": "expanded",
            "cameras": "all",
            **scored(wider, gallery, asked, searched),
            **about,
        }
    if reranked:
        labels = (asked.person, searched.person, asked.camera, searched.camera)
        scores = ReidScores.of(rank_queries(rerank(query, gallery), *labels))
        yield {"method": name, "ranking": "re-ranked", "cameras": "all", **_figures(scores), **about}
    for cameras, figures in by_cameras(query, gallery, asked, searched) if pairs else ():
        yield {"method": name, "ranking": "cosine", "cameras": cameras, **figures, **about}


def scored(query: Float32, gallery: Float32, asked: ReidPictures, searched: ReidPictures) -> dict[str, Any]:
    """Scores of the ranking by cosine.

    Args:
        query: (q, D) vectors of `asked`.
        gallery: (g, D) vectors of `searched`.
        asked: The queries' pictures.
        searched: The gallery's.

    Raises:
        DataError: No query has a match.
    """
    labels = (asked.person, searched.person, asked.camera, searched.camera)
    return _figures(evaluate_reid(query, gallery, *labels, product=quickest_product()))


def by_cameras(
    query: Float32, gallery: Float32, asked: ReidPictures, searched: ReidPictures
) -> Iterator[tuple[str, dict[str, Any]]]:
    """As `scored`, for each pair of cameras in which some query has a match: "1 to 2", the query's first."""
    for one in np.unique(asked.camera):
        for other in np.unique(searched.camera):
            mine, theirs = asked.camera == one, searched.camera == other
            if one != other and np.isin(asked.person[mine], searched.person[theirs]).any():
                yield f"{one} to {other}", scored(query[mine], gallery[theirs], asked[mine], searched[theirs])


def _figures(scores: ReidScores) -> dict[str, Any]:
    return {
        "queries": scores.queries,
        "map": scores.mean_average_precision,
        **{f"rank_{k}": float(scores.cmc[k - 1]) for k in (1, 5, 10)},
        "minp": scores.mean_inverse_negative_penalty,
    }


def crops_per_s(encoder: CropEncoder, crops: int = 64) -> float:
    """Crops a second, of noise, after a run that does not count."""
    noise = np.random.default_rng(0).integers(0, 256, (crops, *encoder.size_px, 3), dtype=np.uint8)
    encoder.encode_crops(noise)
    start = time.perf_counter()
    encoder.encode_crops(noise)
    return crops / (time.perf_counter() - start)
