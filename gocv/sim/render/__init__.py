"""Rendered footage of a simulated visit, with the exact truth of every frame."""

from gocv.sim.render.catalogue import Catalogue, write_catalogue
from gocv.sim.render.frames import RenderedFrame, render_camera
from gocv.sim.render.people import People
from gocv.sim.render.visit import render_visit

__all__ = ["Catalogue", "People", "RenderedFrame", "render_camera", "render_visit", "write_catalogue"]
