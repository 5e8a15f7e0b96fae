"""`gocv eval mot`: tracks in files against true tracks in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gocv.core import DataError
from gocv.data.mot import MotRows, mot_folders, read_cvml, read_mot
from gocv.data.mot.text import ANNOTATION_COLUMNS, columns_of
from gocv.metrics.mot import MotResult, MotSequence, leave_out
from gocv.metrics.mot.preprocess import Benchmark


def evaluate_mot(truth: Path, found: Path, preprocess: Benchmark | None = None) -> MotResult:
    """Score result files against true ones.

    Args:
        truth: A text file of MOTChallenge or an XML of PETS; or a folder of such files, or of sequences with
            `gt/gt.txt`.
        found: A result file; or a folder with one for each true sequence, of the same name, `NAME.txt`.
        preprocess: Whose rules say what is left out first. Unless given, "mot17" where the truth has classes, else
            "mot15".

    Returns:
        The scores; sequences in order of their names.

    Raises:
        DataError: A file is missing or not right, or an id is in a frame twice.
    """
    return MotResult.of(
        {
            name: scored_sequence(_read(file), read_mot(result), preprocess or _rules(file), files=(file, result))
            for name, file, result in _sequences(truth, found)
        }
    )


def scored_sequence(
    truth: MotRows, found: MotRows, preprocess: Benchmark, *, files: tuple[Path, Path] | None = None
) -> MotSequence:
    """The part of a sequence that is scored, by the rules of a benchmark.

    Raises:
        DataError: An id is in a frame twice; that of the `files`, of truth and of tracks, which has it is named.
    """
    try:
        true_rows, found_rows = leave_out(
            preprocess,
            truth.frame,
            truth.track_id,
            truth.xyxy,
            truth.score,
            truth.label,
            found.frame,
            found.track_id,
            found.xyxy,
        )
        own, theirs = truth[true_rows], found[found_rows]
        return MotSequence.from_boxes(own.frame, own.track_id, own.xyxy, theirs.frame, theirs.track_id, theirs.xyxy)
    except DataError as error:
        if files is None:
            raise
        raise error.within(file=files[not (error.key or "").startswith("truth")]) from error


def _read(file: Path) -> MotRows:
    return read_cvml(file) if file.suffix.lower() == ".xml" else read_mot(file)


def _rules(file: Path) -> Benchmark:
    return "mot17" if file.suffix.lower() != ".xml" and columns_of(file) == ANNOTATION_COLUMNS else "mot15"


def _sequences(truth: Path, found: Path) -> Iterator[tuple[str, Path, Path]]:
    """Name, true file and result file of each sequence."""
    if truth.is_file():
        name = truth.parents[1].resolve().name if truth.name == "gt.txt" else truth.stem
        yield name, truth, found / f"{name}.txt" if found.is_dir() else found
        return
    if not truth.is_dir():
        raise DataError("is neither a file nor a folder", file=truth, expected="true tracks")
    if not found.is_dir():
        raise DataError("is not a folder", file=found, expected="NAME.txt for each sequence, as the truth is a folder")
    flat = sorted(file for file in truth.iterdir() if file.suffix.lower() in (".txt", ".xml"))
    files = {file.stem: file for file in flat} or {one.name: one.path / "gt" / "gt.txt" for one in mot_folders(truth)}
    for name, file in sorted(files.items()):
        result = found / f"{name}.txt"
        if not result.is_file():
            raise DataError("is missing", file=result, expected=f"the tracks found in {name}")
        yield name, file, result
