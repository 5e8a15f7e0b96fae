"""The benchmark commands: each prints a table and, with --json FILE, writes the same with its environment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gocv.cli import speed
from gocv.cli.console import print_rows, refusing, show_result
from gocv.cli.options import Config, JsonFile, Overrides, Picture, pipeline_settings

bench_app = typer.Typer(help="Measure, on public data sets and for speed.", no_args_is_help=True)

Seeds = Annotated[int, typer.Option(min=1, help="How many.")]
FirstSeed = Annotated[
    int | None, typer.Option(min=0, help="The first, by default the first test seed; below 1000 they are for building.")
]


@bench_app.command("nanostore")
def nanostore(
    root: Annotated[Path, typer.Option(help="Folder of NanoStore recordings in any form, one in each sub-folder.")],
    overrides: Overrides = None,
    config: Config = None,
    json_file: JsonFile = None,
) -> None:
    """Score every method's receipts on the AutoCheckout recordings by the competition's rule: mean F1 over units."""
    from gocv.bench.nanostore import bench_nanostore

    with refusing():
        show_result(bench_nanostore(root, pipeline_settings(config, overrides)), json_file)


@bench_app.command("store")
def store(
    overrides: Overrides = None,
    config: Config = None,
    benchmark: Annotated[Path, typer.Option(help="YAML of what is simulated.")] = Path("configs/benchmarks/store.yaml"),
    root: Annotated[
        Path | None, typer.Option(help="Folder of NanoStore recordings: adds the competition's thirty cases.")
    ] = None,
    seeds: Seeds = 10,
    first_seed: FirstSeed = None,
    work: Annotated[
        Path | None, typer.Option(help="Folder that keeps what is done: a run that died goes on there.")
    ] = None,
    ablations: Annotated[bool, typer.Option(help="Also measure gocv without each of its parts.")] = True,
    json_file: JsonFile = None,
    picture: Picture = None,
) -> None:
    """Score every method's receipts in simulated stores where things go wrong: F1, events, review, questions, delay."""
    from gocv.bench.store import bench_store, tables

    with refusing():
        result, _ = bench_store(
            benchmark,
            seeds=seeds,
            first_seed=first_seed,
            root=root,
            work=work,
            ablations=ablations,
            config=config,
            overrides=overrides or [],
        )
    if json_file is not None:
        result.write(json_file)
    if picture is not None:
        from gocv.bench.store_picture import draw_store

        draw_store(result.rows, picture)
    for title, rows in tables(result.rows).items():
        print_rows(title, rows)


@bench_app.command("aim3s")
def aim3s(
    overrides: Overrides = None,
    config: Config = None,
    stores: Annotated[Path, typer.Option(help="Folder of the gondolas' YAML.")] = Path("configs/sim/stores"),
    seeds: Seeds = 20,
    first_seed: FirstSeed = None,
    events: Annotated[int, typer.Option(min=2, help="Takes and returns in a session.")] = 176,
    json_file: JsonFile = None,
) -> None:
    """Identify what moved on the simulated gondolas of FAIM: at labelled events, and at events found by detectors."""
    from gocv.bench.aim3s import GONDOLAS, bench_aim3s
    from gocv.sim.scenario import Seeds as SeedRanges

    first = SeedRanges().test[0] if first_seed is None else first_seed
    files = {name: stores / file for name, file in GONDOLAS.items()}
    with refusing():
        settings = pipeline_settings(config, overrides)
        result = bench_aim3s(files, seeds=range(first, first + seeds), events=events, config=settings)
    if json_file is not None:
        result.write(json_file)
    for protocol in ("labelled", "detected"):
        own = [row for row in result.rows if row["protocol"] == protocol]
        print_rows(f"{protocol} events", [{k: v for k, v in row.items() if not k.startswith("sd_")} for row in own])


@bench_app.command("mot")
def mot(
    root: Annotated[Path, typer.Option(help="Folder of sequences in MOTChallenge's layout.")],
    overrides: Overrides = None,
    config: Config = None,
    tracker: Annotated[
        list[str] | None, typer.Option(help="Registered name, again for another [default: all that need boxes alone].")
    ] = None,
    detections: Annotated[str, typer.Option(help="public, detector, a text file, or a folder of them.")] = "public",
    json_file: JsonFile = None,
) -> None:
    """Score trackers on the sequences of MOTChallenge: HOTA, CLEAR MOT, Identity, frames a second.

    Trackers that need appearance get it from the pictures, by the encoder of the settings: encode.part=colour.
    """
    from gocv.bench.mot import bench_mot, boxes_alone

    with refusing():
        result = bench_mot(root, tracker or boxes_alone(), detections, pipeline_settings(config, overrides))
    if json_file is not None:
        result.write(json_file)
    shown = ["method", "sequence", "hota", "det_a", "ass_a", "mota", "idf1", "idsw", "frag", "frames_per_s"]
    print_rows("mot", [{key: row[key] for key in shown} for row in result.rows])
    for note in result.notes:
        typer.echo(f"note: {note}")


@bench_app.command("multicamera")
def multicamera(
    root: Annotated[Path, typer.Option(help="Folder of the data set.")],
    overrides: Overrides = None,
    config: Config = None,
    kind: Annotated[
        str, typer.Option("--format", help="wildtrack, multiviewx, campus, nanostore or recording.")
    ] = "wildtrack",
    method: Annotated[list[str] | None, typer.Option(help="Its name, again for another [default: all].")] = None,
    jitter: Annotated[float, typer.Option(min=0, help="Sd of each edge of a box, share of its height.")] = 0.05,
    miss: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the labelled boxes that are missed.")] = 0.2,
    false: Annotated[float, typer.Option(min=0, help="False boxes in a frame, on average.")] = 0.2,
    ids: Annotated[
        list[str] | None, typer.Option(help="The cameras' own identities, broken or none [default: both].")
    ] = None,
    seeds: Seeds = 3,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the next ones follow.")] = 1,
    faults: Annotated[bool, typer.Option(help="Also with a camera lost, late and knocked.")] = False,
    gate: Annotated[float, typer.Option(min=0.01, help="Metres up to which a found person may be a true one.")] = 0.5,
    json_file: JsonFile = None,
) -> None:
    """Score who is whom across cameras: on the floor and in the pictures, on labels spoilt or recorded detections."""
    from gocv.bench.multicamera import bench_multicamera, shown
    from gocv.data.config import build
    from gocv.sim.views import ViewNoise

    with refusing():
        noise = {"jitter": jitter, "miss": miss, "false_per_frame": false}
        result = bench_multicamera(
            root,
            kind,
            method or [],
            noises=[build(ViewNoise, {**noise, "ids": kind}) for kind in ids or ["broken", "none"]],
            seeds=range(first_seed, first_seed + seeds),
            faults=faults,
            gate_m=gate,
            config=pipeline_settings(config, overrides),
        )
    if json_file is not None:
        result.write(json_file)
    print_rows(result.benchmark, shown(result.rows))


@bench_app.command("reid")
def reid(
    root: Annotated[Path, typer.Option(help="Folder of the data set.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="Registered name, .safetensors or YAML, again for another [default: default and colour]."),
    ] = None,
    kind: Annotated[
        str, typer.Option("--format", help="market1501, dukemtmc, msmt17, cuhk03, or folder: names as in Market-1501.")
    ] = "folder",
    weights: Annotated[Path, typer.Option(help="Folder below which the weights are that YAML files name.")] = Path(),
    check: Annotated[bool, typer.Option(help="Whether the data set's counts must be the published ones.")] = True,
    rerank: Annotated[bool, typer.Option(help="Also score k-reciprocal re-ranking.")] = False,
    expand: Annotated[bool, typer.Option(help="Also score query expansion.")] = False,
    pairs: Annotated[bool, typer.Option(help="Also score each pair of cameras.")] = False,
    json_file: JsonFile = None,
) -> None:
    """Score encoders on person re-identification by the rule of Market-1501: mAP, CMC, mINP, crops a second."""
    from gocv.bench.reid import bench_reid

    with refusing():
        models = model or ["default", "colour"]
        result = bench_reid(
            root, models, kind=kind, check=check, reranked=rerank, expanded=expand, pairs=pairs, weights=weights
        )
        show_result(result, json_file)


@bench_app.command("interaction")
def interaction(
    clips: Annotated[
        list[Path] | None, typer.Option(help="Labelled clips, see experiments/interaction_episodes.py; again for more.")
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="network, trees, an .onnx or .safetensors file, again for another [default: both]."),
    ] = None,
    merl: Annotated[Path | None, typer.Option(help="Folder of the labels of MERL Shopping, instead of clips.")] = None,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV of detections in MERL: video, action, first, last, score.")
    ] = None,
    part: Annotated[str, typer.Option(help="Of MERL: train, val or test.")] = "test",
    json_file: JsonFile = None,
) -> None:
    """Score what hands did at shelves: macro F1 of labelled clips; F1@k, edit score and mAP of detections in MERL."""
    from gocv.bench.interaction import bench_interaction, bench_merl
    from gocv.core import ConfigError

    with refusing():
        if (merl is None) == (not clips):
            raise ConfigError("needs what is to be scored", key="--clips, --merl", expected="the one or the other")
        if merl is not None:
            result = bench_merl(merl, predictions, part)
        else:
            result = bench_interaction(clips or [], model or ["network", "trees"])
    if json_file is not None:
        result.write(json_file)
    print_rows(result.benchmark, [{k: v for k, v in row.items() if k != "confusion"} for row in result.rows])


@bench_app.command("detect")
def detect(
    root: Annotated[list[Path], typer.Option(help="Folder of the data set, again for another.")],
    detector: Annotated[
        list[str], typer.Option("--detector", "-d", help="Registered name or YAML file, again for another.")
    ],
    kind: Annotated[list[str], typer.Option("--format", help="coco, yolo or pennfudan: one for each root.")],
    split: Annotated[
        list[str] | None, typer.Option(help="Part of the data set: one for each root [default: val2017].")
    ] = None,
    classes: Annotated[list[str] | None, typer.Option("--class", help="Scored, again for another [person].")] = None,
    weights: Annotated[
        list[Path] | None, typer.Option(help="Folder in which weights may be that YAML files name, again for another.")
    ] = None,
    runtime: Annotated[str, typer.Option(help="onnxruntime or openvino, for networks in ONNX.")] = "onnxruntime",
    json_file: JsonFile = None,
) -> None:
    """Score detectors by COCO's rule: AP, AR, and what is at least 100 pixels high."""
    from gocv.bench.detect import bench_detect

    splits = split or ["val2017"] * len(root)
    if not len(root) == len(kind) == len(splits):
        raise typer.BadParameter("--root, --format and --split go together: as many of each")
    with refusing():
        sets = list(zip(kind, root, splits, strict=True))
        result = bench_detect(sets, detector, classes=classes or ["person"], weights=weights or [], runtime=runtime)
    if json_file is not None:
        result.write(json_file)
    shown = [
        "method",
        "dataset",
        "images",
        "boxes",
        "ap",
        "ap50",
        "ap75",
        "ap_small",
        "ap_medium",
        "ap_large",
        "ar_100",
    ]
    tall = ["tall_boxes", "ap50_tall", "recall_tall", "ms_per_image"]
    print_rows("detect", [{key: row[key] for key in (*shown, *tall)} for row in result.rows])
    for note in result.notes:
        typer.echo(f"note: {note}")


@bench_app.command("demo")
def demo(
    visits: Annotated[int, typer.Option(min=1, help="How many.")] = 40,
    first_seed: Annotated[int, typer.Option(min=0, help="Seed of the first; the next ones follow.")] = 1,
    overrides: Overrides = None,
    config: Config = None,
    json_file: JsonFile = None,
) -> None:
    """Score receipts on simulated visits like that of 'gocv demo'."""
    from gocv.bench.demo import bench_demo

    with refusing():
        show_result(bench_demo(visits, first_seed, pipeline_settings(config, overrides)), json_file)


@bench_app.command("products")
def products(
    root: Annotated[Path, typer.Option(help="The data set.")],
    kind: Annotated[str, typer.Option("--format", help="grocerystore, shelves or gaze.")] = "grocerystore",
    model: Annotated[
        list[str] | None, typer.Option(help="default, or what gocv train product wrote; may be given several times.")
    ] = None,
    catalogue: Annotated[Path | None, typer.Option(help="Of shelves: folder of catalogue pictures.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Of shelves: CSV of photo, box, product.")] = None,
    part: Annotated[
        int | None, typer.Option(min=0, help="Only the products that a training with data.left_out=PART did not see.")
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Recognise products on real pictures, by their catalogue pictures and by more pictures of each."""
    from gocv.bench.products import bench_products

    with refusing():
        show_result(
            bench_products(root, model or ["default"], kind=kind, catalogue=catalogue, labels=labels, part=part),
            json_file,
        )


for command in (speed.fusion, speed.imports, speed.events, speed.perception, speed.day, speed.simulate, speed.render):
    bench_app.command(command.__name__)(command)
