"""Tracking in one camera: detections in, identities out."""

from gocv.track.botsort import BotSortTracker
from gocv.track.bytetrack import ByteTracker
from gocv.track.deepsort import DeepSortTracker
from gocv.track.ocsort import OcSortTracker
from gocv.track.offline import Filled, fill_gaps, link_tracks
from gocv.track.online import OnlineTracker
from gocv.track.sort import SortTracker
from gocv.track.table import TrackTable

__all__ = [
    "BotSortTracker",
    "ByteTracker",
    "DeepSortTracker",
    "Filled",
    "OcSortTracker",
    "OnlineTracker",
    "SortTracker",
    "TrackTable",
    "fill_gaps",
    "link_tracks",
]
