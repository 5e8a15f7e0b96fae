"""Detectors behind one protocol: the one that comes with gocv, ONNX models, ultralytics, recorded detections."""

from gocv.detect.default import PersonDetector
from gocv.detect.onnx import OnnxDetector
from gocv.detect.recorded import RecordedDetections
from gocv.detect.ultralytics import UltralyticsDetector

__all__ = ["OnnxDetector", "PersonDetector", "RecordedDetections", "UltralyticsDetector"]
