"""Hands at shelves in rendered visits: `python experiments/interaction_rendered.py PART -o FILE`.

With `filmed` for PART the visits are those that `gocv bench store --benchmark configs/benchmarks/hands.yaml` filmed,
whole, and hands are looked at as `gocv run` does it.

Joints are those of the recordings that `experiments/hand_crops.py` wrote, names mixed up as there, and pictures of
hands those that it cut out; a registered hand encoder looks at them. PART is "train", "tune" or "test". `FILE` gets
the clips with their classes, as `experiments/interaction_episodes.py` writes them, and the printed line says how well
the encoder told full hands from empty ones. Episodes of which no picture was taken are left out, but for `--all`.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from interaction_episodes import ROOT, Act, acts_of, find, labelled, with_labels
from sklearn.metrics import roc_auc_score

from gocv.core import HandEncoder, HandLooks
from gocv.data.config import load
from gocv.data.floor_tracks import read_floor_tracks
from gocv.data.progress import with_progress
from gocv.data.recording import Recording
from gocv.interact.features import FEATURES
from gocv.interact.labelled import CLASSES, LabelledClips, write_clips
from gocv.pipeline import PipelineConfig, run
from gocv.pipeline.folder import RunFolder
from gocv.pipeline.hands import looks_of
from gocv.pipeline.parts import PartSettings, make_part
from gocv.sim import read_scenario, simulate_scene
from gocv.sim.scene import Scene

BATCH = 256
AROUND_S = 2.5
"""As in `experiments/hand_crops.py`: reaches are filmed from so long before to so long after."""


def looks_of_pictures(table: dict[str, np.ndarray], encoder: HandEncoder) -> tuple[HandLooks, np.ndarray]:
    """What the encoder says of the pictures that follow one another in time, and whether there truly is something."""
    rows = np.flatnonzero(~table["pasted"])
    rows = rows[np.argsort(table["time_s"][rows], kind="stable")]
    found = [encoder.encode(table["crops"][rows[i : i + BATCH]]) for i in range(0, len(rows), BATCH)]
    holds, vector = (np.concatenate([part[k] for part in found]) for k in (0, 1))
    names = (tuple(table["shoppers"].tolist()), tuple(table["cameras"].tolist()))
    columns = {key: table[key][rows] for key in ("time_s", "shopper", "hand", "camera", "side_px")}
    return HandLooks(*names, **columns, holds=holds, vector=vector), table["units"][rows] > 0


def looked_at(clips_features: np.ndarray) -> np.ndarray:
    """(n,) whether a picture was taken of the hand before the episode, and one after."""
    both = [clips_features[:, FEATURES.index(name)] > 0 for name in ("looks_before", "looks_after")]
    return np.asarray(both[0] & both[1])


def scene_of(name: str, seed: int, recording: Recording) -> Scene:
    """The visit again, with its truth; `hand_crops.py` lets fewer shoppers in than the scenario where it says so."""
    assert recording.truth is not None
    assert recording.truth.receipts is not None
    many = [f"shoppers={len(recording.truth.receipts)}"]
    scene = simulate_scene(read_scenario(ROOT / "configs" / "sim" / "scenarios" / f"{name}.yaml", many), seed=seed)
    moved = [deed.time_s for deed in scene.deeds if deed.act.kind in ("take", "put")]
    told = [event.time_s for event in recording.truth.events if event.kind == "shelf"]
    assert np.allclose(sorted(moved), sorted(told), atol=1e-3), f"{recording.path} is of another visit"
    return scene


def filmed_visit(path: Path, config: PipelineConfig) -> tuple[LabelledClips, list[Act]]:
    """A whole filmed visit, `SCENARIO-SEED-…`, as the pipeline looks at it."""
    name, seed, _ = path.name.rsplit("-", 2)
    recording = Recording.open(path)
    with tempfile.TemporaryDirectory() as folder:
        run(recording, Path(folder) / "run", config)
        shoppers = read_floor_tracks(Path(folder) / "run" / "shoppers.parquet")
        looks = looks_of(recording, RunFolder(Path(folder) / "run", recording, config), shoppers)
    episodes, clips = find(shoppers, recording.store, looks)
    label, lost = labelled(episodes, acts_of(scene_of(name, int(seed), recording), recording.truth))
    return with_labels(clips, label, lost, int(seed)), lost


def filmed(folder: Path, output: Path) -> None:
    """All filmed visits. Names stay as they were recorded: the truth speaks of those."""
    config = load(PipelineConfig, ROOT / "configs/pipelines/hands.yaml", ["multicamera.mend=false"])
    paths = sorted(path for path in folder.iterdir() if (path / "recording.yaml").is_file())
    found = [filmed_visit(path, config) for path in with_progress(paths, "visit", len(paths))]
    clips = LabelledClips.concatenate([table for table, _ in found])
    write_clips(clips, output)
    counts = dict(zip(CLASSES, clips.target.sum(axis=0).astype(int).tolist(), strict=True))
    missed = sum(len(lost) for _, lost in found)
    print(f"{len(paths)} visits, {len(clips)} clips {counts}, {missed} acts without an episode")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["train", "tune", "test", "filmed"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, default=Path("runs/looks"), help="what hand_crops.py wrote")
    parser.add_argument("--filmed", type=Path, default=Path("runs/hands_bench/recordings"), help="of the benchmark")
    parser.add_argument("--encoder", default="default", help="registered name of a hand encoder")
    parser.add_argument("--all", action="store_true", help="also episodes of which no picture was taken")
    given = parser.parse_args()
    if given.part == "filmed":
        filmed(given.filmed, given.output)
        return
    encoder = make_part("hand_encoders", "encoder", PartSettings(part=given.encoder))
    files = sorted((given.pictures / given.part).glob("*.npz"))
    tables, missed, held, holds = [], 0, [], []
    for file in with_progress(files, "visit", len(files)):
        name, seed = file.stem.rsplit("-", 1)
        recording = Recording.open(given.pictures / "recordings" / f"{given.part}-{file.stem}")
        scene = scene_of(name, int(seed), recording)
        with np.load(file, allow_pickle=False) as archive:
            table = {key: archive[key] for key in archive.files if key != "catalogue"}
        looks, full = looks_of_pictures(table, encoder)
        held.append(full)
        holds.append(looks.holds)
        episodes, clips = find(recording.floor_tracks(), recording.store, looks)
        label, lost = labelled(episodes, acts_of(scene, recording.truth))
        if not given.all:
            keep = looked_at(clips.features)
            clips, label = clips[keep], label[keep]
            lost = [act for act in lost if (np.abs(looks.time_s - act.time_s) < AROUND_S / 2).any()]
        tables.append(with_labels(clips, label, lost, int(seed)))
        missed += len(lost)
    clips = LabelledClips.concatenate(tables)
    write_clips(clips, given.output)
    counts = dict(zip(CLASSES, clips.target.sum(axis=0).astype(int).tolist(), strict=True))
    auc = roc_auc_score(np.concatenate(held), np.concatenate(holds))
    print(f"{len(files)} visits, {len(clips)} clips {counts}, {missed} acts without an episode, AUC of holds {auc:.3f}")


if __name__ == "__main__":
    main()
