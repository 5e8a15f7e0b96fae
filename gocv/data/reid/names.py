"""What file names of re-identification data sets say: the person and the camera."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from gocv.core import DataError


@dataclasses.dataclass(frozen=True, slots=True)
class NameForm:
    """A way to name pictures.

    Attributes:
        pattern: Matches a whole name up to its first dot, with the groups `person` and `camera`. From the first dot
            on, as Market-1501 has names that end in `.jpg.jpg`.
        example: A name of this form.
    """

    pattern: re.Pattern[str]
    example: str

    def match(self, name: str) -> tuple[int, int] | None:
        """Person and camera, None where the name is not of this form."""
        found = self.pattern.fullmatch(name.partition(".")[0])
        return (int(found["person"]), int(found["camera"])) if found else None

    def parse(self, file: Path) -> tuple[int, int]:
        """Person and camera.

        Raises:
            DataError: The name is not of this form.
        """
        found = self.match(file.name)
        if found is None:
            raise DataError("the name says no person and camera", file=file, expected=f"as {self.example} does")
        return found


def _form(pattern: str, example: str) -> NameForm:
    return NameForm(re.compile(pattern, re.ASCII | re.DOTALL), example)


ANY = _form(r"(?P<person>-1|\d{1,9})_c(?P<camera>\d{1,9})(?!\d).*", "0002_c1_anything.jpg")
"""The person's digits or -1, `_c`, the camera's digits, and then what is no digit."""

MARKET1501 = _form(r"(?P<person>-1|\d{4})_c(?P<camera>[1-6])s\d_\d{6}_\d{2}", "0002_c1s1_000451_03.jpg")
"""Person, camera and recording, frame, number of the box."""

DUKEMTMC = _form(r"(?P<person>\d{4})_c(?P<camera>[1-8])_f\d{7}", "0005_c2_f0046985.jpg")
"""Person, camera, frame."""

CUHK03 = _form(r"(?P<person>\d{4})_c(?P<camera>[12])_\d+", "0001_c1_301.png")
"""Person, camera of the pair, number of the picture."""
