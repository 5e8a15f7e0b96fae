"""`gocv train` and `gocv export`: networks learnt from data, and written for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gocv.cli.console import refusing
from gocv.cli.options import Overrides

train_app = typer.Typer(help="Train networks.", no_args_is_help=True)
export_app = typer.Typer(help="Write networks for other runtimes.", no_args_is_help=True)


@train_app.command("reid")
def train_reid_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/reid/default.yaml.")],
    overrides: Overrides = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder [default: runs/NAME].")] = None,
) -> None:
    """Train a person re-identification network.

    A training that was killed goes on where it was when it is started again. The folder gets model.safetensors.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.reid.training import ReidTrainSettings, train_reid  # refuses where what it needs is not installed

        weights = train_reid(load(ReidTrainSettings, config, overrides or []), output or Path("runs") / config.stem)
    typer.echo(f"wrote {weights}")


@train_app.command("product")
def train_product_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/product/default.yaml.")],
    overrides: Overrides = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder [default: runs/NAME].")] = None,
) -> None:
    """Train a network that tells products apart.

    A training that was killed goes on where it was when it is started again. The folder gets model.onnx.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.interact.products.training import ProductTrainSettings, train_product

        weights = train_product(
            load(ProductTrainSettings, config, overrides or []), output or Path("runs") / config.stem
        )
    typer.echo(f"wrote {weights}")


@export_app.command("reid")
def export_reid_command(
    destination: Annotated[Path, typer.Argument(help="The .onnx file to write.")],
    weights: Annotated[
        Path | None, typer.Option(help="What gocv train reid wrote [default: the encoder that comes with gocv].")
    ] = None,
) -> None:
    """Write an encoder to ONNX, and check that ONNX Runtime gives the same vectors."""
    from gocv.reid.checkpoints import load_model
    from gocv.reid.encoder import SHIPPED
    from gocv.reid.export import export_onnx

    with refusing():
        apart = export_onnx(load_model(weights or SHIPPED)[0], destination)
    typer.echo(f"wrote {destination}: vectors differ by {apart:.1e} at most")
