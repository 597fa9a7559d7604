"""Tuning on dev: the search finds what a grid finds, takes the smallest beam, and says when a model does not help."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from seqrec.ctc.beam import BeamDecoder
from seqrec.ctc.beam_lm import LanguageModelBeamDecoder
from seqrec.ctc.greedy import GreedyDecoder
from seqrec.errors import UserError
from seqrec.metrics.rates import ErrorRates
from seqrec.sequence import Emissions
from seqrec.text.tokens import CharacterTokenizer
from seqrec.tuning import DevEmissions, Tuning, as_many_as_fit, tune

TOKENIZER = CharacterTokenizer(symbols=["a", "b"])
RANGES = {"alpha": (0.0, 2.0), "beta": (-2.0, 2.0)}
ARPA = """\\data\\
ngram 1=5
ngram 2=4

\\1-grams:
-1.0 <unk>
-99 <s> 0
-0.6 </s> 0
-0.6 a 0
-0.6 b 0

\\2-grams:
-0.05 <s> a
-0.05 a b
-0.05 b a
-0.3 b </s>

\\end\\
"""  # a and b take turns


def noisy(texts: list[str], noise: float, seed: int) -> DevEmissions:
    """Log-probs of `texts`, a blank after each letter, so noisy that greedy decoding errs now and then."""
    random = np.random.default_rng(seed)
    size = 2 * max(map(len, texts))
    logits = noise * random.standard_normal((len(texts), size, 3))
    for row, text in zip(logits, texts, strict=True):
        for frame in range(size):
            letter = text[frame // 2] if frame // 2 < len(text) and frame % 2 == 0 else ""
            row[frame, " ab".index(letter) if letter else 0] += 3
    log_probs = torch.from_numpy(logits).log_softmax(-1).float()
    lengths = torch.tensor([2 * len(text) for text in texts])
    ids = [str(number) for number in range(len(texts))]
    return DevEmissions([Emissions(log_probs, lengths)], ids, texts, None)


def decoder(folder: Path, **options: float) -> LanguageModelBeamDecoder:
    path = folder / "turns.arpa"
    path.write_text(ARPA, encoding="utf-8")
    return LanguageModelBeamDecoder(lm=str(path), unit="char", **options)


def tuned(dev: DevEmissions, folder: Path, trials: int = 25, seed: int = 0) -> Tuning:
    return tune(dev, TOKENIZER, decoder(folder), GreedyDecoder(), "cer", RANGES, (2, 8, 32), trials, seed)


@pytest.fixture(scope="module")
def helpful(tmp_path_factory: pytest.TempPathFactory) -> tuple[DevEmissions, Tuning, Path]:
    folder = tmp_path_factory.mktemp("lm")
    dev = noisy(["ab" * (3 + number % 3) for number in range(40)], 2.0, 1)
    return dev, tuned(dev, folder), folder


def cer(dev: DevEmissions, one: LanguageModelBeamDecoder) -> float:
    one.spell_with(TOKENIZER)
    texts = [TOKENIZER.decode(candidates[0].tokens) for candidates in one.decode(dev.batches[0])]
    return ErrorRates.of(dev.references, texts).cer


def test_a_model_of_the_text_helps(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    _, found, _ = helpful
    assert found.rate < 0.8 * found.greedy
    assert found.rate < found.without_lm
    assert found.helps
    assert found.options["alpha"] > 0
    assert len(found.trials) == 25


def test_nearly_as_good_as_a_grid(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    dev, found, folder = helpful
    grid = product(np.linspace(0, 2, 5), np.linspace(-2, 2, 5))
    best = min(cer(dev, decoder(folder, alpha=alpha, beta=beta)) for alpha, beta in grid)
    assert found.rate <= best + 0.01


def test_rates_are_those_of_the_decoders(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    dev, found, folder = helpful
    assert found.rate == pytest.approx(cer(dev, decoder(folder, **found.options)))
    assert found.without_lm == pytest.approx(cer(dev, decoder(folder, alpha=0.0, beta=0.0)))


def test_the_smallest_beam_that_keeps_the_rate(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    _, found, _ = helpful
    least = min(trial.rate for trial in found.beams)
    smaller = [trial for trial in found.beams if trial.options["beam_size"] < found.options["beam_size"]]
    assert found.rate <= 1.005 * least
    assert all(trial.rate > 1.005 * least for trial in smaller)


def test_the_same_seed_finds_the_same(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    dev, found, folder = helpful
    again = tuned(dev, folder)
    assert again.options == found.options
    assert [trial.options for trial in again.trials] == [trial.options for trial in found.trials]


def test_a_model_that_does_not_help_is_said_so(tmp_path: Path) -> None:
    texts = ["aabb", "abba", "bbaa", "baab"] * 15  # nothing of taking turns
    found = tuned(noisy(texts, 0.5, 2), tmp_path, trials=6)
    assert not found.helps
    assert math.isclose(found.rate, found.greedy, abs_tol=0.02)


def test_the_decoder_is_left_as_it_was(helpful: tuple[DevEmissions, Tuning, Path]) -> None:
    dev, _, folder = helpful
    one = decoder(folder, alpha=0.3, beta=0.1, unk_score=-4.0, beam_size=7)
    tune(dev, TOKENIZER, one, GreedyDecoder(), "cer", RANGES, (2,), 2)
    assert (one.alpha, one.beta, one.unk_score, one.beam_size) == (0.3, 0.1, -4.0, 7)


def test_without_a_model_no_word_is_fined(tmp_path: Path) -> None:
    """A model that knows `a` alone fines every `b` by `unk_score`; what decoding without it gives must not."""
    dev = noisy(["ab", "ba", "bb"] * 5, 0.5, 3)
    path = tmp_path / "a.arpa"
    path.write_text("\\data\\\nngram 1=3\n\n\\1-grams:\n-99 <s>\n-0.3 </s>\n-0.3 a\n\n\\end\\\n", encoding="utf-8")
    one = LanguageModelBeamDecoder(lm=str(path), unit="char", unk_score=-50.0)
    found = tune(dev, TOKENIZER, one, GreedyDecoder(), "cer", RANGES, (8,), 4)
    plain = BeamDecoder(beam_size=64, beam_threshold=20.0)
    texts = [TOKENIZER.decode(candidates[0].tokens) for candidates in plain.decode(dev.batches[0])]
    assert found.without_lm == pytest.approx(ErrorRates.of(dev.references, texts).cer)
    assert found.options["alpha"] == found.options["unk_score"] == 0
    assert not found.helps


@pytest.mark.parametrize(("max_bytes", "expected"), [(10**9, 12), (12 * 10 * 4 * 4 - 1, 6), (1, 1)])
def test_what_is_kept_is_bounded(max_bytes: int, expected: int, caplog: pytest.LogCaptureFixture) -> None:
    indices = as_many_as_fit(np.full(12, 10, np.int32), 4, max_bytes, Path("dev.jsonl"))
    assert (12 if indices is None else len(indices)) == expected
    assert (f"tuning on {expected} of its 12 examples" in caplog.text) is (expected < 12)


def test_nothing_to_tune_on(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no example to tune on"):
        tuned(DevEmissions([], [], [], None), tmp_path)
