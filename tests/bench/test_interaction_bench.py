"""`gocv bench interaction` and `gocv train interaction`, on a few made-up clips and labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from typer.testing import CliRunner

from gocv.bench.interaction import bench_interaction, bench_merl, score_clips
from gocv.cli.app import app
from gocv.core import ConfigError, DataError
from gocv.interact.clips import CHANNELS
from gocv.interact.features import FEATURES
from gocv.interact.labelled import CLASSES, LabelledClips, one_hot, write_clips


def clips(label: list[int], seen: list[bool] | None = None) -> LabelledClips:
    n = len(label)
    inside = np.zeros((n, 64), bool)
    inside[:, 28:36] = np.array(seen or [True] * n)[:, None]
    return LabelledClips(
        CLASSES,
        CHANNELS,
        FEATURES,
        frames=np.zeros((n, 64, len(CHANNELS)), np.float32),
        inside=inside,
        features=np.full((n, len(FEATURES)), np.nan, np.float32),
        target=one_hot(label, 4),
        label=np.full((n, 64), -1),
        visit=np.zeros(n),
    )


def test_an_act_without_an_episode_counts_as_not_seen() -> None:
    probabilities = np.tile([0.9, 0.05, 0.03, 0.02], (3, 1))
    figures = score_clips(clips([0, 0, 3], [True, False, False]), probabilities)
    assert figures["confusion"][0] == [1, 0, 0, 1]
    assert figures["missed"] == 2
    assert figures["f1_take"] == pytest.approx(2 / 3, abs=1e-4)


def test_classifiers_are_scored_with_looks_and_without(tmp_path) -> None:
    write_clips(clips([0, 1, 2, 3]), tmp_path / "some.safetensors")
    result = bench_interaction([tmp_path / "some.safetensors"], ["network", "trees"])
    found = [(row["method"], row["looks"]) for row in result.rows]
    assert found == [("network", True), ("network", False), ("trees", True), ("trees", False)]
    assert all(np.sum(row["confusion"]) == 4 for row in result.rows)


def test_a_classifier_that_is_none_is_refused(tmp_path) -> None:
    write_clips(clips([0]), tmp_path / "some.safetensors")
    with pytest.raises(ConfigError, match="'forest' is no classifier"):
        bench_interaction([tmp_path / "some.safetensors"], ["forest"])


class TestMerl:
    @pytest.fixture
    def labels(self, tmp_path) -> Path:
        for name, tables in (("27_1", [[[1, 10]], [[21, 30]], [], [], []]), ("1_1", [[[1, 5]], [], [], [], []])):
            cells = np.empty((5, 1), object)
            for i, table in enumerate(tables):
                cells[i, 0] = np.array(table, float).reshape(-1, 2)
            savemat(tmp_path / f"{name}_label.mat", {"tlabs": cells})
        return tmp_path

    @staticmethod
    def predicted(folder: Path, *rows: tuple[object, ...]) -> Path:
        lines = ["video,action,first,last,score", *(",".join(map(str, row)) for row in rows)]
        (folder / "found.csv").write_text("\n".join(lines) + "\n")
        return folder / "found.csv"

    def test_labels_score_full_marks_against_themselves(self, labels) -> None:
        whole = bench_merl(labels, None).rows[0]
        assert (whole["videos"], whole["segments"]) == (1, 2)
        assert {whole[key] for key in ("f1_10", "f1_25", "f1_50", "edit", "accuracy", "map_midpoint")} == {1.0}

    def test_detections_of_the_part_count_and_others_do_not(self, labels) -> None:
        rows = [
            ("27_1", "reach to shelf", 1, 10, 0.9),
            ("27_1", "Hand In Shelf", 21, 30, 0.8),
            ("1_1", "hand in shelf", 1, 5, 1.0),
        ]
        whole, reach, retract, *_ = bench_merl(labels, self.predicted(labels, *rows)).rows
        assert whole["f1_50"] == pytest.approx(0.5)
        assert whole["map_midpoint"] == pytest.approx(0.5)
        assert whole["edit"] == pytest.approx(0.5)
        assert whole["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
        assert (reach["f1_10"], retract["f1_10"]) == (1.0, 0.0)

    def test_where_detections_overlap_each_frame_has_the_surest(self, labels) -> None:
        rows = [("27_1", "reach to shelf", 1, 30, 0.3), ("27_1", "retract from shelf", 21, 30, 0.9)]
        whole = bench_merl(labels, self.predicted(labels, *rows)).rows[0]
        assert whole["f1_50"] == 1.0  # the first now ends at 20: half of it is right

    @pytest.mark.parametrize(
        ("row", "key"),
        [
            (("27_1", "walk", 1, 2, 1), "action"),
            (("27_1", "hand in shelf", 0, 2, 1), "first"),
            (("27_1", "hand in shelf", 3, 2, 1), "last"),
        ],
    )
    def test_what_is_wrong_in_a_row_is_named(self, labels, row, key) -> None:
        with pytest.raises(DataError, match=key):
            bench_merl(labels, self.predicted(labels, row))

    def test_the_command_writes_what_it_prints(self, labels, tmp_path) -> None:
        done = CliRunner().invoke(
            app, ["bench", "interaction", "--merl", str(labels), "--json", str(tmp_path / "out.json")]
        )
        assert done.exit_code == 0, done.output
        assert json.loads((tmp_path / "out.json").read_text())["rows"][0]["segments"] == 2

    def test_the_command_wants_clips_or_merl(self) -> None:
        done = CliRunner().invoke(app, ["bench", "interaction"])
        assert done.exit_code != 0
        assert "--clips" in done.output


def test_a_training_that_names_no_clips_says_so(tmp_path) -> None:
    (tmp_path / "bare.yaml").write_text("network: {width: 8}\n")
    done = CliRunner().invoke(
        app, ["train", "interaction", "-c", str(tmp_path / "bare.yaml"), "-o", str(tmp_path / "run")]
    )
    assert done.exit_code != 0
    assert "data.train" in done.output
