"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecordingPath = Annotated[Path, typer.Argument(metavar="RECORDING", help="Folder that holds recording.yaml.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as shelf.window=60.")
]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="YAML of settings; see configs/pipelines.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.", metavar="FILE")]
