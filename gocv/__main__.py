"""`python -m gocv` is `gocv`."""

from gocv.cli import main

main()
