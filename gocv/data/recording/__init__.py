"""The recording: a folder with the store, the videos, the scale samples and, where known, the truth.

docs/recording.md describes every file and field.
"""

from gocv.data.recording.check import check_recording
from gocv.data.recording.parts import (
    Camera,
    Problem,
    ScaleGroup,
    Truth,
    TruthEvent,
    TruthName,
    TruthReceipt,
    TruthStanding,
)
from gocv.data.recording.reader import Recording, frame_times
from gocv.data.recording.scales import ScaleWriter
from gocv.data.recording.writer import RecordingWriter

__all__ = [
    "Camera",
    "Problem",
    "Recording",
    "RecordingWriter",
    "ScaleGroup",
    "ScaleWriter",
    "Truth",
    "TruthEvent",
    "TruthName",
    "TruthReceipt",
    "TruthStanding",
    "check_recording",
    "frame_times",
]
