"""A corpus in shards: the same examples and tensors as of its files, from a folder or from afar."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from shard_server import SETTINGS, Server, serve, write_recordings, write_sharded

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import Parts
from seqrec.corpora.prepare import PreparedCorpus
from seqrec.corpora.shards import store
from seqrec.corpora.shards.fetch import fetch_index
from seqrec.data.datamodule import SequenceDataModule
from seqrec.data.dataset import ManifestDataset
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.errors import UserError
from seqrec.ink.reader import InkReader
from seqrec.manifest import Manifest, Row, write_manifest
from seqrec.recognizer import Recognizer
from seqrec.speech.audio import AudioReader
from seqrec.speech.logmel import LogMel
from seqrec.text.tokens import CharacterTokenizer

TOKENIZER = CharacterTokenizer("ab")


@pytest.fixture
def corpus(tmp_path: Path) -> PreparedCorpus:
    return write_recordings(tmp_path / "prepared")


@pytest.fixture
def server(corpus: PreparedCorpus, tmp_path: Path) -> Iterator[Server]:
    """The corpus in shards, served; its index, fetched, lies in `tmp_path`/data."""
    write_sharded(corpus, tmp_path / "shards")
    with serve(tmp_path / "shards") as server:
        yield server


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_WAITS_SECONDS", (0.01, 0.01))


def folder_of(corpus: PreparedCorpus, address: object) -> Path:
    """The index of the shards at `address`."""
    return fetch_index({**SETTINGS, "shards": str(address), "data_dir": str(corpus.folder.parent / "data")}).folder


def module_of(folder: Path, rank: int = 0, num_ranks: int = 1, **options: Any) -> SequenceDataModule:
    recognizer = Recognizer(LogMel(8000, 20), LSTMEncoder(20, hidden_size=4, num_layers=1), num_tokens=3)
    parts = Parts({}, AudioReader(8000), recognizer, TOKENIZER)

    class OneRank(SequenceDataModule):
        _rank, _num_ranks = rank, num_ranks

    data = OneRank(folder, parts, "error", seed=0, augmentation=AugmentationChain(), max_frames=60, **options)
    data.setup()
    return data


def signals(folder: Path, split: str) -> dict[str, torch.Tensor]:
    dataset = ManifestDataset(folder / f"manifest-{split}.jsonl", AudioReader(8000), TOKENIZER)
    examples = [dataset[index] for index in range(len(dataset))]
    return {example.id: torch.cat([example.signal[:, 0], example.targets]) for example in examples}


@pytest.mark.parametrize("split", ["train", "dev"])
@pytest.mark.parametrize("where", ["folder", "http", "memory"])
def test_examples_are_those_of_the_files(where: str, split: str, corpus: PreparedCorpus, server: Server) -> None:
    address = {"folder": corpus.folder.parent / "shards", "http": server.address, "memory": "memory://here/shards"}
    if where == "memory":
        import fsspec

        fsspec.filesystem("memory").store.clear()
        write_sharded(corpus, address[where])
    expected = signals(corpus.folder, split)
    found = signals(folder_of(corpus, address[where]), split)
    assert sorted(found) == sorted(expected)
    assert all(torch.equal(found[id], expected[id]) for id in expected)


def test_shards_are_a_mix_the_same_for_a_seed(corpus: PreparedCorpus, tmp_path: Path) -> None:
    write_sharded(corpus, tmp_path / "a")
    write_sharded(corpus, tmp_path / "b")
    write_sharded(corpus, tmp_path / "c", seed=1)
    contents = [{path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())} for name in "abc"]
    assert contents[0] == contents[1]
    assert contents[0]["train-000000.tar"] != contents[2]["train-000000.tar"]
    first = [
        int(row.id[6:]) for row in Manifest(tmp_path / "a/manifest-train.jsonl") if "000000" in row.fields["shard"]
    ]
    assert max(first) - min(first) > 10


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
@pytest.mark.parametrize("ranges", [True, False])
def test_two_ranks_of_two_workers_get_every_example_once(ranges: bool, corpus: PreparedCorpus, server: Server) -> None:
    server.ranges = ranges
    folder = folder_of(corpus, server.address)
    ranks = [module_of(folder, rank, 2, num_workers=2, cache_shards=4) for rank in (0, 1)]
    numbers = []
    for data in ranks:
        loader = data.train_dataloader()
        assert loader.num_workers == 2
        batches = [batch.ids for batch in loader]
        assert len(batches) == len(loader)
        numbers.append(batches)
    assert len(numbers[0]) == len(numbers[1])
    assert sorted(id for batches in numbers for ids in batches for id in ids) == sorted(signals(corpus.folder, "train"))
    dev = [id for data in ranks for batch in data.val_dataloader() for id in batch.ids]
    assert sorted(dev) == sorted(signals(corpus.folder, "dev"))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers_share_downloads(corpus: PreparedCorpus, server: Server) -> None:
    data = module_of(folder_of(corpus, server.address), num_workers=2, cache_shards=100)
    for _ in range(2):
        list(data.train_dataloader())
    names = {path.name for path in (corpus.folder.parent / "shards").glob("train-*.tar")}
    assert len(names) > 5
    assert {name: server.requests[name] for name in names} == dict.fromkeys(names, 1)


@pytest.mark.parametrize("done", [0, 3, 11])
def test_a_resumed_epoch_leaves_out_what_is_done(done: int, corpus: PreparedCorpus, server: Server) -> None:
    whole = [batch.ids for batch in module_of(folder_of(corpus, server.address)).train_dataloader()]
    data = module_of(corpus.folder.parent / "shards")  # from another place, too
    data.resume(0, done)
    assert [batch.ids for batch in data.train_dataloader()] == whole[done:]
    data.resume(1, done)  # another epoch
    assert [batch.ids for batch in data.train_dataloader()] == whole


def test_statistics_are_taken_of_all_examples_where_there_are_few(corpus: PreparedCorpus, server: Server) -> None:
    data = module_of(folder_of(corpus, server.address))
    assert sorted(example.id for example in data.train_examples()) == sorted(signals(corpus.folder, "train"))


def test_too_small_a_cache_is_refused(corpus: PreparedCorpus, server: Server) -> None:
    with pytest.raises(UserError, match=r"data\.cache_shards=1: must be at least 2"):
        module_of(folder_of(corpus, server.address), cache_shards=1)


def test_a_dataset_can_be_sent_to_a_process(corpus: PreparedCorpus, server: Server) -> None:
    dataset = ManifestDataset(folder_of(corpus, server.address) / "manifest-dev.jsonl", AudioReader(8000), TOKENIZER)
    copy = pickle.loads(pickle.dumps(dataset))
    assert torch.equal(copy[3].signal, dataset[3].signal)


@pytest.mark.parametrize(
    "fields",
    [{"shard": "../../etc/passwd"}, {"shard": "dev-000000.tar"}, {"offset": 10**9}, {"offset": -1}, {"size": "1"}],
)
def test_a_place_outside_the_shards_is_refused(fields: dict[str, Any], corpus: PreparedCorpus, server: Server) -> None:
    path = corpus.folder.parent / "shards/manifest-train.jsonl"
    rows = list(Manifest(path))
    write_manifest(path, [Row(rows[0].id, rows[0].text, {**rows[0].fields, **fields}), *rows[1:]])
    with pytest.raises(UserError, match=rf"^example `{rows[0].id}`: .* is no place in a shard of its split; write the"):
        signals(path.parent, "train")


def test_a_damaged_source_is_named_with_its_shard(corpus: PreparedCorpus, server: Server) -> None:
    row = Manifest(corpus.folder.parent / "shards/manifest-dev.jsonl")[2]
    path = corpus.folder.parent / "shards" / row.fields["shard"]
    data = bytearray(path.read_bytes())
    data[row.fields["offset"] : row.fields["offset"] + 4] = b"\0\0\0\0"
    path.write_bytes(data)
    with pytest.raises(
        UserError, match=rf"^example `{row.id}`: 000000002\.wav: cannot be dec.* lies in .*dev-000000\.tar"
    ):
        signals(path.parent, "dev")


def test_inline_ink_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "prepared"
    prepared = write_recordings(folder, 2, 2)
    ink = [{"strokes": [[[0.1, 1 / 3, 0.0], [2.5, 3, 0.01 * i]], [[7, 8, 1.25]]], "height": 20.5} for i in range(9)]
    (folder / "ink.json").write_text('{"strokes": [[[1, 2], [3, 4]]]}')
    rows = [Row(f"w{i}", "ab", {"ink": one, "writer": "eve"}) for i, one in enumerate(ink)]
    write_manifest(folder / "manifest-train.jsonl", [*rows, Row("file", "a", {"ink": "ink.json", "num_points": 2})])
    write_sharded(prepared, tmp_path / "shards")
    expected = ManifestDataset(folder / "manifest-train.jsonl", InkReader(), TOKENIZER)
    found = ManifestDataset(tmp_path / "shards/manifest-train.jsonl", InkReader(), TOKENIZER)
    signal_of = {expected[i].id: expected[i].signal for i in range(10)}
    assert sorted(found[i].id for i in range(10)) == sorted(signal_of)
    for example in (found[i] for i in range(10)):
        torch.testing.assert_close(example.signal, signal_of[example.id], rtol=0, atol=0, equal_nan=True)
    assert all(row.person == "eve" for row in found.manifest if row.id != "file")


@pytest.mark.parametrize("shards", [[], [{"num_examples": 1}]])
def test_a_list_of_shards_that_does_not_fit_its_manifest_is_refused(
    shards: list[dict[str, Any]], corpus: PreparedCorpus, tmp_path: Path
) -> None:
    write_sharded(corpus, tmp_path / "shards")
    path = tmp_path / "shards/shards.json"
    document = json.loads(path.read_text())
    document["train"] = [{**document["train"][0], **changed} for changed in shards]
    path.write_text(json.dumps(document))
    with pytest.raises(UserError, match=rf"has 40 rows, .*shards\.json promises {len(shards)}; write the shards again"):
        ManifestDataset(path.with_name("manifest-train.jsonl"), AudioReader(8000), CharacterTokenizer(["a", "b"]))
