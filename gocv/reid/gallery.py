"""Who has been seen: appearance vectors of people, compared, aged and forgotten."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from gocv.core import ConfigError, DataError, Rows, column
from gocv.reid.gallery_file import COLUMNS, read_gallery, write_gallery
from gocv.reid.same_person import SamePerson
from gocv.reid.wiped import WipedRows

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_PAIRS = 1 << 21
"""Pairs of vectors that are compared at a time."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """How probably each tracklet shows whom; a row of `probability` and its entry of `new` sum to 1.

    Attributes:
        tracklet: (m,) int64, ascending; the rows of the vectors where no tracklets were named.
        people: (p,) int64, ascending: whose the columns are.
        probability: (m, p) float64, that it is this person.
        new: (m,) float64, that it is nobody known.
        log_likelihood_ratio: (m, p) float64, the evidence without priors, in nats.
    """

    tracklet: Int64
    people: Int64
    probability: Float64
    new: Float64
    log_likelihood_ratio: Float64


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Sightings(Rows):
    """When and where the kept vectors were seen, in order of person and time.

    Attributes:
        cameras: Names; `camera` indexes them.
        person: (n,) int64.
        time_s: (n,) float64, seconds on the recording's clock.
        camera: (n,) int64.
    """

    cameras: tuple[str, ...]
    person: Int64 = column(np.int64)
    time_s: Float64 = column(np.float64)
    camera: Int64 = column(np.int64)


class Gallery:
    """Appearance vectors of the people that have been seen.

    *Matching.* λ(s) is the log-likelihood ratio of a cosine s that `same_person` has learnt. Of a vector x and a person
    j with the kept vectors v_1 … v_n, the likelihood ratio is

        Λ_j(x) = (1 / n) Σ_k exp(λ(x · v_k)),

    and that of a tracklet is the mean over its vectors. Pictures of one person, and frames of one tracklet, are not
    independent: a product of their ratios would be far too sure. The mean has expectation 1 under "somebody else"
    whatever the dependence, as each of its terms has where λ is right, so that chance gives a ratio of c or more at
    most once in c times (Vovk and Wang, "E-values: Calibration, combination and applications", Annals of Statistics
    2021). The price: probabilities are calibrated for one picture against one, and with several they are too cautious,
    the more so the less alike the pictures are. With p people and the probability ν = `prior_new` that somebody is
    nobody known, each of the people has the prior (1 - ν) / p, and

        P(j | x) = (1 - ν) / p · Λ_j / (ν + (1 - ν) / p · Σ_i Λ_i),
        P(nobody known | x) = ν / (ν + (1 - ν) / p · Σ_i Λ_i).

    *Time.* The clock is the latest time that the gallery was told of, by any of its methods, and never goes back. News
    that come late keep their own time, and are not kept if they are past `expires_s` already; to match or expire at an
    earlier time is to do so at the clock's. Vectors older than `expires_s` are gone at the next call that tells a time.

    *Memory.* A person with more than `keep` vectors keeps the newest, and after it, time and again, the one whose
    greatest cosine with those chosen is least, the newer at equal cosines (farthest-point traversal: Gonzalez,
    "Clustering to minimize the maximum intercluster distance", Theoretical Computer Science 1985).

    *Forgetting.* A vector that goes, for whatever reason, is overwritten with zeros where the gallery held it. Of a
    forgotten person the bare number alone is kept, so that it is never given to somebody else.

    Args:
        same_person: What a cosine says; fitted to the encoder that the vectors are from.
        keep: Most vectors of one person.
        expires_s: Seconds after which a vector is gone.
        prior_new: ν, in (0, 1).

    Raises:
        ConfigError: A setting is out of range.
    """

    def __init__(
        self, same_person: SamePerson, *, keep: int = 10, expires_s: float = 3600.0, prior_new: float = 0.5
    ) -> None:
        for key, value, right, expected in (
            ("keep", keep, keep >= 1, "at least 1"),
            ("expires_s", expires_s, 0 < expires_s < math.inf, "a number of seconds above 0"),
            ("prior_new", prior_new, 0 < prior_new < 1, "a probability above 0 and below 1"),
        ):
            if not right:
                raise ConfigError(f"is {value}", key=key, expected=expected)
        self.same_person = same_person
        self.keep = keep
        self.expires_s = expires_s
        self.prior_new = prior_new
        self._rows = _rows(0)
        self._cameras: list[str] = []
        self._forgotten: set[int] = set()
        self._clock_s = -math.inf
        self._added = 0

    def __len__(self) -> int:
        """How many vectors there are."""
        return len(self._rows)

    @property
    def people(self) -> Int64:
        """(p,) int64, whoever has a vector, ascending."""
        return np.unique(self._rows["person"])

    @property
    def sightings(self) -> Sightings:
        """When and where the vectors were seen; not the vectors, which stay in the gallery."""
        order = np.lexsort([self._rows[name] for name in ("added", "time_s", "person")])
        person, time_s, camera = (self._rows[name][order] for name in ("person", "time_s", "camera"))
        return Sightings(tuple(self._cameras), person=person, time_s=time_s, camera=camera)

    def add(self, person: int, vectors: Float32, time_s: ArrayLike, camera: str) -> None:
        """Keep vectors of a person, whom the gallery may know already or not.

        Args:
            person: A whole number, 0 or above.
            vectors: (n, D) float32, with a direction; D is that of the first vectors ever added.
            time_s: When they were seen, in seconds on the recording's clock: one time, or (n,).
            camera: Name of the camera.

        Raises:
            DataError: The person was forgotten, or is no such number, shapes do not fit, a vector is 0 or not finite,
                or a time is not finite. Nothing is changed then.
        """
        number = self._number(person)
        if number in self._forgotten:
            raise DataError(f"person {number} was forgotten", key="person", expected="a number that was never used")
        fresh = self._directions(vectors)
        times = _times(time_s, len(fresh))
        if not isinstance(camera, str):
            raise DataError(f"is {camera!r}", key="camera", expected="the name of a camera")
        if not len(fresh):
            return
        self.expire(float(times.max()))
        current = times >= self._clock_s - self.expires_s
        if not current.any():
            return
        if camera not in self._cameras:
            self._cameras.append(camera)
        if len(fresh[0]) != self._length:
            self._rows = _rows(fresh.shape[1])
        count = int(current.sum())
        self._rows.append(
            {
                "vector": fresh[current],
                "person": np.full(count, number),
                "time_s": times[current],
                "camera": np.full(count, self._cameras.index(camera)),
                "added": np.arange(self._added, self._added + count),
            }
        )
        self._added += count
        self._thin(number)

    def match(self, vectors: Float32, time_s: float, *, tracklet: ArrayLike | None = None) -> Matches:
        """Compare vectors with everybody who is known.

        Args:
            vectors: (n, D) float32, with a direction.
            time_s: Now, in seconds on the recording's clock.
            tracklet: (n,) whole numbers: vectors of the same one are of one person, and give one row. None: each gives
                a row of its own.

        Returns:
            A row for each tracklet, by the equations above; with nobody known, all are new.

        Raises:
            DataError: Shapes do not fit, a vector is 0 or not finite, or the time is not finite.
        """
        asked = self._directions(vectors)
        named = np.arange(len(asked)) if tracklet is None else _tracklets(tracklet, len(asked))
        self.expire(time_s)
        people = self.people
        ids, start, count, order = _groups(named)
        evidence, chunk = np.empty((len(asked), len(people))), max(_PAIRS // max(len(self), 1), 1)
        for first in range(0, len(asked) if len(people) else 0, chunk):
            part = slice(first, first + chunk)
            evidence[part] = self._evidence(asked[part])
        ratio = np.logaddexp.reduceat(evidence[order], start, axis=0) if len(ids) else evidence
        ratio -= np.log(count)[:, None]
        prior = np.log((1 - self.prior_new) / max(len(people), 1))
        posterior = softmax(np.column_stack([ratio + prior, np.full(len(ids), np.log(self.prior_new))]), axis=1)
        return Matches(ids, people, posterior[:, :-1], posterior[:, -1], ratio)

    def expire(self, time_s: float) -> Int64:
        """Drop the vectors that are older than `expires_s`.

        Returns:
            (k,) int64, people who have none left, ascending.

        Raises:
            DataError: The time is not finite.
        """
        self._clock_s = max(self._clock_s, float(_times(time_s, 1)[0]))
        old = self._rows["time_s"] < self._clock_s - self.expires_s
        if not old.any():
            return np.empty(0, np.int64)
        before = self.people
        self._rows.drop(old)
        return np.setdiff1d(before, self.people)

    def forget(self, person: int) -> None:
        """Overwrite and drop all that is held of a person, whose number is not used again.

        Raises:
            DataError: The gallery knows no such person.
        """
        number = self._number(person)
        theirs = self._rows["person"] == number
        if not theirs.any():
            why = "was forgotten already" if number in self._forgotten else "is not in the gallery"
            raise DataError(f"person {number} {why}", key="person", expected="one of its people")
        self._rows.drop(theirs)
        self._forgotten.add(number)

    def save(self, path: Path) -> None:
        """Write it all as a NumPy archive, whole or not at all.

        Of forgotten people it has the numbers alone. A file does not age: what is in it is there until it is deleted.
        """
        settings = {
            "version": 1,
            "keep": self.keep,
            "expires_s": self.expires_s,
            "prior_new": self.prior_new,
            "clock_s": self._clock_s if math.isfinite(self._clock_s) else None,
            "cameras": self._cameras,
            "same_person": self.same_person.to_dict(),
        }
        write_gallery(path, settings, {name: self._rows[name] for name in COLUMNS}, sorted(self._forgotten))

    @classmethod
    def load(cls, path: Path) -> Gallery:
        """Read what `save` wrote; nothing in the file is run.

        Raises:
            DataError: It cannot be read or is something else; the message names the file and the key.
        """
        settings, columns, forgotten = read_gallery(path)
        same_person = SamePerson.from_dict(settings.same_person, file=path)
        gallery = cls(same_person, keep=settings.keep, expires_s=settings.expires_s, prior_new=settings.prior_new)
        gallery._rows = WipedRows(columns)
        gallery._cameras = list(settings.cameras)
        gallery._forgotten = set(forgotten)
        gallery._clock_s = -math.inf if settings.clock_s is None else settings.clock_s
        gallery._added = int(columns["added"].max(initial=-1)) + 1
        return gallery

    @property
    def _length(self) -> int:
        return int(self._rows["vector"].shape[1])

    def _number(self, person: int) -> int:
        if isinstance(person, (bool, np.bool_)) or not isinstance(person, (int, np.integer)) or not 0 <= person < 2**63:
            raise DataError(f"is {person!r}", key="person", expected="a whole number, 0 or above")
        return int(person)

    def _directions(self, vectors: Float32) -> Float32:
        """(n, D) float32 of length 1."""
        given = np.asarray(vectors, np.float32)
        if given.ndim != 2 or (len(given) and self._length not in (0, given.shape[1])):
            expected = f"(n, {self._length or 'D'})"
            raise DataError(f"vectors have shape {given.shape}", key="vectors", expected=expected)
        length = np.sqrt(np.einsum("nd,nd->n", given, given))
        wrong = np.flatnonzero(~((length > 0) & (length < np.inf)))
        if len(wrong):
            raise DataError(f"vector {wrong[0]} is 0 or not finite", key="vectors", expected="vectors with a direction")
        return np.asarray(given / length[:, None], np.float32)

    def _evidence(self, vectors: Float32) -> Float64:
        """(m, p) log Λ of vectors and people."""
        _, start, count, order = _groups(self._rows["person"])
        alike = self.same_person.log_likelihood_ratio(vectors @ self._rows["vector"].T)
        return np.asarray(np.logaddexp.reduceat(alike[:, order], start, axis=1) - np.log(count))

    def _thin(self, person: int) -> None:
        """Drop what a person has too many of."""
        theirs = np.flatnonzero(self._rows["person"] == person)
        if len(theirs) <= self.keep:
            return
        newest_first = theirs[np.lexsort((self._rows["added"][theirs], self._rows["time_s"][theirs]))[::-1]]
        vectors = self._rows["vector"][newest_first]
        chosen, nearest = [0], vectors @ vectors[0]
        nearest[0] = np.inf
        while len(chosen) < self.keep:
            chosen.append(int(np.argmin(nearest)))
            nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
            nearest[chosen[-1]] = np.inf
        dropped = np.zeros(len(self._rows), bool)
        dropped[np.delete(newest_first, chosen)] = True
        self._rows.drop(dropped)


def _rows(length: int) -> WipedRows:
    return WipedRows({name: np.empty((0, length) if name == "vector" else 0, kind) for name, kind in COLUMNS.items()})


def _groups(values: Int64) -> tuple[Int64, Int64, Int64, Int64]:
    """The values that there are; where each starts in the order of values, how often it is there; and that order."""
    order = np.argsort(values, kind="stable")
    found, start, count = np.unique(values[order], return_index=True, return_counts=True)
    return found, start, count, order


def _times(time_s: ArrayLike, count: int) -> Float64:
    times = np.asarray(time_s, np.float64)
    if times.shape not in ((), (count,)):
        raise DataError(f"times have shape {times.shape}", key="time_s", expected=f"one time, or ({count},)")
    if not np.isfinite(times).all():
        raise DataError("is not finite", key="time_s", expected="seconds on the recording's clock")
    return np.broadcast_to(times, count)


def _tracklets(tracklet: ArrayLike, count: int) -> Int64:
    named = np.asarray(tracklet)
    if named.shape != (count,) or (count and named.dtype.kind not in "iu"):
        problem = f"tracklets have shape {named.shape} and are {named.dtype}"
        raise DataError(problem, key="tracklet", expected=f"({count},) whole numbers")
    return named.astype(np.int64)
