"""Weight events: where and when the scales changed, and what a change could have been."""

from gocv.shelf.candidates import Candidates
from gocv.shelf.crosstalk import measure_crosstalk
from gocv.shelf.episodes import Episode, alone, episodes
from gocv.shelf.explain import explain
from gocv.shelf.faim import FaimDetector
from gocv.shelf.priors import ExplainSettings
from gocv.shelf.steps import StepDetector
from gocv.shelf.weights import UnitWeight, UnitWeights

__all__ = [
    "Episode",
    "alone",
    "episodes",
    "ExplainSettings",
    "FaimDetector",
    "StepDetector",
    "Candidates",
    "UnitWeight",
    "UnitWeights",
    "explain",
    "measure_crosstalk",
]
