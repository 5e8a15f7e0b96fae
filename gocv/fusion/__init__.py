"""Who took what: nearness, carts, receipts, review."""

from gocv.core import UNKNOWN
from gocv.fusion.fuser import CartFuser
from gocv.fusion.nearness import Nearness, NearnessSettings, nearness
from gocv.fusion.settings import FusionSettings, Priors

__all__ = ["UNKNOWN", "CartFuser", "FusionSettings", "Nearness", "NearnessSettings", "Priors", "nearness"]
