"""What is wrong with cameras: lost, blind, late, knocked."""

from gocv.multicamera.health.examine import Health, examine
from gocv.multicamera.health.frames import Stretch
from gocv.multicamera.health.settings import HealthSettings

__all__ = ["Health", "HealthSettings", "Stretch", "examine"]
