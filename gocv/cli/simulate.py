"""`gocv simulate`: a scenario into a recording."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from gocv.cli.console import print_json, refusing
from gocv.cli.options import Json, Overrides


def simulate_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML of a scenario; see configs/sim/scenarios.")],
    overrides: Overrides = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Recording to write [default: recordings/CONFIG-SEED].")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed is another visit in the same store.")] = 0,
    shoppers: Annotated[int | None, typer.Option(help="How many come.")] = None,
    hours: Annotated[float | None, typer.Option(help="Over how long they come.")] = None,
    video: Annotated[bool, typer.Option("--video", help="Also render every camera's footage.")] = False,
    poses: Annotated[
        bool, typer.Option("--poses", help="Boxes and 2-D poses of each camera instead of 3-D joints.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a recording that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Simulate a visit, or a day of them, and write it as a recording with its exact truth.

    Scales, noisy 3-D joints (with --poses, boxes and 2-D poses instead) and, with --video, footage. The same seed
    writes the same bytes (footage aside).
    """
    from gocv.sim import read_scenario, simulate

    given = {"shoppers": shoppers, "hours": hours}
    settings = [*(overrides or []), *(f"{key}={value}" for key, value in given.items() if value is not None)]
    folder = output or Path("recordings") / f"{config.stem}-{seed}"
    if threading.current_thread() is threading.main_thread():  # so that nothing half-written is left
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with refusing(config):
        scenario = read_scenario(config, settings)
        truth = simulate(scenario, folder, seed=seed, video=video, poses=poses, overwrite=overwrite)
    receipts = {receipt.shopper: dict(receipt.items) for receipt in truth.receipts or ()}
    if as_json:
        print_json({"recording": str(folder), "events": len(truth.events), "receipts": receipts})
        return
    units = sum(sum(items.values()) for items in receipts.values())
    typer.echo(f"{len(truth.events)} events, {len(receipts)} receipts, {units} units (simulated, seed {seed})")
    typer.echo(f"wrote {folder}")
