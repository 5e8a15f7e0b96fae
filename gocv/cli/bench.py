"""The benchmark commands: each prints a table and, with --json FILE, writes the same with its environment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gocv.cli.console import print_rows, refusing
from gocv.cli.options import Config, JsonFile, Overrides, RecordingPath

if TYPE_CHECKING:
    from gocv.bench.result import BenchmarkResult
    from gocv.pipeline import PipelineConfig

bench_app = typer.Typer(help="Measure, on public data sets and for speed.", no_args_is_help=True)

Repeats = Annotated[int, typer.Option(min=1, help="Runs that count; the one before them does not.")]


@bench_app.command("nanostore")
def nanostore(
    root: Annotated[Path, typer.Option(help="Folder of NanoStore recordings in any form, one in each sub-folder.")],
    overrides: Overrides = None,
    config: Config = None,
    json_file: JsonFile = None,
) -> None:
    """Score receipts on the AutoCheckout recordings by the competition's rule: mean F1 over units, per recording."""
    from gocv.bench.nanostore import bench_nanostore

    with refusing():
        _show(bench_nanostore(root, _settings(config, overrides)), json_file)


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
        _show(bench_demo(visits, first_seed, _settings(config, overrides)), json_file)


@bench_app.command("imports")
def imports(repeats: Repeats = 7, json_file: JsonFile = None) -> None:
    """Time the import of gocv and its rooms."""
    from gocv.bench.imports import bench_imports

    _show(bench_imports(repeats), json_file)


@bench_app.command("events")
def events(
    plates: Annotated[int, typer.Option(min=5, help="Plates in all.")] = 300,
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of the stretch.")] = 5.0,
    repeats: Repeats = 5,
    seed: Annotated[int, typer.Option(help="Of the made-up noise.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time scale samples through the event detector."""
    from gocv.bench.events import bench_events

    _show(bench_events(plates, minutes, repeats, seed), json_file)


@bench_app.command("perception")
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
        _show(bench_perception(Recording.open(recording), _settings(config, overrides), repeats), json_file)


@bench_app.command("day")
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
        _show(bench_day(hours, plates, cameras, frame_rate, seed), json_file)


@bench_app.command("simulate")
def simulate(
    scenario: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML of a long scenario.")],
    repeats: Repeats = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the visits.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time the simulator on a visit and on a day, and measure the peak of memory."""
    from gocv.bench.simulate import bench_simulate

    with refusing(scenario):
        _show(bench_simulate(scenario, repeats, seed), json_file)


@bench_app.command("render")
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
        _show(bench_render(scene, seed=seed, seconds=seconds, rate_hz=frame_rate), json_file)


def _settings(config: Path | None, overrides: list[str] | None) -> PipelineConfig:
    from gocv.data.config import load
    from gocv.pipeline import PipelineConfig

    return load(PipelineConfig, config, overrides or [])


def _show(result: BenchmarkResult, json_file: Path | None) -> None:
    if json_file is not None:
        result.write(json_file)
    print_rows(result.benchmark, result.rows)
