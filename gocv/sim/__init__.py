"""Stores, shoppers and scales that never existed, with exact truth."""

from gocv.sim.articles import Article
from gocv.sim.layout import Facing, Gondola, StoreLayout
from gocv.sim.observe import observe
from gocv.sim.scales import SHAKY, LoadChange, ScaleNoise, ShelfScales
from gocv.sim.scenario import Scenario, read_scenario
from gocv.sim.shoppers import Motion
from gocv.sim.stock import Stock
from gocv.sim.stores import assortment, demo_layout
from gocv.sim.visit import simulate, simulate_scene, simulate_visit

__all__ = [
    "SHAKY",
    "Article",
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
    "simulate_visit",
]
