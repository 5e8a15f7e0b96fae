"""Stores, shoppers and scales that never existed, with exact truth."""

from gocv.sim.assortment import Article, assortment
from gocv.sim.layout import Facing, Gondola, StoreLayout, demo_layout
from gocv.sim.scales import SHAKY, LoadChange, ScaleNoise, ShelfScales
from gocv.sim.shoppers import Motion, observe
from gocv.sim.stock import Stock
from gocv.sim.visit import simulate_visit

__all__ = [
    "SHAKY",
    "Article",
    "Facing",
    "Gondola",
    "LoadChange",
    "Motion",
    "ScaleNoise",
    "ShelfScales",
    "Stock",
    "StoreLayout",
    "assortment",
    "demo_layout",
    "observe",
    "simulate_visit",
]
