"""Words joined to lines: every example once an epoch, by writer, in batches planned for the lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data.ink_corpus import data_of, signals_of, word, words
from hypothesis import given
from hypothesis import strategies as st

from seqrec.augmentation.chain import AugmentationChain
from seqrec.data.joining import joinable_groups, plan_lines
from seqrec.errors import UserError
from seqrec.ink.augmentation.geometry import LinearMap
from seqrec.ink.joining import JoinInks

WRITER_OF = {row.id: row.fields["writer"] for row in words(100)}
TEXT_OF = {row.id: row.text for row in words(100)}


@given(st.data())
def test_a_plan_holds_every_example_once(data: st.DataObject) -> None:
    frames = np.array(data.draw(st.lists(st.integers(1, 50), min_size=1, max_size=40)), np.int32)
    indices = np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=len(frames), max_size=len(frames))))
    writers = np.array([data.draw(st.integers(0, 3)) for _ in indices])  # 3: stays alone
    joinable = [indices[writers == writer].astype(np.int32) for writer in range(3)]
    joining = JoinInks(max_words=data.draw(st.integers(2, 5)), probability=data.draw(st.floats(0, 1)))
    plan = plan_lines(joinable, indices, frames, 80, joining, np.random.default_rng(0))
    assert sorted(np.concatenate([*plan.lines, []]).tolist()) == indices.tolist()
    assert plan.frames.tolist() == [frames[line].sum() for line in plan.lines]
    for line in plan.lines:
        assert 1 <= len(line) <= joining.max_words
        assert len(line) == 1 or frames[line].sum() <= 80
        assert len(line) == 1 or any(set(line) <= set(group) for group in joinable)


def test_probability_and_lengths_of_lines() -> None:
    indices = np.arange(4000, dtype=np.int32)
    frames = np.ones(4000, np.int32)

    def lengths(probability: float) -> np.ndarray:
        joining = JoinInks(max_words=4, probability=probability)
        plan = plan_lines([indices], indices, frames, 1000, joining, np.random.default_rng(0))
        return np.bincount([len(line) for line in plan.lines], minlength=5)

    assert lengths(0.0).tolist() == [0, 4000, 0, 0, 0]
    always = lengths(1.0)
    assert always[1] <= 1  # what remained
    assert np.abs(always[2:] / always.sum() - 1 / 3).max() < 0.05
    half = lengths(0.5)
    assert half[1] / half.sum() == pytest.approx(0.5, abs=0.05)


def lines_of(batches: list[Any]) -> list[list[str]]:
    return [id.split("+") for batch in batches for id in batch.ids]


def test_an_epoch_of_lines(tmp_path: Path) -> None:
    lines_already = [word("line", "a b", 0, writer="ann"), word("nobody", "ab", 1)]
    data = data_of(tmp_path, [*words(40), *lines_already], {"join": JoinInks()}, max_frames=900)
    batches = data.batches()
    lines = lines_of(batches)
    assert sorted(id for line in lines for id in line) == sorted([*list(TEXT_OF)[:40], "line", "nobody"])
    assert {len(line) for line in lines} == {1, 2, 3, 4}
    assert ["line"] in lines
    assert ["nobody"] in lines
    for batch in batches:
        frames = data.parts.recognizer.frame_lengths(batch.signals, batch.signal_lengths)
        assert int(frames.max()) * len(batch) <= 900
        for id, text, target, length in zip(batch.ids, batch.texts, batch.targets, batch.target_lengths, strict=True):
            if "+" in id:
                assert len({WRITER_OF[each] for each in id.split("+")}) == 1
                assert text == " ".join(TEXT_OF[each] for each in id.split("+"))
            assert "".join(" ab"[token - 1] for token in target[:length]) == text


def test_epochs_and_seeds_differ_and_each_can_be_had_again(tmp_path: Path) -> None:
    parts = {"join": JoinInks(), "linear_map": LinearMap()}
    first, again, second, other = (
        signals_of(data_of(tmp_path, words(40), parts, epoch=epoch, seed=seed).batches())
        for epoch, seed in ((0, 0), (0, 0), (1, 0), (0, 1))
    )
    assert list(first) == list(again)
    assert all(np.array_equal(first[id], again[id], equal_nan=True) for id in first)
    assert first.keys() != second.keys()
    assert first.keys() != other.keys()


def test_one_data_module_plans_each_epoch_anew(tmp_path: Path) -> None:
    data = data_of(tmp_path, words(40), {"join": JoinInks()})
    found = []
    for epoch in (0, 1):
        data.trainer.current_epoch = epoch  # type: ignore[union-attr]
        found.append(lines_of(data.batches()))
        assert sorted(id for line in found[-1] for id in line) == sorted(list(TEXT_OF)[:40])
    assert found[0] != found[1]
    assert found[1] == lines_of(data_of(tmp_path, words(40), {"join": JoinInks()}, epoch=1).batches())


def test_a_resumed_epoch_goes_on_with_the_same_lines(tmp_path: Path) -> None:
    parts = {"join": JoinInks(), "linear_map": LinearMap()}
    data = data_of(tmp_path, words(60), parts, epoch=3, max_frames=400)
    whole = data.batches()
    assert len(whole) > 4
    resumed = data_of(tmp_path, words(60), parts, epoch=3, max_frames=400)
    resumed.resume(3, 2)
    rest = resumed.batches()
    assert [batch.ids for batch in rest] == [batch.ids for batch in whole[2:]]
    first, second = signals_of(rest), signals_of(whole[2:])
    assert all(np.array_equal(first[id], second[id], equal_nan=True) for id in first)


def test_ranks_get_equal_batches_of_different_lines(tmp_path: Path) -> None:
    shares = [
        data_of(tmp_path, words(50), {"join": JoinInks()}, rank=rank, ranks=3, max_frames=400).batches()
        for rank in range(3)
    ]
    assert len({len(batches) for batches in shares}) == 1
    assert sorted(id for batches in shares for line in lines_of(batches) for id in line) == sorted(list(TEXT_OF)[:50])


def test_dev_is_never_joined(tmp_path: Path) -> None:
    data = data_of(tmp_path, words(20), {"join": JoinInks(probability=1.0)})
    assert sorted(id for batch in data.val_dataloader() for id in batch.ids) == [f"d{i}" for i in range(7)]


def test_what_cannot_be_joined_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"augmentation\.join\.by=folk: no training row of one word has a `folk`"):
        data_of(tmp_path, words(9), {"join": JoinInks(by="folk")})
    with pytest.raises(UserError, match=r"augmentation\.join joins words by a space, which the alphabet .* lacks"):
        data_of(tmp_path, words(9), {"join": JoinInks()}, symbols="ab")
    with pytest.raises(UserError, match="`join` and `lines` both join examples; keep one"):
        AugmentationChain({"join": JoinInks(), "lines": JoinInks()})


def test_shards_are_refused(tmp_path: Path) -> None:
    dataset = data_of(tmp_path, words(9), {}).train_set
    dataset.shards = object()  # type: ignore[assignment]
    with pytest.raises(UserError, match=r"augmentation\.join joins examples from all over .* set shards=null"):
        joinable_groups(dataset, range(9), JoinInks(), "augmentation.join")
