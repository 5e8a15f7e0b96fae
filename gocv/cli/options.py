"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gocv.pipeline import PipelineConfig

RecordingPath = Annotated[Path, typer.Argument(metavar="RECORDING", help="Folder that holds recording.yaml.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, such as shelf.window=60.")
]
Config = Annotated[Path | None, typer.Option("-c", "--config", help="YAML of settings; see configs/pipelines.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Also write the result to this file.", metavar="FILE")]
Picture = Annotated[Path | None, typer.Option(help="Also draw the result to this PNG.", metavar="FILE")]


def pipeline_settings(config: Path | None, overrides: list[str] | None) -> PipelineConfig:
    """The pipeline's settings, as `Config` and `Overrides` have them.

    Raises:
        ConfigError: A setting is unknown or of the wrong type, or the file cannot be read.
    """
    from gocv.data.config import load
    from gocv.pipeline import PipelineConfig

    return load(PipelineConfig, config, overrides or [])
