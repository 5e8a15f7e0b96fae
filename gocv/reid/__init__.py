"""Re-identification: how alike two people look, how probably they are one, and who has been seen.

What needs torch stands in the modules `encoder`, `model`, `checkpoints`, `export`, `losses` and `training`.
"""

from gocv.reid.gallery import Gallery, Matches, Sightings
from gocv.reid.same_person import SamePerson

__all__ = [
    "Gallery",
    "Matches",
    "SamePerson",
    "Sightings",
]
