"""`gocv eval`: results in files held against the truth in files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gocv.cli.console import print_rows, refusing
from gocv.cli.options import JsonFile

eval_app = typer.Typer(help="Score results in files against the truth in files.", no_args_is_help=True)

_SHOWN = (
    "sequence",
    "hota",
    "det_a",
    "ass_a",
    "loc_a",
    "mota",
    "motp",
    "idf1",
    "idp",
    "idr",
    "idsw",
    "frag",
    "mt",
    "ml",
)


@eval_app.command("mot")
def eval_mot(
    gt: Annotated[Path, typer.Option(help="True tracks: gt.txt, PETS XML, or a folder of them or of sequences.")],
    pred: Annotated[Path, typer.Option(help="Found tracks: a text file, or a folder with NAME.txt for each sequence.")],
    preprocess: Annotated[
        str | None,
        typer.Option(help="Rules of what is left out: mot15, mot16, mot17, mot20, none. [default: by the format]"),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Score multi-object tracks: HOTA, CLEAR MOT and Identity, as TrackEval does."""
    from gocv.bench.mot_eval import evaluate_mot
    from gocv.data.files import write_json

    with refusing():
        result = evaluate_mot(gt, pred, preprocess)
        if json_file is not None:
            write_json(json_file, result.json())
    rows: list[dict[str, Any]] = [{key: row[key] for key in _SHOWN} for row in result.table()]
    print_rows("tracks", rows)
