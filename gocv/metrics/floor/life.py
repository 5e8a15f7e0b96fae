"""How long an identity lives: what breaks a receipt is not a missed moment but a shopper who becomes another."""

from __future__ import annotations

import dataclasses

import numpy as np

from gocv.metrics.floor.sequence import FloorSequence
from gocv.metrics.mot import match_clear
from gocv.metrics.mot.counts import Additive

_WHOLE_VISIT = 0.8
"""Share of a person's labelled moments that make a visit whole: that of CLEAR's "mostly tracked"."""


@dataclasses.dataclass(frozen=True, slots=True)
class LifeCounts(Additive):
    """Of the matching of CLEAR: who is matched with an identity stays with it as long as the gate allows.

    Attributes:
        people: True people.
        kept: Those matched in at least 80 % of their labelled moments, and with one identity alone.
        switches: Times that a person is matched with another identity than when last matched, however long ago.
        merges: Of each found identity, the people that it was matched with beyond one.
        lives: Stretches of time in which a person is matched with one identity, moments without a match included.
        life_s: Their lengths together, from the first match to the last, each with the time that a label stands for.
        person_s: Time for which people were labelled.
    """

    people: int
    kept: int
    switches: int
    merges: int
    lives: int
    life_s: float
    person_s: float


def count_life(sequence: FloorSequence) -> LifeCounts:
    """Follow each true person through the identities that they were found under."""
    people = sequence.people
    truth, found = people.truth, people.found
    match = match_clear(people)
    matched = np.flatnonzero(match >= 0)
    order = matched[np.argsort(truth.track[matched], kind="stable")]  # by person, then by moment
    person, identity = truth.track[order], found.track[match[order]]
    time_s = sequence.moment_s[truth.frame[order]]
    other_person = np.diff(person, prepend=-1) != 0
    begins = np.flatnonzero(other_person | (np.diff(identity, prepend=-1) != 0))
    lives = np.bincount(person[begins], minlength=len(truth.ids))
    ends = np.append(begins, len(order))[1:] - 1
    pairs = np.unique(np.stack([identity, person]), axis=1)
    share = np.bincount(person, minlength=len(truth.ids)) / np.maximum(truth.lengths, 1)
    return LifeCounts(
        people=len(truth.ids),
        kept=int(((lives == 1) & (share >= _WHOLE_VISIT)).sum()),
        switches=len(begins) - int((lives > 0).sum()),
        merges=pairs.shape[1] - len(np.unique(pairs[0])),
        lives=len(begins),
        life_s=float((time_s[ends] - time_s[begins] + sequence.interval_s).sum()),
        person_s=len(truth) * sequence.interval_s,
    )
