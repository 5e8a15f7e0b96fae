"""Annotations in the XML of PETS 2009 (CVML)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from gocv.core import DataError
from gocv.data.mot.rows import MotRows


def read_cvml(path: str | Path) -> MotRows:
    """Read true tracks: `frame` elements with `object` elements, each with a `box` of centre, width and height.

    Frames, which the file counts from 0, count from 1 here, as elsewhere.

    Raises:
        DataError: The file is missing or no XML, or a frame or object is not right; it is named.
    """
    file = Path(path)
    if not file.is_file():
        raise DataError("is not a file", file=file, expected="XML of true tracks")
    try:
        root = ElementTree.parse(file).getroot()
    except ElementTree.ParseError as error:
        raise DataError(f"is no XML: {error}", file=file, expected="<dataset> of <frame> elements") from error
    rows = []
    for frame in root.iter("frame"):
        number = frame.get("number", "")
        for thing in frame.iter("object"):
            box = thing.find("box")
            try:
                values = [float((box if box is not None else thing).attrib[key]) for key in ("xc", "yc", "w", "h")]
                rows.append([int(number) + 1, int(thing.attrib["id"]), *values])
            except (KeyError, ValueError) as error:
                raise DataError(
                    f"frame {number or '?'}, object {thing.get('id', '?')}: {error}",
                    file=file,
                    expected='<object id="…"><box xc="…" yc="…" w="…" h="…"/>',
                ) from error
    table = np.array(rows, np.float64).reshape(-1, 6)
    if not np.isfinite(table).all():
        raise DataError("holds a coordinate that is not finite", file=file, expected="finite pixels")
    half, count = table[:, 4:] / 2, len(table)
    return MotRows(
        frame=table[:, 0].astype(np.int64),
        track_id=table[:, 1].astype(np.int64),
        xyxy=np.concatenate([table[:, 2:4] - half, table[:, 2:4] + half], axis=1),
        score=np.ones(count),
        label=np.ones(count, np.int64),
        visibility=np.ones(count),
    )
