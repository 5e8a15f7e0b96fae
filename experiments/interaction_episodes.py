"""Hands at shelves in simulated visits: `python experiments/interaction_episodes.py PART -o FILE`.

Visits are simulated without pictures; joints are noisy as the simulator has them, those of odd seeds twice as much.
What hands looked like is simulated as well, from what is truly in them (`LookNoise`). PART is "train" (seeds 0 to
239), "tune" (600 to 647) or "test" (10,200 to 10,271). `FILE` gets the clips with their classes, as `gocv train
interaction` and `gocv bench interaction` take them.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from fit_nearness import worse
from scipy.signal import lfilter
from scipy.stats import norm

from gocv.core import FloorTracks, HandLooks, Store
from gocv.data.progress import with_progress
from gocv.data.recording import Truth
from gocv.interact.clips import CHANNELS, Clips, clips_of
from gocv.interact.episodes import Episodes, EpisodeSettings, episodes_of
from gocv.interact.features import FEATURES
from gocv.interact.labelled import CLASSES, LabelledClips, one_hot, write_clips
from gocv.interact.paths import shopper_paths
from gocv.interact.zones import hand_zones
from gocv.sim import Scenario, read_scenario, simulate_scene
from gocv.sim.observe import observe
from gocv.sim.scene import Scene

ROOT = Path(__file__).parents[1]
SCENARIOS = (
    *("plain_visit", "same_weight_swap", "mixed_return", "crossing_arms", "wrong_returns", "fast_series"),
    *("very_close", "simultaneous_takes", "slow_lifts", "misplaced_close_weight", "hand_over", "left_on_floor"),
)
SEEDS = {"train": (0, 240), "tune": (600, 48), "test": (10_200, 72)}
HABITS = {"touched": 0.6, "returned": 0.5, "misplaced": 0.4, "taken_again": 0.3}
"""Of the visits of "train" and "tune": more of what is rare, so that less is to be simulated."""
KINDS = {"take": "take", "put": "return", "touch": "touch"}
NEAR_S = 0.35
"""An act this long before or after an episode may be of it: the hand may have been lost."""


class Act(NamedTuple):
    """What a hand truly did, under the name that the tracks give the shopper then."""

    time_s: float
    shopper: str
    hand: int
    zone: str
    label: int
    product: str


@dataclasses.dataclass(frozen=True)
class LookNoise:
    """How a network would err that looks at hands.

    The defaults are near what the hand encoder that comes with gocv does in rendered pictures of other visits.

    Attributes:
        apart: Distance of the mean log odds of a full and an empty hand.
        middle: Half way between the two.
        hidden: How often a hand cannot be seen where it should be, in runs of about `hidden_s`, in each camera.
        hidden_s: How long that is.
        slow: Of the log odds, standard deviation of what stays for `slow_s`, of each camera.
        fast: Of the log odds, standard deviation of what is new in each picture.
        article: Of the log odds, standard deviation of what stays as long as a hand holds a thing, in all cameras.
        person: The same of a hand all the time.
        goods: Added to the log odds while the hand is among the goods of a shelf, standard deviation.
        vector: Length of the noise of a vector, in shares of what is in the hand.
        alike: How alike full and empty hands look: the more, the closer are their vectors.
        slow_s: In which the slow noise is forgotten to 1/e.
        rate_hz: Pictures a second of each camera.
        cameras: How many see the store.
        seen: How often each of them sees a hand.
        seen_in: The same while the hand is among the goods.
        around_s: Pictures are taken so long before and after each reach alone; always where None.
    """

    apart: float = 2.7
    middle: float = -0.5
    hidden: float = 0.4
    hidden_s: float = 1.0
    slow: float = 0.8
    fast: float = 0.9
    article: float = 1.0
    person: float = 0.3
    goods: float = 1.0
    vector: float = 0.4
    alike: float = 1.0
    slow_s: float = 0.8
    rate_hz: float = 5.0
    cameras: int = 4
    seen: float = 0.8
    seen_in: float = 0.7
    around_s: float | None = None


DIMENSIONS = 48
SHARP = LookNoise(apart=3.6, middle=0.0, hidden=0.0, article=0.3, person=0.0)
"""An encoder as one would like it, and hands that are always in sight."""


def settings(name: str, seed: int, *, rare: bool) -> Scenario:
    scenario = read_scenario(ROOT / "configs" / "sim" / "scenarios" / f"{name}.yaml")
    if rare:
        scenario = scenario.model_copy(update={"habits": scenario.habits.model_copy(update=HABITS)})
    return scenario.model_copy(update={"joints": worse(scenario.joints)}) if seed % 2 else scenario


def acts_of(scene: Scene, truth: Truth | None = None) -> list[Act]:
    """What hands truly did at shelves; `truth` tells under which names the tracks have people."""
    acts = []
    for deed in scene.deeds:
        if deed.act.kind in KINDS:
            name = deed.shopper if truth is None else called(truth, deed.shopper, deed.time_s)
            label = CLASSES.index(KINDS[deed.act.kind])
            acts.append(Act(deed.time_s, name, deed.hand, str(deed.act.shelf), label, deed.act.product))
    return acts


def called(truth: Truth, person: str, time_s: float) -> str:
    """The name that the tracks give somebody."""
    holds: dict[str, str] = {}
    for name in sorted(truth.names, key=lambda name: name.time_s):
        if name.time_s <= time_s:
            holds[name.name] = name.shopper
    return next((name for name, who in reversed(holds.items()) if who == person), person)


def labelled(episodes: Episodes, acts: Sequence[Act]) -> tuple[np.ndarray, list[Act]]:
    """(n,) the class of each episode, and the acts that none of them is of. A move counts before a touch."""
    label = np.full(len(episodes), CLASSES.index("none"))
    missed = []
    for act in acts:
        off_s = np.maximum(np.maximum(episodes.start_s - act.time_s, act.time_s - episodes.end_s), 0.0)
        fits = (off_s <= NEAR_S) & (episodes.hand == act.hand)
        fits &= np.array([episodes.shoppers[i] == act.shopper for i in episodes.shopper], bool)
        fits &= np.array([episodes.zones[i] == act.zone for i in episodes.zone], bool)
        rows = np.flatnonzero(fits)
        if not len(rows):
            missed.append(act)
            continue
        row = rows[np.argmin(10 * off_s[rows] + np.abs(episodes.deepest_s[rows] - act.time_s))]
        if act.label != CLASSES.index("touch") or label[row] == CLASSES.index("none"):
            label[row] = act.label
    return label, missed


def simulated_looks(scene: Scene, noise: LookNoise, rng: np.random.Generator) -> HandLooks:
    """What a network would say of the hands of a visit."""
    names = tuple(motion.name for motion in scene.motions)
    codes = {a: _unit(rng.standard_normal(DIMENSIONS)) for a in sorted({s.article.id for s in scene.stays})}
    nothing = _unit(rng.standard_normal(DIMENSIONS))
    columns: dict[str, list[np.ndarray]] = {
        key: [] for key in ("time_s", "shopper", "hand", "camera", "holds", "vector")
    }
    for index, motion in enumerate(scene.motions):
        time_s = (
            np.arange(np.ceil(motion.start_s * noise.rate_hz), np.floor(motion.end_s * noise.rate_hz)) / noise.rate_hz
        )
        for hand in (0, 1):
            code, held = np.zeros((len(time_s), DIMENSIONS)), np.zeros(len(time_s), bool)
            stays = np.full(len(time_s), rng.normal(0.0, noise.person))
            for stay in scene.stays:
                if stay.holder == motion.name and stay.hand == hand:
                    now = (time_s >= stay.from_s) & (time_s < stay.until_s)
                    code[now] += codes[stay.article.id]
                    stays[now & ~held] += rng.normal(0.0, noise.article)
                    held |= now
            among, wanted = np.zeros(len(time_s), bool), np.full(len(time_s), noise.around_s is None)
            for reach in motion.reaches:
                if noise.around_s is not None:
                    wanted |= np.abs(time_s - reach.time_s) <= noise.around_s
                if reach.hand == hand:
                    among |= (time_s >= reach.from_s - 0.2) & (time_s <= reach.until_s + 0.2)
            code = np.where(held[:, None], _unit(_unit(code) + noise.alike * nothing), nothing)
            goods = np.where(among, rng.normal(0.0, noise.goods), 0.0)
            for camera in range(noise.cameras):
                slow = _wander(len(time_s), noise.slow_s * noise.rate_hz, rng) * noise.slow
                hides = _wander(len(time_s), noise.hidden_s * noise.rate_hz, rng) < norm.ppf(noise.hidden)
                told = np.where(hides, -0.3, held - 0.5)
                logit = (
                    noise.middle
                    + noise.apart * told
                    + np.where(hides, 0.0, stays)
                    + slow
                    + goods
                    + rng.normal(0, noise.fast, len(time_s))
                )
                bias = 0.5 * noise.vector * _unit(rng.standard_normal(DIMENSIONS))
                error = noise.vector * rng.standard_normal((len(time_s), DIMENSIONS)) / np.sqrt(DIMENSIONS)
                seen = np.flatnonzero(wanted & (rng.random(len(time_s)) < np.where(among, noise.seen_in, noise.seen)))
                columns["time_s"].append(time_s[seen])
                columns["shopper"].append(np.full(len(seen), index))
                columns["hand"].append(np.full(len(seen), hand))
                columns["camera"].append(np.full(len(seen), camera))
                columns["holds"].append(1 / (1 + np.exp(-logit[seen])))
                columns["vector"].append(_unit(np.where(hides[:, None], nothing, code) + bias + error)[seen])
    joined = {key: np.concatenate(parts) for key, parts in columns.items()}
    order = np.argsort(joined["time_s"], kind="stable")
    cameras = tuple(f"camera-{i + 1}" for i in range(noise.cameras))
    rows = {key: value[order] for key, value in joined.items()}
    return HandLooks(names, cameras, side_px=np.full(len(order), 40.0), **rows)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _wander(rows: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """(rows,) noise of variance 1 that stays for a while."""
    kept = np.exp(-1 / max(memory, 1e-6))
    drive = rng.standard_normal(rows)
    drive[:1] /= np.sqrt(1 - kept**2)
    return np.asarray(lfilter([np.sqrt(1 - kept**2)], [1.0, -kept], drive))


def find(shoppers: FloorTracks, store: Store, looks: HandLooks) -> tuple[Episodes, Clips]:
    """Episodes of a visit and their clips."""
    zones, how = hand_zones(store), EpisodeSettings()
    paths = shopper_paths(shoppers, gap_s=how.lost_s, least_score=how.least_score)
    episodes = episodes_of(paths, shoppers.shoppers, zones, how)
    return episodes, clips_of(episodes, paths, zones, looks)


def with_labels(clips: Clips, label: np.ndarray, missed: Sequence[Act], visit: int) -> LabelledClips:
    """A visit's clips; of an act that has no episode, a clip of nothing, which counts when results are scored."""
    n, m = len(clips), len(missed)
    frames = clips.frames.shape[1]
    classes = np.concatenate([label, [act.label for act in missed]]).astype(np.int64)
    return LabelledClips(
        CLASSES,
        CHANNELS,
        FEATURES,
        frames=np.concatenate([clips.frames, np.zeros((m, *clips.frames.shape[1:]), np.float32)]),
        inside=np.concatenate([clips.inside, np.zeros((m, frames), bool)]),
        features=np.concatenate([clips.features, np.full((m, len(FEATURES)), np.nan, np.float32)]),
        target=one_hot(classes, len(CLASSES)),
        label=np.full((n + m, frames), -1),
        visit=np.full(n + m, visit),
    )


def noise_of(rng: np.random.Generator) -> LookNoise:
    """Of a training visit: better and worse networks, few and many cameras."""
    worse_by = float(np.exp(rng.normal(0.0, 0.4)))
    return LookNoise(
        apart=2.9 / worse_by,
        middle=float(rng.uniform(-1.0, 0.3)),
        hidden=float(rng.uniform(0.1, 0.6)),
        article=float(rng.uniform(0.5, 1.5)),
        person=float(rng.uniform(0.0, 0.6)),
        goods=float(rng.uniform(0.5, 2.0)),
        vector=float(rng.uniform(0.2, 1.2)),
        alike=float(rng.uniform(0.0, 2.0)),
        rate_hz=float(rng.choice([5.0, 10.0])),
        cameras=int(rng.integers(2, 5)),
        seen=float(rng.uniform(0.5, 0.95)),
        seen_in=float(rng.uniform(0.3, 0.8)),
        around_s=2.5 if rng.random() < 0.5 else None,
    )


def visits(part: str, count: int | None) -> Iterator[tuple[str, int]]:
    """(scenario, seed) of each visit of a part."""
    first, many = SEEDS[part]
    for number in range(many if count is None else count):
        yield SCENARIOS[number % len(SCENARIOS)], first + number


def of_visit(name: str, seed: int, looks: str, *, rare: bool) -> tuple[LabelledClips, int]:
    """The clips of a visit, and how many of its acts have no episode."""
    scenario, rng = settings(name, seed, rare=rare), np.random.default_rng([seed, 8])
    scene = simulate_scene(scenario, seed=seed)
    shoppers = observe(scene.motions, rng, noise=scenario.joints.holding_names())
    noise = {"varied": noise_of(rng), "fixed": LookNoise(), "sharp": SHARP}[looks]
    episodes, clips = find(shoppers, scene.layout.store, simulated_looks(scene, noise, rng))
    label, missed = labelled(episodes, acts_of(scene))
    return with_labels(clips, label, missed, seed), len(missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=sorted(SEEDS))
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--visits", type=int, help="how many, from the first seed of the part")
    parser.add_argument("--looks", choices=["fixed", "varied", "sharp"], default="varied")
    given = parser.parse_args()
    todo = list(visits(given.part, given.visits))
    tables, missed = [], 0
    for name, seed in with_progress(todo, "visit", len(todo)):
        table, lost = of_visit(name, seed, given.looks, rare=given.part != "test")
        tables.append(table)
        missed += lost
    clips = LabelledClips.concatenate(tables)
    write_clips(clips, given.output)
    counts = dict(zip(CLASSES, clips.target.sum(axis=0).astype(int).tolist(), strict=True))
    print(f"{len(todo)} visits, {len(clips)} clips {counts}, {missed} acts without an episode")


if __name__ == "__main__":
    main()
