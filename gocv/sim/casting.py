"""Who comes to a store and when, and what each of them is going to do."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from gocv.sim.acts import Programme
from gocv.sim.features import SCENES
from gocv.sim.layout import StoreLayout
from gocv.sim.plan import Draft, Planner
from gocv.sim.scenario import Scenario
from gocv.sim.stock import Stock

T = TypeVar("T")

_STAFF_EVERY_S = 300.0
_LAST_ENTRY_S = 300.0
"""Nobody comes in this shortly before the end of a long simulation."""
_BEHIND_S, _TOGETHER_S = 0.5, 2.0
"""How long after the one before come those in company, and those of one scene."""
_BACK_S = (60.0, 150.0)
"""How long after they came in for the first time those come in who come twice."""
_FEW = 3
"""So many play in a scene, where there are as many."""


def programmes(scenario: Scenario, layout: StoreLayout, stock: Stock, rng: np.random.Generator) -> list[Programme]:
    """Everybody's programme, in order of entry.

    Raises:
        ConfigError: The store cannot give what is asked for.
    """
    planner = Planner(layout, stock, scenario.habits, rng)
    drafts = [planner.draft(f"shopper-{i + 1}", t) for i, t in enumerate(_entries(scenario, rng))]
    _accompany(scenario, drafts, rng)
    to_play = _casts(scenario, drafts, rng)
    _keep_together(drafts)
    drafts += _returning(planner, drafts)
    drafts.sort(key=lambda draft: draft.programme.entry_s)
    everybody: list[Draft] = []
    staffed_s, staff = 0.0, 0
    planned: set[str] = set()
    for draft in drafts:
        entry_s = draft.programme.entry_s
        if scenario.staff and entry_s - staffed_s > _STAFF_EVERY_S:
            helper = planner.restock(f"staff-{staff + 1}", entry_s)
            if helper is not None:
                everybody.append(helper)
                staffed_s, staff = entry_s, staff + 1
        if draft.programme.company is None:
            planner.shop(draft)
        everybody.append(draft)
        planned.add(draft.name)
        for name, cast in [part for part in to_play if planned.issuperset(player.name for player in part[1])]:
            SCENES[name][0](planner, cast)
            to_play.remove((name, cast))
    return [draft.finished() for draft in everybody]


def _entries(scenario: Scenario, rng: np.random.Generator) -> list[float]:
    """When each comes in: at random over the hours, or together, seconds apart."""
    if scenario.hours is not None:
        last_s = max(scenario.hours * 3600 - _LAST_ENTRY_S, 1.0)
        return sorted(float(t) for t in rng.uniform(1.0, last_s, scenario.shoppers))
    return [float(t) for t in 1.0 + np.concatenate([[0.0], rng.uniform(2.5, 5.0, scenario.shoppers - 1).cumsum()])]


def _accompany(scenario: Scenario, drafts: Sequence[Draft], rng: np.random.Generator) -> None:
    """Make some of the drafts those of a child or a friend of the one before; enough stay alone for the scenes."""
    spare = len(drafts)
    if scenario.features:
        spare -= len(drafts) if scenario.hours is None else _most(scenario)
    for leader, draft in itertools.pairwise(drafts):
        if leader.programme.company is None and rng.random() < scenario.habits.accompanied and spare > 0:
            height_m = float(rng.uniform(1.05, 1.35)) if rng.random() < 0.5 else draft.programme.height_m
            draft.programme = dataclasses.replace(draft.programme, company=leader.name, height_m=height_m)
            spare -= 1


def _keep_together(drafts: Sequence[Draft]) -> None:
    """Let those in company come in right after the ones whom they accompany."""
    entry_s = {draft.name: draft.programme.entry_s for draft in drafts}
    for draft in drafts:
        if draft.programme.company is not None:
            follows_s = entry_s[draft.programme.company] + _BEHIND_S
            draft.programme = dataclasses.replace(draft.programme, entry_s=follows_s)


def _returning(planner: Planner, drafts: Sequence[Draft]) -> list[Draft]:
    """Some of those who were alone come in again, as soon as they have left or a little later."""
    again = []
    for first in [draft.programme for draft in drafts if draft.programme.company is None]:
        if planner.habits.returns > 0 and planner.rng.random() < planner.habits.returns:
            draft = planner.draft(f"{first.name}-again", first.entry_s + float(planner.rng.uniform(*_BACK_S)))
            draft.programme = dataclasses.replace(
                draft.programme, height_m=first.height_m, speed_m_s=first.speed_m_s, again=first.name
            )
            again.append(draft)
    return again


def _casts(scenario: Scenario, drafts: Sequence[Draft], rng: np.random.Generator) -> list[tuple[str, list[Draft]]]:
    """Who plays in which scene, meetings first: those can not wait.

    In a long simulation each scene is played every hour, by shoppers who then come in together.
    """
    alone = [draft for draft in drafts if draft.programme.company is None]
    scenes = sorted(scenario.features, key=lambda name: -SCENES[name][1])
    if scenario.hours is None:
        return [(name, _shuffled(_some(alone, max(SCENES[name][1], _FEW), rng), rng)) for name in scenes]
    size = min(max(_most(scenario), 2), len(alone))
    groups = [alone[first : first + size] for first in range(0, len(alone) - size + 1, size)]
    rounds = min(max(1, int(scenario.hours)), len(groups))
    casts = []
    for turn in range(rounds if scenes else 0):
        part = _shuffled(groups[turn * len(groups) // rounds : (turn + 1) * len(groups) // rounds], rng)
        for number, name in enumerate(scenes):
            group = part[number % len(part)]
            for row, draft in enumerate(group):
                together_s = group[0].programme.entry_s + _TOGETHER_S * row
                draft.programme = dataclasses.replace(draft.programme, entry_s=together_s)
            casts.append((name, _shuffled(group, rng)))
    return casts


def _most(scenario: Scenario) -> int:
    """How many shoppers its largest scene needs."""
    return max((SCENES[name][1] for name in scenario.features), default=1)


def _some(drafts: Sequence[Draft], size: int, rng: np.random.Generator) -> Sequence[Draft]:
    """Up to so many that follow each other."""
    size = min(len(drafts), size)
    first = int(rng.integers(len(drafts) - size + 1))
    return drafts[first : first + size]


def _shuffled(rows: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [rows[int(i)] for i in rng.permutation(len(rows))]
