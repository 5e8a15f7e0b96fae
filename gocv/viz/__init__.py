"""Pictures: floor plan, timeline, report, annotated frames. matplotlib is imported when one is drawn."""

from gocv.viz.annotate import annotate
from gocv.viz.floor import draw_floor
from gocv.viz.floor_plan import draw_floor_plan, visible_floor
from gocv.viz.receipts import draw_report
from gocv.viz.style import shopper_colours
from gocv.viz.timeline import ShelfPanel, draw_timeline, shelf_panels

__all__ = [
    "ShelfPanel",
    "annotate",
    "draw_floor",
    "draw_floor_plan",
    "draw_report",
    "draw_timeline",
    "shelf_panels",
    "shopper_colours",
    "visible_floor",
]
