"""Detectors behind one protocol: gocv's own, ONNX models, torchvision, ultralytics, recorded detections."""

from gocv.detect.default import PersonDetector
from gocv.detect.onnx import OnnxDetector
from gocv.detect.recorded import RecordedDetections
from gocv.detect.torchvision import TorchvisionDetector
from gocv.detect.ultralytics import UltralyticsDetector

__all__ = ["OnnxDetector", "PersonDetector", "RecordedDetections", "TorchvisionDetector", "UltralyticsDetector"]
