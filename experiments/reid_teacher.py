"""Vectors of teachers for pictures: `python experiments/reid_teacher.py TABLE FOLDER… --model YAML…`.

TABLE is the `.npz` that `data.teacher` of a training names: the vectors of all teachers end to end, for every picture
in the FOLDERs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gocv.bench.reid import encode_pictures, make_encoder
from gocv.data.files import written_whole
from gocv.reid.pictures import picture_key, unlabelled_pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--model", action="append", required=True, help="as for gocv bench reid; again for another")
    parser.add_argument("--weights", type=Path, default=Path("../shared/models"), help="where their weights are")
    given = parser.parse_args()
    names: list[str] = []
    vectors: list[np.ndarray] = []
    for folder in given.folders:
        pictures, each = unlabelled_pictures(folder), []
        for model in given.model:
            found, kept, problems = encode_pictures(make_encoder(model, given.weights), pictures, Path(model).stem)
            each.append(found)
            for problem in problems:
                print(f"left out: {problem}")
        names += [picture_key(file) for file in kept.files]
        vectors.append(np.concatenate(each, axis=1) / np.sqrt(len(each)))
    with written_whole(given.table) as temporary:
        np.savez(temporary, picture=np.array(names), vector=np.concatenate(vectors).astype(np.float32))
    print(f"{len(names)} pictures, {vectors[0].shape[1]} numbers each")


if __name__ == "__main__":
    main()
