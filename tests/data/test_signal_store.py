"""Signals kept beside a manifest: the very bits that parsing gives, and no trust in a store that does not fit."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrec.data import signal_store
from seqrec.data.dataset import ManifestDataset
from seqrec.data.signal_store import keep_signals, open_store, store_path
from seqrec.errors import UserError
from seqrec.formats.ink import Ink
from seqrec.ink.reader import InkReader
from seqrec.manifest import Manifest, Row, write_manifest
from seqrec.speech.audio import AudioReader
from seqrec.text.tokens import CharacterTokenizer

from .ink_corpus import words

TOKENIZER = CharacterTokenizer("ab ", unknown="drop")
NUMBERS = st.floats(-1e6, 1e6) | st.integers(-(10**9), 10**9)
POINTS = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.tuples(*[NUMBERS] * 2, *[NUMBERS | st.none()] * (width - 2)).map(list), min_size=1, max_size=5),
        min_size=1,
        max_size=4,
    )
)


def write(folder: Path, rows: list[Row]) -> Path:
    path = folder / "manifest-train.jsonl"
    write_manifest(path, rows)
    Manifest(path).write_index(TOKENIZER)
    return path


def dataset_of(path: Path, keep: bool = True) -> ManifestDataset:
    dataset = ManifestDataset(path, InkReader(), TOKENIZER)
    if keep:
        dataset.keep_signals()
    return dataset


def parsed(path: Path) -> list[bytes]:
    return [InkReader().read(row, path.parent).numpy().tobytes() for row in Manifest(path)]


def kept(path: Path) -> list[bytes]:
    rows, signals = dataset_of(path, keep=False).read_batch(range(len(Manifest(path))))
    assert all("ink" not in row.fields for row in rows)
    return [signal.numpy().tobytes() for signal in signals]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = write(tmp_path, words(9))
    dataset_of(path)
    return path


@settings(deadline=None)  # it writes files
@given(st.lists(POINTS, min_size=1, max_size=4), st.none() | st.just(1e9))
def test_signals_are_those_of_the_rows_bit_by_bit(inks: list[Any], height: float | None) -> None:
    rows = [Row(f"w{i}", "ab", {"ink": {"strokes": strokes, "height": height}}) for i, strokes in enumerate(inks)]
    with TemporaryDirectory() as folder:
        path = write(Path(folder), rows)
        dataset_of(path)
        expected = [Ink.from_strokes(strokes, height).to_signal().tobytes() for strokes in inks]
        assert kept(path) == parsed(path) == expected


def test_rows_are_the_manifests_without_their_sources(path: Path) -> None:
    rows, signals = dataset_of(path, keep=False).read_batch([3, 0, 8])
    assert [row.id for row in rows] == ["w3", "w0", "w8"]
    whole = Manifest(path)[3]
    assert rows[0] == Row(whole.id, whole.text, {key: whole.fields[key] for key in ("num_points", "writer")})
    signals[0][:] = math.nan  # its own memory
    assert dataset_of(path)[3].signal.isfinite()[:, 0].all()


def test_examples_are_the_same_with_and_without(tmp_path: Path) -> None:
    path = write(tmp_path, words(9))
    before = [dataset_of(path, keep=False)[index] for index in range(9)]
    after = dataset_of(path)
    for index, one in enumerate(before):
        other = after[index]
        assert (one.id, one.text, one.targets.tolist()) == (other.id, other.text, other.targets.tolist())
        assert one.signal.numpy().tobytes() == other.signal.numpy().tobytes()
        assert one.signal.shape == other.signal.shape
        assert index in after._store  # type: ignore[operator]


def no_parsing(*_: Any) -> Any:
    raise AssertionError("an ink was parsed")


def test_what_is_kept_is_not_parsed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parsed(path)
    monkeypatch.setattr(InkReader, "read", no_parsing)
    assert kept(path) == expected
    worker = pickle.loads(pickle.dumps(dataset_of(path)))
    assert [worker[index].signal.numpy().tobytes() for index in range(9)] == expected


def cut(data: bytes) -> bytes:
    return data[:-5]


def flip_point(data: bytes) -> bytes:
    return data[:5000] + bytes([data[5000] ^ 1]) + data[5001:]


def flip_header(data: bytes) -> bytes:
    return data.replace(b'"points": ', b'"points":1', 1)


def older(data: bytes) -> bytes:
    return data.replace(b'"version": "', b'"version": "0', 1).replace(b"  \n", b" \n", 1)


DAMAGES = [cut, flip_point, flip_header, older, lambda data: b"", lambda data: b"[" * 4096 + data, lambda data: b"1"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_written_again(path: Path, damage: Callable[[bytes], bytes]) -> None:
    whole = store_path(path).read_bytes()
    store_path(path).write_bytes(damage(whole))
    assert store_path(path).read_bytes() != whole
    assert open_store(path, InkReader()) is None
    dataset_of(path)
    assert store_path(path).read_bytes() == whole
    assert kept(path) == parsed(path)


def test_a_store_of_another_manifest_is_not_used(path: Path) -> None:
    rows = words(9)
    rows[4] = words(5, "x")[3]
    changed = store_path(path).read_bytes()
    write(path.parent, rows)
    assert open_store(path, InkReader()) is None
    dataset_of(path)
    assert store_path(path).read_bytes() != changed
    assert kept(path) == parsed(path)


def test_a_manifest_changed_by_hand_has_none(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"10.0", b"11.0", 1))  # its index fits no more
    dataset = dataset_of(path)
    assert dataset._store is None
    assert [dataset[index].signal.numpy().tobytes() for index in range(9)] == parsed(path)


def test_a_reader_of_other_settings_has_another_store(path: Path) -> None:
    reader = InkReader()
    reader.scale = 2  # type: ignore[attr-defined]
    assert open_store(path, reader) is None


def test_files_and_recordings_are_left_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"strokes": [[[1, 2], [3, 4]]]}))
    audio = Row("u1", "ab", {"audio": "none.wav", "num_samples": 99, "sample_rate": 8000})
    for reader, row in ((InkReader(), Row("w1", "a", {"ink": "a.json", "num_points": 2})), (AudioReader(8000), audio)):
        path = write(tmp_path, [row])
        assert keep_signals(Manifest(path), reader) is None
        assert not store_path(path).exists()


def test_a_file_among_inline_inks_is_read_each_time(tmp_path: Path) -> None:
    ink = {"strokes": [[[1, 2], [3, 4]]]}
    (tmp_path / "a.json").write_text(json.dumps(ink))
    path = write(tmp_path, [Row("w1", "a", {"ink": ink}), Row("w2", "a", {"ink": "a.json", "num_points": 2})])
    dataset = dataset_of(path)
    (tmp_path / "a.json").write_text(json.dumps({"strokes": [[[1, 2], [7, 9]]]}))
    assert dataset[0].signal[1, 0] == 2
    assert dataset[1].signal[1, 0] == 6
    assert [signal[1, 0] for signal in dataset.read_batch([0, 1])[1]] == [2, 6]


@pytest.mark.parametrize(
    ("ink", "num_points", "words"),
    [
        ({"strokes": [[[1, None]]]}, 1, "example `bad`: stroke 1, point 1: y is None"),
        ({"strokes": [[[1, 2]]]}, 7, "example `bad`: its source holds 1 samples or points, its row promises 7"),
        (17, 1, "example `bad`: `ink` is 17"),
    ],
)
def test_a_row_at_fault_is_told_when_it_is_read(tmp_path: Path, ink: Any, num_points: int, words: str) -> None:
    good = Row("good", "a", {"ink": {"strokes": [[[1, 2]]]}})
    dataset = dataset_of(write(tmp_path, [good, Row("bad", "a", {"ink": ink, "num_points": num_points}), good]))
    assert len(dataset[0].signal) == len(dataset[2].signal) == 1
    with pytest.raises(UserError) as caught:
        dataset[1]
    assert str(caught.value).startswith(words)


def test_where_nothing_can_be_written_rows_are_parsed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, words(9))
    store_path(path).mkdir()
    dataset = dataset_of(path)
    assert dataset._store is None
    assert [signal.numpy().tobytes() for signal in dataset.read_batch(range(9))[1]] == parsed(path)
    (message,) = caplog.messages
    assert message.startswith(f"{store_path(path)}: signals cannot be kept (")
    assert not list(tmp_path.glob(".*.partial"))


def test_an_interrupted_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, words(9))

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(signal_store, "_read", interrupt)
        with pytest.raises(KeyboardInterrupt):
            dataset_of(path)
    assert not store_path(path).exists()
    assert not list(tmp_path.glob(".*.partial"))
    dataset_of(path)
    assert kept(path) == parsed(path)
