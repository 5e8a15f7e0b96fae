"""Questions, their gains against complete enumeration, and what a series of answers does to receipts."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gocv.core import Account, Answer, Receipt
from gocv.fusion.answers import best_cart, with_answers
from gocv.fusion.questions import QuestionSettings, choice_text, questions

SHOPPERS, PRODUCTS = ("ann", "bob"), ("milk", "tea")
EVERY_CHOICE = QuestionSettings(most_choices=50, least_choice=0.0, least_gain=1e-12)


def histories(seed, events=2):
    moves = [(), *(((s, p, 1),) for s in ("", *SHOPPERS) for p in PRODUCTS)]
    ways = list(itertools.product(moves, repeat=events))
    return list(zip(ways, np.random.default_rng(seed).dirichlet(np.full(len(ways), 0.1)), strict=True))


def cart_of(way, shopper):
    return tuple(sorted(Counter(p for moved in way for s, p, _ in moved if s == shopper).items()))


def receipts_of(weighted):
    return [
        Receipt(
            shopper,
            (),
            0.0,
            False,
            tuple(
                Account(cart_of(way, shopper), weight, {f"e{i}": moved for i, moved in enumerate(way)})
                for way, weight in sorted(weighted, key=lambda pair: -pair[1])
            ),
        )
        for shopper in SHOPPERS
    ]


def expected_right(weighted):
    """How many receipts are right if each states its most probable cart; the weights need not sum to one."""
    total = 0.0
    for shopper in SHOPPERS:
        carts = defaultdict(float)
        for way, weight in weighted:
            carts[cart_of(way, shopper)] += weight
        total += max(carts.values(), default=0.0)
    return total


class TestGain:
    @given(seed=st.integers(0, 10_000))
    def test_it_is_what_an_answer_is_expected_to_put_right(self, seed):
        weighted = histories(seed)
        found = {q.id: q.gain for q in questions(receipts_of(weighted), settings=EVERY_CHOICE)}
        for event, kind in itertools.product((0, 1), ("what", "who")):
            given_answer = defaultdict(list)
            for way, weight in weighted:
                column = 1 if kind == "what" else 0
                given_answer[tuple(m[column] for m in way[event])].append((way, weight))
            gain = sum(map(expected_right, given_answer.values())) - expected_right(weighted)
            assert found.get(f"e{event}:{kind}", 0.0) == pytest.approx(gain, abs=1e-9)

    @pytest.mark.parametrize(
        ("shares", "asked", "gain"),
        [
            ({"milk": 0.6, "tea": 0.4}, ["e:what"], 0.4),
            ({"milk": 0.5, "tea": 0.3, "soap": 0.2}, ["e:what"], 0.5),
            ({"milk": 1.0}, [], None),
            ({"milk": 0.6, "?": 0.4}, [], None),
            ({"milk": 0.4, "?": 0.6}, ["e:what"], 0.4),
        ],
        ids=["of two", "of three", "certain", "a rarer stranger", "a stranger hides it"],
    )
    def test_by_hand(self, shares, asked, gain):
        accounts = tuple(Account(((p, 1),), share, {"e": (("ann", p, 1),)}) for p, share in shares.items())
        found = questions([Receipt("ann", (), 0.6, False, accounts)])
        assert [q.id for q in found] == asked
        if asked:
            assert found[0].gain == pytest.approx(gain)
            assert found[0].choices == tuple(
                (Answer("e", items=((p, 1),)), pytest.approx(s)) for p, s in sorted(shares.items(), key=lambda x: -x[1])
            )

    def test_both_receipts_count_where_one_answer_settles_both(self):
        def account(shopper, mine, share):
            moved = {"e": ((shopper if mine else {"ann": "bob", "bob": "ann"}[shopper], "tea", 1),)}
            return Account((("tea", 1),) if mine else (), share, moved)

        receipts = [
            Receipt("ann", (), 0.6, False, (account("ann", True, 0.6), account("ann", False, 0.4))),
            Receipt("bob", (), 0.6, False, (account("bob", False, 0.6), account("bob", True, 0.4))),
        ]
        (question,) = questions(receipts)
        assert (question.id, question.kind) == ("e:who", "who")
        assert question.gain == pytest.approx(0.8)
        assert set(question.receipts) == {"ann", "bob"}
        assert question.choices == ((Answer("e", "ann"), pytest.approx(0.6)), (Answer("e", "bob"), pytest.approx(0.4)))

    def test_several_people_at_once_are_none_of_the_choices(self):
        both = (("ann", "tea", 1), ("bob", "tea", 1))
        accounts = (
            Account((("tea", 1),), 0.5, {"e": (("ann", "tea", 1),)}),
            Account((), 0.3, {"e": (("bob", "tea", 1),)}),
            Account((("tea", 1),), 0.2, {"e": both}),
        )
        (who,) = [q for q in questions([Receipt("ann", (), 0.7, False, accounts)]) if q.kind == "who"]
        assert [a.shopper for a, _ in who.choices] == ["ann", "bob"]
        assert sum(p for _, p in who.choices) == pytest.approx(0.8)
        assert who.gain == pytest.approx(0.3)

    def test_an_account_without_the_event_is_of_somebody_elses(self):
        accounts = (Account((("tea", 1),), 0.5, {"e": (("ann", "tea", 1),)}), Account((), 0.5, {}))
        other = (
            Account((("tea", 1),), 0.5, {"e": (("bob", "tea", 1),)}),
            Account((), 0.5, {"e": (("ann", "tea", 1),)}),
        )
        receipts = [Receipt("ann", (), 0.5, False, accounts), Receipt("bob", (), 0.5, False, other)]
        (who,) = [q for q in questions(receipts) if q.kind == "who"]
        assert who.gain == pytest.approx(1.0)


class TestRanking:
    def accounts(self, event, shares):
        return tuple(Account(((p, 1),), s, {event: (("ann", p, 1),)}) for p, s in shares)

    def test_a_choice_of_two_comes_before_a_choice_of_many(self):
        receipts = [
            Receipt("ann", (), 0.5, False, self.accounts("two", [("a", 0.55), ("b", 0.45)])),
            Receipt("cleo", (), 0.5, False, self.accounts("five", [(p, 0.2) for p in "abcde"])),
        ]
        assert [q.event for q in questions(receipts)] == ["two", "five"]
        free = QuestionSettings(each_more=0.0)
        found = questions(receipts, settings=free)
        assert [q.event for q in found] == ["five", "two"]
        assert [q.cost for q in found] == [1.0, 1.0]

    def test_limit_and_choices(self):
        receipts = [
            Receipt("ann", (), 0.5, False, self.accounts(f"e{i}", [("a", 0.6), ("b", 0.3), ("c", 0.1)]))
            for i in range(4)
        ]
        assert len(questions(receipts, limit=3)) == 3
        (one, *_) = questions(receipts, settings=QuestionSettings(most_choices=2))
        assert [a.items for a, _ in one.choices] == [(("a", 1),), (("b", 1),)]
        assert one.gain == pytest.approx(0.3)  # none of these would teach nothing

    def test_evidence_and_text(self):
        receipts = [Receipt("ann", (), 0.5, False, self.accounts("e1", [("a", 0.6), ("b", 0.4)]))]
        seen = {"start_s": 12.34, "shelf": "1/5", "cameras": ["c1"]}
        (question,) = questions(receipts, evidence={"e1": seen})
        assert question.evidence == seen
        assert question.text == "What moved on shelf 1/5 at 12.3 s?"
        assert questions(receipts)[0].text == "What moved in e1?"

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (Answer("e", items=()), "nothing moved"),
            (Answer("e", ""), "nobody of these people"),
            (Answer("e", "ann"), "ann"),
            (Answer("e", items=(("?", 1),)), "1 × something that is not in the catalogue taken"),
        ],
    )
    def test_choices_in_words(self, answer, text):
        assert choice_text(answer) == text

    def test_nothing_to_ask(self):
        assert questions([]) == []
        assert questions([Receipt("ann", (), 1.0, False)]) == []


@pytest.mark.parametrize("seed", range(5))
def test_asking_until_there_is_nothing_to_ask_puts_every_receipt_right(seed):
    weighted = histories(seed)
    rng = np.random.default_rng(seed)
    way = weighted[rng.choice(len(weighted), p=[w for _, w in weighted])][0]
    settings = EVERY_CHOICE.model_copy(update={"least_gain": 1e-9})
    answers, receipts, asked = {}, receipts_of(weighted), []
    while found := questions(receipts, 1, answers=list(answers.values()), settings=settings):
        (question,) = found
        moved = way[int(question.event[1:])]
        items, shopper = tuple((p, n) for _, p, n in moved), moved[0][0] if moved else None
        kind = question.kind if moved else "what"
        before = answers.get(question.event, Answer(question.event))
        answers[question.event] = Answer(
            question.event,
            shopper if kind == "who" else before.shopper,
            items if kind == "what" else before.items,
        )
        asked.append(question.id)
        receipts = with_answers(receipts_of(weighted), list(answers.values()))
    assert len(set(asked)) == len(asked) <= 4
    assert [best_cart(r) for r in receipts] == [cart_of(way, s) for s in SHOPPERS]
