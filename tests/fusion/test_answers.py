"""Conditioning on answers, against Bayes' rule over complete histories; labels in a file."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import Account, Answer, DataError, Receipt
from gocv.fusion.answers import append_label, best_cart, read_labels, with_answer, with_answers

SHOPPERS, PRODUCTS = ("ann", "bob"), ("milk", "tea")


def histories(seed, events=2):
    """Complete histories with random probabilities: of each event who moved what, or that nothing moved."""
    moves = [(), *(((s, p, 1),) for s in ("", *SHOPPERS) for p in PRODUCTS)]
    ways = list(itertools.product(moves, repeat=events))
    return list(zip(ways, np.random.default_rng(seed).dirichlet(np.full(len(ways), 0.3)), strict=True))


def receipts_of(weighted):
    """What an engine that keeps every history states of each shopper."""
    found = []
    for shopper in SHOPPERS:
        accounts = []
        for way, weight in weighted:
            cart = Counter()
            for moved in way:
                cart.update({p: n for s, p, n in moved if s == shopper})
            accounts.append(Account(tuple(sorted(cart.items())), weight, {f"e{i}": m for i, m in enumerate(way)}))
        accounts.sort(key=lambda a: -a.probability)
        receipt = Receipt(shopper, (), 0.0, False, tuple(accounts))
        found.append(dataclasses.replace(receipt, probability=probability(receipt, best_cart(receipt))))
    return tuple(found)


def probability(receipt, cart):
    return sum(a.probability for a in receipt.accounts if a.cart == cart)


ANSWERS = [
    Answer("e0", shopper="ann"),
    Answer("e1", shopper=""),
    Answer("e0", items=(("tea", 1),)),
    Answer("e1", items=()),
    Answer("e1", shopper="bob", items=(("milk", 1),)),
]


def truthful(answer, way):
    moved = way[int(answer.event[1:])]
    if answer.items is not None and tuple((p, n) for _, p, n in moved) != answer.items:
        return False
    return answer.shopper is None or (bool(moved) and moved[0][0] == answer.shopper)


class TestConditioning:
    @pytest.mark.parametrize("answer", ANSWERS, ids=str)
    @pytest.mark.parametrize("slip", [0.0, 1e-3, 0.2])
    def test_it_is_bayes_rule(self, answer, slip):
        weighted = histories(seed=3)
        told = [(way, w * (1.0 if truthful(answer, way) else slip)) for way, w in weighted]
        total = sum(w for _, w in told)
        expected = receipts_of([(way, w / total) for way, w in told])
        for found, right in zip(with_answer(receipts_of(weighted), answer, slip=slip), expected, strict=True):
            assert found.probability == pytest.approx(right.probability)
            assert {line.product: line.quantity for line in found.items} == dict(best_cart(right))
            carts = {a.cart for a in right.accounts}
            assert all(probability(found, cart) == pytest.approx(probability(right, cart)) for cart in carts)

    def test_answers_together_are_answers_one_by_one(self):
        receipts = receipts_of(histories(seed=4))
        first, second = ANSWERS[0], ANSWERS[3]
        together = with_answers(receipts, [first, second])
        after = with_answer(with_answer(receipts, second), first)
        for one, other in zip(together, after, strict=True):
            assert best_cart(one) == best_cart(other)
            assert one.probability == pytest.approx(other.probability)

    @given(seed=st.integers(0, 1000), answer=st.sampled_from(ANSWERS))
    def test_what_is_not_listed_keeps_its_share(self, seed, answer):
        """A receipt may state only its more probable accounts."""
        for receipt in receipts_of(histories(seed)):
            cut = dataclasses.replace(receipt, accounts=receipt.accounts[:20])
            (found,) = with_answer([cut], answer)
            assert sum(a.probability for a in found.accounts) == pytest.approx(sum(a.probability for a in cut.accounts))
            assert [a.probability for a in found.accounts] == sorted(a.probability for a in found.accounts)[::-1]

    def test_lines_say_what_they_rest_on(self):
        accounts = (
            Account((("milk", 2),), 0.6, {"e9": (("ann", "milk", 1),), "e2": (("ann", "milk", 1),)}),
            Account((("milk", 1),), 0.4, {"e9": (("ann", "milk", 1),), "e2": (("bob", "milk", 1),)}),
        )
        (found,) = with_answer([Receipt("ann", (), 0.6, False, accounts)], Answer("e2", "bob"), names={"milk": "Milk"})
        (line,) = found.items
        assert (line.name, line.quantity, line.events) == ("Milk", 1, ("e9",))
        assert line.probability == pytest.approx(0.4 / (0.4 + 0.6e-3))

    def test_a_receipt_that_the_answer_does_not_touch_stays(self):
        receipt = Receipt("ann", (), 0.6, True, (Account((), 0.6, {"e1": ()}), Account((("tea", 1),), 0.4, {"e1": ()})))
        assert with_answer([receipt], Answer("e2", "bob"))[0] is receipt

    @pytest.mark.parametrize(
        ("answer", "marked"),
        [
            (Answer("e1", items=(("soap", 1),)), True),
            (Answer("e2", shopper="ann"), True),
            (Answer("e2", items=()), False),
            (Answer("e1", items=(("tea", 1),)), False),
        ],
        ids=["a product nobody thought of", "an event nobody connected with her", "nothing there", "a known one"],
    )
    def test_what_cannot_be_mended_is_marked(self, answer, marked):
        accounts = (Account((("tea", 1),), 0.9, {"e1": (("ann", "tea", 1),)}), Account((), 0.1, {"e1": ()}))
        (found,) = with_answer([Receipt("ann", (), 0.9, False, accounts)], answer)
        assert found.needs_review is marked
        if marked:
            assert found.probability == pytest.approx(0.9)

    def test_who_is_not_the_answer_for_accounts_that_do_not_speak_of_it(self):
        """An account without the event says that its shopper had no part in it."""
        accounts = (Account((("tea", 1),), 0.5, {"e1": (("ann", "tea", 1),)}), Account((), 0.5, {}))
        receipt = Receipt("ann", (), 0.5, False, accounts)
        assert with_answer([receipt], Answer("e1", "bob"))[0].items == ()
        assert [line.product for line in with_answer([receipt], Answer("e1", "ann"))[0].items] == ["tea"]

    def test_what_is_not_in_the_catalogue_is_never_a_line(self):
        accounts = (
            Account((("tea", 1),), 0.9, {"e1": (("ann", "tea", 1),)}),
            Account((("?", 1),), 0.1, {"e1": (("ann", "?", 1),)}),
        )
        (found,) = with_answer([Receipt("ann", (), 0.9, False, accounts)], Answer("e1", items=(("?", 1),)))
        assert (found.items, found.probability, found.needs_review) == ((), 0.0, True)

    def test_the_judge_sees_what_changed_only(self):
        seen = []
        receipts = receipts_of(histories(seed=5))
        other = Receipt("cleo", (), 0.7, False, (Account((), 0.7, {"e7": ()}),))

        def judge(receipt):
            seen.append(receipt.shopper)
            return dataclasses.replace(receipt, needs_review=True)

        found = with_answer([*receipts, other], ANSWERS[0], judge=judge)
        assert seen == ["ann", "bob"]
        assert [r.needs_review for r in found] == [True, True, False]


class TestLabels:
    def test_round_trip(self, tmp_path):
        path = tmp_path / "run" / "labels.jsonl"
        assert read_labels(path) == ()
        answers = (Answer("e1", "änn"), Answer("e2", items=()), Answer("e3", "", (("7", 2), ("8", -1))))
        for answer in answers:
            append_label(path, answer, question=f"{answer.event}:who", answered="2020-01-01")
        assert read_labels(path) == answers
        assert len(path.read_text(encoding="utf-8").splitlines()) == 3

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ([Answer("e", "ann"), Answer("e", "bob")], Answer("e", "bob")),
            ([Answer("e", "ann"), Answer("e", items=(("7", 1),))], Answer("e", "ann", (("7", 1),))),
            ([Answer("e", items=(("7", 1),)), Answer("e", "ann")], Answer("e", "ann", (("7", 1),))),
            ([Answer("e", items=(("7", 1),)), Answer("e", items=(("8", 1),))], Answer("e", None, (("8", 1),))),
            ([Answer("e", "ann"), Answer("e", items=())], Answer("e", None, ())),
            ([Answer("e", items=()), Answer("e", "ann")], Answer("e", "ann", None)),
        ],
    )
    def test_answers_on_one_event_come_together(self, tmp_path, said, expected):
        for answer in said:
            append_label(tmp_path / "l.jsonl", answer)
        assert read_labels(tmp_path / "l.jsonl") == (expected,)

    def test_every_place_where_a_line_can_be_torn(self, tmp_path):
        """Labels before the torn one are read, and one added after it is not lost in it."""
        path = tmp_path / "l.jsonl"
        append_label(path, Answer("e1", "ann"))
        first = path.stat().st_size
        append_label(path, Answer("e2", "bob", (("7", 1),)), question="e2:who")
        whole = path.read_bytes()
        for size in range(first, len(whole)):
            path.write_bytes(whole[:size])
            told = read_labels(path)
            complete = size == len(whole) - 1  # only the end of the line is missing
            assert [a.event for a in told] == (["e1", "e2"] if complete else ["e1"])
            append_label(path, Answer("e3", ""))
            assert read_labels(path) == (*told, Answer("e3", ""))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", r"l\.jsonl, row 2: is no JSON object"),
            ("[]", r"l\.jsonl, row 2: is no JSON object"),
            ('{"shopper": "ann"}', r"l\.jsonl, row 2, key 'event'"),
            ('{"event": "e", "who": "ann"}', r"l\.jsonl, row 2, key 'who'"),
            ('{"event": "e", "items": [["7"]]}', r"l\.jsonl, row 2, key 'items.0"),
            ('{"event": "e", "items": [["7", 1.5]]}', r"l\.jsonl, row 2, key 'items.0.1'"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, line, message):
        path = tmp_path / "l.jsonl"
        path.write_text(f'{{"event": "e1", "shopper": "ann"}}\n{line}\n')
        with pytest.raises(DataError, match=message):
            read_labels(path)


def test_the_histories_are_what_they_seem():
    """Guards the oracle: shoppers' accounts are of the same histories, and nothing is lost."""
    weighted = histories(seed=1)
    total = defaultdict(float)
    for receipt in receipts_of(weighted):
        total[receipt.shopper] += sum(a.probability for a in receipt.accounts)
    assert dict(total) == pytest.approx({"ann": 1.0, "bob": 1.0})
