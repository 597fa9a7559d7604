"""Connected digits, from a small archive in the publisher's layout and from the real one."""

from __future__ import annotations

import io
import os
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from seqrec.corpora.speech.fsdd import FSDD
from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.manifest import Row

ARCHIVE = Path(__file__).parents[4] / "shared/data/free-spoken-digit-dataset.zip"
SPEAKERS = ("ann", "bob", "eve")
SMALL = {"checksum": None, "num_train": 12, "num_dev": 6, "num_test": 9}


def recording(digit: int, speaker: str, index: int) -> np.ndarray:
    """Return samples that tell the recording: never zero, and with a length of its own."""
    length = 40 + 10 * digit + index
    return np.full(length, 1000 * (1 + SPEAKERS.index(speaker)) + 50 * digit + index, np.int16)


def wav(samples: np.ndarray, sample_rate: int = 8000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def wavs(top: str = "free-spoken-digit-dataset-master/") -> dict[str, bytes]:
    return {
        f"{top}recordings/{digit}_{speaker}_{index}.wav": wav(recording(digit, speaker, index))
        for digit in range(10)
        for speaker in SPEAKERS
        for index in range(12)
    }


def pack(path: Path, files: dict[str, bytes]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def rows(folder: Path, archive: str, **settings: Any) -> dict[str, list[Row]]:
    corpus = FSDD(archive, **{**SMALL, **settings})
    return {split: list(part) for split, part in corpus.splits(folder, folder / "downloads").items()}


def indexes(part: list[Row]) -> set[int]:
    return {int(name.rpartition("_")[2]) for row in part for name in row.fields["recordings"]}


def speakers(part: list[Row]) -> set[str | None]:
    return {row.person for row in part}


@pytest.fixture
def small(tmp_path: Path) -> str:
    return pack(tmp_path / "small.zip", {"free-spoken-digit-dataset-master/README.md": b"", **wavs()})


@pytest.mark.parametrize("inner", ["", "free-spoken-digit-dataset-master"])
def test_the_unpacked_folder_gives_the_same_rows(tmp_path: Path, small: str, inner: str) -> None:
    with zipfile.ZipFile(small) as archive:
        archive.extractall(tmp_path / "unpacked")
    corpus = FSDD(root=str(tmp_path / "unpacked" / inner), **SMALL)
    unpacked = {split: list(part) for split, part in corpus.splits(tmp_path, tmp_path / "downloads").items()}
    assert unpacked == rows(tmp_path, small)


def test_the_publishers_split_holds(tmp_path: Path, small: str) -> None:
    splits = rows(tmp_path, small, num_train=60, num_dev=60, num_test=60)
    assert {split: indexes(part) for split, part in splits.items()} == {
        "train": {10, 11},
        "dev": {5, 6, 7, 8, 9},
        "test": {0, 1, 2, 3, 4},
    }
    assert all(Counter(row.person for row in part) == dict.fromkeys(SPEAKERS, 20) for part in splits.values())


def test_another_fold_of_the_training_recordings_for_dev(tmp_path: Path, small: str) -> None:
    splits = rows(tmp_path, small, first_dev=7, num_train=60, num_dev=60, num_test=60)
    assert {split: indexes(part) for split, part in splits.items()} == {
        "train": {5, 6},
        "dev": {7, 8, 9, 10, 11},
        "test": {0, 1, 2, 3, 4},
    }
    with pytest.raises(UserError, match=r"no recordings for dev; lower corpus\.first_dev=12"):
        rows(tmp_path, small, first_dev=12)


def test_a_row_says_what_its_wav_holds(tmp_path: Path, small: str) -> None:
    splits = rows(tmp_path, small, max_pause_ms=5)
    ids = [row.id for part in splits.values() for row in part]
    assert len(ids) == len(set(ids)) == 27
    for split, row in ((split, row) for split, part in splits.items() for row in part):
        names = [name.split("_") for name in row.fields["recordings"]]
        assert row.fields["audio"] == f"audio/{split}/{row.id}.wav"
        assert row.text == " ".join(digit for digit, _, _ in names)
        assert 3 <= len(names) <= 7
        assert {speaker for _, speaker, _ in names} == {row.person}
        samples, sample_rate = soundfile.read(tmp_path / row.fields["audio"], dtype="int16")
        spoken = np.concatenate([recording(int(digit), speaker, int(index)) for digit, speaker, index in names])
        assert np.array_equal(samples[samples != 0], spoken)
        assert 0 <= len(samples) - len(spoken) <= 40 * (len(names) - 1)  # 5 ms are 40 samples
        assert (
            (row.fields["sample_rate"], row.fields["num_samples"])
            == (sample_rate, len(samples))
            == (8000, len(samples))
        )
        assert row.fields["duration"] == len(samples) / 8000


def test_pauses_are_as_long_as_asked(tmp_path: Path, small: str) -> None:
    pauses = set()
    for row in rows(tmp_path, small, num_train=200, min_digits=2, max_digits=2, max_pause_ms=2)["train"]:
        samples, _ = soundfile.read(tmp_path / row.fields["audio"], dtype="int16")
        assert samples[[0, -1]].all()
        pauses.add(int((samples == 0).sum()))
    assert pauses == set(range(17))  # 0 to 2 ms


def test_the_wavs_are_pcm_16(tmp_path: Path, small: str) -> None:
    info = soundfile.info(tmp_path / rows(tmp_path, small)["dev"][0].fields["audio"])
    assert (info.format, info.subtype, info.channels) == ("WAV", "PCM_16", 1)


def test_recordings_are_heard_equally_often(tmp_path: Path, small: str) -> None:
    counts = Counter(name for row in rows(tmp_path, small, num_test=90)["test"] for name in row.fields["recordings"])
    assert len(counts) == 150
    for speaker in SPEAKERS:
        of_speaker = [count for name, count in counts.items() if f"_{speaker}_" in name]
        assert max(of_speaker) - min(of_speaker) <= 1


def test_the_same_bytes_whatever_the_order_in_the_archive(tmp_path: Path, small: str) -> None:
    files = list(wavs("another-name/").items())
    random.Random(1).shuffle(files)
    shuffled = pack(tmp_path / "shuffled.zip", dict(files))
    first, second = rows(tmp_path / "1", small), rows(tmp_path / "2", shuffled)
    assert first == second
    for row in (row for part in first.values() for row in part):
        audio = row.fields["audio"]
        assert (tmp_path / "1" / audio).read_bytes() == (tmp_path / "2" / audio).read_bytes()
    assert rows(tmp_path / "3", small, seed=1)["train"] != first["train"]


def test_the_rows_that_were_made_by_seed_0_stay(tmp_path: Path, small: str) -> None:
    part = rows(tmp_path, small)["test"][:2]
    assert [row.text for row in part] == ["6 5 5 6 8", "5 7 4 7 8"]


def test_leaving_a_speaker_out(tmp_path: Path, small: str) -> None:
    splits = rows(tmp_path, small, speaker="bob", num_train=60, num_dev=60, num_test=60)
    assert {split: speakers(part) for split, part in splits.items()} == {
        "train": {"ann", "eve"},
        "dev": {"ann", "eve"},
        "test": {"bob"},
    }
    assert {split: indexes(part) for split, part in splits.items()} == {
        "train": set(range(5, 12)),
        "dev": set(range(5)),
        "test": set(range(12)),
    }


def test_shared_speakers_are_told() -> None:
    assert "shares its six speakers" in FSDD().shared_people
    assert "test speaker, theo, is in neither" in FSDD(speaker="theo").shared_people


def test_an_unknown_speaker(tmp_path: Path, small: str) -> None:
    with pytest.raises(UserError, match=r"corpus\.speaker=bop is no speaker of fsdd; did you mean `bob`"):
        rows(tmp_path, small, speaker="bop")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"min_digits": 0}, "min_digits=0"),
        ({"min_digits": 5, "max_digits": 4}, "max_digits=4"),
        ({"max_pause_ms": -1}, "max_pause_ms=-1"),
        ({"num_dev": 0}, "num_dev=0 leaves dev empty"),
        ({"first_dev": 4}, "first_dev=4 is before"),
    ],
)
def test_settings_that_make_no_corpus(settings: dict[str, int], match: str) -> None:
    with pytest.raises(UserError, match=match):
        FSDD(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("3_bob_4.wav", wav(recording(3, "bob", 4), 16_000), "3_bob_4.wav: 74 samples of 1 channels at 16000 Hz"),
        ("3_bob_4.wav", wav(np.ones((9, 2), np.int16)), "3_bob_4.wav: 9 samples of 2 channels"),
        ("3_bob_4.wav", wav(np.ones(0, np.int16)), "3_bob_4.wav: holds no samples"),
        ("3_bob_4.wav", b"RIFFrubbish", "3_bob_4.wav: cannot be decoded as audio"),
        ("3_bob_4.wav", wav(np.ones(90, np.int16))[:-20], "3_bob_4.wav: is cut short, 160 of 180 bytes"),
        ("three_bob.wav", wav(np.ones(9, np.int16)), "three_bob.wav: the name is not DIGIT_SPEAKER_INDEX.wav"),
    ],
    ids=["rate", "stereo", "empty", "rubbish", "short", "name"],
)
def test_a_recording_that_is_none_is_named(tmp_path: Path, name: str, content: bytes, match: str) -> None:
    archive = pack(tmp_path / "a.zip", {**wavs("top/"), f"top/recordings/{name}": content})
    with pytest.raises(UserError, match=match):
        rows(tmp_path, archive)


def test_a_pipe_is_no_recording(tmp_path: Path) -> None:
    for name, content in wavs("root/").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "root/recordings/3_bob_4.wav").unlink()
    os.mkfifo(tmp_path / "root/recordings/3_bob_4.wav")
    with pytest.raises(UserError, match=r"3_bob_4\.wav: no such file"):
        FSDD(root=str(tmp_path / "root")).splits(tmp_path, tmp_path / "downloads")


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no recordings/\*\.wav.*corpus\.archive=PATH"):
        rows(tmp_path, pack(tmp_path / "a.zip", {"top/README.md": b""}))


def test_an_archive_without_test_recordings(tmp_path: Path) -> None:
    files = {
        name: content for name, content in wavs().items() if not name.endswith(tuple(f"_{i}.wav" for i in range(5)))
    }
    with pytest.raises(UserError, match="has no recordings for test"):
        rows(tmp_path, pack(tmp_path / "a.zip", files))


def test_the_shadow_files_of_macos_do_not_count(tmp_path: Path, small: str) -> None:
    shadows = {f"__MACOSX/{name.replace('recordings/', 'recordings/._')}": b"shadow" for name in wavs("")}
    mixed = {**shadows, **wavs(""), "recordings/._0_ann_0.wav": b"shadow"}
    assert rows(tmp_path, pack(tmp_path / "mac.zip", mixed)) == rows(tmp_path, small)


def test_a_folder_that_cannot_be_written(tmp_path: Path, small: str) -> None:
    (tmp_path / "audio").write_bytes(b"")
    with pytest.raises(UserError, match="fsdd-train-00000: cannot write"):
        rows(tmp_path, small)


def test_another_content_is_refused(tmp_path: Path, small: str) -> None:
    with pytest.raises(UserError, match=r"expected 1801eae0.*corpus\.checksum=null"):
        FSDD(small).splits(tmp_path, tmp_path / "downloads")


@pytest.mark.skipif(not ARCHIVE.exists(), reason="the publisher's archive is not on this machine")
def test_the_publishers_archive(tmp_path: Path) -> None:
    corpus = FSDD(str(ARCHIVE), num_train=60, num_dev=12, num_test=240)
    splits = {split: list(part) for split, part in corpus.splits(tmp_path, tmp_path / "downloads").items()}
    assert {split: len(part) for split, part in splits.items()} == {"train": 60, "dev": 12, "test": 240}
    assert all(len(speakers(part)) == 6 for part in splits.values())
    assert indexes(splits["test"]) == set(range(5))
    digits = Counter(" ".join(row.text for row in splits["test"]).split())
    assert set(digits) == set("0123456789")
    assert max(digits.values()) < 1.2 * min(digits.values())
    assert 1.5 < np.mean([row.fields["duration"] for row in splits["test"]]) < 4
