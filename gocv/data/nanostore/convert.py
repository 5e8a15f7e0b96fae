"""From the data set's own forms to a recording."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import av

from gocv.core import DataError, Plate, PlateId, Product, Store
from gocv.data.nanostore.catalogue import Barcodes, read_products
from gocv.data.nanostore.contents import Contents
from gocv.data.nanostore.documents import SUFFIXES, read_documents
from gocv.data.nanostore.from_documents import read_document_form
from gocv.data.nanostore.from_series import find_series, read_series_form
from gocv.data.nanostore.labels import Labels, labelled_products, read_labels
from gocv.data.nanostore.layout import is_layout, read_layout
from gocv.data.nanostore.source import find_documents
from gocv.data.nanostore.truth import truth_of
from gocv.data.progress import with_progress
from gocv.data.recording import Camera, RecordingWriter, Truth, TruthReceipt

_CLIPS = (".mp4", ".mkv", ".avi", ".mov")


def convert_nanostore(
    source: str | Path,
    destination: str | Path,
    *,
    layout: str | Path | None = None,
    labels: str | Path | None = None,
    products: str | Path | None = None,
    truth_receipts: Sequence[TruthReceipt] | None = None,
    overwrite: bool = False,
) -> list[str]:
    """Write a recording of the AutoCheckout (AiFi NanoStore) data set as gocv's recording folder, whole or not at all.

    Inches become metres; the recording's time 0 is the earliest sample of anything.

    Args:
        source: A folder of mongoexport's JSON lines or mongodump's BSON files, a folder that `mongodump` wrote, an
            archive of `mongodump --archive`, or a folder with a CSV series for each plate (`plates/`).
        destination: The recording's folder.
        layout: Folder of Gondolas.json, Shelves.json and Plates.json. Default: `layout` in or beside the source.
        labels: File or folder of labels. Default: `labels` in or beside the source.
        products: `products` collection (JSON lines or BSON) in which the barcodes of a table of names are looked up.
            Default: the first `products` collection in the source or in a folder beside it.
        truth_receipts: The true receipts, where you know them better than the labels do.
        overwrite: Replace a recording that is there already.

    Returns:
        Sentences about what was found, guessed and ignored; they stand in the recording too.

    Raises:
        DataError: The source is of no known form, or something in it is damaged; file, row (line or byte) and key are
            named. Nothing is left at `destination` then.
    """
    source, destination = Path(source), Path(destination)
    if not source.exists():
        raise DataError("does not exist", file=source, expected="a recording of the data set")
    notes: list[str] = []
    label_files = _given(labels, "labels") or _beside(source, "labels", Path.is_dir, notes)
    layout_folder = _given(layout, "layout") or _beside(source, "layout", is_layout, notes)
    known = Labels({}, {}) if label_files is None else read_labels(label_files)
    contents = _read(source, _given(products, "products"), known, notes)
    plates = _plates(contents, {} if layout_folder is None else read_layout(layout_folder), notes)
    origin, last = contents.span_unix_s
    clips = _readable(contents.clips, notes)
    duration_s = max([last - origin, *clips.values()])
    truth = (
        None if label_files is None else truth_of(contents.names, known, contents.products, origin, duration_s, notes)
    )
    if truth_receipts is not None:
        truth = Truth(() if truth is None else truth.events, tuple(truth_receipts))
    with RecordingWriter(
        destination,
        name=contents.names[0],
        origin_unix_s=origin,
        duration_s=duration_s,
        store=Store(contents.products, plates, contents.planogram),
        overwrite=overwrite,
    ) as writer:
        _write(writer, contents, clips, truth, notes)
    return notes


def _read(source: Path, products: Path | None, labels: Labels, notes: list[str]) -> Contents:
    folder = source if source.is_dir() else source.parent
    clips = tuple(sorted(f for f in folder.glob("video/*") if f.suffix.lower() in _CLIPS)) if source.is_dir() else ()
    documents = find_documents(source)
    if documents is not None:
        notes.append(f"read {', '.join(sorted({f.name for f in documents.files.values()}))}")
        return read_document_form(documents, clips, notes)
    series = find_series(source)
    if series:
        notes.append(f"read {sum(map(len, series.values()))} plates of {len(series)} gondolas from CSV series")
        barcodes = Barcodes(_catalogue(source, products, notes), labelled_products(labels))
        return read_series_form(source, series, barcodes, clips, notes)
    raise DataError(
        "is no recording of the data set",
        file=source,
        expected="plate_data.json or .bson, a mongodump folder or archive, or plates/gondola_G_shelf_S_plate_P.csv",
    )


def _catalogue(source: Path, products: Path | None, notes: list[str]) -> Iterable[Product]:
    """Products with barcodes, from `products` or the first collection of that name in or beside the source."""
    if products is None:
        folders = [source, *sorted(f for f in source.resolve().parent.iterdir() if f.is_dir())]
        files = (folder / f"products{suffix}" for folder, suffix in itertools.product(folders, SUFFIXES))
        products = next((file for file in files if file.is_file()), None)
    if products is None:
        notes.append("no products collection was found to look up barcodes in")
        return ()
    notes.append(f"barcodes are those of {products.parent.name}/{products.name} whose product has the same name")
    return read_products(read_documents(products), []).values()


def _plates(contents: Contents, surveyed: dict[PlateId, Plate], notes: list[str]) -> dict[PlateId, Plate]:
    weighed = [plate for gondola in contents.gondolas.values() for plate in gondola.plates]
    lacking = [plate for plate in weighed if plate not in surveyed]
    if lacking:
        listed = ", ".join(map(str, lacking[:12])) + (" …" if len(lacking) > 12 else "")
        notes.append(f"{len(lacking)} of {len(weighed)} weighed plates are not in the layout: {listed}")
    return {**{plate: Plate.unsurveyed(plate) for plate in lacking}, **surveyed}


def _readable(clips: Iterable[Path], notes: list[str]) -> dict[Path, float]:
    """Clips that can be opened, and how long they run in seconds."""
    durations: dict[Path, float] = {}
    for clip in clips:
        try:
            with av.open(str(clip)) as container:
                stream = container.streams.video[0]
                length = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else math.nan
                rate = float(stream.average_rate) if stream.average_rate else math.nan
        except (av.FFmpegError, IndexError, OSError) as problem:
            notes.append(f"{clip.name} cannot be read and was left out: {problem}")
            continue
        durations[clip] = length if math.isfinite(length) else 0.0
        notes.append(f"camera {clip.stem}: {length:.1f} s at {rate:g} frames a second, uncalibrated")
    if durations:
        notes.append(
            "the clips carry no time of day: each is assumed to start at time 0, that is with the earliest sample;"
            " the calibration.json of the layout is of another rig date and is not used"
        )
    return durations


def _write(
    writer: RecordingWriter, contents: Contents, clips: Iterable[Path], truth: Truth | None, notes: list[str]
) -> None:
    origin = contents.span_unix_s[0]
    for clip in clips:
        writer.add_camera(Camera(clip.stem, video=clip))
    groups = {
        number: writer.open_scale_group(f"gondola-{number}", gondola.plates, gondola.rate_hz)
        for number, gondola in contents.gondolas.items()
    }
    for number, samples in with_progress(contents.stream(origin, notes), "write samples"):
        groups[number].write(samples)
    if contents.sightings is not None:
        writer.write_joints(contents.sightings.floor_tracks(origin))
    if truth is not None:
        writer.write_truth(truth)
    for note in notes:
        writer.note(note)


def _given(path: str | Path | None, what: str) -> Path | None:
    if path is not None and not Path(path).exists():
        raise DataError(f"the {what} that were named do not exist", file=path)
    return None if path is None else Path(path)


def _beside(source: Path, name: str, fits: Callable[[Path], bool], notes: list[str]) -> Path | None:
    """The folder called `name` in the source, or else beside it."""
    inside = source.resolve() if source.is_dir() else source.resolve().parent
    for folder, where in ((inside / name, "in"), (inside.parent / name, "beside")):
        if fits(folder):
            notes.append(f"the {name} is taken from the folder '{name}' {where} the source")
            return folder
    notes.append(f"no folder '{name}' was found in or beside the source")
    return None
