"""The command line: `gocv --help` says what there is."""

from gocv.cli.app import main

__all__ = ["main"]
