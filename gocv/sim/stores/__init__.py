"""Stores to simulate: one that comes with gocv, those in files, those of recordings, and made-up ones of any size."""

from gocv.sim.stores.ceiling import with_cameras
from gocv.sim.stores.choice import STORES, StoreChoice
from gocv.sim.stores.config import StoreConfig, read_config
from gocv.sim.stores.demo import assortment, demo_layout
from gocv.sim.stores.from_config import build_store, read_store
from gocv.sim.stores.from_recording import recorded_store
from gocv.sim.stores.parametric import ParametricStore

__all__ = [
    "STORES",
    "ParametricStore",
    "StoreChoice",
    "StoreConfig",
    "assortment",
    "build_store",
    "demo_layout",
    "read_config",
    "read_store",
    "recorded_store",
    "with_cameras",
]
