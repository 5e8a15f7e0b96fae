"""Pictures that a network learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader

from gocv.core import DataError
from gocv.data.reid import ReidDataset, ReidPictures
from gocv.reid.crops import resized
from gocv.reid.pictures import (
    TrainingPictures,
    collate,
    hold_out,
    joined,
    picture_key,
    readable,
    teacher_vectors,
    unlabelled_pictures,
)
from gocv.train import PeopleSampler
from gocv.train.augment import Augmentation, AugmentSettings

SIZE = (64, 32)
PLAIN = Augmentation(AugmentSettings(**dict.fromkeys(AugmentSettings.model_fields, 0.0)), SIZE)


def pictures(*rows: tuple[int, int], folder: str = "a") -> ReidPictures:
    """A picture for each person and camera; the files are not there."""
    table = np.array(rows, np.int64).reshape(-1, 2)
    return ReidPictures(tuple(Path(folder, "train", f"{n}.jpg") for n in range(len(rows))), table[:, 0], table[:, 1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, one of which is broken, and a text."""
    for n, name in enumerate(["b.png", "a.PNG", "d.png", "c.png"]):
        image = np.random.default_rng(n).integers(0, 256, (40 + n, 20, 3), dtype=np.uint8)
        Image.fromarray(image).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes((tmp_path / "c.png").read_bytes()[:300])
    (tmp_path / "notes.txt").write_text("")
    return tmp_path


class TestJoined:
    def test_people_are_numbered_anew_and_cameras_told_apart(self) -> None:
        one = pictures((7, 2), (3, 1), (-1, 2), (0, 1), (7, 1))
        two = pictures((3, 1), (9, 6), folder="b")
        loose = pictures((-1, 0), (-1, 0), folder="c")
        all_ = joined([one, two], [loose])
        assert all_.files == one.files + two.files + loose.files
        assert all_.person.tolist() == [1, 0, -1, -1, 1, 2, 3, -1, -1]
        assert all_.camera.tolist() == [1, 0, 1, 0, 0, 2, 3, 4, 4]

    def test_nothing_is_nothing(self) -> None:
        assert len(joined([], [])) == 0
        assert joined([pictures()], [pictures((-1, 5))]).camera.tolist() == [0]

    @settings(deadline=None)
    @given(st.lists(st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 3)), max_size=12), max_size=4))
    def test_who_is_who_stays(self, sets: list[list[tuple[int, int]]]) -> None:
        all_ = joined([pictures(*rows) for rows in sets], [])
        given_ = [(n, person, camera) for n, rows in enumerate(sets) for person, camera in rows]
        known = [person > 0 for _, person, _ in given_]
        assert (all_.person >= 0).tolist() == known
        for new, old in (
            (all_.person[known], [(n, person) for n, person, _ in given_ if person > 0]),
            (all_.camera, [(n, camera) for n, _, camera in given_]),
        ):
            assert len(set(zip(new.tolist(), old, strict=True))) == len(set(new.tolist())) == len(set(old))
            assert set(new.tolist()) == set(range(len(set(old))))


class TestHoldOut:
    ROWS = ((1, 1), (2, 1), (2, 1), (2, 2), (5, 1), (5, 2), (-1, 1), (0, 1), (2, 2), (5, 3))
    OWN = ReidDataset("store", pictures(*ROWS), pictures((90, 1)), pictures((90, 2)))

    def test_the_last_people_are_asked_for_once_in_each_camera(self) -> None:
        held = hold_out(self.OWN, 2)
        assert held.name == "store, held out"
        assert [file.stem for file in held.query.files] == ["1", "3", "4", "5", "9"]
        assert [file.stem for file in held.gallery.files] == ["2", "8"]
        assert [file.stem for file in held.train.files] == ["0", "6", "7"]
        assert held.query.person.tolist() == [2, 2, 5, 5, 5]
        assert held.query.camera.tolist() == [1, 2, 1, 2, 3]
        assert held.train.person.tolist() == [1, -1, 0]

    @settings(deadline=None)
    @given(
        st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 3)), min_size=4, max_size=40).filter(
            lambda rows: len({person for person, _ in rows if person > 0}) > 2
        ),
        st.integers(1, 2),
    )
    def test_nobody_is_on_both_sides(self, rows: list[tuple[int, int]], people: int) -> None:
        own = ReidDataset("x", pictures(*rows), pictures(), pictures())
        held = hold_out(own, people)
        asked, searched, learnt = (set(part.person.tolist()) for part in (held.query, held.gallery, held.train))
        assert len(asked) == people
        assert searched <= asked
        assert not asked & learnt
        assert min(asked) > max(learnt - {-1, 0})
        places = list(zip(held.query.person.tolist(), held.query.camera.tolist(), strict=True))
        assert len(set(places)) == len(places)
        assert set(places) == {row for row in rows if row[0] in asked}
        files = [*held.query.files, *held.gallery.files, *held.train.files]
        assert sorted(files) == sorted(own.train.files)

    @pytest.mark.parametrize("people", [3, 4, 0, -1])
    def test_somebody_must_be_left(self, people: int) -> None:
        with pytest.raises(DataError, match=f"has 3 people.*more than {people}"):
            hold_out(self.OWN, people)


class TestTeacher:
    def save(self, path: Path, **columns: object) -> Path:
        np.savez(path, **columns)
        return path

    def test_vectors_are_found_by_folder_part_and_name(self, tmp_path: Path) -> None:
        asked = ReidPictures(
            (Path("x/a/train/1.jpg"), Path("a/train/9.jpg"), Path("y/b/train/1.jpg"), Path("x/a/train/1.jpg")),
            np.zeros(4, int),
            np.zeros(4, int),
        )
        assert picture_key(asked.files[0]) == "a/train/1.jpg"
        names = ["b/train/1.jpg", "c/train/1.jpg", "a/train/1.jpg"]
        table = self.save(tmp_path / "t.npz", picture=names, vector=np.arange(6.0).reshape(3, 2))
        found = teacher_vectors(asked, table)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, [[4, 5], [np.nan, np.nan], [0, 1], [4, 5]])

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"picture": ["a/train/0.jpg"]}, "cannot be read.*vector"),
            ({"vector": np.zeros((1, 2))}, "cannot be read.*picture"),
            ({"picture": ["other"], "vector": np.zeros((1, 2))}, "none of the pictures"),
            ({"picture": [], "vector": np.zeros((0, 2))}, "none of the pictures"),
            ({"picture": ["a/train/0.jpg", "b"], "vector": np.zeros((1, 2))}, "has shape"),
            ({"picture": ["a/train/0.jpg"], "vector": np.zeros(1)}, "has shape"),
            ({"picture": ["a/train/0.jpg"], "vector": [["x"]]}, "cannot be read"),
            ({"picture": np.array(["a/train/0.jpg", None]), "vector": np.zeros((2, 2))}, "cannot be read"),
        ],
    )
    def test_another_table_is_refused(self, tmp_path: Path, columns: dict, message: str) -> None:
        table = self.save(tmp_path / "t.npz", **columns)
        with pytest.raises(DataError, match=message) as refusal:
            teacher_vectors(pictures((1, 1)), table)
        assert refusal.value.file == str(table)

    def test_what_is_no_table_is_refused(self, tmp_path: Path) -> None:
        whole = self.save(tmp_path / "whole.npz", picture=["a/train/0.jpg"], vector=np.zeros((1, 2))).read_bytes()
        np.save(tmp_path / "single.npy", np.zeros(3))
        (tmp_path / "text.npz").write_text("picture,vector")
        (tmp_path / "empty.npz").write_bytes(b"")
        (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
        for name in ("absent.npz", "single.npy", "text.npz", "empty.npz", "half.npz"):
            with pytest.raises(DataError, match="cannot be read"):
                teacher_vectors(pictures((1, 1)), tmp_path / name)


class TestFiles:
    def test_pictures_of_people_who_are_not_known(self, folder: Path) -> None:
        found = unlabelled_pictures(folder)
        assert [file.name for file in found.files] == ["a.PNG", "b.png", "c.png", "d.png"]
        assert found.person.tolist() == [-1] * 4
        assert found.camera.tolist() == [0] * 4

    def test_a_folder_without_pictures_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("")
        for path in (tmp_path, tmp_path / "absent", tmp_path / "notes.txt"):
            with pytest.raises(DataError, match="holds no picture"):
                unlabelled_pictures(path)

    def test_a_broken_picture_is_left_out_with_a_warning(self, folder: Path) -> None:
        all_ = joined([], [unlabelled_pictures(folder)])
        with pytest.warns(UserWarning, match=r"left out: .*c\.png.*cannot be decoded") as said:
            kept = readable(all_)
        assert len(said) == 1
        assert [file.name for file in kept.files] == ["a.PNG", "b.png", "d.png"]
        assert readable(kept).files == kept.files

    def test_rows_with_seeds_become_batches(self, folder: Path) -> None:
        named = ReidPictures(tuple(folder / n for n in ("a.PNG", "b.png", "d.png")), [4, -1, 2], [0, 0, 0])
        taught = np.float32([[1, 2], [np.nan, np.nan], [5, 6]])
        rows = TrainingPictures(named, SIZE, PLAIN, taught)
        assert len(rows) == 3
        batch = collate([rows[2, 5], rows[0, 6], rows[1, 7]])
        assert (batch.crops.dtype, batch.person.dtype, batch.teacher.dtype) == (torch.uint8, torch.int64, torch.float32)
        assert batch.person.tolist() == [2, 4, -1]
        np.testing.assert_array_equal(batch.teacher, taught[[2, 0, 1]])
        for crop, name in zip(batch.crops, ("d.png", "a.PNG", "b.png"), strict=True):
            with Image.open(folder / name) as picture:
                wanted = resized(np.asarray(picture), SIZE)
            np.testing.assert_array_equal(crop.permute(1, 2, 0), wanted)
        assert collate([TrainingPictures(named, SIZE, PLAIN)[0, 0]]).teacher.shape == (1, 0)

    def test_what_a_row_looks_like_follows_from_its_seed(self, folder: Path) -> None:
        named = ReidPictures(tuple(folder / n for n in ("a.PNG", "b.png", "d.png")), [0, 1, 1], [0, 0, 0])
        sampler = PeopleSampler(named.person, named.camera, people=2, pictures=2, seed=3)

        def batch() -> torch.Tensor:
            rows = TrainingPictures(named, SIZE, Augmentation(AugmentSettings(hide_part=0.5), SIZE))
            (only,) = DataLoader(rows, batch_sampler=sampler, collate_fn=collate)
            return only.crops

        first = batch()
        assert torch.equal(first, batch())
        (rows,) = sampler
        shown = [row for row, _ in rows]
        assert shown.count(0) == 2
        twice = first[[n for n, row in enumerate(shown) if row == 0]]
        assert not torch.equal(twice[0], twice[1])
        sampler.set_epoch(1)
        assert not torch.equal(first, batch())
