"""Any sequence of what can be done to a gallery, against a plain dictionary."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gocv.core import DataError
from gocv.reid import Gallery, SamePerson

_PATH = Path(__file__).parents[1] / "oracles" / "reid_gallery.py"
_SPEC = importlib.util.spec_from_file_location("reid_gallery", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_ORACLE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_ORACLE)

CURVE = SamePerson(np.array([-1.0, 0.0, 0.5, 1.0]), np.array([-3.0, -1.0, 1.0, 6.0]), 0.5)
EXACT = np.float32([*np.eye(4), *-np.eye(4), *itertools.product([0.5, -0.5], repeat=4)])
"""Vectors of length 1 whose cosines are exact in float32, so that ties are ties."""

vectors = st.lists(st.integers(0, len(EXACT) - 1), max_size=5)
persons = st.integers(0, 4)
times = st.sampled_from([-6, -3, -1, 0, 0, 0, 1, 2, 12])
"""Quarters of a second from the latest time on: some go backwards, many are the same."""


class Sequences(RuleBasedStateMachine):
    @initialize(keep=st.integers(1, 4), expires=st.integers(1, 12), prior_new=st.sampled_from([0.1, 0.5, 0.9]))
    def start(self, keep: int, expires: int, prior_new: float) -> None:
        chosen: dict[str, Any] = {"keep": keep, "expires_s": expires / 4, "prior_new": prior_new}
        self.gallery = Gallery(CURVE, **chosen)
        self.oracle = _ORACLE.DictGallery(lambda s: float(CURVE.log_likelihood_ratio(s)), **chosen)

    def at(self, quarters: int) -> float:
        return (self.oracle.clock_s if np.isfinite(self.oracle.clock_s) else 0.0) + quarters / 4

    @rule(person=persons, which=vectors, offsets=st.lists(times, min_size=5, max_size=5), camera=st.sampled_from("ab"))
    def add(self, person: int, which: list[int], offsets: list[int], camera: str) -> None:
        when = [self.at(offset) for offset in offsets[: len(which)]]
        if person in self.oracle.forgotten:
            with pytest.raises(DataError, match="forgotten"):
                self.gallery.add(person, EXACT[which], when, camera)
            return
        self.gallery.add(person, EXACT[which], when, camera)
        self.oracle.add(person, EXACT[which], when, camera)

    @rule(offset=times)
    def expire(self, offset: int) -> None:
        when = self.at(offset)
        assert self.gallery.expire(when).tolist() == self.oracle.expire(when)

    @rule(person=persons)
    def forget(self, person: int) -> None:
        if person not in self.oracle.held:
            with pytest.raises(DataError, match=f"person {person}"):
                self.gallery.forget(person)
            return
        self.gallery.forget(person)
        self.oracle.forget(person)

    @rule(which=vectors, tracklets=st.lists(st.integers(0, 2), min_size=5, max_size=5), offset=times)
    def match(self, which: list[int], tracklets: list[int], offset: int) -> None:
        when, tracklet = self.at(offset), np.array(tracklets[: len(which)], np.int64)
        names = np.unique(tracklet)
        found = self.gallery.match(EXACT[which], when, tracklet=tracklet)
        wanted = self.oracle.match([EXACT[which][tracklet == name] for name in names], when)
        assert found.tracklet.tolist() == names.tolist()
        assert found.people.tolist() == sorted(self.oracle.held)
        for probability, new, want in zip(found.probability, found.new, wanted, strict=True):
            assert new == pytest.approx(want[None])
            assert probability == pytest.approx([want[person] for person in found.people.tolist()])
            assert probability.sum() + new == pytest.approx(1)

    @rule()
    def save_and_load(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            self.gallery.save(Path(folder) / "gallery.npz")
            self.gallery = Gallery.load(Path(folder) / "gallery.npz")

    @precondition(lambda self: hasattr(self, "gallery"))
    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        rows, seen = self.gallery._rows, self.gallery.sightings
        held = sorted(
            zip(rows["person"].tolist(), rows["time_s"].tolist(), map(tuple, rows["vector"].tolist()), strict=True)
        )
        entries = [
            (person, e[0], tuple(e[2].tolist()), e[3]) for person in self.oracle.held for e in self.oracle.held[person]
        ]
        assert held == sorted(entry[:3] for entry in entries)
        assert len(self.gallery) == len(entries)
        cameras = [seen.cameras[code] for code in seen.camera]
        places = zip(seen.person.tolist(), seen.time_s.tolist(), cameras, strict=True)
        assert sorted(places) == sorted((person, time_s, camera) for person, time_s, _, camera in entries)
        assert not rows._columns["vector"][len(rows) :].any()


Sequences.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestSequences = Sequences.TestCase
