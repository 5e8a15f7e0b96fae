from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.data.files import write_json, written_whole
from gocv.data.tables import Row, read_csv, write_csv

COLUMNS = ("name", "count", "size")


def table(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def values(path: Path) -> list[tuple[str, int, float]]:
    return [(row.text("name"), row.integer("count"), row.number_or_nan("size")) for row in read_csv(path, COLUMNS)]


def refusal(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        values(path)
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        "name,count,size\na,1,2.5\nb,-2,\n",
        "name,count,size\r\na,1,2.5\r\nb,-2,\r\n",
        "name,count,size\na,1,2.5\nb,-2,",
        "\ufeffname,count,size\na,1,2.5\nb,-2,\n",
        '\ufeff"name","count","size"\n"a","1","2.5"\n"b","-2",""\n',
        " name , count,size\n a ,1 , 2.5\nb, -2, \n",
        "size,more,name,count\n2.5,x,a,1\n,,b,-2\n",
        "name,count,size\na,1,2.5\nb,-2,\n\n,,\n\n",
    ],
    ids=["plain", "crlf", "no-last-newline", "bom", "bom-quoted", "blanks", "other-columns", "blank-end"],
)
def test_tables_as_people_and_spreadsheets_write_them(content: str, tmp_path: Path) -> None:
    first, second = values(table(tmp_path / "t.csv", content))
    assert first == ("a", 1, 2.5)
    assert second[:2] == ("b", -2)
    assert math.isnan(second[2])


def test_cells_may_hold_commas_quotes_newlines_and_any_script(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", 'name,count,size\n"Milch, 3,5 % ""bio""",1,\n"two\nlines",2,\n牛奶 🥛,3,\n')
    assert [v[0] for v in values(path)] == ['Milch, 3,5 % "bio"', "two\nlines", "牛奶 🥛"]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    assert values(table(tmp_path / "t.csv", "name,count,size\n")) == []


@pytest.mark.parametrize(
    ("content", "row", "key", "words"),
    [
        ("", None, "name", "the column is missing (expected name, count, size)"),
        ("\n", None, "name", "the column is missing"),
        ("name;count;size\na;1;2\n", None, "name", "the column is missing"),
        ("name,cuont,size\n", None, "count", "the column is missing"),
        ("name,count,size,name\n", None, "name", "the column stands in the header twice"),
        ("name,count,size\na,1\n", 1, None, "has 2 cells (expected 3)"),
        ("name,count,size\na,1,2\nb,1,2,3\n", 2, None, "has 4 cells (expected 3)"),
        ("name,count,size\na,1,2\n\nb,1,2\n", 2, None, "the row is blank (expected no blank rows between others)"),
        ("name,count,size\n,1,2\n", 1, "name", "is blank (expected a value)"),
        ("name,count,size\na,,2\n", 1, "count", "is blank"),
        ("name,count,size\na,1.0,2\n", 1, "count", "'1.0' will not do (expected a whole number"),
        ("name,count,size\na,1_0,2\n", 1, "count", "'1_0' will not do"),
        ("name,count,size\na,١,2\n", 1, "count", "'١' will not do"),
        ("name,count,size\na,1000000000,2\n", 1, "count", "of at most nine digits"),
        (f"name,count,size\na,{'9' * 5000},2\n", 1, "count", "of at most nine digits"),
        ("name,count,size\na,1,x\n", 1, "size", "'x' will not do (expected a finite number)"),
        ("name,count,size\na,1,nan\n", 1, "size", "'nan' will not do"),
        ("name,count,size\na,1,-inf\n", 1, "size", "'-inf' will not do"),
        ("name,count,size\na,1,1e999\n", 1, "size", "'1e999' will not do"),
        ("name,count,size\na,1,1_0\n", 1, "size", "'1_0' will not do"),
        ('name,count,size\na,1,"2,5"\n', 1, "size", "'2,5' will not do"),
        ('name,count,size\n"a,1,2\n', None, None, "cannot be read"),
        ('name,count,size\n"a"b,1,2\n', None, None, "cannot be read"),
        (f"name,count,size\n{'a' * 200_000},1,2\n", None, None, "cannot be read"),
        ("name,count,size\nMüsli,1,2\n".encode("latin-1"), None, None, "expected a CSV table in UTF-8"),
        ("name,count,size\n".encode("utf-16"), None, None, "expected a CSV table in UTF-8"),
    ],
)  # fmt: skip
def test_complaints_name_file_row_and_column(content, row, key, words: str, tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", content)
    error = refusal(path)
    assert (error.file, error.row, error.key) == (str(path), row, key)
    assert words in str(error)


@pytest.mark.parametrize("path", ["absent.csv", "."], ids=["absent", "folder"])
def test_what_is_no_file_cannot_be_read(path: str, tmp_path: Path) -> None:
    assert "cannot be read" in str(refusal(tmp_path / path))


def row(**cells: str) -> Row:
    return Row(Path("t.csv"), 4, cells)


@pytest.mark.parametrize(
    ("read", "complaint"),
    [
        (lambda: row(a="-1").number_or_nan("a", least=0), r"t.csv, row 4, key 'a': '-1' .*a finite number at least 0"),
        (lambda: row(a="9").number_or_nan("a", least=0, most=6.5), "a finite number at least 0 at most 6.5"),
        (lambda: row(a="0").integer("a", least=1), "key 'a': '0' will not do .expected a whole number from 1 of"),
        (lambda: row(a="").finite("a"), "key 'a': is blank"),
        (lambda: row(a="1", b="").numbers_or_nan(["a", "b"]), "key 'b': is blank .expected a, b: all of them or none"),
        (lambda: row(a="1", b="x").numbers_or_nan(["a", "b"]), "key 'b': 'x' will not do"),
    ],
)
def test_getters_say_what_would_be_right(read, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read()


def test_getters_take_what_they_may() -> None:
    assert row(a="").text("a", may_be_blank=True) == ""
    assert row(a="0").number_or_nan("a", least=0) == 0
    assert row(a="1e-3", b="-2").numbers_or_nan(["a", "b"]) == [0.001, -2.0]
    assert np.isnan(row(a="", b="").numbers_or_nan(["a", "b"])).all()
    assert row(a="-999999999").integer("a") == -999_999_999


text = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).map(str.strip).filter(bool)


@given(st.lists(st.tuples(text, st.integers(-(10**9) + 1, 10**9 - 1), st.floats(allow_infinity=False))))
def test_what_is_written_is_read_again(tmp_path_factory, rows) -> None:
    path = tmp_path_factory.getbasetemp() / "round.csv"
    write_csv(path, COLUMNS, rows)
    read = values(path)
    assert [r[:2] for r in read] == [r[:2] for r in rows]
    np.testing.assert_array_equal([r[2] for r in read], [r[2] for r in rows])


def test_numpy_numbers_are_written_as_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", COLUMNS, [("a", np.int64(1), np.float32(0.1)), ("b", 2, np.float32("nan"))])
    assert (tmp_path / "t.csv").read_bytes() == b"name,count,size\na,1,0.10000000149011612\nb,2,\n"


def broken():
    yield ("a", 1, 1.0)
    raise RuntimeError("no more")


@pytest.mark.parametrize("there", [True, False])
def test_a_file_is_written_whole_or_not_at_all(there: bool, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "t.csv"
    if there:
        write_csv(path, COLUMNS, [("old", 1, 1.0)])
    with pytest.raises(RuntimeError, match="no more"):
        write_csv(path, COLUMNS, broken())
    assert [f.name for f in path.parent.iterdir()] == (["t.csv"] if there else [])
    if there:
        assert values(path) == [("old", 1, 1.0)]


def test_the_temporary_name_keeps_the_suffix(tmp_path: Path) -> None:
    with written_whole(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path
        temporary.write_bytes(b"x")
    assert [f.name for f in tmp_path.iterdir()] == ["a.png"]


def test_json_is_finite_and_the_same_bytes_for_the_same_value(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, 0.5, "Ä"]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "b": [\n    1,\n    0.5,\n    "Ä"\n  ]\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "b.json", {"b": math.nan})
    assert not (tmp_path / "b.json").exists()
