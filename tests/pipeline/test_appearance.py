"""Appearance on its way from the pictures to the trackers that need it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import ConfigError, DataError, Detections, Embeddings, Frame, Store, Tracks
from gocv.data.config import load
from gocv.data.detections import DetectionTableWriter, read_detections
from gocv.data.recording import Camera, Recording, RecordingWriter
from gocv.data.video import write_video
from gocv.pipeline import PipelineConfig, run
from gocv.pipeline.appearance import encode_boxes, update_tracker
from gocv.pipeline.runner import _RUN
from gocv.reid.colour import ColourHistogram

RATE_HZ, FRAMES, HIDDEN = 10.0, 40, range(15, 25)
RED, BLUE = (200, 20, 20), (20, 20, 200)
LEFT, RIGHT = (60, 40, 100, 160), (120, 40, 160, 160)
DEEPSORT = ("track.part=deepsort", "encode.part=colour")


def places(frame: int) -> list[tuple[tuple[int, int, int], tuple[int, int, int, int]]]:
    """Who stands where: two people, unseen for a second, in which they change places."""
    if frame in HIDDEN:
        return []
    return [(RED, LEFT), (BLUE, RIGHT)] if frame < HIDDEN.start else [(BLUE, LEFT), (RED, RIGHT)]


def pictures() -> Iterator[np.ndarray]:
    for frame in range(FRAMES):
        picture = np.full((192, 256, 3), 120, np.uint8)
        for colour, (left, top, right, bottom) in places(frame):
            picture[top:bottom, left:right] = colour
        yield picture


def write_boxes(path: Path, *, extra: int = 0, late_s: float = 0.0) -> Path:
    """The true boxes as a table, frames after the footage's end among them."""
    with DetectionTableWriter(path, classes=("person",)) as writer:
        for frame in range(FRAMES + extra):
            boxes = np.array([box for _, box in places(frame)], np.float32).reshape(-1, 4)
            found = Detections(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), np.int64))
            writer.write(frame, frame / RATE_HZ + late_s, found)
    return path


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parts")
    write_video(folder / "film.mp4", pictures(), RATE_HZ)
    write_boxes(folder / "boxes.parquet")
    return folder


def recording(path: Path, *cameras: Camera) -> Recording:
    with RecordingWriter(path, name="two", origin_unix_s=0.0, duration_s=4.0, store=Store({}, {}, {})) as writer:
        for camera in cameras:
            writer.add_camera(camera)
    return Recording.open(path)


@pytest.fixture
def filmed(parts: Path, tmp_path: Path) -> Recording:
    return recording(tmp_path / "in", Camera("film", video=parts / "film.mp4", detections=parts / "boxes.parquet"))


def settings(*overrides: str) -> PipelineConfig:
    return load(PipelineConfig, None, overrides)


def owners(table: Path) -> dict[int, set[tuple[int, int, int]]]:
    """The colours that each identity was given to."""
    tracks = read_detections(table)
    found: dict[int, set[tuple[int, int, int]]] = {}
    for position, frame in enumerate(tracks.frame.tolist()):
        for (colour, _), track_id in zip(places(frame), tracks.track_ids(position).tolist(), strict=True):
            found.setdefault(track_id, set()).add(colour)
    found.pop(-1, None)
    return found


def said(folder: Path, stage: str) -> str:
    entries = json.loads((folder / "stages" / f"{stage}.json").read_text())["report"]
    return "\n".join(f"{entry['where']}: {entry['problem']}" for entry in entries)


def test_people_keep_their_identities_by_how_they_look(filmed: Recording, tmp_path: Path) -> None:
    run(filmed, tmp_path / "plain", settings("track.max_age_s=3"))
    assert {RED, BLUE} in owners(tmp_path / "plain" / "tracks-film.parquet").values()  # boxes alone cannot tell
    assert not list((tmp_path / "plain").glob("embeddings-*"))
    run(filmed, tmp_path / "run", settings(*DEEPSORT))
    assert owners(tmp_path / "run" / "tracks-film.parquet") == {1: {RED}, 2: {BLUE}}
    assert said(tmp_path / "run", "detect") == said(tmp_path / "run", "track") == ""


def test_the_table_has_a_vector_for_each_box(filmed: Recording, tmp_path: Path) -> None:
    run(filmed, tmp_path / "run", settings(*DEEPSORT))
    table = pq.read_table(tmp_path / "run" / "embeddings-film.parquet")
    seen = [frame for frame in range(FRAMES) if frame not in HIDDEN]
    assert table.column_names == ["frame", "row", "vector"]
    assert table["frame"].to_pylist() == np.repeat(seen, 2).tolist()
    assert table["row"].to_pylist() == [0, 1] * len(seen)
    assert table["vector"].type == pa.list_(pa.float32(), ColourHistogram().length)
    vector = np.array(table["vector"].to_pylist())
    np.testing.assert_allclose(np.linalg.norm(vector, axis=1), 1, atol=1e-5)
    red = np.array([places(frame)[row][0] == RED for frame in seen for row in (0, 1)])
    alike = vector @ vector.T
    assert alike[red][:, red].min() > alike[red][:, ~red].max() + 0.1


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stages that were done, as they are."""
    stages: list[str] = []
    for name, function in list(_RUN.items()):
        monkeypatch.setitem(_RUN, name, lambda *a, name=name, function=function: (stages.append(name), function(*a))[1])
    return stages


def test_tracks_are_made_again_without_a_look_at_the_footage(
    filmed: Recording, tmp_path: Path, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(filmed, tmp_path / "run", settings(*DEEPSORT))
    tracks = (tmp_path / "run" / "tracks-film.parquet").read_bytes()
    monkeypatch.delattr("gocv.pipeline.perception.footage")
    done.clear()
    run(filmed, tmp_path / "run", settings(*DEEPSORT), restart_from="track")
    assert done == list(_RUN)[1:]
    assert (tmp_path / "run" / "tracks-film.parquet").read_bytes() == tracks
    run(filmed, tmp_path / "run", settings(*DEEPSORT, "track.max_age_s=0.5"))
    assert len(owners(tmp_path / "run" / "tracks-film.parquet")) == 4  # whoever is away for a second is forgotten


@pytest.mark.parametrize(
    ("before", "after", "first", "kept"),
    [
        ((), DEEPSORT, "detect", True),
        (DEEPSORT, (*DEEPSORT, "encode.stripes=3"), "detect", True),
        (DEEPSORT, (), "detect", False),
        (("encode.part=colour",), ("encode.part=colour", "encode.stripes=3"), None, False),
        (("track.part=botsort",), ("track.part=botsort", "encode.part=colour"), None, False),
        (
            ("track.part=botsort", "encode.part=colour"),
            ("track.part=botsort", "encode.part=colour", "track.with_appearance=true"),
            "detect",
            True,
        ),
    ],
)
def test_vectors_are_made_when_they_are_needed_and_only_then(
    filmed: Recording,
    tmp_path: Path,
    done: list[str],
    before: tuple[str, ...],
    after: tuple[str, ...],
    first: str | None,
    kept: bool,
) -> None:
    run(filmed, tmp_path / "run", settings(*before))
    done.clear()
    run(filmed, tmp_path / "run", settings(*after))
    assert done == ([] if first is None else list(_RUN))
    assert bool(list((tmp_path / "run").glob("embeddings-*"))) == kept


def test_cameras_without_appearance_are_left_out_and_the_rest_goes_on(parts: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    boxes = parts / "boxes.parquet"
    given = recording(
        tmp_path / "in",
        Camera("bare", detections=boxes),
        Camera("broken", video=tmp_path / "broken.mp4", detections=boxes),
        Camera("film", video=parts / "film.mp4", detections=boxes),
    )
    run(given, tmp_path / "run", settings(*DEEPSORT))
    for camera in ("bare", "broken"):
        assert f"camera {camera}: its recorded boxes have no appearance" in said(tmp_path / "run", "detect")
        assert f"camera {camera}: left out" in said(tmp_path / "run", "track")
        assert not (tmp_path / "run" / f"tracks-{camera}.parquet").exists()
    assert "camera film" not in said(tmp_path / "run", "track")
    assert len(owners(tmp_path / "run" / "tracks-film.parquet")) == 2
    assert "the tracker needs appearance" in (tmp_path / "run" / "receipts.json").read_text()
    run(given, tmp_path / "run", settings())
    assert said(tmp_path / "run", "track") == ""
    assert (tmp_path / "run" / "tracks-bare.parquet").exists()


def test_no_encoder_is_made_where_there_is_nothing_to_look_at(parts: Path, tmp_path: Path) -> None:
    given = recording(tmp_path / "in", Camera("bare", detections=parts / "boxes.parquet"))
    run(given, tmp_path / "run", settings("track.part=deepsort", "encode.part=onnx", "encode.weights=absent.onnx"))
    assert "camera bare" in said(tmp_path / "run", "track")


@pytest.mark.parametrize("damage", [None, b"no table", "frame", "nan"])
def test_a_table_that_was_lost_or_broken_costs_its_camera_alone(
    parts: Path, tmp_path: Path, damage: bytes | str | None
) -> None:
    film = {"video": parts / "film.mp4", "detections": parts / "boxes.parquet"}
    given = recording(tmp_path / "in", Camera("a", **film), Camera("b", **film))
    run(given, tmp_path / "run", settings(*DEEPSORT))
    table = tmp_path / "run" / "embeddings-a.parquet"
    if isinstance(damage, bytes):
        table.write_bytes(damage)
    elif damage is None:
        table.unlink()
    else:
        rows = pq.read_table(table)
        vectors, number = np.array(rows["vector"].to_pylist(), np.float32), rows["frame"].to_numpy().copy()
        if damage == "nan":
            vectors[7, 3] = np.nan
        else:
            number[-2:] = FRAMES + 5  # a frame that the table of detections lacks
        columns = [number, rows["row"], pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])]
        pq.write_table(pa.table(columns, schema=rows.schema), table)
    run(given, tmp_path / "run", settings(*DEEPSORT), restart_from="track")
    assert "camera a: left out" in said(tmp_path / "run", "track")
    assert "camera b" not in said(tmp_path / "run", "track")
    assert not (tmp_path / "run" / "tracks-a.parquet").exists()
    assert len(owners(tmp_path / "run" / "tracks-b.parquet")) == 2


def test_boxes_that_no_picture_shows_have_no_identity(parts: Path, tmp_path: Path) -> None:
    boxes = write_boxes(tmp_path / "long.parquet", extra=3, late_s=0.25)
    given = recording(tmp_path / "in", Camera("film", video=parts / "film.mp4", detections=boxes))
    run(given, tmp_path / "run", settings(*DEEPSORT))
    assert "6 recorded boxes lie in frames that the footage lacks" in said(tmp_path / "run", "detect")
    assert "lie up to 0.25 s apart" in said(tmp_path / "run", "detect")
    tracks = read_detections(tmp_path / "run" / "tracks-film.parquet")
    assert len(tracks) == FRAMES + 3
    assert [tracks.track_ids(FRAMES + i).tolist() for i in range(3)] == [[-1, -1]] * 3
    assert set(tracks.track_ids(FRAMES - 1).tolist()) == {1, 2}


def test_recorded_frames_out_of_order_are_not_encoded(parts: Path, tmp_path: Path) -> None:
    table = pq.read_table(parts / "boxes.parquet")
    number = table["frame"].to_numpy().copy()
    number[-2:] = 3
    pq.write_table(table.set_column(0, "frame", pa.array(number)), tmp_path / "mixed.parquet")
    given = recording(tmp_path / "in", Camera("film", video=parts / "film.mp4", detections=tmp_path / "mixed.parquet"))
    run(given, tmp_path / "run", settings(*DEEPSORT))
    assert "frame 3 follows frame 38" in said(tmp_path / "run", "detect")
    assert "camera film: left out" in said(tmp_path / "run", "track")


class Blobs:
    """Finds what is red or blue, people, and calls the whole picture a dog."""

    classes = ("dog", "person")

    def detect(self, frames: list[Frame]) -> list[Detections]:
        return [self._of(frame.image.astype(int)) for frame in frames]

    def _of(self, image: np.ndarray) -> Detections:
        boxes = [[0.0, 0.0, 256.0, 192.0]]
        for channel, other in ((0, 2), (2, 0)):
            row, col = np.nonzero(image[..., channel] > image[..., other] + 90)
            if len(row):
                boxes.append([col.min(), row.min(), col.max() + 1, row.max() + 1])
        return Detections(boxes, np.full(len(boxes), 0.9), [0] + [1] * (len(boxes) - 1))


def test_footage_is_looked_at_once_for_boxes_and_looks(
    parts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = SimpleNamespace(name="blobs", load=lambda: Blobs)
    known = entry_points
    monkeypatch.setattr("gocv.pipeline.parts.entry_points", lambda group: [*known(group=group), entry])
    given = recording(tmp_path / "in", Camera("film", video=parts / "film.mp4"))
    run(given, tmp_path / "run", settings(*DEEPSORT, "detect.part=blobs"))
    table = pq.read_table(tmp_path / "run" / "embeddings-film.parquet")
    seen = FRAMES - len(HIDDEN)
    assert table["row"].to_pylist() == [0, 1] * seen  # of the people: the dog does not count
    tracks = read_detections(tmp_path / "run" / "tracks-film.parquet")
    assert len(tracks) == FRAMES
    red, blue = tracks.track_ids(10).tolist()
    assert {red, blue} == {1, 2}
    assert tracks.track_ids(35).tolist() == [red, blue]  # red comes first in every frame


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("track.part=deepsort", "encode.part=colours"), "encode.part.*'colour'"),
        ((*DEEPSORT, "encode.stripe=3"), "encode.stripe.*'stripes'"),
        (("encode.part=colours",), "encode.part"),
        (("track.part=deepsort", "encode.part=onnx", "encode.weights=absent.onnx"), "absent.onnx"),
    ],
)
def test_an_encoder_that_cannot_be_made_is_refused(
    filmed: Recording, tmp_path: Path, overrides: tuple[str, ...], message: str
) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        run(filmed, tmp_path / "run", settings(*overrides))


def test_boxes_without_area_are_not_encoded() -> None:
    boxes = [[0, 0, 9, 9], [5, 5, 5, 9], [1, 1, 8, 8], [np.nan, 0, 3, 3], [0, 0, np.inf, 3]]
    found = Detections(boxes, np.full(5, 0.9), np.zeros(5))
    frame = Frame(np.zeros((20, 20, 3), np.uint8), "c", 0.0, 0)
    assert encode_boxes(ColourHistogram(), frame, found).row.tolist() == [0, 2]
    assert len(encode_boxes(ColourHistogram(), frame, found[[1, 3]])) == 0


class Careless:
    def encode(self, frame: Frame, detections: Detections) -> Embeddings:
        return Embeddings(np.ones((1, 4)), [0])


def test_an_encoder_that_forgets_a_box_is_refused() -> None:
    found = Detections([[0, 0, 9, 9], [2, 2, 9, 9]], [0.9, 0.9], [0, 0])
    with pytest.raises(DataError, match="1 vectors for 2 boxes"):
        encode_boxes(Careless(), Frame(np.zeros((20, 20, 3), np.uint8), "c", 0.0, 0), found)


class Shift:
    """A tracker whose identities say which vector a row was given: 1 + the place of its greatest value."""

    needs = frozenset({"embeddings"})

    def update(self, detections: Detections, *, time_s: float, embeddings: Embeddings | None = None) -> Tracks:
        given = np.full(len(detections), -1)
        given[embeddings.row] = 1 + embeddings.vector.argmax(axis=1)
        return Tracks(detections.xyxy + 1, detections.score, given, np.arange(len(detections)))

    def reset(self) -> None: ...


@pytest.mark.parametrize("rows", [[2, 0], [0, 1, 2], [2, 1, 0], [1], []])
def test_rows_keep_their_vectors_whichever_there_are(rows: list[int]) -> None:
    found = Detections(np.arange(12.0).reshape(3, 4), [0.9, 0.8, 0.7], [0, 0, 0])
    looks = Embeddings(np.eye(3)[rows].reshape(-1, 3), rows)
    tracks = update_tracker(Shift(), found, 0.0, looks)
    assert tracks.track_id.tolist() == [i + 1 if i in rows else -1 for i in range(3)]
    moved = np.isin(np.arange(3), rows)[:, None]
    np.testing.assert_array_equal(tracks.xyxy, found.xyxy + moved)
    np.testing.assert_array_equal(tracks.score, found.score)
    with pytest.raises(DataError, match="none of 3 boxes"):
        update_tracker(Shift(), found, 0.0, Embeddings(np.eye(3)[:1], [3]))
