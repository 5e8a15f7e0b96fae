"""The form of the competition's database: mongoexport, mongodump, archives."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from gocv.core import DataError, ScaleSamples
from gocv.data.nanostore.catalogue import read_planogram, read_products
from gocv.data.nanostore.contents import Contents, Gondola
from gocv.data.nanostore.document import Document
from gocv.data.nanostore.plates import GondolaSurvey, read_plate_message, stream_samples
from gocv.data.nanostore.source import COLLECTIONS, HEADS, PLANOGRAM, PLATES, PRODUCTS, TARGETS, DocumentSource
from gocv.data.nanostore.targets import Sightings
from gocv.data.progress import with_progress


def read_document_form(source: DocumentSource, clips: tuple[Path, ...], notes: list[str]) -> Contents:
    """Read all but the scale samples, which are surveyed and then streamed.

    Raises:
        DataError: A file is damaged or a document malformed, or there is not one scale sample; file, row and key are
            named.
    """
    surveys: dict[int, GondolaSurvey] = {}
    shoppers = {TARGETS: Sightings(), HEADS: Sightings()}
    store: dict[str, list[Document]] = {PRODUCTS: [], PLANOGRAM: []}
    for collection, document in with_progress(source.documents(*COLLECTIONS), "read documents"):
        if collection == PLATES:
            message = read_plate_message(document)
            surveys.setdefault(message.gondola, GondolaSurvey(message.rate_hz)).add(message)
        elif collection in shoppers:
            shoppers[collection].add(document)
        else:
            store[collection].append(document)
    notes += [f"there is no {collection}" for collection in (PLANOGRAM, PRODUCTS) if collection not in source.files]
    if source.ignored:
        notes.append(f"collections that are not read: {', '.join(source.ignored)}")
    sightings = next((s for s in shoppers.values() if len(s)), shoppers[TARGETS])
    notes += sightings.describe()
    gondolas = {g: Gondola(s.plates(g), s.rate_hz) for g, s in sorted(surveys.items()) if s.plates(g)}
    if not gondolas:
        raise DataError("holds no scale samples", file=source.files[PLATES], expected="messages with readings")
    products = read_products(store[PRODUCTS], notes)
    spans = [sightings.span_unix_s, *((s.first_unix_s, s.last_unix_s) for s in surveys.values())]
    return Contents(
        names=source.names,
        gondolas=gondolas,
        span_unix_s=(min(first for first, _ in spans), max(last for _, last in spans)),
        stream=functools.partial(_stream, source, gondolas),
        sightings=sightings,
        products=products,
        planogram=read_planogram(store[PLANOGRAM], products, notes),
        clips=clips,
    )


def _stream(
    source: DocumentSource, gondolas: dict[int, Gondola], origin_unix_s: float, notes: list[str]
) -> Iterator[tuple[int, ScaleSamples]]:
    documents = (document for _, document in source.documents(PLATES))
    return stream_samples(documents, {g: gondola.plates for g, gondola in gondolas.items()}, origin_unix_s, notes)
