"""Who took what: nearness, carts, receipts."""

from gocv.fusion.carts import UNKNOWN
from gocv.fusion.fuser import FusionSettings, NearestHandFuser
from gocv.fusion.nearness import Nearness, NearnessSettings, nearness

__all__ = ["UNKNOWN", "FusionSettings", "NearestHandFuser", "Nearness", "NearnessSettings", "nearness"]
