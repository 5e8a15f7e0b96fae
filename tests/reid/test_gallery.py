"""The gallery by hand, its probabilities, and what is left of those who are gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, logit

from gocv.core import ConfigError, DataError
from gocv.metrics.calibration import calibration_error
from gocv.reid import Gallery, SamePerson

LINE = SamePerson(np.array([-1.0, 1.0]), np.array([-4.0, 4.0]), 0.5)
"""λ(s) = 4 s."""

X, Y, Z = np.eye(3, dtype=np.float32)


def gallery(**settings: float) -> Gallery:
    return Gallery(LINE, **settings)  # type: ignore[arg-type]


def unit(rng: np.random.Generator, count: int, length: int = 32) -> np.ndarray:
    drawn = rng.normal(size=(count, length))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


class TestMatch:
    def test_by_hand(self) -> None:
        """Two people, one with two vectors; nobody known has a prior of 0.2."""
        known = gallery(prior_new=0.2)
        known.add(7, np.stack([X, Y]), 10.0, "door")
        known.add(3, Z[None], 11.0, "door")
        found = known.match(X[None], 12.0)
        ratio = {3: 1.0, 7: (np.exp(4) + 1) / 2}
        total = 0.2 + 0.4 * sum(ratio.values())
        assert found.people.tolist() == known.people.tolist() == [3, 7]
        assert found.probability == pytest.approx(np.array([[0.4 * ratio[3], 0.4 * ratio[7]]]) / total)
        assert found.new == pytest.approx([0.2 / total])
        assert found.log_likelihood_ratio == pytest.approx(np.log([[ratio[3], ratio[7]]]))

    def test_with_one_person_and_vector_it_is_the_pair(self) -> None:
        known = gallery(prior_new=0.9)
        known.add(1, X[None], 0.0, "door")
        towards = np.float32([[0.6, 0.8, 0]])
        assert known.match(towards, 0.0).probability[0, 0] == pytest.approx(LINE.probability(0.6, prior=0.1))

    def test_a_tracklet_is_one_row(self) -> None:
        known = gallery()
        known.add(1, X[None], 0.0, "door")
        known.add(2, Y[None], 0.0, "door")
        found = known.match(np.stack([X, Z, Y]), 0.0, tracklet=[5, 2, 5])
        assert found.tracklet.tolist() == [2, 5]
        ratios = (np.exp(4) + 1) / 2
        assert np.exp(found.log_likelihood_ratio) == pytest.approx(np.array([[1, 1], [ratios, ratios]]))
        assert found.probability.sum(axis=1) + found.new == pytest.approx([1, 1])

    def test_how_often_a_picture_is_shown_does_not_matter(self) -> None:
        """Frames of a tracklet are no new evidence each, nor are a person's vectors."""
        once, often = gallery(), gallery()
        once.add(1, X[None], 0.0, "door")
        often.add(1, np.repeat(X[None], 5, axis=0), 0.0, "door")
        x = np.float32([[0.8, 0.6, 0]])
        found = often.match(np.repeat(x, 9, axis=0), 0.0, tracklet=np.zeros(9, int))
        assert found.probability == pytest.approx(once.match(x, 0.0).probability)

    def test_nobody_known_is_new_and_nothing_asked_is_no_row(self) -> None:
        known = gallery()
        found = known.match(np.stack([X, Y]), 0.0)
        assert found.probability.shape == (2, 0)
        assert found.new.tolist() == [1.0, 1.0]
        known.add(1, X[None], 0.0, "door")
        for tracklet in (None, np.empty(0, np.int64), []):
            nothing = known.match(np.empty((0, 3), np.float32), 0.0, tracklet=tracklet)
            assert nothing.probability.shape == (0, 1)
            assert nothing.new.shape == nothing.tracklet.shape == (0,)

    def test_many_are_as_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rng, known = np.random.default_rng(0), gallery()
        for person in range(20):
            known.add(person, unit(rng, 4), 0.0, "door")
        asked = unit(rng, 30)
        whole = known.match(asked, 0.0)
        monkeypatch.setattr("gocv.reid.gallery._PAIRS", 7 * len(known))
        np.testing.assert_allclose(known.match(asked, 0.0).probability, whole.probability, rtol=1e-5)
        alone = np.concatenate([known.match(x[None], 0.0).probability for x in asked])
        np.testing.assert_allclose(alone, whole.probability, rtol=1e-5)

    def test_evidence_beyond_the_range_of_floats(self) -> None:
        steep = SamePerson(np.array([-1.0, 1.0]), np.array([-2000.0, 2000.0]), 0.5)
        known = Gallery(steep)
        known.add(1, X[None], 0.0, "door")
        found = known.match(np.stack([X, -X]), 0.0)
        assert found.probability[:, 0].tolist() == [1.0, 0.0]
        assert found.new.tolist() == [0.0, 1.0]


def people(rng: np.random.Generator, count: int, pictures: int) -> np.ndarray:
    """(count, pictures, 32) vectors around a direction for each person."""
    centre = rng.normal(size=(count, 1, 32))
    seen = centre + 1.1 * rng.normal(size=(count, pictures, 32))
    return (seen / np.linalg.norm(seen, axis=2, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> SamePerson:
    rng = np.random.default_rng(10)
    one, other = people(rng, 4000, 2).transpose(1, 0, 2)
    alike, apart = np.sum(one * other, axis=1), np.sum(one * np.roll(other, 1, axis=0), axis=1)
    return SamePerson.fit(np.concatenate([alike, apart]), np.repeat([True, False], 4000))


class TestProbabilities:
    """Open set: of the 16 people who are asked for, 8 are known."""

    def asked(self, fitted: SamePerson, kept: int, frames: int, prior_new: float = 0.5) -> tuple:
        rng = np.random.default_rng(11)
        stated_new, was_new, top, right = [], [], [], []
        for _ in range(250):
            shown = people(rng, 16, kept + frames)
            known = Gallery(fitted, prior_new=prior_new)
            for person in range(8):
                known.add(person, shown[person, :kept], 0.0, "door")
            vectors = shown[:, kept:].reshape(-1, 32)
            found = known.match(vectors, 1.0, tracklet=np.repeat(np.arange(16), frames))
            stated_new.append(found.new)
            was_new.append(np.arange(16) >= 8)
            top.append(found.probability.ravel())
            right.append(np.eye(16, 8, dtype=bool).ravel())
        return tuple(np.concatenate(values) for values in (stated_new, was_new, top, right))

    def test_they_come_true(self, fitted: SamePerson) -> None:
        new, was_new, top, right = self.asked(fitted, 1, 1)
        assert calibration_error(new, was_new).error < 0.02
        assert calibration_error(top, right).error < 0.005
        assert calibration_error(new, was_new).brier < 0.2  # of a coin it is 0.25

    def test_a_wrong_prior_shows(self, fitted: SamePerson) -> None:
        new, was_new, _, _ = self.asked(fitted, 1, 1, prior_new=0.9)
        assert calibration_error(new, was_new).error > 0.1

    def test_more_pictures_help_and_do_not_make_it_too_sure(self, fitted: SamePerson) -> None:
        one = calibration_error(*self.asked(fitted, 1, 1)[:2])
        new, was_new, top, right = self.asked(fitted, 4, 4)
        many = calibration_error(new, was_new)
        assert many.brier < 0.8 * one.brier
        sure = top > 0.5
        assert right[sure].mean() > top[sure].mean() - 0.01

    def test_chance_gives_a_stranger_no_great_ratio(self, fitted: SamePerson) -> None:
        rng = np.random.default_rng(12)
        shown = people(rng, 600, 6)
        known = Gallery(fitted)
        for person in range(300):
            known.add(person, shown[person, :3], 0.0, "door")
        found = known.match(shown[300:, 3:].reshape(-1, 32), 0.0, tracklet=np.repeat(np.arange(300), 3))
        ratio = np.exp(found.log_likelihood_ratio)
        assert 0.5 < ratio.mean() < 1.1
        for least in (2, 5, 20, 100):
            assert (ratio >= least).mean() <= 1 / least


class TestKeeping:
    def test_the_newest_and_the_most_diverse_stay(self) -> None:
        known = gallery(keep=2)
        near = np.float32([[0.8, 0.6, 0]])
        known.add(1, np.stack([Y, X]), [1.0, 2.0], "door")
        known.add(1, near, 3.0, "door")  # its cosine with Y is 0.6, with X 0.8
        assert known.sightings.time_s.tolist() == [1.0, 3.0]

    def test_equal_vectors_stay_as_the_newer(self) -> None:
        known = gallery(keep=2)
        known.add(1, np.stack([X, Y, Y, X]), [5.0, 1.0, 2.0, 5.0], "door")
        assert known.sightings.time_s.tolist() == [2.0, 5.0]

    def test_the_newer_is_the_one_that_was_added_later(self, tmp_path: Path) -> None:
        """Also where rows have moved, and in a gallery that was read from a file."""
        known = gallery(keep=2)
        known.add(2, Z[None], 5.0, "door")
        known.add(1, X[None], 5.0, "first")
        known.add(1, Y[None], 5.0, "second")
        known.forget(2)
        known.add(1, Z[None], 5.0, "third")
        seen = known.sightings
        assert [seen.cameras[code] for code in seen.camera] == ["second", "third"]
        known.save(tmp_path / "known.npz")
        again = Gallery.load(tmp_path / "known.npz")
        again.add(1, X[None], 5.0, "fourth")
        seen = again.sightings
        assert [seen.cameras[code] for code in seen.camera] == ["third", "fourth"]

    def test_memory_is_bounded(self) -> None:
        rng, known = np.random.default_rng(0), gallery(keep=4, expires_s=50.0)
        for step in range(400):
            known.add(step % 7, unit(rng, 3), float(step), "door")
        assert len(known) == 28
        assert len(known._rows._columns["vector"]) <= 128

    def test_who_is_seen_again_and_again_does_not_expire(self) -> None:
        known = gallery(keep=3, expires_s=10.0)
        for step in range(100):
            known.add(1, np.stack([X, Y, Z])[step % 3 : step % 3 + 1], float(step), "door")
        assert known.sightings.time_s.max() == 99.0

    def test_vectors_have_length_1_and_arguments_stay(self) -> None:
        known, given = gallery(), np.float32([[3, 4, 0]])
        known.add(1, given, 0.0, "door")
        assert given.tolist() == [[3, 4, 0]]
        assert known._rows["vector"] == pytest.approx(np.float32([[0.6, 0.8, 0]]))
        given[:] = 0
        assert known.match(X[None], 0.0).log_likelihood_ratio[0, 0] == pytest.approx(2.4)

    def test_sightings_are_in_order(self) -> None:
        known = gallery()
        known.add(2, X[None], 5.0, "aisle")
        known.add(1, np.stack([X, Y]), [7.0, 6.0], "door")
        seen = known.sightings
        assert seen.cameras == ("aisle", "door")
        assert seen.person.tolist() == [1, 1, 2]
        assert seen.time_s.tolist() == [6.0, 7.0, 5.0]
        assert seen.camera.tolist() == [1, 1, 0]


class TestTime:
    def test_age(self) -> None:
        known = gallery(expires_s=10.0)
        known.add(1, np.stack([X, Y]), [0.0, 4.0], "door")
        known.add(2, X[None], 1.0, "door")
        assert known.expire(10.0).tolist() == []
        assert len(known) == 3
        assert known.expire(11.5).tolist() == [2]
        assert known.people.tolist() == [1]
        assert known.match(X[None], 14.5).people.tolist() == []

    def test_adding_and_matching_tell_the_time_too(self) -> None:
        known = gallery(expires_s=10.0)
        known.add(1, X[None], 0.0, "door")
        known.add(2, Y[None], 20.0, "door")
        assert known.people.tolist() == [2]
        assert known.match(Y[None], 31.0).people.tolist() == []
        assert len(known) == 0

    def test_the_clock_does_not_go_back(self) -> None:
        known = gallery(expires_s=10.0)
        known.add(1, X[None], 100.0, "door")
        known.add(2, np.stack([X, Y]), [95.0, 89.0], "late")  # one of them is too old to be kept
        assert known.sightings.time_s.tolist() == [100.0, 95.0]
        known.add(3, X[None], 50.0, "late")
        assert known.people.tolist() == [1, 2]
        assert known.match(X[None], 0.0).people.tolist() == [1, 2]
        assert known.expire(-5.0).tolist() == []
        known.expire(105.5)
        assert known.people.tolist() == [1]

    def test_who_expired_may_come_again(self) -> None:
        known = gallery(expires_s=1.0)
        known.add(1, X[None], 0.0, "door")
        known.expire(5.0)
        known.add(1, X[None], 6.0, "door")
        assert known.people.tolist() == [1]


def traces(known: Gallery, path: Path, rows: np.ndarray) -> int:
    """In how many places a value of `rows` is: in any array of the gallery, whole buffers, or in its file."""
    known.save(path)
    columns = [column.ravel() for column in known._rows._columns.values() if column.dtype == np.float32]
    held = sum(int(np.isin(column, rows).sum()) for column in columns)
    content = path.read_bytes()
    return held + sum(content.count(value.tobytes()) for value in rows.ravel())


class TestNothingIsLeft:
    @pytest.fixture
    def held(self, tmp_path: Path) -> tuple[Gallery, np.ndarray, list[np.ndarray]]:
        """Person 5 among others, the rows that are held of them, and all float arrays that held them on the way."""
        rng, known, buffers = np.random.default_rng(0), gallery(expires_s=100.0), []
        for step in range(40):
            person = 5 if step % 8 == 3 else 10 + step
            known.add(person, unit(rng, 2), 10.0 if person == 5 else 60.0 + step, "door")
            buffers.append(known._rows._columns["vector"])
        rows = known._rows["vector"][known._rows["person"] == 5].copy()
        assert rows.shape == (10, 32)
        assert traces(known, tmp_path / "before.npz", rows) >= 2 * rows.size
        return known, rows, buffers

    def test_after_forget(self, held: tuple, tmp_path: Path) -> None:
        known, rows, buffers = held
        asked = rows[:1].copy()
        known.forget(5)
        assert traces(known, tmp_path / "after.npz", rows) == 0
        assert not any(np.isin(buffer, rows).any() for buffer in buffers)
        found = known.match(asked, 100.0)
        assert 5 not in found.people
        assert 5 not in known.people
        with np.load(tmp_path / "after.npz") as file:
            assert 5 not in file["person"]
        again = Gallery.load(tmp_path / "after.npz")
        assert 5 not in again.match(asked, 100.0).people

    def test_after_expire(self, held: tuple, tmp_path: Path) -> None:
        known, rows, buffers = held
        assert known.expire(110.5).tolist() == [5]
        assert traces(known, tmp_path / "after.npz", rows) == 0
        assert not any(np.isin(buffer, rows).any() for buffer in buffers)

    def test_after_a_better_vector_took_the_place(self, tmp_path: Path) -> None:
        rng, known = np.random.default_rng(1), gallery(keep=2)
        vectors = unit(rng, 6)
        known.add(1, vectors, np.arange(6.0), "door")
        gone = vectors / np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
        gone = gone[~np.isin(gone[:, 0], known._rows["vector"][:, 0])]
        assert len(gone) == 4
        assert traces(known, tmp_path / "after.npz", gone) == 0

    def test_the_rest_is_untouched(self, held: tuple) -> None:
        known, _, _ = held
        others = known.people[known.people != 5]
        x = unit(np.random.default_rng(3), 4)
        before = known.match(x, 100.0).log_likelihood_ratio[:, known.people != 5]
        known.forget(5)
        assert known.people.tolist() == others.tolist()
        np.testing.assert_allclose(known.match(x, 100.0).log_likelihood_ratio, before, rtol=1e-5, atol=1e-6)

    def test_a_number_is_not_used_again(self, held: tuple, tmp_path: Path) -> None:
        known, rows, _ = held
        known.forget(5)
        known.save(tmp_path / "known.npz")
        for one in (known, Gallery.load(tmp_path / "known.npz")):
            with pytest.raises(DataError, match="person 5 was forgotten"):
                one.add(5, rows, 100.0, "door")
            with pytest.raises(DataError, match="forgotten already"):
                one.forget(5)
            with pytest.raises(DataError, match="person 6 is not in the gallery"):
                one.forget(6)


class TestFile:
    def test_there_and_back(self, tmp_path: Path) -> None:
        rng, known = np.random.default_rng(0), gallery(keep=3, expires_s=50.0, prior_new=0.3)
        for person in range(6):
            known.add(person, unit(rng, 5), 10.0 * person + np.arange(5), f"camera {person % 2}")
        known.forget(4)
        known.save(tmp_path / "new" / "known.npz")
        again = Gallery.load(tmp_path / "new" / "known.npz")
        assert (again.keep, again.expires_s, again.prior_new) == (3, 50.0, 0.3)
        for column in ("person", "time_s", "camera"):
            np.testing.assert_array_equal(getattr(again.sightings, column), getattr(known.sightings, column))
        for one in (known, again):  # what comes after is the same too: clock, ties, cameras
            one.add(2, unit(np.random.default_rng(1), 4), 56.0, "camera 9")
            one.add(8, unit(np.random.default_rng(2), 1), 3.0, "camera 1")
        x = unit(rng, 7)
        first, second = known.match(x, 56.0), again.match(x, 56.0)
        assert first.people.tolist() == second.people.tolist()
        np.testing.assert_allclose(second.probability, first.probability, rtol=1e-6)
        assert again.sightings.cameras == known.sightings.cameras

    def test_an_empty_one(self, tmp_path: Path) -> None:
        gallery().save(tmp_path / "empty.npz")
        again = Gallery.load(tmp_path / "empty.npz")
        assert len(again) == 0
        again.add(1, X[None], -5.0, "door")
        assert again.people.tolist() == [1]

    def test_a_file_is_whole_or_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path, known = tmp_path / "known.bin", gallery()
        known.add(1, X[None], 0.0, "door")
        known.save(path)
        before = path.read_bytes()
        known.add(2, Y[None], 0.0, "door")

        def half(out, **arrays):
            out.write(b"PK")
            raise OSError("the disk is full")

        monkeypatch.setattr(np, "savez", half)
        with pytest.raises(OSError, match="full"):
            known.save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
        assert Gallery.load(path).people.tolist() == [1]

    @pytest.fixture
    def arrays(self, tmp_path: Path) -> dict[str, np.ndarray]:
        known = gallery(keep=2)
        known.add(1, np.stack([X, Y]), 3.0, "door")
        known.add(2, X[None], 4.0, "door")
        known.forget(2)
        known.save(tmp_path / "good.npz")
        with np.load(tmp_path / "good.npz") as file:
            return dict(file)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("vector", np.float32([[1, 0, 0], [np.nan, 0, 0]]), "row 2, key 'vector'"),
            ("vector", np.eye(2, 3), "'vector': has shape"),
            ("vector", np.float32([[1, 0, 0]]), "'vector': has shape"),
            ("person", np.array([1, 2]), "row 2, key 'person'.*not forgotten"),
            ("person", np.array([-1, 1]), "row 1, key 'person'"),
            ("person", np.array([[1], [1]]), "'person': has shape"),
            ("time_s", np.array([3.0, np.nan]), "row 2, key 'time_s'"),
            ("time_s", np.array([3.0, 9.0]), "row 2, key 'time_s'"),
            ("camera", np.array([0, 1]), "row 2, key 'camera'"),
            ("added", np.array([0, -1]), "row 2, key 'added'"),
            ("forgotten", np.array(["x"]), "'forgotten': has shape"),
            ("settings", np.array("{"), "'settings': is no JSON"),
            ("settings", np.array("[]"), "'settings': holds no object"),
            ("settings", np.array("{}"), "Field required"),
            ("person", np.array([1, None]), "cannot be read"),
        ],
    )
    def test_another_content_is_refused(
        self, tmp_path: Path, arrays: dict[str, np.ndarray], name: str, value: np.ndarray, message: str
    ) -> None:
        path = tmp_path / "bad.npz"
        np.savez(path, **{**arrays, name: value})
        with pytest.raises(DataError, match=message) as refusal:
            Gallery.load(path)
        assert refusal.value.file == str(path)

    def test_too_many_vectors_are_refused(self, tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
        settings = np.array(str(arrays["settings"]).replace('"keep": 2', '"keep": 1'))
        np.savez(tmp_path / "bad.npz", **{**arrays, "settings": settings})
        with pytest.raises(DataError, match="one person has 2 vectors"):
            Gallery.load(tmp_path / "bad.npz")

    def test_what_is_no_such_file_is_refused(self, tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
        good = (tmp_path / "good.npz").read_bytes()
        del arrays["added"]
        np.savez(tmp_path / "lacks.npz", **arrays)
        np.save(tmp_path / "single.npy", X)
        (tmp_path / "half.npz").write_bytes(good[: len(good) // 2])
        (tmp_path / "nothing.npz").write_bytes(b"")
        for name in ("lacks.npz", "single.npy", "half.npz", "nothing.npz", "absent.npz"):
            with pytest.raises(DataError, match=name):
                Gallery.load(tmp_path / name)


class TestRefusals:
    @pytest.mark.parametrize(
        ("vectors", "message"),
        [
            ([[1, 0, 0], [0, 0, 0]], "vector 1 is 0 or not finite"),
            ([[np.inf, 0, 0]], "vector 0 is 0 or not finite"),
            ([[1, 0, 0], [0, 1, 0], [0, np.nan, 1]], "vector 2 is 0 or not finite"),
            ([1, 0, 0], r"shape \(3,\)"),
            ([[1, 0]], r"shape \(1, 2\).*\(n, 3\)"),
        ],
    )
    def test_vectors(self, vectors: list, message: str) -> None:
        known = gallery(expires_s=10.0)
        known.add(1, X[None], 0.0, "door")
        for call in (lambda v: known.add(2, v, 99.0, "door"), lambda v: known.match(v, 99.0)):
            with pytest.raises(DataError, match=message):
                call(np.float32(vectors))
        assert known.people.tolist() == [1]  # not even the clock moved

    def test_people_times_cameras_and_tracklets(self) -> None:
        known = gallery()
        for person in (-1, 1.5, "1", True, None):
            with pytest.raises(DataError, match="'person'"):
                known.add(person, X[None], 0.0, "door")  # type: ignore[arg-type]
            with pytest.raises(DataError, match="'person'"):
                known.forget(person)  # type: ignore[arg-type]
        for time_s in (np.nan, np.inf, [0.0, 1.0]):
            with pytest.raises(DataError, match="'time_s'"):
                known.add(1, X[None], time_s, "door")
        with pytest.raises(DataError, match="'time_s'"):
            known.expire(np.nan)
        with pytest.raises(DataError, match="'camera'"):
            known.add(1, X[None], 0.0, 3)  # type: ignore[arg-type]
        for tracklet in ([1, 2], [0.5], ["a"]):
            with pytest.raises(DataError, match="'tracklet'"):
                known.match(X[None], 0.0, tracklet=tracklet)
        assert len(known) == 0

    @pytest.mark.parametrize(
        ("key", "value"),
        [("keep", 0), ("expires_s", 0.0), ("expires_s", np.inf), ("prior_new", 0.0), ("prior_new", 1.0)],
    )
    def test_settings(self, key: str, value: float) -> None:
        with pytest.raises(ConfigError, match=key):
            gallery(**{key: value})


def test_the_line_is_what_it_says() -> None:
    assert LINE.log_likelihood_ratio(0.5) == pytest.approx(2.0)
    assert LINE.probability(0.5, prior=0.2) == pytest.approx(expit(2 + logit(0.2)))
