"""Messages of `plate_data`: a gondola's load cells, a dozen samples at a time."""

from __future__ import annotations

import binascii
import dataclasses
import math
from base64 import b64decode
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from gocv.core import PlateId, ScaleSamples
from gocv.data.nanostore.document import Document
from gocv.data.nanostore.samples import SampleSorter

_BODY = "document.plate_data"
_FLOAT32 = "DATATYPE_FLOAT32"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class PlateMessage:
    """Samples of all plates of a gondola.

    Attributes:
        gondola: Which, from 1.
        start_unix_s: Time of the first sample; the others follow at `rate_hz`.
        rate_hz: Samples a second.
        weight_g: (T, S, P) float32 by shelf and plate; both count from 1, so that index 0 is empty. Not finite where
            there is no such plate.
    """

    gondola: int
    start_unix_s: float
    rate_hz: float
    weight_g: NDArray[np.float32]

    @property
    def unix_s(self) -> NDArray[np.float64]:
        """(T,) times of the samples."""
        times: NDArray[np.float64] = self.start_unix_s + np.arange(len(self.weight_g)) / self.rate_hz
        return times


def read_plate_message(document: Document) -> PlateMessage:
    """Decode a document of `plate_data`.

    Raises:
        DataError: It is not such a message; file, row and key are named.
    """
    where = f"{_BODY}.plate_id"
    gondola = document.integer(f"{where}.shelf_id.gondola_id.id")
    if gondola < 1:
        raise document.error(f"gondola {gondola} cannot be", f"{where}.shelf_id.gondola_id.id", "a number from 1")
    if document.integer(f"{where}.shelf_id.shelf_index") or document.integer(f"{where}.plate_index"):
        raise document.error("is about part of a gondola", where, "a message of a whole gondola")
    rate_hz = document.number(f"{_BODY}.freq_samp")
    if not (math.isfinite(rate_hz) and rate_hz > 0):
        raise document.error(f"{rate_hz:g} Hz will not do", f"{_BODY}.freq_samp", "a positive number")
    return PlateMessage(gondola, document.unix_s("document.header.t_origin"), rate_hz, _array(document))


def _array(document: Document) -> NDArray[np.float32]:
    values = f"{_BODY}.values"
    kind = document.text(f"{values}.type", _FLOAT32)
    if kind != _FLOAT32:
        raise document.error(f"'{kind}' is not known", f"{values}.type", _FLOAT32)
    shape = document.get(f"{values}.shape")
    if not (isinstance(shape, list) and len(shape) == 3 and all(isinstance(n, int) and n >= 0 for n in shape)):
        raise document.error(f"{shape!r} will not do", f"{values}.shape", "[samples, shelves + 1, plates + 1]")
    data = document.get(f"{values}.data")
    try:
        packed = b64decode(data, validate=True) if isinstance(data, str) else bytes(memoryview(data))
    except (binascii.Error, TypeError, ValueError) as problem:
        raise document.error(f"cannot be decoded: {problem}", f"{values}.data", "base64 text or bytes") from problem
    if len(packed) != 4 * math.prod(shape):
        raise document.error(
            f"holds {len(packed)} bytes", f"{values}.data", f"{4 * math.prod(shape)}, as shape {shape} says"
        )
    return np.frombuffer(packed, "<f4").astype(np.float32).reshape(shape)


@dataclasses.dataclass(slots=True)
class GondolaSurvey:
    """What the messages of a gondola hold, found by reading them once.

    Attributes:
        rate_hz: Samples a second, of the first message.
        first_unix_s: Time of the earliest sample.
        last_unix_s: Time of the latest sample.
        given: (S, P) bool: plates that gave a finite reading at any time.
    """

    rate_hz: float
    first_unix_s: float = math.inf
    last_unix_s: float = -math.inf
    given: NDArray[np.bool_] = dataclasses.field(default_factory=lambda: np.zeros((0, 0), bool))

    def add(self, message: PlateMessage) -> None:
        """Take another message into account."""
        if len(message.weight_g) == 0:
            return
        self.first_unix_s = min(self.first_unix_s, message.start_unix_s)
        self.last_unix_s = max(self.last_unix_s, float(message.unix_s[-1]))
        given = np.isfinite(message.weight_g).any(axis=0)
        both = np.zeros(np.maximum(self.given.shape, given.shape), bool)
        for part in (self.given, given):
            both[: part.shape[0], : part.shape[1]] |= part
        self.given = both

    def plates(self, gondola: int) -> tuple[PlateId, ...]:
        """The plates, sorted; index 0 of shelf and plate means nothing and is passed over."""
        return tuple(PlateId(gondola, int(s), int(p)) for s, p in np.argwhere(self.given) if s and p)


def stream_samples(
    documents: Iterable[Document], plates: dict[int, tuple[PlateId, ...]], origin_unix_s: float, notes: list[str]
) -> Iterator[tuple[int, ScaleSamples]]:
    """Samples by gondola in order of time, times since `origin_unix_s`; what had to be left out goes into `notes`.

    Args:
        documents: Of `plate_data`, gondolas in any order, each gondola's nearly in order of time.
        plates: The plates of each gondola, as a survey found them.
        origin_unix_s: Time 0.
        notes: Is added to at the end.

    Raises:
        DataError: A message is malformed; file, row and key are named.
    """
    sorters = {gondola: SampleSorter(on, origin_unix_s) for gondola, on in plates.items()}
    for document in documents:
        message = read_plate_message(document)
        on = plates.get(message.gondola)
        if on:
            for chunk in sorters[message.gondola].add(message.unix_s, _columns(message.weight_g, on)):
                yield message.gondola, chunk
    for gondola, sorter in sorted(sorters.items()):
        for chunk in sorter.flush():
            yield gondola, chunk
        notes.extend(left_out(gondola, sorter))


def left_out(gondola: int, sorter: SampleSorter) -> Iterator[str]:
    """Sentences about the samples that found no place."""
    if sorter.late:
        yield f"gondola {gondola}: {sorter.late} samples came more than 2 s late and were left out"
    if sorter.repeated:
        yield f"gondola {gondola}: {sorter.repeated} samples at a time that was taken were left out"


def _columns(weight_g: NDArray[np.float32], plates: tuple[PlateId, ...]) -> NDArray[np.float32]:
    columns = np.full((len(weight_g), len(plates)), np.nan, np.float32)
    for i, (_, shelf, plate) in enumerate(plates):
        if shelf < weight_g.shape[1] and plate < weight_g.shape[2]:
            columns[:, i] = weight_g[:, shelf, plate]
    columns[~np.isfinite(columns)] = np.nan
    return columns
