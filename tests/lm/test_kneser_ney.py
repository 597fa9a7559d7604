"""Modified Kneser-Ney: against a worked example, the formulas in plain Python, and models that lmplz made."""

from __future__ import annotations

import logging
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lm.ngram_entries import LETTERS, Ngram, entries, prob_after, read_arpa

from seqrec.errors import UserError
from seqrec.lm.kneser_ney import NEVER, estimate

Sentences = list[list[str]]
sentences = st.lists(st.lists(st.sampled_from("abcde"), max_size=7), min_size=1, max_size=12)


class Formulas:
    """Interpolated modified Kneser-Ney in dictionaries and fractions, one probability at a time."""

    def __init__(self, sentences: Sentences, order: int) -> None:
        padded = [["<s>", *sentence, "</s>"] for sentence in sentences]
        self.vocabulary = {"<unk>", *(word for sentence in padded for word in sentence)} - {"<s>"}
        raw: Counter[Ngram] = Counter()
        left: defaultdict[Ngram, set[str]] = defaultdict(set)
        for sentence in padded:
            for end in range(1, len(sentence) + 1):
                for n in range(1, min(order, end) + 1):
                    ngram = tuple(sentence[end - n : end])
                    raw[ngram] += 1
                    left[ngram].update(sentence[end - n - 1 : end - n])
        raw.pop(("<s>",))
        self.raw = raw
        longest = max(map(len, raw))
        self.counts = {g: c if len(g) == longest or g[0] == "<s>" else len(left[g]) for g, c in raw.items()}
        self.discounts = {n: self._discounts(n) for n in range(1, longest + 1)}

    def _discounts(self, n: int) -> tuple[Fraction, ...]:
        of = Counter(count for ngram, count in self.counts.items() if len(ngram) == n)
        if of[1] and of[2] and of[3]:
            y = Fraction(of[1], of[1] + 2 * of[2])
            amounts = tuple(i - (i + 1) * y * Fraction(of[i + 1], of[i]) for i in (1, 2, 3))
            if min(amounts) >= 0:
                return amounts
        return Fraction(1, 2), Fraction(1), Fraction(3, 2)

    def prob(self, history: Ngram, word: str) -> Fraction:
        after = {g[-1]: c for g, c in self.counts.items() if g[:-1] == history}
        lower = self.prob(history[1:], word) if history else Fraction(1, len(self.vocabulary))
        if not after:
            return lower
        discounts = self.discounts[len(history) + 1]
        taken = {w: discounts[min(count, 3) - 1] for w, count in after.items()}
        own = after[word] - taken[word] if word in after else Fraction(0)
        return (own + sum(taken.values()) * lower) / sum(after.values())


def test_a_worked_example() -> None:
    # Adjusted counts of a, b, c and </s> are 1, 1, 1 and 2, since a follows <s> alone, b and c follow a, and </s> both.
    # Three 1s and a 2 are too few for discounts: 0.5 is taken of each 1, and 1 of the 2.
    found = entries(estimate([["a", "b"], ["a", "b"], ["a", "c"]], order=2))
    freed = (0.5 + 0.5 + 0.5 + 1) / 5  # shared by <unk>, a, b, c and </s>
    unigrams = {"<unk>": freed / 5, "a": 0.1 + freed / 5, "c": 0.1 + freed / 5, "</s>": 0.2 + freed / 5}
    for word, prob in unigrams.items():
        assert found[(word,)].log_prob == pytest.approx(math.log10(prob))
    # Of bigrams two occur once, two twice, "<s> a" three times: Y = 2 / (2 + 2 * 2) = 1/3, D1 = 1 - 2 Y 2/2 = 1/3,
    # D2 = 2 - 3 Y 1/2 = 3/2, D3 = 3 - 4 Y 0/1 = 3. After a: b twice and c once, of which 3/2 and 1/3 are taken.
    freed = (3 / 2 + 1 / 3) / 3
    assert found[("a",)].log_backoff == pytest.approx(math.log10(freed))
    assert found[("a", "b")].log_prob == pytest.approx(math.log10(1 / 2 / 3 + freed * unigrams["a"]))  # b is as a
    assert found[("a", "c")].log_prob == pytest.approx(math.log10(2 / 3 / 3 + freed * unigrams["c"]))
    assert found[("<s>", "a")].log_prob == pytest.approx(math.log10(unigrams["a"]))  # all is taken
    assert found[("<s>",)].log_backoff == pytest.approx(0.0)
    assert found[("<s>",)].log_prob == NEVER
    assert set(found) >= {("b", "</s>"), ("c", "</s>")}
    assert len(found) == 6 + 5


@settings(deadline=None)
@given(sentences, st.integers(1, 4))
def test_the_formulas_one_by_one_give_the_same(sentences: Sentences, order: int) -> None:
    formulas = Formulas(sentences, order)
    found = entries(estimate(sentences, order))
    assert set(found) == {*formulas.raw, ("<s>",), ("<unk>",)}
    for ngram, (log_prob, _) in found.items():
        if ngram != ("<s>",):
            prob = formulas.prob(ngram[:-1], ngram[-1])
            assert 10**log_prob == pytest.approx(float(prob), rel=1e-9, abs=1e-80)


def test_the_formulas_agree_where_discounts_are_estimated() -> None:
    model = estimate(LETTERS, 3)
    formulas = Formulas(LETTERS, 3)
    assert [discounts.estimated for discounts in model.discounts] == [False, True, True]
    for n, discounts in enumerate(model.discounts, start=1):
        assert discounts.amounts == pytest.approx([float(amount) for amount in formulas.discounts[n]])
    for ngram, (log_prob, _) in list(entries(model).items())[::7]:
        if ngram != ("<s>",):
            assert 10**log_prob == pytest.approx(float(formulas.prob(ngram[:-1], ngram[-1])))


@pytest.mark.parametrize(("name", "order", "prune"), [("3", 3, ()), ("4-pruned", 4, (0, 1, 2))])
def test_lmplz_has_made_the_same(name: str, order: int, prune: Sequence[int]) -> None:
    # Written by KenLM's `lmplz --discount_fallback -o 3`, and `-o 4 --prune 0 1 2`, from LETTERS.
    theirs = read_arpa(Path(__file__).parent / f"lmplz-letters-{name}.arpa")
    ours = entries(estimate(LETTERS, order, prune))
    assert ours.keys() == theirs.keys()
    assert ours.pop(("<s>",)).log_backoff == pytest.approx(theirs.pop(("<s>",)).log_backoff, abs=2e-6)
    for ngram, entry in theirs.items():
        assert ours[ngram] == pytest.approx(entry, abs=2e-6), ngram


@settings(deadline=None)
@given(sentences, st.integers(1, 4), st.lists(st.sampled_from(["a", "b", "e", "z", "<unk>"]), max_size=4), st.data())
def test_probabilities_sum_to_one_after_every_history(
    sentences: Sentences, order: int, words: list[str], data: st.DataObject
) -> None:
    prune = data.draw(st.sampled_from([(), (0, 1), (0, 0, 1), (0, 1, 2, 9)]).filter(lambda p: len(p) <= order))
    model = estimate(sentences, order, prune)
    found = entries(model)
    seen = [ngram for ngram in found if ngram[-1] != "</s>" and len(ngram) < order]
    for history in [(), tuple(words)[: order - 1], ("<s>", *words)[: order - 1], *seen]:
        total = sum(prob_after(found, history, word) for word in model.words)
        assert total == pytest.approx(1.0, abs=1e-9), history


def test_sentences_in_any_order_give_the_same() -> None:
    one, other = entries(estimate(LETTERS, 3)), entries(estimate(LETTERS[::-1], 3))
    assert one.keys() == other.keys()
    for ngram, entry in one.items():
        assert entry == pytest.approx(other[ngram])


def test_unknown_words_of_the_text_are_counted() -> None:
    found = entries(estimate([["a", "<unk>"], ["b", "<unk>"]], 2))
    assert found[("<unk>",)].log_prob > found[("a",)].log_prob
    assert ("a", "<unk>") in found


def test_no_sentence_is_long_enough() -> None:
    model = estimate([["a"], ["b"], []], order=7)
    assert [len(order.words) for order in model.orders] == [5, 5, 2]
    assert len(model.discounts) == 3


def test_too_little_text_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        model = estimate([["a", "b"]], order=2)
    assert caplog.text.count("0.5, 1 and 1.5 are taken") == 2
    assert [discounts.amounts for discounts in model.discounts] == [(0.5, 1.0, 1.5)] * 2
    caplog.clear()
    assert estimate(LETTERS, 2).discounts[1].estimated
    assert "1-grams" in caplog.text
    assert "2-grams" not in caplog.text


@pytest.mark.parametrize("sentence", [["a", "<s>"], ["</s>"], ["a", "</s>", "<s>", "b"]])
def test_marks_of_sentences_within_them_are_refused(sentence: list[str]) -> None:
    with pytest.raises(UserError, match="holds the word <s> or </s>"):
        estimate([["a"], sentence], 2)


def test_no_text_is_refused() -> None:
    with pytest.raises(UserError, match="there is no text"):
        estimate([], 2)


@pytest.mark.parametrize("order", [0, -1, 11])
def test_orders_are_bounded(order: int) -> None:
    with pytest.raises(UserError, match=rf"order={order} is not between 1 and 10"):
        estimate([["a"]], order)


@pytest.mark.parametrize("prune", [(1,), (0, 2, 1), (0, 0, 0, 1)])
def test_prune_is_checked(prune: Sequence[int]) -> None:
    with pytest.raises(UserError, match=f"prune={','.join(map(str, prune))} is not at most 3 counts"):
        estimate([["a"]], 3, prune)
