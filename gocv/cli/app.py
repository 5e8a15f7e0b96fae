"""The commands. What a command needs is imported when it runs, so that `--help` is quick."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gocv import __version__
from gocv.cli.bench import bench_app
from gocv.cli.calibrate import calibrate_app
from gocv.cli.console import REFUSED, print_json, print_receipts, refusing
from gocv.cli.eval import eval_app
from gocv.cli.options import Config, Json, Overrides, RecordingPath, pipeline_settings
from gocv.cli.review import review_command
from gocv.cli.simulate import simulate_command
from gocv.cli.track import track_command, tune_command
from gocv.cli.train import export_app, train_app

app = typer.Typer(
    name="gocv",
    help=(
        "The open, reproducible cashier-free store: recorded ceiling cameras and shelf scales in, one receipt per "
        "shopper out, with a probability on every line.\n\n"
        "Start with 'gocv demo'. Exit status: 0 done, 1 refused or not right (the message says what and where), "
        "2 the command line itself is wrong."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
convert_app = typer.Typer(help="Make recordings of public data sets.", no_args_is_help=True)
app.add_typer(convert_app, name="convert")
app.add_typer(bench_app, name="bench")
app.add_typer(calibrate_app, name="calibrate")
app.add_typer(eval_app, name="eval")
app.add_typer(train_app, name="train")
app.add_typer(export_app, name="export")
app.command("simulate")(simulate_command)
app.command("review")(review_command)
app.command("track")(track_command)
app.command("tune")(tune_command)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gocv {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    pass


@app.command("run")
def run_command(
    recording: RecordingPath,
    overrides: Overrides = None,
    config: Config = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Run folder [default: runs/NAME].")] = None,
    restart_from: Annotated[
        str | None, typer.Option("--from", help="Do this stage and those after it again.", metavar="STAGE")
    ] = None,
    video: Annotated[bool, typer.Option("--video", help="Also draw clips, floor and shelves.")] = False,
    as_json: Json = False,
) -> None:
    """Go the whole way from a recording to receipts.

    Stages: detect, track, multicamera, shelf, fusion. Each writes its tables into the run folder; a run that is
    killed goes on where it was when started again.
    """
    from gocv.data.recording import Recording
    from gocv.pipeline import draw_clips, draw_run, run, truth_beside

    with refusing():
        settings = pipeline_settings(config, overrides)
        opened = Recording.open(recording)
        folder = output or Path("runs") / opened.path.resolve().name
        receipts = run(opened, folder, settings, restart_from=restart_from)
        drawn = [*draw_run(opened, folder), *draw_clips(opened, folder)] if video else []
    written = _written(folder)
    if as_json:
        print_json(written)
        return
    print_receipts(receipts, truth_beside(receipts, opened))
    for stage, entries in written["report"].items():
        for entry in entries:
            typer.echo(f"{stage}: {entry['where']}: {entry['problem']}")
    for path in [folder / "receipts.json", *drawn]:
        typer.echo(f"wrote {path}")


@app.command("check")
def check_command(recording: RecordingPath, as_json: Json = False) -> None:
    """Find what is wrong in a recording: file, row and key.

    Exit status 1 if there is an error; warnings are what a run works around.
    """
    from gocv.data.recording import check_recording

    problems = check_recording(recording)
    if as_json:
        print_json([dataclasses.asdict(problem) for problem in problems])
    else:
        for problem in problems:
            typer.echo(str(problem))
    errors = sum(problem.severity == "error" for problem in problems)
    typer.echo(f"{errors} errors, {len(problems) - errors} warnings", err=True)
    if errors:
        raise typer.Exit(REFUSED)


@convert_app.command("nanostore")
def convert_nanostore_command(
    source: Annotated[Path, typer.Argument(help="Folder of JSON, BSON or CSV files, or a mongodump archive.")],
    destination: Annotated[Path, typer.Argument(help="The recording to make.")],
    layout: Annotated[Path | None, typer.Option(help="Folder of Gondolas.json, Shelves.json, Plates.json.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Folder of event labels.")] = None,
    products: Annotated[Path | None, typer.Option(help="A products.json to take barcodes from.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recording that is there.")] = False,
) -> None:
    """Make a recording of the AutoCheckout (AiFi NanoStore) data set, in any form in which it is met."""
    from gocv.data.nanostore import convert_nanostore

    with refusing():
        notes = convert_nanostore(
            source, destination, layout=layout, labels=labels, products=products, overwrite=overwrite
        )
    for note in notes:
        typer.echo(f"note: {note}")
    typer.echo(f"wrote {destination}")


@app.command("demo")
def demo_command(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the visit and the run.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another visit.")] = 1,
    as_json: Json = False,
) -> None:
    """Simulate a small visit, run the pipeline on it, and hold the receipts against the truth.

    Three shoppers with noisy 3-D joints, noisy 60 Hz scales; nothing is downloaded. Exit status 1 if a receipt is
    not exactly the truth.
    """
    from gocv.data.recording import Recording
    from gocv.pipeline import as_units, draw_run, run, truth_beside
    from gocv.sim import simulate_visit

    with refusing():
        simulate_visit(output / "recording", seed=seed, overwrite=True)
        recording = Recording.open(output / "recording")
        receipts = run(recording, output / "run")
        drawn = draw_run(recording, output / "run")
    truth = truth_beside(receipts, recording) or {}
    found = as_units(receipts)
    if as_json:
        print_json({"right": found == truth, **_written(output / "run")})
    else:
        print_receipts(receipts, truth)
        for path in [output / "recording", output / "run" / "receipts.json", *drawn]:
            typer.echo(f"wrote {path}")
        agree = sum(found.get(shopper) == cart for shopper, cart in truth.items())
        typer.echo(f"{agree} of {len(truth)} receipts are exactly the truth (simulated visit, seed {seed})")
    if found != truth:
        raise typer.Exit(REFUSED)


def _written(folder: Path) -> dict[str, Any]:
    written: dict[str, Any] = json.loads((folder / "receipts.json").read_text(encoding="utf-8"))
    return written


def main() -> None:
    """Run the command line."""
    app()
