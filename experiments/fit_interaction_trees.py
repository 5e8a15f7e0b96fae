"""The trees that come with gocv: `python experiments/fit_interaction_trees.py --train FILE … --held-out FILE …`.

Files are what `experiments/interaction_episodes.py` and `experiments/interaction_rendered.py` write. Half of the visits
are learnt from twice, the second time as if nobody had looked at the hands, so that the trees also serve where no
encoder runs; the temperature is set on other visits.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from gocv.bench.interaction import unseen
from gocv.interact.labelled import LabelledClips, read_clips
from gocv.interact.trees import fit_trees, write_forest


def joined(files: list[Path]) -> LabelledClips:
    clips = LabelledClips.concatenate([read_clips(file) for file in files])
    return clips[clips.inside.any(axis=1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, action="append", required=True)
    parser.add_argument("--held-out", type=Path, action="append", required=True)
    parser.add_argument("-o", "--output", type=Path, default=Path("gocv/interact/shipped/interactions.safetensors"))
    given = parser.parse_args()
    train, held_out = joined(given.train), joined(given.held_out)
    both = LabelledClips.concatenate([train, unseen(train[train.visit % 2 == 0])])
    forest = fit_trees(both, held_out)
    write_forest(forest, given.output)
    print(f"{len(both)} clips, {len(forest.feature)} nodes, temperature {forest.temperature:.3f}, wrote {given.output}")


if __name__ == "__main__":
    main()
