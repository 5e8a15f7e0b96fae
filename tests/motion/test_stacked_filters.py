"""The stacked filters against filterpy, one filter a box, with the matrices written out from the papers."""

from __future__ import annotations

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from scipy.linalg import block_diag

from gocv.motion import AreaAspect, AspectHeight, BoxFilter, BoxModel, WidthHeight, squared_distance

MODELS: list[BoxModel] = [AreaAspect(), AspectHeight(), WidthHeight()]


def named(model: BoxModel) -> str:
    return type(model).__name__


def boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corner = rng.uniform(0, 1000, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(20, 300, (count, 2))], axis=1)


def coordinates(model: BoxModel, box: np.ndarray) -> np.ndarray:
    width, height = box[2:] - box[:2]
    x, y = (box[:2] + box[2:]) / 2
    return {
        "AreaAspect": np.array([x, y, width * height, width / height]),
        "AspectHeight": np.array([x, y, width / height, height]),
        "WidthHeight": np.array([x, y, width, height]),
    }[named(model)]


class Oracle:
    """One box, an eight-dimensional state, filterpy; standard deviations as the papers and their releases give them."""

    def __init__(self, model: BoxModel, z: np.ndarray) -> None:
        self.kind = named(model)
        self.filter = KalmanFilter(dim_x=8, dim_z=4)
        self.filter.H = np.eye(4, 8)
        self.filter.x[:4, 0] = z
        self.filter.P = np.diag(
            {
                "AreaAspect": [10, 10, 10, 10, 1e4, 1e4, 1e4, 0],
                "AspectHeight": np.square([*self.aspect(z, 2 / 20, 1e-2), *self.aspect(z, 10 / 160, 1e-5)]),
                "WidthHeight": np.square([*self.sizes(z, 2 / 20), *self.sizes(z, 10 / 160)]),
            }[self.kind]
        )

    @staticmethod
    def aspect(z: np.ndarray, share: float, aspect: float) -> list[float]:
        return [share * z[3], share * z[3], aspect, share * z[3]]

    @staticmethod
    def sizes(z: np.ndarray, share: float) -> np.ndarray:
        return share * z[[2, 3, 2, 3]]

    def predict(self, frames: float) -> None:
        mean = self.filter.x[:, 0]
        if self.kind == "AreaAspect" and mean[2] + frames * mean[6] <= 0:
            mean[6] = 0
        noise = {
            "AreaAspect": [1, 1, 1, 1, 1e-2, 1e-2, 1e-4, 0],
            "AspectHeight": np.square([*self.aspect(mean, 1 / 20, 1e-2), *self.aspect(mean, 1 / 160, 1e-5)]),
            "WidthHeight": np.square([*self.sizes(mean, 1 / 20), *self.sizes(mean, 1 / 160)]),
        }[self.kind]
        transition = np.eye(8)
        transition[range(4), range(4, 8)] = frames
        self.filter.predict(F=transition, Q=frames * np.diag(noise))

    def noise(self) -> np.ndarray:
        mean = self.filter.x[:, 0]
        return np.diag(
            {
                "AreaAspect": [1, 1, 10, 10],
                "AspectHeight": np.square(self.aspect(mean, 1 / 20, 1e-1)),
                "WidthHeight": np.square(self.sizes(mean, 1 / 20)),
            }[self.kind]
        )

    def correct(self, z: np.ndarray, scale: float) -> None:
        self.filter.update(z[:, None], R=self.noise() * scale)


def covariance(state: np.ndarray) -> np.ndarray:
    """(8, 8) of the one box of a (5, 4, 1) state, positions first."""
    order = np.argsort([0, 4, 1, 5, 2, 6, 3, 7])
    blocks = block_diag(*([[state[2, i, 0], state[3, i, 0]], [state[3, i, 0], state[4, i, 0]]] for i in range(4)))
    return blocks[np.ix_(order, order)]


@pytest.mark.parametrize("model", MODELS, ids=named)
@pytest.mark.parametrize("seed", range(5))
def test_it_equals_filterpy(model: BoxModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = 6
    seen = boxes(rng, count)
    state = model.first(model.measure(seen))
    oracles = [Oracle(model, coordinates(model, box)) for box in seen]
    for _ in range(40):
        frames = float(rng.choice([1.0, 0.37, 4.0, 0.0]))
        state = model.predict(state, frames)
        for oracle in oracles:
            oracle.predict(frames)
        some = np.flatnonzero(rng.random(count) < 0.7)
        seen = seen + rng.normal(0, 4, seen.shape)
        seen[:, 2:] = np.maximum(seen[:, 2:], seen[:, :2] + 5)
        scale = rng.uniform(0.05, 1.0, count)
        state[:, :, some] = model.correct(state[:, :, some], model.measure(seen[some]), noise_scale=scale[some])
        for i in some:
            oracles[i].correct(coordinates(model, seen[i]), scale[i])
        for i, oracle in enumerate(oracles):
            want = oracle.filter
            np.testing.assert_allclose(state[:2, :, i].ravel(), want.x[:, 0], rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(covariance(state[:, :, [i]]), want.P, rtol=1e-9, atol=1e-9)
            z = coordinates(model, seen[i])
            surprise = z - want.x[:4, 0]
            distance = surprise @ np.linalg.inv(want.P[:4, :4] + oracle.noise()) @ surprise
            got = squared_distance(state[:, :, [i]], z[:, None], model.noise(state[:, :, [i]]))
            np.testing.assert_allclose(got, [distance], rtol=1e-9)


def test_area_and_aspect_equal_the_filter_of_one_box() -> None:
    rng = np.random.default_rng(0)
    model, seen = AreaAspect(), boxes(rng, 3)
    alone = [BoxFilter(box, rate_hz=10.0) for box in seen]
    state = model.first(model.measure(seen))
    for _ in range(30):
        seen = seen + rng.normal(0, 3, seen.shape)
        state = model.predict(state, 1.0)
        predicted = [one.predict(0.1) for one in alone]
        np.testing.assert_allclose(model.boxes(state), predicted, rtol=1e-9)
        state = model.correct(state, model.measure(seen))
        corrected = [one.update(box) for one, box in zip(alone, seen, strict=True)]
        np.testing.assert_allclose(model.boxes(state), corrected, rtol=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_boxes_come_back(model: BoxModel) -> None:
    seen = boxes(np.random.default_rng(1), 20)
    np.testing.assert_allclose(model.boxes(model.first(model.measure(seen))), seen, rtol=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_time_may_differ_from_box_to_box(model: BoxModel) -> None:
    state = model.first(model.measure(boxes(np.random.default_rng(2), 3)))
    state[1] = np.random.default_rng(3).normal(0, 0.01, state[1].shape)
    frames = np.array([0.0, 1.0, 2.5])
    together = model.predict(state, frames)
    for i, passed in enumerate(frames):
        np.testing.assert_allclose(together[:, :, [i]], model.predict(state[:, :, [i]], float(passed)))
    np.testing.assert_array_equal(together[:, :, 0], state[:, :, 0])


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_a_box_that_shrinks_for_long_never_turns_inside_out(model: BoxModel) -> None:
    state = model.first(model.measure(np.array([[0.0, 0.0, 40.0, 90.0]])))
    state[1, 2:] = -5.0
    for _ in range(100):
        state = model.predict(state, 1.0)
        box = model.boxes(state)[0]
        assert (box[2:] >= box[:2]).all()
        assert np.isfinite(box).all()


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_no_boxes(model: BoxModel) -> None:
    state = model.first(model.measure(np.empty((0, 4))))
    assert model.boxes(model.predict(state, 1.0)).shape == (0, 4)


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_arguments_stay_as_they_were(model: BoxModel) -> None:
    state = model.first(model.measure(boxes(np.random.default_rng(4), 3)))
    state[1, 2] = -1e6
    before = state.copy()
    model.predict(state, 2.0)
    model.correct(state, model.measure(boxes(np.random.default_rng(5), 3)))
    np.testing.assert_array_equal(state, before)
