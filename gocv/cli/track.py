"""`gocv track` and `gocv tune`: trackers on clips, and their settings searched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gocv.cli.console import refusing
from gocv.cli.options import Config, Overrides, pipeline_settings


def track_command(
    video: Annotated[Path, typer.Argument(metavar="VIDEO", help="A video, or a folder of pictures.")],
    overrides: Overrides = None,
    config: Config = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder [default: runs/NAME].")] = None,
    detections: Annotated[Path | None, typer.Option(help="Boxes in MOTChallenge's text, for a detector.")] = None,
    draw: Annotated[bool, typer.Option("--draw/--no-draw", help="Also draw boxes, ids and trails.")] = True,
) -> None:
    """Track people in a clip: tracks.txt (MOTChallenge), tracks.parquet and tracks.mp4.

    The tracker is that of the settings: track.part=bytetrack, track.min_hits=3, … So is the encoder of a tracker that
    needs appearance: track.part=deepsort encode.part=colour.
    """
    from gocv.pipeline.clip import track_clip

    folder = output or Path("runs") / video.resolve().stem
    with refusing():
        settings = pipeline_settings(config, overrides)
        done = track_clip(video, folder, settings, detections=detections, draw=draw)
    for note in done.notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{done.tracks} people in {done.frames} frames")
    for file in done.files:
        typer.echo(f"wrote {file}")


def tune_command(
    tracker: Annotated[str, typer.Argument(help="Registered name, such as bytetrack.")],
    root: Annotated[Path, typer.Option(help="Folder of sequences in MOTChallenge's layout.")],
    overrides: Overrides = None,
    config: Config = None,
    ranges: Annotated[
        Path | None, typer.Option(help="YAML of what is searched [default: configs/trackers/search/TRACKER.yaml].")
    ] = None,
    detections: Annotated[str, typer.Option(help="public, detector, a text file, or a folder of them.")] = "public",
    trials: Annotated[int, typer.Option(min=1, help="How many to try.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the search.")] = 1,
    goal: Annotated[str, typer.Option(help="hota, mota, idf1 or ass_a.")] = "hota",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="YAML for the best settings.")] = None,
) -> None:
    """Search a tracker's settings on sequences whose truth is known; detections are read or made once."""
    import yaml

    from gocv.bench.mot import read_cases
    from gocv.bench.tune import GOALS, cases_for, read_ranges, tune
    from gocv.core import ConfigError
    from gocv.data.files import written_whole

    with refusing():
        if goal not in GOALS:
            raise ConfigError(f"is {goal!r}", key="goal", expected=", ".join(GOALS))
        settings = pipeline_settings(config, overrides)
        searched = read_ranges(ranges or Path("configs/trackers/search") / f"{tracker}.yaml")
        cases, notes = cases_for(tracker, read_cases(root, detections, settings), settings)
        best = tune(tracker, searched, cases, trials=trials, seed=seed, goal=goal)
    for note in notes:
        typer.echo(f"note: {note}")
    typer.echo(f"{goal} {best.default_score:.4f} with the defaults, {best.score:.4f} at best of {best.trials}")
    text = yaml.safe_dump({k: round(v, 6) for k, v in best.settings.items()}, sort_keys=False)
    typer.echo(text.rstrip())
    if output is not None:
        with written_whole(output) as temporary:
            temporary.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {output}")
