"""Files of the NanoStore data: JSON lines, BSON, archives; and that all of them convert to the same recording."""

from __future__ import annotations

import base64
import contextlib
import datetime
import gzip
import json
import random
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import numpy as np
import pytest
from bson import json_util
from bson.int64 import Int64

from gocv.core import DataError, FloorTracks, PlateId, ScaleSamples
from gocv.data.nanostore import convert_nanostore, read_archive, read_documents
from gocv.data.nanostore.archive import MAGIC, crc64
from gocv.data.recording import Recording, TruthReceipt

Collections = dict[str, list[dict[str, Any]]]
TERMINATOR = struct.pack("<i", -1)
ORIGIN = datetime.datetime(2020, 4, 22, 5, 6, 36, tzinfo=datetime.timezone.utc)
DATABASE = "MADE-1"


def instant(seconds: float) -> str:
    return (ORIGIN + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def made() -> Collections:
    """Two gondolas for 30 s, their messages mixed and here and there swapped; a shopper; three products."""
    generator = np.random.default_rng(0)
    plates, targets = [], []
    for start in np.arange(0, 30, 0.2):
        for gondola in (1, 2):
            weights = generator.normal(1000, 1, (12, 3, 3)).astype("<f4")
            weights[:, 0] = weights[:, :, 0] = np.nan if gondola == 1 else 0.0  # unused, whatever stands there
            values = {
                "data": base64.b64encode(weights.tobytes()).decode(),
                "shape": [12, 3, 3],
                "type": "DATATYPE_FLOAT32",
            }
            where = {"shelf_id": {"gondola_id": {"id": gondola}}}
            body = {"plate_id": where, "freq_samp": 60.0, "values": values}
            plates.append({"document": {"header": {"t_origin": instant(start + 0.01 * gondola)}, "plate_data": body}})
        head = {"point": {"x": 100 + start, "y": -3.5}, "score": 0.9}
        seen = [{"target_id": {"id": "13933261984050196906"}, "head": head}]
        targets.append({"document": {"header": {"t_origin": instant(start - 1)}, "targets": {"targets": seen}}})
    plates[40], plates[42] = plates[42], plates[40]
    names = (("012", "Tea"), ("13", "Cola"), ("14", "Gum"))
    products = [{"product_id": {"id": b}, "metadata": {"name": n, "weight": 100.5, "price": 1}} for b, n in names]
    on = [{"shelf_id": {"gondola_id": {"id": 1}, "shelf_index": 1}, "plate_index": p} for p in (1, 2)]
    planogram = [{"plate_ids": on, "planogram_product_id": {"id": "012"}}]
    return {"plate_data": plates, "full_targets": targets, "planogram": planogram, "products": products}


def typed(value: Any, key: str = "") -> Any:
    """The same document with BSON's own types where JSON has text and plain numbers."""
    if isinstance(value, dict):
        return {k: typed(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [typed(v, key) for v in value]
    if key == "data":
        return base64.b64decode(value)
    if key == "t_origin" and value.endswith("000Z"):  # BSON's dates hold milliseconds
        return datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
    return Int64(value) if isinstance(value, int) else value


def write_json(folder: Path, collections: Collections) -> Path:
    folder.mkdir()
    for name, documents in collections.items():
        (folder / f"{name}.json").write_text("".join(json_util.dumps(d) + "\n" for d in documents))
    return folder


def write_bson(folder: Path, collections: Collections, nested: str = "", packed: bool = False) -> Path:
    inside = folder / nested
    inside.mkdir(parents=True)
    for name, documents in collections.items():
        data = b"".join(bson.encode(typed(d)) for d in documents)
        (inside / f"{name}.bson{'.gz' * packed}").write_bytes(gzip.compress(data) if packed else data)
        (inside / f"{name}.metadata.json").write_text("{}")
    return folder


def archive(collections: Collections, block: int = 7, database: str = DATABASE) -> bytes:
    """An archive in which blocks of the collections take turns."""
    out = MAGIC + bson.encode(
        {"concurrent_collections": 4, "version": "0.1", "server_version": "4", "tool_version": "100"}
    )
    queues = {name: [bson.encode(d) for d in documents] for name, documents in collections.items()}
    for name, queue in queues.items():
        out += bson.encode({"db": database, "collection": name, "metadata": "{}", "size": sum(map(len, queue))})
    out += TERMINATOR
    whole = {name: b"".join(queue) for name, queue in queues.items()}
    while queues:
        for name in list(queues):
            header = {"db": database, "collection": name}
            if not queues[name]:
                crc = crc64(whole[name])
                signed = Int64(crc - 2**64 if crc >= 2**63 else crc)
                out += bson.encode({**header, "EOF": True, "CRC": signed}) + TERMINATOR
                del queues[name]
                continue
            blocks, queues[name] = queues[name][:block], queues[name][block:]
            out += bson.encode({**header, "EOF": False, "CRC": Int64(0)}) + b"".join(blocks) + TERMINATOR
    return out


def write_archive(path: Path, collections: Collections, packed: bool = False, block: int = 7) -> Path:
    data = archive({name: [typed(d) for d in documents] for name, documents in collections.items()}, block)
    path.write_bytes(gzip.compress(data, 1) if packed else data)
    return path


FORMS: dict[str, Callable[[Path, Collections], Path]] = {
    "json": lambda tmp, c: write_json(tmp / DATABASE, c),
    "bson": lambda tmp, c: write_bson(tmp / DATABASE, c),
    "bson.gz": lambda tmp, c: write_bson(tmp / DATABASE, c, packed=True),
    "dump": lambda tmp, c: write_bson(tmp / "dump", c, nested=DATABASE),
    "folder with dump": lambda tmp, c: write_bson(tmp / DATABASE, c, nested="dump/db"),
    "archive": lambda tmp, c: write_archive(tmp / f"{DATABASE}.archive", {**c, "frame_message": [{"x": 1}]}),
    "archive.gz": lambda tmp, c: write_archive(tmp / f"{DATABASE}.archive.gz", c, packed=True, block=1000),
}


def samples(recording: Recording) -> Iterator[tuple[str, ScaleSamples]]:
    for group in recording.scales:
        yield group.name, ScaleSamples.concatenate(list(recording.scale_chunks(group)))


def assert_same(one: Recording, other: Recording) -> None:
    assert (one.name, one.duration_s, one.truth) == (other.name, other.duration_s, other.truth)
    assert one.origin_unix_s == other.origin_unix_s
    assert repr(one.store.products) == repr(other.store.products)
    assert one.store.planogram == other.store.planogram
    assert set(one.store.plates) == set(other.store.plates)
    for (name, mine), (named, theirs) in zip(samples(one), samples(other), strict=True):
        assert (name, mine.plates) == (named, theirs.plates)
        np.testing.assert_array_equal(mine.time_s, theirs.time_s)
        np.testing.assert_array_equal(mine.weight_g, theirs.weight_g)
    mine, theirs = one.floor_tracks(), other.floor_tracks()
    assert mine.shoppers == theirs.shoppers
    for column in ("time_s", "shopper", "xy_m", "covariance_m2", "joints_m", "joint_score"):
        np.testing.assert_array_equal(getattr(mine, column), getattr(theirs, column))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_the_same_recording(form: str, tmp_path: Path) -> None:
    for folder in ("json", "other"):
        (tmp_path / folder).mkdir()
    convert_nanostore(FORMS["json"](tmp_path / "json", made()), tmp_path / "expected")
    notes = convert_nanostore(FORMS[form](tmp_path / "other", made()), tmp_path / "got")
    expected, got = Recording.open(tmp_path / "expected"), Recording.open(tmp_path / "got")
    assert_same(expected, got)
    assert list(got.notes) == notes
    assert (form == "archive") == any("not read: frame_message" in note for note in notes)


def test_a_made_recording_holds_what_was_put_in(tmp_path: Path) -> None:
    convert_nanostore(FORMS["json"](tmp_path, made()), tmp_path / "got", truth_receipts=[TruthReceipt("7", {"13": 2})])
    got = Recording.open(tmp_path / "got")
    assert got.origin_unix_s == ORIGIN.timestamp() - 1
    assert got.truth is not None
    assert got.truth.receipts == (TruthReceipt("7", {"13": 2}),)
    assert [g.plates for g in got.scales] == [tuple(PlateId(g, s, p) for s in (1, 2) for p in (1, 2)) for g in (1, 2)]
    for _, sampled in samples(got):
        assert len(sampled) == 1800
        assert (np.diff(sampled.time_s) > 0).all()
    tracks: FloorTracks = got.floor_tracks()
    np.testing.assert_allclose(tracks.xy_m[0], [2.54, -0.0889])
    with pytest.raises(DataError, match="is there already"):
        convert_nanostore(tmp_path / DATABASE, tmp_path / "got")


@pytest.mark.parametrize("empty", [True, False])
def test_recordings_without_full_targets_have_their_heads_in_targets(empty: bool, tmp_path: Path) -> None:
    collections = made()
    heads = collections.pop("full_targets")
    source = write_json(
        tmp_path / DATABASE, {**collections, "targets": heads, **({"full_targets": []} if empty else {})}
    )
    convert_nanostore(source, tmp_path / "got")
    assert len(Recording.open(tmp_path / "got").floor_tracks()) == len(heads)


def test_the_original_database_reads_alike_in_every_form(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "nanostore" / "BENCHMARK-1"
    beside = {"layout": source.parent / "layout", "labels": source.parent / "labels"}
    collections = {
        name: [dict(d.fields) for d in read_documents(source / f"{name}.json")]
        for name in ("plate_data", "full_targets", "planogram", "products")
    }
    convert_nanostore(source, tmp_path / "expected")
    for write in (write_bson, write_archive):
        made_source = tmp_path / "BENCHMARK-1"
        write(made_source, collections)  # type: ignore[operator]
        convert_nanostore(made_source, tmp_path / "got", overwrite=True, **beside)
        assert_same(Recording.open(tmp_path / "expected"), Recording.open(tmp_path / "got"))
        shutil.rmtree(made_source, ignore_errors=True)


SMALL: Collections = {"plate_data": [{"a": 1}, {"a": "text"}], "other": [{"b": [1, 2, 3]}], "empty": []}


def listed(path: Path) -> list[tuple[str, dict[str, Any]]]:
    wanted = [(DATABASE, name) for name in SMALL]
    return [(collection, dict(document.fields)) for (_, collection), document in read_archive(path, wanted)]


def test_an_archive_is_read_in_the_order_of_its_blocks(tmp_path: Path) -> None:
    path = tmp_path / "made.archive"
    path.write_bytes(archive(SMALL, block=1))
    assert listed(path) == [("plate_data", {"a": 1}), ("other", {"b": [1, 2, 3]}), ("plate_data", {"a": "text"})]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_archive_cut_anywhere_is_refused(packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "made.archive"
    data = archive(SMALL)
    data = gzip.compress(data) if packed else data
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(DataError) as caught:
            listed(path)
        assert caught.value.file == str(path)
        assert str(caught.value.row).startswith("byte ")
        assert caught.value.expected


def test_an_archive_with_a_changed_byte_is_never_read_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "made.archive"
    data = archive(SMALL)
    path.write_bytes(data)
    expected = listed(path)
    generator = random.Random(0)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << generator.randrange(8)
        path.write_bytes(changed)
        with contextlib.suppress(DataError):
            assert listed(path) == expected  # the changed byte was in the header, a size or the metadata


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", r"byte 0: ends within the magic number \(expected 4 bytes, 0 are left\)"),
        (b"PK\3\4", r"byte 0: begins with 504b0304"),
        (MAGIC + TERMINATOR, r"byte 8: has no header"),
        (archive(SMALL) + TERMINATOR, r"-1 cannot be the length of a namespace header"),
        (archive(SMALL) + b"\4\0\0\0", r"4 cannot be the length"),
        (archive(SMALL) + bson.encode({"db": DATABASE}), r"does not name a collection"),
        (
            archive(SMALL) + bson.encode({"db": DATABASE, "collection": "other"}) + TERMINATOR,
            r"other goes on after its end",
        ),
        (archive(SMALL).replace(b"text", b"test"), r"plate_data is damaged: CRC"),
    ],
)
def test_a_broken_archive_names_the_byte(data: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "made.archive"
    path.write_bytes(data)
    with pytest.raises(DataError, match=complaint):
        listed(path)


@pytest.mark.parametrize("name", ["made.json", "made.json.gz", "made.bson", "made.bson.gz"])
def test_documents_are_read_from_plain_and_packed_files(name: str, tmp_path: Path) -> None:
    documents = [{"a": 1, "when": ORIGIN}, {"b": {"c": [Int64(5)]}}]
    is_json = ".json" in name
    data = b"".join((json_util.dumps(d) + "\n\n").encode() if is_json else bson.encode(d) for d in documents)
    path = tmp_path / name
    path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    found = list(read_documents(path))
    assert found[0].unix_s("when") == ORIGIN.timestamp()
    assert found[1].get("b.c") == [5]
    assert [d.row for d in found] == ([1, 3] if is_json else ["byte 0", f"byte {len(bson.encode(documents[0]))}"])


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("made.json", b'{"a": 1}\n{"a": \n', r"made.json, row 2: is not JSON"),
        ("made.json", b"\n[1]\n", r"made.json, row 2: is not a document"),
        ("made.json", b"\xff\xfe\n", r"made.json, row 1: is not JSON"),
        ("made.json", b'{"a": {"$binary": {"base64": 3}}}\n', r"made.json, row 1: is not JSON"),
        ("made.json", b"[" * 100_000, r"made.json, row 1: is not JSON"),
        ("made.json.gz", gzip.compress(b'{"a": 1}\n' * 50)[:-9], r"made.json.gz, row \d+: cannot be read on"),
        ("made.bson", bson.encode({"a": 1})[:-2], r"made.bson, row byte 4: ends within a document"),
        ("made.bson", bson.encode({"a": 1}) + b"\1", r"made.bson, row byte 12: ends where a document should go on"),
        ("made.bson", b"\x0c\0\0\0\x55a\0\1\0\0\0\0", r"made.bson, row byte 0: a document is damaged"),
        ("made.bson", b"\xff\xff\xff\x7f", r"made.bson, row byte 0: 2147483647 cannot be the length"),
    ],
)
def test_a_broken_file_names_its_line_or_byte(name: str, data: bytes, complaint: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=complaint):
        list(read_documents(tmp_path / name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.bson: cannot be read"):
        list(read_documents(tmp_path / "none.bson"))


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda c: c["plate_data"][200]["document"]["plate_data"]["values"].update(shape=[1]), r"row 201, key .*shape"),
        (lambda c: c["full_targets"][3]["document"]["header"].clear(), r"full_targets.json, row 4, key .*t_origin"),
        (lambda c: c["plate_data"].clear(), "holds no scale samples"),
        (lambda c: c.pop("plate_data"), "is no recording of the data set"),
    ],
)
def test_nothing_is_left_behind_when_a_document_is_broken(
    spoil: Callable[[Collections], None], complaint: str, tmp_path: Path
) -> None:
    collections = json.loads(json.dumps(made()))
    spoil(collections)
    source = write_json(tmp_path / DATABASE, collections)
    with pytest.raises(DataError, match=complaint):
        convert_nanostore(source, tmp_path / "got")
    assert [f.name for f in tmp_path.iterdir()] == [DATABASE]


def test_several_recordings_are_not_read_as_one(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_bson(tmp_path / "dump", made(), nested=name)
    with pytest.raises(DataError, match="several recordings: one, two"):
        convert_nanostore(tmp_path / "dump", tmp_path / "got")
    convert_nanostore(tmp_path / "dump" / "two", tmp_path / "got")
    both = archive({"plate_data": []}, database="one")
    path = tmp_path / "both.archive"
    path.write_bytes(
        both[:-4].replace(TERMINATOR, bson.encode({"db": "two", "collection": "plate_data"}) + TERMINATOR, 1)
    )
    with pytest.raises(DataError, match="several recordings: one, two"):
        convert_nanostore(path, tmp_path / "got", overwrite=True)


def test_what_was_named_and_does_not_exist_is_refused(tmp_path: Path) -> None:
    source = write_json(tmp_path / DATABASE, made())
    for name in ("layout", "labels"):
        with pytest.raises(DataError, match=f"the {name} that were named do not exist"):
            convert_nanostore(source, tmp_path / "got", **{name: tmp_path / "none"})  # type: ignore[arg-type]
    with pytest.raises(DataError, match="does not exist"):
        convert_nanostore(tmp_path / "none", tmp_path / "got")
