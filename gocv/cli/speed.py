"""The benchmark commands of speed and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gocv.cli.console import refusing, show_result
from gocv.cli.options import Config, JsonFile, Overrides, Picture, RecordingPath, pipeline_settings

Repeats = Annotated[int, typer.Option(min=1, help="Runs that count; the one before them does not.")]


def fusion(
    overrides: Overrides = None,
    config: Config = None,
    scenario: Annotated[Path | None, typer.Option(help="YAML of a long scenario, also timed.")] = None,
    repeats: Repeats = 5,
    events: Annotated[int, typer.Option(min=1, help="Weight events in each made-up store.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 1,
    json_file: JsonFile = None,
    picture: Picture = None,
) -> None:
    """Time fusion: a whole day, and the cost of an event with ever more shoppers and plates."""
    from gocv.bench.fusion_speed import bench_fusion, draw_fusion_speed

    with refusing(scenario):
        result = bench_fusion(scenario, pipeline_settings(config, overrides), repeats=repeats, events=events, seed=seed)
    if picture is not None:
        draw_fusion_speed(result.rows, picture)
    show_result(result, json_file)


def imports(repeats: Repeats = 7, json_file: JsonFile = None) -> None:
    """Time the import of gocv and its rooms."""
    from gocv.bench.imports import bench_imports

    show_result(bench_imports(repeats), json_file)


def events(
    plates: Annotated[int, typer.Option(min=5, help="Plates in all.")] = 300,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of the stretch.")] = 5.0,
    repeats: Repeats = 5,
    seed: Annotated[int, typer.Option(help="Of the made-up noise.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time scale samples through the event detector."""
    from gocv.bench.events import bench_events

    show_result(bench_events(plates, minutes, repeats, seed), json_file)


def perception(
    recording: RecordingPath,
    overrides: Overrides = None,
    config: Config = None,
    repeats: Repeats = 3,
    json_file: JsonFile = None,
) -> None:
    """Time footage through decoder, detector and tracker, ONNX Runtime beside OpenVINO."""
    from gocv.bench.perception import bench_perception
    from gocv.data.recording import Recording

    with refusing():
        settings = pipeline_settings(config, overrides)
        show_result(bench_perception(Recording.open(recording), settings, repeats), json_file)


def day(
    hours: Annotated[float, typer.Option(min=0.1, help="Length of the day.")] = 8.0,
    plates: Annotated[int, typer.Option(min=5, help="Plates in all.")] = 300,
    cameras: Annotated[int, typer.Option(min=0, help="Cameras with recorded detections.")] = 12,
    frame_rate: Annotated[float, typer.Option(min=0.1, help="Frames a second of each camera.")] = 10.0,
    seed: Annotated[int, typer.Option(help="Of the made-up noise.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Run a whole made-up day and measure the peak of memory."""
    from gocv.bench.day import bench_day

    with refusing():
        show_result(bench_day(hours, plates, cameras, frame_rate, seed), json_file)


def simulate(
    scenario: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML of a long scenario.")],
    repeats: Repeats = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the visits.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time the simulator on a visit and on a day, and measure the peak of memory."""
    from gocv.bench.simulate import bench_simulate

    with refusing(scenario):
        show_result(bench_simulate(scenario, repeats, seed), json_file)


def render(
    scenario: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML of a scenario.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="How much of it.")] = 20.0,
    frame_rate: Annotated[float, typer.Option(min=0.1, help="Frames a second of each camera.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the visit.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time rendered footage, all cameras of the scenario's store, truth and video files included."""
    from gocv.bench.render import bench_render
    from gocv.sim import read_scenario, simulate_scene

    with refusing(scenario):
        scene = simulate_scene(read_scenario(scenario), seed=seed)
        show_result(bench_render(scene, seed=seed, seconds=seconds, rate_hz=frame_rate), json_file)
