"""Losses against loops."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from gocv.reid.losses import LossSettings, ReidLoss
from gocv.reid.model import Learned

NAMES = ("identity", "triplet", "circle", "center", "contrastive", "teacher", "relations")
PEOPLE, LENGTH, TEACHER = 7, 12, 5


def oracle(name: str) -> ModuleType:
    path = Path(__file__).parents[1] / "oracles" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOOPS = oracle("reid_losses")


def only(name: str, weight: float = 1.0, **others: object) -> ReidLoss:
    """The loss with one of its parts, centres and map to the teacher drawn."""
    settings = LossSettings(**{"identity": 0.0, "triplet": 0.0, name: weight, **others})  # type: ignore[arg-type]
    torch.manual_seed(4)
    loss = ReidLoss(settings, PEOPLE, LENGTH, TEACHER)
    if loss.centers is not None:
        torch.nn.init.normal_(loss.centers)
    return loss


def batch(seed: int, rows: int = 18) -> tuple[Learned, torch.Tensor, torch.Tensor]:
    """Rows of people, some of them alone; a quarter is unlabelled, a third has no teacher."""
    rng = np.random.default_rng(seed)
    person = rng.integers(0, PEOPLE, rows)
    person[rng.random(rows) < 0.25] = -1
    taught = rng.normal(size=(rows, TEACHER))
    taught[rng.random(rows) < 0.33] = np.nan
    sizes = (LENGTH, LENGTH, PEOPLE)
    learned = Learned(*(torch.tensor(rng.normal(size=(rows, n)), dtype=torch.float32).requires_grad_() for n in sizes))
    return learned, torch.tensor(person), torch.tensor(taught, dtype=torch.float32)


def by_loops(
    loss: ReidLoss, learned: Learned, person: torch.Tensor, taught: torch.Tensor
) -> dict[str, Callable[[], float]]:
    s, known, told = loss.settings, (person >= 0).numpy(), ~taught.isnan().any(1).numpy()
    before, vector, logits = (part.detach().numpy() for part in learned)
    who, theirs = person.numpy()[known], taught.numpy()[told]
    return {
        "identity": lambda: LOOPS.identity(logits[known], who, s.smoothing),
        "triplet": lambda: LOOPS.triplet(before[known], who, s.margin),
        "circle": lambda: LOOPS.circle(vector[known], who, s.circle_margin, s.circle_scale),
        "center": lambda: LOOPS.center(before[known], who, loss.centers.detach().numpy()),
        "contrastive": lambda: LOOPS.contrastive(vector[known], who, s.temperature),
        "teacher": lambda: LOOPS.teacher(vector[told], theirs, loss.to_teacher.weight.detach().numpy()),
        "relations": lambda: LOOPS.relations(vector[told], theirs),
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("identity", {"smoothing": 0.0}),
        ("identity", {"smoothing": 0.3}),
        ("triplet", {"margin": 0.3}),
        ("triplet", {"margin": 4.0}),
        ("triplet", {"margin": None}),
        ("circle", {}),
        ("circle", {"circle_margin": 0.4, "circle_scale": 7.0}),
        ("center", {}),
        ("contrastive", {}),
        ("contrastive", {"temperature": 0.6}),
        ("teacher", {}),
        ("relations", {}),
    ],
)
def test_a_loss_is_what_loops_give(name: str, settings: dict, seed: int) -> None:
    loss = only(name, 2.5, **settings)
    learned, person, taught = batch(seed)
    (key, value), *more = loss(learned, person, taught).items()
    assert (key, more) == (name, [])
    assert value.item() == pytest.approx(2.5 * by_loops(loss, learned, person, taught)[name](), rel=2e-5)
    assert value.item() > 0


def test_triplets_that_are_met_count_as_zero() -> None:
    """The mean is over all anchors, not over those that are still wrong."""
    before = torch.tensor([[0.0], [1.0], [10.0], [10.5], [11.25], [30.0]])
    learned = Learned(before, before, before)
    (value,) = only("triplet", margin=0.3)(learned, torch.tensor([0, 0, 1, 1, 2, -1])).values()
    # Of the four anchors that have both, the one at 10.5 alone lacks something: 0.3 + 0.5 - 0.75.
    assert value.item() == pytest.approx(0.05 / 4, rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_unlabelled_rows_and_those_without_a_teacher_do_not_count(name: str) -> None:
    loss = only(name)
    learned, person, taught = batch(1)
    value = loss(learned, person, taught)[name]
    out = (taught.isnan().any(1)) if name in ("teacher", "relations") else person < 0
    assert 0 < out.sum() < len(out)
    changed = Learned(*(torch.where(out[:, None], part + 3.0, part) for part in learned))
    assert loss(changed, person, taught)[name] == value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rows", [0, 6])
def test_a_batch_without_what_a_loss_needs_gives_zero(name: str, rows: int) -> None:
    """And gradients that are zero, not missing: several processes wait for them."""
    loss = only(name)
    learned = Learned(*(torch.randn(rows, n, requires_grad=True) for n in (LENGTH, LENGTH, PEOPLE)))
    value = loss(learned, torch.full((rows,), -1), torch.full((rows, TEACHER), torch.nan))[name]
    assert value.item() == 0.0
    value.backward()
    given = [part.grad for part in learned if part.grad is not None] + [p.grad for p in loss.parameters()]
    assert given
    assert all(grad is not None and (grad == 0).all() for grad in given)


@pytest.mark.parametrize("name", NAMES)
def test_equal_vectors_have_finite_gradients(name: str) -> None:
    """As of a picture that is shown twice."""
    learned = Learned(*(torch.ones(8, n).requires_grad_() for n in (LENGTH, LENGTH, PEOPLE)))
    only(name)(learned, torch.arange(8) // 2, torch.ones(8, TEACHER))[name].backward()
    assert all(torch.isfinite(part.grad).all() for part in learned if part.grad is not None)


@pytest.mark.parametrize("weight", [0.0005, 1.0, 20.0])
def test_centres_follow_whatever_the_weight(weight: float) -> None:
    loss, (learned, person, _) = only("center", weight), batch(2)
    loss(learned, person)["center"].backward()
    known = person >= 0
    centers, before = loss.centers.detach(), learned.before.detach()
    rows = int(known.sum())
    for one in range(PEOPLE):
        pull = (centers[one] - before[person == one]).sum(0) / rows
        torch.testing.assert_close(loss.centers.grad[one], pull, rtol=1e-4, atol=1e-6)
    push = torch.where(known[:, None], before - centers[person], 0) / rows
    torch.testing.assert_close(learned.before.grad, weight * push, rtol=1e-4, atol=1e-7)


def test_what_has_no_weight_is_not_there() -> None:
    learned, person, taught = batch(0)
    assert set(ReidLoss(LossSettings(), PEOPLE, LENGTH)(learned, person)) == {"identity", "triplet"}
    every = LossSettings(**dict.fromkeys(NAMES, 1.0))
    assert set(ReidLoss(every, PEOPLE, LENGTH, TEACHER)(learned, person, taught)) == set(NAMES)
    assert not LossSettings().needs_teacher
    assert every.needs_teacher


def test_half_precision_is_counted_in_full() -> None:
    learned, person, taught = batch(3)
    halves = Learned(*(part.detach().bfloat16() for part in learned))
    for name in NAMES:
        value = only(name)(halves, person, taught)[name]
        assert value.dtype == torch.float32
        assert value == only(name)(Learned(*(part.float() for part in halves)), person, taught)[name]
