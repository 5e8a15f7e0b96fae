"""The stages wired together by a typed config, and the run folder that they write."""

from gocv.pipeline.config import STAGES, PipelineConfig
from gocv.pipeline.pictures import draw_clips, draw_run
from gocv.pipeline.receipts import as_units, read_receipts, truth_beside
from gocv.pipeline.runner import run

__all__ = [
    "STAGES",
    "PipelineConfig",
    "as_units",
    "draw_clips",
    "draw_run",
    "read_receipts",
    "run",
    "truth_beside",
]
