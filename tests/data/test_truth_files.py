"""The truth of a recording: hand-overs and the floor, what stood where, whose the names are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gocv.core import DataError, PlateId
from gocv.data.recording import Recording, Truth, TruthEvent, TruthName, TruthReceipt, TruthStanding
from gocv.data.recording.truth import read_truth, write_truth

PLATE = PlateId(1, 5, 11)
KEYS = ("events", "receipts", "planogram", "names")
STORY = (
    TruthEvent(1.0, "anna", "007", 2, (PLATE,)),
    TruthEvent(2.5, "anna", "007", -1, (), "hand_over", "bert"),
    TruthEvent(3.0, "bert", "007", -1, (), "floor"),
    TruthEvent(4.0, "cleo", "007", 1, (), "floor"),
    TruthEvent(5.0, "cleo", "007", -1, (PLATE,), "shelf"),
)
FULL = Truth(
    STORY,
    (TruthReceipt("anna", {"007": 1}), TruthReceipt("bert", {}), TruthReceipt("cleo", {})),
    (TruthStanding(0.0, "007", PLATE, 3), TruthStanding(1.0, "007", PLATE, 1), TruthStanding(5.0, "007", PLATE, 2)),
    (TruthName(0.0, "person-1", "anna"), TruthName(3.5, "person-1", "bert")),
)


def _read(folder: Path, files: dict[str, str]) -> Truth:
    return read_truth({key: folder / files[key] if key in files else None for key in KEYS})


def _again(truth: Truth, folder: Path) -> Truth:
    return _read(folder, write_truth(truth, folder))


@pytest.mark.parametrize(
    "truth",
    [
        FULL,
        Truth(),
        Truth(receipts=()),
        Truth(events=STORY[:1]),
        Truth(planogram=FULL.planogram),
        Truth(names=FULL.names),
    ],
    ids=["all", "nothing", "nobody came", "events", "planogram", "names"],
)
def test_what_is_written_is_read_again(tmp_path: Path, truth: Truth) -> None:
    assert _again(truth, tmp_path) == truth


def test_files_are_named_for_what_they_hold_and_left_out_where_nothing_is_known(tmp_path: Path) -> None:
    assert write_truth(FULL, tmp_path) == {
        "events": "events.csv",
        "receipts": "receipts.json",
        "planogram": "planogram.csv",
        "names": "names.csv",
    }
    (tmp_path / "less").mkdir()
    assert write_truth(Truth(STORY), tmp_path / "less") == {"events": "events.csv"}
    assert [path.name for path in (tmp_path / "less").iterdir()] == ["events.csv"]


@pytest.mark.parametrize(("events", "header"), [(STORY[:1], "plates"), (STORY, "plates,kind,to")])
def test_kind_and_to_are_columns_where_something_happened_away_from_the_shelves(
    tmp_path: Path, events: tuple[TruthEvent, ...], header: str
) -> None:
    write_truth(Truth(events), tmp_path)
    assert (tmp_path / "events.csv").read_text().splitlines()[0] == f"time_s,shopper,product,quantity,{header}"


_NAMES = st.sampled_from(["anna", "Бо", "shopper, the 3rd", '"c"'])
_TIMES = st.floats(-1e6, 1e6)
_PLATES = st.builds(PlateId, *[st.integers(1, 999)] * 3)


@st.composite
def _events(draw: st.DrawFn) -> TruthEvent:
    kind = draw(st.sampled_from(["shelf", "floor", "hand_over"]))
    units = draw(st.integers(1, 99))
    if kind == "hand_over":
        return TruthEvent(draw(_TIMES), draw(_NAMES), "007", -units, (), kind, draw(_NAMES))
    plates = tuple(sorted(draw(st.sets(_PLATES, max_size=3)))) if kind == "shelf" else ()
    return TruthEvent(draw(_TIMES), draw(_NAMES), "007", draw(st.sampled_from([-1, 1])) * units, plates, kind)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(_events(), max_size=5),
    st.lists(st.builds(TruthStanding, _TIMES, _NAMES, _PLATES, st.integers(0, 99)), max_size=4),
    st.lists(st.builds(TruthName, _TIMES, _NAMES, _NAMES), max_size=4),
)
def test_any_truth_is_read_as_it_was_written(tmp_path_factory, events, standings, names) -> None:
    ordered = tuple(sorted(events, key=lambda event: event.time_s))
    truth = Truth(ordered, None, tuple(standings), tuple(names))
    assert _again(truth, tmp_path_factory.mktemp("truth")) == truth


@pytest.mark.parametrize(
    ("time_s", "carts"),
    [
        (0.5, ({}, {}, {})),
        (1.0, ({"007": 2}, {}, {})),
        (2.5, ({"007": 1}, {"007": 1}, {})),
        (3.0, ({"007": 1}, {}, {})),
        (4.0, ({"007": 1}, {}, {"007": 1})),
        (9.0, ({"007": 1}, {}, {})),
    ],
)
def test_carts_follow_from_events_of_every_kind(time_s: float, carts: tuple[dict[str, int], ...]) -> None:
    assert tuple(FULL.cart(name, time_s) for name in ("anna", "bert", "cleo")) == carts


_HEADERS = {
    "events": "time_s,shopper,product,quantity,plates,kind,to",
    "planogram": "time_s,product,plate,units",
    "names": "time_s,name,shopper",
}


@pytest.mark.parametrize(
    ("key", "row", "message"),
    [
        (
            "events",
            "1,anna,007,-1,,given,",
            "key 'kind': 'given' is no kind of event .expected shelf, floor or hand_over",
        ),
        ("events", "1,anna,007,-1,,hand_over,", "key 'to': is not a whole hand-over"),
        ("events", "1,anna,007,1,,hand_over,bert", "key 'to': is not a whole hand-over"),
        ("events", "1,anna,007,-1,,floor,bert", "key 'to': is not a whole hand-over"),
        ("events", "1,anna,007,-1,,,bert", "key 'to': is not a whole hand-over"),
        ("events", "1,anna,007,0,,floor,", "key 'quantity': moves nothing"),
        ("events", "1,anna,007,1,1/5,shelf,", "key 'plates'"),
        ("planogram", "0,007,1/5,3", "key 'plate': .*expected gondola/shelf/plate"),
        ("planogram", "0,007,,3", "key 'plate'"),
        ("planogram", "0,007,1/5/1,-1", "key 'units'"),
        ("planogram", "0,007,1/5/1,some", "key 'units'"),
        ("planogram", "inf,007,1/5/1,2", "key 'time_s'"),
        ("planogram", "0,,1/5/1,2", "key 'product'"),
        ("names", "nan,person-1,anna", "key 'time_s'"),
        ("names", "0,,anna", "key 'name'"),
        ("names", "0,person-1,", "key 'shopper'"),
    ],
)
def test_a_malformed_row_is_refused_with_file_row_and_key(tmp_path: Path, key: str, row: str, message: str) -> None:
    (tmp_path / f"{key}.csv").write_text(f"{_HEADERS[key]}\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"{key}.csv, row 1, {message}"):
        _read(tmp_path, {key: f"{key}.csv"})


@pytest.mark.parametrize("key", ["planogram", "names"])
def test_a_missing_column_is_refused(tmp_path: Path, key: str) -> None:
    (tmp_path / f"{key}.csv").write_text("time_s\n1\n", encoding="utf-8")
    with pytest.raises(DataError, match=f"{key}.csv"):
        _read(tmp_path, {key: f"{key}.csv"})


@pytest.mark.parametrize(("kind", "expected"), [("", "shelf"), ("shelf", "shelf"), ("floor", "floor")])
def test_a_blank_kind_is_at_a_shelf(tmp_path: Path, kind: str, expected: str) -> None:
    (tmp_path / "events.csv").write_text(f"{_HEADERS['events']}\n1,anna,007,-1,,{kind},\n", encoding="utf-8")
    (event,) = _read(tmp_path, {"events": "events.csv"}).events
    assert (event.kind, event.to) == (expected, "")


def test_a_recording_keeps_its_whole_truth(small_recording: Path) -> None:
    """Written beside the others, named in recording.yaml, and a table that is missing is told and gone without."""
    yaml = small_recording / "recording.yaml"
    for key in ("planogram", "names"):
        yaml.write_text(yaml.read_text(encoding="utf-8") + f"  {key}: truth/{key}.csv\n", encoding="utf-8")
    missing = Recording.open(small_recording)
    assert {problem.key for problem in missing.problems} == {"truth.planogram", "truth.names"}
    assert missing.truth is not None
    assert (missing.truth.planogram, missing.truth.names) == ((), ())
    write_truth(FULL, small_recording / "truth")
    whole = Recording.open(small_recording)
    assert whole.problems == ()
    assert whole.truth == FULL
