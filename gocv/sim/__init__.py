"""Stores, shoppers and scales that never existed, with exact truth.

A `scenario` says what happens. `casting` turns it into programmes (`plan`: what ordinary shoppers do, never more than
there is; `features`: the scenes in which real systems failed; or `replay`: labelled sequences), of `acts`. `play` acts
them out: where to walk (`routes`, `crowd`, `search`, `detour`, `company`, `stations`, `rehearsal`) and how bodies move
(`gait`, `hands`, `figure`, `shoppers`, `body`). The `director` lets each deed have its effect on the `stock`, whose
store is a `layout` (`stores`), and keeps the truth. Then sensors look at it: `scales` (`load_changes`, `vibration`,
`weighing`), joints (`observe`, `encounters`), boxes (`beads`, `sightings`, `detector`, `multiview`), poses (`sight`,
`poses`), footage (`scene`, `render`), and their faults (`faults`, `mishaps`, `paperwork`). `visit` does all that in
order and writes the recording.

People who were labelled by others need no store: `views` turns their boxes into what detectors would have made of them,
`camera_faults` breaks cameras, and `walkers` is a bare floor.
"""

from gocv.sim.articles import Article
from gocv.sim.detector import BoxNoise
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.load_changes import LoadChange
from gocv.sim.observe import observe
from gocv.sim.scales import SHAKY, ScaleNoise, ShelfScales
from gocv.sim.scenario import Scenario, read_scenario
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Stock
from gocv.sim.stores import assortment, demo_layout
from gocv.sim.visit import simulate, simulate_scene, simulate_views, simulate_visit

__all__ = [
    "SHAKY",
    "Article",
    "BoxNoise",
    "Facing",
    "Gondola",
    "LoadChange",
    "Motion",
    "ScaleNoise",
    "Scenario",
    "ShelfScales",
    "Stock",
    "StoreLayout",
    "assortment",
    "demo_layout",
    "observe",
    "read_scenario",
    "simulate",
    "simulate_scene",
    "simulate_views",
    "simulate_visit",
]
