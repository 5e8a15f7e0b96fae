"""What file names say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import DataError
from gocv.data.reid.names import ANY, CUHK03, DUKEMTMC, MARKET1501, NameForm

FORMS = [ANY, MARKET1501, DUKEMTMC, CUHK03]
ENDINGS = st.sampled_from([".jpg", ".jpg.jpg", ".png", ".JPEG"])
FRAMES = st.integers(0, 999_999)


@given(st.integers(-1, 999_999_999), st.integers(0, 999_999_999), st.text(), ENDINGS, st.integers(0, 9))
def test_any_name_says_what_was_written(person: int, camera: int, rest: str, ending: str, width: int) -> None:
    digits = str(person) if person < 0 else f"{person:0{width}d}"
    rest = re.sub(r"^[0-9]+", "", rest)
    assert ANY.match(f"{digits}_c{camera}{rest}{ending}") == (person, camera)


@given(st.integers(-1, 9999), st.integers(1, 6), st.integers(0, 9), FRAMES, st.integers(0, 99), ENDINGS)
def test_names_of_market1501(person: int, camera: int, part: int, frame: int, box: int, ending: str) -> None:
    digits = "-1" if person < 0 else f"{person:04d}"
    name = f"{digits}_c{camera}s{part}_{frame:06d}_{box:02d}{ending}"
    assert MARKET1501.match(name) == ANY.match(name) == (person, camera)


@given(st.integers(0, 9999), st.integers(1, 8), FRAMES, ENDINGS)
def test_names_of_dukemtmc(person: int, camera: int, frame: int, ending: str) -> None:
    name = f"{person:04d}_c{camera}_f{frame:07d}{ending}"
    assert DUKEMTMC.match(name) == ANY.match(name) == (person, camera)


@given(st.integers(0, 9999), st.integers(1, 2), FRAMES, ENDINGS)
def test_names_of_cuhk03(person: int, camera: int, number: int, ending: str) -> None:
    name = f"{person:04d}_c{camera}_{number}{ending}"
    assert CUHK03.match(name) == ANY.match(name) == (person, camera)


@given(st.sampled_from(FORMS), st.text() | st.from_regex(r"[-0-9]{1,5}_c[0-9s_f]{1,12}\.jpg"))
def test_what_is_read_stands_in_the_name(form: NameForm, name: str) -> None:
    said = form.match(name)
    if said is not None:
        first, second = re.findall(r"-?[0-9]+", name)[:2]
        assert said == (int(first), int(second))


@pytest.mark.parametrize("form", FORMS)
def test_the_example_is_of_its_form(form: NameForm) -> None:
    assert form.parse(Path(form.example)) == tuple(map(int, re.findall("[0-9]+", form.example)[:2]))


@pytest.mark.parametrize(
    ("form", "name"),
    [
        (ANY, "-2_c1.jpg"),
        (ANY, "1_c.jpg"),
        (ANY, "1_2.jpg"),
        (ANY, "x1_c1.jpg"),
        (ANY, "_c1.jpg"),
        (ANY, "1.5_c1.jpg"),
        (ANY, "٣_c1.jpg"),
        (ANY, "1234567890_c1.jpg"),
        (ANY, "1_c1234567890.jpg"),
        (MARKET1501, "0002_c7s1_000451_03.jpg"),
        (MARKET1501, "0002_c1_000451_03.jpg"),
        (MARKET1501, "002_c1s1_000451_03.jpg"),
        (MARKET1501, "0005_c2_f0046985.jpg"),
        (DUKEMTMC, "-1_c2_f0046985.jpg"),
        (DUKEMTMC, "0005_c9_f0046985.jpg"),
        (DUKEMTMC, "0005_c2_0046985.jpg"),
        (CUHK03, "0001_c3_301.png"),
        (CUHK03, "0001_c1.png"),
    ],
)
def test_a_name_that_is_not_right_is_named_with_an_example(form: NameForm, name: str) -> None:
    with pytest.raises(DataError) as caught:
        form.parse(Path("query") / name)
    assert caught.value.file == str(Path("query") / name)
    assert form.example in str(caught.value)
