"""Draw `docs/images/simulated.jpg`: a hand-over, seen by two cameras at two moments.

python experiments/draw_simulated.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gocv.sim import read_scenario, simulate_scene
from gocv.sim.render import render_camera
from gocv.sim.scene import Scene

ROOT = Path(__file__).parents[1]
SEED = 5
CAMERAS = ("camera-1", "camera-2")


def moments(scene: Scene) -> tuple[float, float]:
    """When the first unit that changes hands is taken from its shelf, and when it is with the second of the two."""
    holders: dict[int, list[tuple[float, str]]] = {}
    for stay in scene.stays:
        if stay.holder is not None and stay.hand is not None:
            holders.setdefault(stay.unit, []).append((stay.from_s, stay.holder))
    handed = [sorted(held) for held in holders.values() if len({name for _, name in held}) > 1]
    first = min(handed)
    return first[0][0], next(time_s for time_s, name in first if name != first[0][1])


def main() -> None:
    scene = simulate_scene(read_scenario(ROOT / "configs/sim/scenarios/hand_over.yaml"), seed=SEED)
    columns = []
    for time_s in moments(scene):
        frames = [next(render_camera(scene, name, seed=SEED, from_s=time_s, truth=False)) for name in CAMERAS]
        columns.append(np.concatenate([frame.image for frame in frames], axis=0))
    Image.fromarray(np.concatenate(columns, axis=1)).save(ROOT / "docs/images/simulated.jpg", quality=88)


if __name__ == "__main__":
    main()
