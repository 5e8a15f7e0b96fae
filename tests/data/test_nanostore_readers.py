"""Readers of single documents and tables of the NanoStore data."""

from __future__ import annotations

import base64
import datetime
import json
import math
from pathlib import Path

import numpy as np
import pytest
from bson.int64 import Int64

from gocv.core import JOINTS, DataError, PlateId, Product
from gocv.data.nanostore import (
    Barcodes,
    Document,
    Sightings,
    read_layout,
    read_planogram,
    read_plate_message,
    read_product_table,
    read_products,
    stream_samples,
)

FILE = Path("made.json")
ORIGIN = 1_587_531_996.0


def document(fields: dict, row: int = 1) -> Document:
    return Document(FILE, row, fields)


def plate_fields(
    weights: np.ndarray, start: object = "2020-04-22T05:06:36Z", gondola: int = 1, **values: object
) -> dict:
    data = {"data": base64.b64encode(weights.astype("<f4").tobytes()).decode(), "shape": list(weights.shape)}
    body = {"plate_id": {"shelf_id": {"gondola_id": {"id": gondola}}}, "freq_samp": 60.0, "values": {**data, **values}}
    return {"document": {"header": {"t_origin": start}, "plate_data": body}}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2020-04-22T05:06:36.859Z", ORIGIN + 0.859),
        ("2020-04-22T05:06:36Z", ORIGIN),
        ("2020-04-22T05:06:36.123456789Z", ORIGIN + 0.123456789),
        ("2020-04-22 05:06:36", ORIGIN),
        ("2020-04-22T07:06:36.5+02:00", ORIGIN + 0.5),
        (datetime.datetime(2020, 4, 22, 5, 6, 36), ORIGIN),
        (datetime.datetime(2020, 4, 22, 5, 6, 36, tzinfo=datetime.timezone.utc), ORIGIN),
        (ORIGIN, ORIGIN),
        (Int64(ORIGIN), ORIGIN),
    ],
)
def test_an_instant_is_read_in_every_spelling(value: object, seconds: float) -> None:
    assert document({"t": value}).unix_s("t") == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize("value", [None, "", "yesterday", True, math.nan, "2020-13-22T05:06:36Z", {}])
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"made.json, row 7, key 't'.*instant"):
        document({"t": value}, row=7).unix_s("t")


@pytest.mark.parametrize(
    ("read", "fields", "key"),
    [
        ("text", {"a": {"b": 1.5}}, "a.b"),
        ("number", {"a": {"b": "1"}}, "a.b"),
        ("number", {"a": {"b": True}}, "a.b"),
        ("integer", {"a": {"b": 1.5}}, "a.b"),
        ("integer", {"a": {"b": math.inf}}, "a.b"),
        ("parts", {"a": {"b": {}}}, "a.b"),
        ("parts", {"a": {"b": [1]}}, "a.b"),
        ("get", {"a": 3}, "a.b"),
    ],
)
def test_a_value_of_the_wrong_type_is_named(read: str, fields: dict, key: str) -> None:
    with pytest.raises(DataError) as caught:
        getattr(document(fields, row=3), read)(key)
    assert (caught.value.file, caught.value.row, caught.value.key) == ("made.json", 3, key)


def test_an_id_stored_as_a_signed_number_reads_unsigned() -> None:
    assert document({"id": Int64(13933261984050196906 - 2**64)}).text("id") == "13933261984050196906"


@pytest.mark.parametrize(
    "encode", [lambda b: base64.b64encode(b).decode(), bytes, bytearray], ids=["text", "bytes", "array"]
)
def test_a_plate_message_is_decoded(encode: object) -> None:
    weights = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    message = read_plate_message(document(plate_fields(weights, data=encode(weights.tobytes()))))  # type: ignore[operator]
    np.testing.assert_array_equal(message.weight_g, weights)
    np.testing.assert_allclose(message.unix_s, [ORIGIN, ORIGIN + 1 / 60], atol=1e-6)
    assert (message.gondola, message.rate_hz) == (1, 60.0)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"values": {"type": "DATATYPE_FLOAT64"}}, "document.plate_data.values.type"),
        ({"values": {"shape": [2, 3]}}, "document.plate_data.values.shape"),
        ({"values": {"shape": [2, 3, 5]}}, "document.plate_data.values.data"),
        ({"values": {"data": "***"}}, "document.plate_data.values.data"),
        ({"values": {"data": 4}}, "document.plate_data.values.data"),
        ({"values": {"data": None}}, "document.plate_data.values.data"),
        ({"freq_samp": 0}, "document.plate_data.freq_samp"),
        ({"plate_id": {}}, "document.plate_data.plate_id.shelf_id.gondola_id.id"),
        ({"plate_id": {"shelf_id": {"gondola_id": {"id": 1}, "shelf_index": 2}}}, "document.plate_data.plate_id"),
    ],
)
def test_a_malformed_plate_message_is_refused(change: dict, key: str) -> None:
    fields = plate_fields(np.zeros((2, 3, 4)))
    body = fields["document"]["plate_data"]
    values = {**body["values"], **change.pop("values", {})}
    body.update({"values": values, **change})
    with pytest.raises(DataError) as caught:
        read_plate_message(document(fields, row=5))
    assert (caught.value.row, caught.value.key) == (5, key)


def messages(starts: list[float], gondola: int = 1) -> list[Document]:
    return [
        document(plate_fields(np.full((12, 2, 3), start), ORIGIN + start, gondola), row)
        for row, start in enumerate(starts, 1)
    ]


@pytest.mark.parametrize(
    ("starts", "samples", "said"),
    [
        ([0.0, 0.2, 0.4], 36, []),
        ([0.2, 0.0, 0.4], 36, []),
        ([0.0, 0.0, 0.2], 24, ["12 samples at a time that was taken"]),
        ([float(i) for i in range(60)] + [1.1], 720, ["12 samples came more than 2 s late"]),
    ],
    ids=["in order", "swapped", "repeated", "late"],
)
def test_samples_come_out_in_order_of_time(starts: list[float], samples: int, said: list[str]) -> None:
    plates = {1: (PlateId(1, 1, 1), PlateId(1, 1, 2)), 2: (PlateId(2, 1, 1), PlateId(2, 1, 2))}
    both = [m for pair in zip(messages(starts), messages(starts, gondola=2), strict=True) for m in pair]
    notes: list[str] = []
    chunks = list(stream_samples(both, plates, ORIGIN, notes))
    for gondola, on in plates.items():
        parts = [chunk for number, chunk in chunks if number == gondola]
        time_s = np.concatenate([p.time_s for p in parts])
        assert len(time_s) == samples
        assert (np.diff(time_s) > 0).all()
        assert parts[0].plates == on
        expected = np.array(sorted({*starts} - ({1.1} if said and "late" in said[0] else set())))
        np.testing.assert_allclose(np.concatenate([p.weight_g for p in parts])[::12, 0], expected, rtol=1e-6)
    assert len(notes) == 2 * len(said)
    assert all(words in note for words in said for note in notes)


def target(shopper: object = "7", **joints: object) -> dict:
    return {"target_id": {"id": shopper}, **joints}


def sightings(*targets: dict) -> Sightings:
    found = Sightings()
    found.add(
        document({"document": {"header": {"t_origin": "2020-04-22T05:06:36Z"}, "targets": {"targets": list(targets)}}})
    )
    return found


def test_joints_become_metres_and_what_is_unknown_stays_unknown() -> None:
    found = sightings(
        target(
            head={"point": {"x": 100.0, "z": 60.0}, "score": 0.9},
            l_shoulder={"point": {"x": 10.0, "y": 20.0, "z": 50.0}, "score": 0.8},
            r_shoulder={"point": {"x": 30.0, "y": 40.0, "z": 50.0}, "score": 0.8},
            r_wrist={"point": {}},
        )
    ).floor_tracks(ORIGIN)
    assert found.shoppers == ("7",)
    assert found.time_s.tolist() == [0.0]
    np.testing.assert_allclose(found.joints_m[0, JOINTS.index("head")], [2.54, 0.0, 1.524])
    unknown = [JOINTS.index(j) for j in ("neck", "r_wrist", "l_elbow")]
    assert np.isnan(found.joints_m[0, unknown]).all()
    assert (found.joint_score[0, unknown] == 0).all()
    np.testing.assert_allclose(found.xy_m, [[0.508, 0.762]])
    np.testing.assert_allclose(found.covariance_m2, [0.01 * np.eye(2)])


@pytest.mark.parametrize(
    ("joint", "xy"), [("neck", [[0.0254, 0.0508]]), ("head", [[0.0254, 0.0508]]), ("l_wrist", [[np.nan, np.nan]])]
)
def test_without_shoulders_the_neck_or_head_says_where_a_shopper_stands(joint: str, xy: list) -> None:
    found = sightings(target(**{joint: {"point": {"x": 1.0, "y": 2.0}, "score": 1.0}})).floor_tracks(ORIGIN)
    np.testing.assert_allclose(found.xy_m, xy)
    assert np.isnan(found.covariance_m2).all() == np.isnan(found.xy_m).all()


def test_a_sighting_without_a_joint_is_left_out_and_told_of() -> None:
    found = sightings(target("1", head={"point": {}}), target("2", head={"point": {}, "score": 0.5}))
    assert found.floor_tracks(ORIGIN).shoppers == ("2",)
    assert "1 sightings without any joint were left out" in found.describe()


def product(barcode: str, name: str, **metadata: object) -> Document:
    return document({"product_id": {"id": barcode}, "metadata": {"name": name, **metadata}})


def test_products_are_read_once_with_what_is_known_of_them() -> None:
    notes: list[str] = []
    listed = [
        product("012", "Tea", weight=100.5, price=2),
        product("012", "Tea", weight=100.5, price=2),
        product("13", "Chips"),
        product("14", "Gum", weight=0.0),
        product("14", "Gum", weight=5.0),
        product("", "Nothing"),
    ]
    products = read_products(listed, notes)
    assert list(products) == ["012", "13", "14"]
    assert (products["012"].weight_g, products["012"].price) == (100.5, 2.0)
    assert math.isnan(products["13"].weight_g)
    assert math.isnan(products["14"].weight_g)
    assert len(notes) == 3
    assert "contradict each other: 14" in notes[2]


def plate_entry(barcode: str | None, *plates: tuple[int, int, int]) -> Document:
    ids = [{"shelf_id": {"gondola_id": {"id": g}, "shelf_index": s}, "plate_index": p} for g, s, p in plates]
    return document({"plate_ids": ids, "planogram_product_id": {} if barcode is None else {"id": barcode}})


def test_the_planogram_is_merged_and_its_gaps_told_of() -> None:
    notes: list[str] = []
    entries = [
        plate_entry("1", (1, 1, 1)),
        plate_entry("1", (1, 1, 2)),
        plate_entry(None, (3, 6, 1)),
        plate_entry("9", (9, 9, 9)),
    ]
    planogram = read_planogram(entries, {"1": Product("1", "Tea")}, notes)
    assert planogram == {"1": {PlateId(1, 1, 1), PlateId(1, 1, 2)}, "9": {PlateId(9, 9, 9)}}
    assert "3/6/1 names no product" in notes[0]
    assert "not in the catalogue: 9" in notes[1]
    with pytest.raises(DataError, match=r"plate_ids.0.plate_index"):
        read_planogram([plate_entry("1", (1, 1, 0))], {}, [])


CATALOGUE = [Product("001", "Tea", 100.0), Product("002", "Cola", 355.0), Product("003", "Cola", 500.0)]


@pytest.mark.parametrize(
    ("name", "weight_g", "barcode", "candidates"),
    [
        ("Tea", 100.0, "001", ["001"]),
        ("Tea", math.nan, "001", ["001"]),
        (" TEA ", 40.0, "001", ["001"]),
        ("Cola", 500.2, "003", ["002", "003"]),
        ("Cola", 400.0, None, ["002", "003"]),
        ("Gum", 5.0, "004", ["004"]),
        ("Soap", 5.0, None, []),
    ],
)
def test_a_barcode_is_found_by_name_and_then_by_weight(
    name: str, weight_g: float, barcode: str | None, candidates: list[str]
) -> None:
    barcodes = Barcodes(CATALOGUE, [Product("004", "Gum", 5.0), Product("1", "Tea", 100.0)])
    assert barcodes.find(name, weight_g) == (barcode, candidates)


def test_a_table_of_names_becomes_products_and_planogram(tmp_path: Path) -> None:
    table = tmp_path / "products.csv"
    table.write_text(
        "Name,Gondola,Shelf,Plate,Weight,Price,Image\n"
        "Tea,-1,-1,-1,90,1,x\nTea,1,2,3,100,1,x\nTea,1,2,4,100,1,x\nSoap,1,1,1,0.0,3,x\nCola,2,1,1,400,1,x\n"
    )
    notes: list[str] = []
    products, planogram = read_product_table(table, Barcodes(CATALOGUE), notes)
    assert {p: round(products[p].weight_g) for p in ("001", "name:Cola")} == {"001": 100, "name:Cola": 400}
    assert math.isnan(products["name:Soap"].weight_g)
    assert planogram["001"] == {PlateId(1, 2, 3), PlateId(1, 2, 4)}
    assert set(planogram) == {"001", "name:Soap", "name:Cola"}
    said = "\n".join(notes)
    assert "'Cola' (400 g) could be any of 002, 003" in said
    assert "its entry of 90 g was left out" in said
    assert "1 of 3 products that are placed; 2 are called by their name" in said


def layout(folder: Path, gondola_angle: float = 0.0, width: float = 1.2) -> Path:
    def pose(x: float, y: float, z: float, angle: float = 0.0, **dims: float) -> dict:
        transform = {"translation": {"x": x, "y": y, "z": z}, "rotation": {"z": angle} if angle else {}}
        return {"coordinates": {"transform": transform, "dim_x": 1.2, **dims}}

    shelf = {"gondola_id": {"id": 5}, "shelf_index": 1}
    for file, kind, entry in (
        ("Gondolas.json", "gondolas", {"id": {"id": 5}, **pose(5, -1, 0, gondola_angle, dim_x=width)}),
        ("Shelves.json", "shelves", {"id": shelf, **pose(0, -0.4, 1)}),
        (
            "Plates.json",
            "plates",
            {"id": {"shelf_id": shelf, "plate_index": 2}, **pose(0.1, 0, 0, dim_x=0.1, dim_y=0.4)},
        ),
    ):
        (folder / file).write_text(json.dumps({kind: [entry]}))
    return folder


def test_nested_poses_are_put_together(tmp_path: Path) -> None:
    plate = read_layout(layout(tmp_path))[PlateId(5, 1, 2)]
    np.testing.assert_allclose(plate.centre_m, [5.15, -1.2, 1.0])
    np.testing.assert_allclose(plate.size_m, [0.1, 0.4])
    turned = read_layout(layout(tmp_path, gondola_angle=-np.pi / 2))[PlateId(5, 1, 2)]
    # a quarter turn clockwise: along the shelf is -y, away from the shopper +x
    np.testing.assert_allclose(turned.centre_m, [4.8, -1.15, 1.0])
    np.testing.assert_allclose(turned.rotation @ [0, 1, 0], [1, 0, 0], atol=1e-12)


def test_a_layout_in_inches_or_without_its_shelf_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"Gondolas.json, row 1, key 'coordinates.dim_x': 48 cannot be a width in metres"
    ):
        read_layout(layout(tmp_path, width=48))
    layout(tmp_path)
    (tmp_path / "Shelves.json").write_text('{"shelves": []}')
    with pytest.raises(DataError, match=r"Plates.json, row 1.*5/1 is not among the shelves"):
        read_layout(tmp_path)
    (tmp_path / "Gondolas.json").write_text("{")
    with pytest.raises(DataError, match=r"Gondolas.json: cannot be read"):
        read_layout(tmp_path)
