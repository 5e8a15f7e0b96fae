from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ConfigDict, Field, ValidationError

from gocv.core import ConfigError, DataError
from gocv.data.config import Model, build, load, load_yaml


class Point(Model):
    across: float = 0.0
    along: float = 0.0


class Shelf(Model):
    window: int = Field(default=60, ge=1)
    weights: tuple[float, ...] = (1.0,)
    corners: tuple[Point, ...] = ()
    by_name: dict[str, Point] = Field(default={})
    origin: Point | None = None


class Part(Model):
    model_config = ConfigDict(extra="allow")
    part: str


class Settings(Model):
    threshold: float = 0.5
    label: str = "a"
    model: Path | None = None
    models: tuple[Path, ...] = ()
    shelf: Shelf = Shelf()
    track: Part = Part(part="sort", age=3)
    detect: Part | None = None


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_then_file_then_overrides(tmp_path: Path) -> None:
    path = written(tmp_path, "threshold: 0.25\nshelf: {window: 30, weights: [1, 2]}\n")
    settings = load(Settings, path, ["shelf.window=15", "shelf.origin.across=2", "label='007'"])
    assert (settings.threshold, settings.label) == (0.25, "007")
    assert settings.shelf == Shelf(window=15, weights=(1.0, 2.0), origin=Point(across=2.0))
    assert load(Settings) == Settings()


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("threshold=1e-3", 0.001),
        ("threshold=.5", 0.5),
        ("label=a=b", "a=b"),
        ("label='1'", "1"),
        ("shelf.weights=[1, 2.5]", (1.0, 2.5)),
        ("shelf.corners=[{across: 1}]", (Point(across=1.0),)),
        ("shelf.by_name={a: {along: 2}}", {"a": Point(along=2.0)}),
        ("shelf.by_name.b.along=2", {"b": Point(along=2.0)}),
        ("model=", None),
        ("model=./here.onnx", Path("./here.onnx")),
    ],
)
def test_overrides_are_yaml_values(override: str, value: object) -> None:
    settings = load(Settings, overrides=[override])
    found: object = settings
    for name in override.partition("=")[0].split("."):
        found = getattr(found, name, found)
    assert found == value


@pytest.mark.parametrize(
    ("text", "overrides", "track"),
    [
        ("", [], {"part": "sort", "age": 3}),
        ("track: {age: 5}", [], {"part": "sort", "age": 5}),
        ("track: {part: sort, gap: 1}", [], {"part": "sort", "age": 3, "gap": 1}),
        ("track: {part: byte, low: 1}", [], {"part": "byte", "low": 1}),
        ("track: {part: byte, low: 1}", ["track.low=2"], {"part": "byte", "low": 2}),
        ("track: {part: byte, low: 1}", ["track.part=sort"], {"part": "sort"}),
        ("", ["track.part=byte", "track.low=2"], {"part": "byte", "low": 2}),
        ("", ["track.low=2", "track.part=byte"], {"part": "byte", "low": 2}),
        ("", ["track.part=byte", "track.part=oc"], {"part": "oc"}),
    ],
)
def test_another_part_starts_afresh(text: str, overrides: list[str], track: dict[str, object], tmp_path: Path) -> None:
    path = written(tmp_path, text) if text else None
    assert load(Settings, path, overrides).track.model_dump() == track


def test_a_part_can_be_made_of_nothing_by_overrides() -> None:
    assert load(Settings, overrides=["detect.size=3", "detect.part=onnx"]).detect == Part(part="onnx", size=3)


def test_paths_that_start_with_a_dot_are_relative_to_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "model: ./a.onnx\nmodels: [../b.onnx, c.onnx, /d.onnx]\nlabel: ./e\ndetect: {part: ./f}")
    settings = load(Settings, path)
    assert settings.model == tmp_path / "a.onnx"
    assert settings.models == (tmp_path / "../b.onnx", Path("c.onnx"), Path("/d.onnx"))
    assert settings.detect == Part(part=str(tmp_path / "f"))


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("treshold: 1", "treshold", "is not a known key (expected 'threshold')"),
        ("zzz: 1", "zzz", "(expected one of 'detect', 'label', 'model'"),
        ("shelf: {windw: 1}", "shelf.windw", "(expected 'window')"),
        ("shelf: {corners: [{across: 1}, {acros: 1}]}", "shelf.corners.1.acros", "(expected 'across')"),
        ("shelf: {by_name: {a: {alogn: 1}}}", "shelf.by_name.a.alogn", "(expected 'along')"),
        ("shelf: {origin: {alongg: 1}}", "shelf.origin.alongg", "(expected 'along')"),
        ("detect: {prt: onnx}", "detect.part", "Field required"),
        ("threshold: low", "threshold", "valid number, unable to parse string as a number: got 'low'"),
        ("label: 7", "label", "valid string: got 7"),
        ("shelf: {window: 0}", "shelf.window", "greater than or equal to 1: got 0"),
        ("shelf: 5", "shelf", "valid dictionary"),
        ("shelf:", "shelf", "valid dictionary"),
        ("1: 2", "1", "Keys should be strings"),
    ],
)
def test_complaints_name_the_key_and_the_nearest_one(text: str, key: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(Settings, path, ["threshold=0.1"])
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("shelf.windw=1", r"command line, key 'shelf.windw': is not a known key \(expected 'window'\)"),
        ("shelf.window.x=1", r"command line, key 'shelf.window': Input should be a valid integer"),
        ("shelf.window", r"'shelf.window' is not an override \(expected key=value, such as shelf.window=60\)"),
        ("=1", "'=1' is not an override"),
        (".threshold=1", "command line, key '': is not a known key"),
        ("threshold=[1", r"command line, key 'threshold': '\[1' is not a YAML value"),
    ],
)
def test_overrides_that_will_not_do(override: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        load(Settings, overrides=[override])


def test_a_misspelt_required_key_is_called_misspelt_rather_than_missing() -> None:
    class Needy(Model):
        duration_s: float

    with pytest.raises(DataError, match=r"x.yaml, key 'duration': is not a known key \(expected 'duration_s'\)"):
        build(Needy, {"duration": 1}, file="x.yaml", error=DataError)
    with pytest.raises(ConfigError, match=r"^key 'duration_s': Field required$"):
        build(Needy, {})


def test_what_was_given_is_shown_in_short() -> None:
    with pytest.raises(ConfigError) as caught:
        build(Settings, {"threshold": "x" * 10_000})
    assert len(str(caught.value)) < 200


def test_values_that_are_no_settings_at_all() -> None:
    with pytest.raises(ConfigError, match=r"^a.json: Input should be a valid dictionary"):
        build(Settings, [1], file="a.json")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "row", "words"),
    [
        ("a: 1\nb: [2\n", 3, "is not YAML: expected ',' or ']'"),
        ("a: 1\n\tb: 2\n", 2, "is not YAML: found character '\\t'"),
        ("a: 1\nb: 2\na: 3\n", 3, "is not YAML: 'a' stands there twice"),
        ("a:\n  b: 1\n  b: 1\n", 3, "is not YAML: 'b' stands there twice"),
        ("a: 1\n---\nb: 2\n", 2, "is not YAML: but found another document"),
        ("a: !!python/object/apply:os.getcwd []\n", 1, "is not YAML: could not determine a constructor"),
        ("a: \0\n", None, "is not YAML"),
        ("[" * 5000, None, "is not YAML"),
        ("- a\n", None, "holds no settings (expected a mapping of keys to values)"),
        ("", None, "holds no settings"),
        (b"a: \xff\n", None, "cannot be read"),
        (None, None, "cannot be read"),
    ],
)
def test_bad_yaml_names_its_line(content: str | bytes | None, row: int | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load_yaml(path, DataError)
    assert (caught.value.file, caught.value.row) == (str(path), row)
    assert words in str(caught.value)


def test_yaml_with_a_byte_order_mark_anchors_and_merges(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffa: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n")
    assert load_yaml(path) == {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        Settings().threshold = 1.0  # type: ignore[misc]
