"""From people on the floor to scores."""

from __future__ import annotations

import dataclasses

from gocv.metrics.floor.detection import PositionCounts, count_positions
from gocv.metrics.floor.life import LifeCounts, count_life
from gocv.metrics.floor.sequence import FloorSequence
from gocv.metrics.mot import MotCounts, MotScores, count_mot
from gocv.metrics.mot.counts import Additive

_HOUR_S = 3600.0


@dataclasses.dataclass(frozen=True, slots=True)
class FloorCounts(Additive):
    """All counts of a sequence, or of several with the same gate.

    Attributes:
        positions: Of MODA and MODP.
        tracks: Of HOTA, CLEAR MOT and Identity.
        life: Of identities.
        distance_m: Of CLEAR's matches, summed.
    """

    positions: PositionCounts
    tracks: MotCounts
    life: LifeCounts
    distance_m: float


def count_floor(sequence: FloorSequence) -> FloorCounts:
    """All counts of one sequence; add them up over sequences."""
    tracks = count_mot(sequence.people)
    distance_m = (tracks.clear.tp - tracks.clear.similarity) * 2 * sequence.gate_m
    return FloorCounts(count_positions(sequence), tracks, count_life(sequence), distance_m)


@dataclasses.dataclass(frozen=True, slots=True)
class FloorScores:
    """Scores on the floor; what has nothing to be counted of is 0.

    Attributes:
        moda: 1 - (FN + FP) / (TP + FN), each moment matched by itself (Kasturi et al. 2009, eq. 6); may be negative.
        modp: Mean of 1 - distance / gate over those matches.
        precision: TP / (TP + FP).
        recall: TP / (TP + FN).
        mota: 1 - (FN + FP + IDSW) / (TP + FN), matched by CLEAR within the gate.
        motp_m: Mean distance of CLEAR's matches, metres; smaller is better.
        idf1: Share of moments that the best one-to-one assignment of identities to people explains, within the gate.
        idp: The same of what was found.
        idr: The same of what is true.
        hota: Mean over thresholds; threshold α allows distances up to 2 gate (1 - α): 95 % of twice the gate down
            to 10 % of it. α = 0.5 is the gate.
        det_a: Its part for detection.
        ass_a: Its part for association.
        switches: Times that a person became another identity.
        switches_per_shopper_hour: The same for each hour for which a person was labelled.
        merges: People that an identity stood for beyond one, summed over identities.
        identity_life_s: Mean length of the stretches in which a person has one identity.
        kept: Share of people with one identity for their whole visit: alone of all that they were matched with, and
            in at least 80 % of their moments.
        people: True people.
        shopper_hours: Time for which they were labelled.
    """

    moda: float
    modp: float
    precision: float
    recall: float
    mota: float
    motp_m: float
    idf1: float
    idp: float
    idr: float
    hota: float
    det_a: float
    ass_a: float
    switches: int
    switches_per_shopper_hour: float
    merges: int
    identity_life_s: float
    kept: float
    people: int
    shopper_hours: float

    @classmethod
    def of(cls, counts: FloorCounts) -> FloorScores:
        """The scores that these counts give."""
        at, life, clear = counts.positions, counts.life, counts.tracks.clear
        tracks, true = MotScores.of(counts.tracks), at.tp + at.fn
        hours = life.person_s / _HOUR_S
        return cls(
            moda=(at.tp - at.fp) / true if true else 0.0,
            modp=at.nearness / max(1, at.tp),
            precision=at.tp / max(1, at.tp + at.fp),
            recall=at.tp / max(1, true),
            mota=tracks.mota,
            motp_m=counts.distance_m / max(1, clear.tp),
            idf1=tracks.idf1,
            idp=tracks.idp,
            idr=tracks.idr,
            hota=tracks.hota,
            det_a=tracks.det_a,
            ass_a=tracks.ass_a,
            switches=life.switches,
            switches_per_shopper_hour=life.switches / hours if hours else 0.0,
            merges=life.merges,
            identity_life_s=life.life_s / max(1, life.lives),
            kept=life.kept / max(1, life.people),
            people=life.people,
            shopper_hours=hours,
        )

    def json(self) -> dict[str, float | int]:
        """All of them, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
