"""The types that every room speaks. numpy only."""

from gocv.core.errors import ConfigError, DataError, GocvError, MissingDependencyError, nearest
from gocv.core.perception import JOINTS, Detections, Embeddings, FloorTracks, Frame, HandLooks, Poses, Tracks
from gocv.core.protocols import (
    Detector,
    Encoder,
    EventDetector,
    Fuser,
    HandEncoder,
    InteractionModel,
    PoseEstimator,
    ProductRecogniser,
    Tracker,
)
from gocv.core.receipts import Account, Answer, CartEvent, Fused, Interaction, Receipt, ReceiptLine, Recognition
from gocv.core.rows import Rows, column
from gocv.core.shelf import UNKNOWN, Explanation, Part, ScaleSamples, WeightEvent
from gocv.core.store import Plate, PlateId, Product, ShelfId, Store, Zone

__all__ = [
    "JOINTS",
    "UNKNOWN",
    "Account",
    "Answer",
    "CartEvent",
    "ConfigError",
    "DataError",
    "Detections",
    "Detector",
    "Embeddings",
    "Encoder",
    "EventDetector",
    "Explanation",
    "FloorTracks",
    "Frame",
    "Fused",
    "Fuser",
    "GocvError",
    "HandEncoder",
    "HandLooks",
    "Interaction",
    "InteractionModel",
    "MissingDependencyError",
    "Part",
    "Plate",
    "PlateId",
    "PoseEstimator",
    "Poses",
    "Product",
    "ProductRecogniser",
    "Receipt",
    "ReceiptLine",
    "Recognition",
    "Rows",
    "ScaleSamples",
    "ShelfId",
    "Store",
    "Tracker",
    "Tracks",
    "WeightEvent",
    "Zone",
    "column",
    "nearest",
]
