"""`gocv train` and `gocv export`: networks learnt from data, and written for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gocv.cli.console import refusing
from gocv.cli.options import Overrides

Output = Annotated[Path | None, typer.Option("-o", "--output", help="Folder [default: runs/NAME].")]

train_app = typer.Typer(help="Train networks.", no_args_is_help=True)
export_app = typer.Typer(help="Write networks for other runtimes.", no_args_is_help=True)


@train_app.command("reid")
def train_reid_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/reid/default.yaml.")],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train a person re-identification network.

    A training that was killed goes on where it was when it is started again. The folder gets model.safetensors.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.reid.training import ReidTrainSettings, train_reid  # refuses where what it needs is not installed

        weights = train_reid(load(ReidTrainSettings, config, overrides or []), output or Path("runs") / config.stem)
    typer.echo(f"wrote {weights}")


@train_app.command("detector")
def train_detector_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/detect_training/.")],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train the person detector on pictures with boxes.

    A training that was killed goes on where it was when it is started again. The folder gets an .onnx file and the YAML
    file that describes it.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.detect.training.module import train_detector  # refuses where what it needs is not installed
        from gocv.detect.training.settings import DetectorTrainSettings

        settings = load(DetectorTrainSettings, config, overrides or [])
        described = train_detector(settings, output or Path("runs") / config.stem)
    typer.echo(f"wrote {described}")


@train_app.command("hands")
def train_hands_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/hands/default.yaml.")],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train the network that looks at hands: whether they hold something, and what that looks like.

    A training that was killed goes on where it was when it is started again. The folder gets hands.onnx.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.interact.hands.training import HandTrainSettings, train_hands  # refuses without what it needs

        weights = train_hands(load(HandTrainSettings, config, overrides or []), output or Path("runs") / config.stem)
    typer.echo(f"wrote {weights}")


@train_app.command("interaction")
def train_interaction_command(
    config: Annotated[
        Path, typer.Option("-c", "--config", help="YAML of settings; see configs/interaction/default.yaml.")
    ],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train a network that says what hands did at shelves.

    A training that was killed goes on where it was when it is started again. The folder gets model.onnx.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.interact.training import InteractionTrainSettings, train_interaction

        settings = load(InteractionTrainSettings, config, overrides or [])
        weights = train_interaction(settings, output or Path("runs") / config.stem)
    typer.echo(f"wrote {weights}")


@train_app.command("pose")
def train_pose_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/pose/default.yaml.")],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train a network for the poses of people whose boxes are known.

    A training that was killed goes on where it was when it is started again. The folder gets pose.onnx.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.detect.pose.training import PoseTrainSettings, train_pose  # refuses where a part is not installed

        weights = train_pose(load(PoseTrainSettings, config, overrides or []), output or Path("runs") / config.stem)
    typer.echo(f"wrote {weights}")


@train_app.command("product")
def train_product_command(
    config: Annotated[Path, typer.Option("-c", "--config", help="YAML of settings; see configs/product/default.yaml.")],
    overrides: Overrides = None,
    output: Output = None,
) -> None:
    """Train a network that tells products apart.

    A training that was killed goes on where it was when it is started again. The folder gets model.onnx.
    """
    with refusing():
        from gocv.data.config import load
        from gocv.interact.products.training import ProductTrainSettings, train_product

        settings = load(ProductTrainSettings, config, overrides or [])
        weights = train_product(settings, output or Path("runs") / config.stem)
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
