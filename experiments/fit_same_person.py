"""How probably two crops show one person, given how alike they are: `python experiments/fit_same_person.py SETTINGS`.

Learnt from the people whom the training of the default encoder held out (`data.hold_out` of its SETTINGS), pictures of
different cameras, and written beside the encoder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gocv.bench.reid import encode_pictures, make_encoder
from gocv.data.config import load
from gocv.reid.pictures import hold_out
from gocv.reid.same_person import CALIBRATION, SamePerson
from gocv.reid.training import ReidTrainSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--model", default="default", help="as for gocv bench reid")
    given = parser.parse_args()
    settings = load(ReidTrainSettings, given.settings)
    held = hold_out(settings.data.labelled[0].read(), settings.data.hold_out)
    encoder = make_encoder(given.model)
    query, asked, _ = encode_pictures(encoder, held.query, "query")
    gallery, searched, _ = encode_pictures(encoder, held.gallery, "gallery")
    across = asked.camera[:, None] != searched.camera
    alike, one = (query @ gallery.T)[across], (asked.person[:, None] == searched.person)[across]
    fitted = SamePerson.fit(np.float64(alike), one)
    fitted.save(CALIBRATION)
    print(f"{len(one)} pairs, {one.mean():.1%} of one person: {fitted}")


if __name__ == "__main__":
    main()
