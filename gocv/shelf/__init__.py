"""Weight events: where and when the scales changed, and what a change could have been."""

from gocv.shelf.explain import ExplainSettings, explain
from gocv.shelf.faim import FaimDetector

__all__ = ["ExplainSettings", "FaimDetector", "explain"]
