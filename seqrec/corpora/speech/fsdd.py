"""Connected digits from the Free Spoken Digit Dataset: single recordings of one speaker, joined to strings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from seqrec.corpora.archives.fetch import Source, content_digest, fetch
from seqrec.corpora.archives.layout import files_in, find_homes
from seqrec.errors import UserError, did_you_mean
from seqrec.formats.audio import read_header
from seqrec.manifest import Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_SAMPLE_RATE = 8000
_FILE_NAME = re.compile(r"(?P<digit>[0-9])_(?P<speaker>[^_]+)_(?P<index>[0-9]+)\.wav")
_TEST_INDEXES = range(5)  # the publisher's test set, by its README
_NUM_DEV_INDEXES = 5  # ours, out of the publisher's training set


@dataclass(frozen=True)
class _Recording:
    """One spoken digit."""

    name: str  # file name without its end
    speaker: str
    digit: str
    index: int
    samples: np.ndarray  # (N,) int16 at 8 kHz


class FSDD:
    """Strings of digits, 16-bit at 8 kHz; the text is `7 3 1 9`, so WER is the digit error rate.

    A string joins recordings of one speaker with pauses of digital silence, each of 0 to `max_pause_ms`, evenly
    distributed. Speakers take turns. A speaker's recordings are dealt like a pack of cards, shuffled anew when it is
    used up, so that each is heard equally often and digits are balanced. All follows from `seed`, not from file order.

    Test strings use the publisher's test recordings (index 0-4). Of its training recordings, five of each digit and
    speaker are for dev, from index `first_dev` on (5-9; 10-14 and so on are other folds), the rest for train. With
    `speaker`, that speaker's recordings are all for test; of the others', 0-4 are for dev and the rest for train.

    `checksum` is the content digest of `recordings/*.wav`.

    Source: https://github.com/Jakobovski/free-spoken-digit-dataset
    """

    name = "fsdd"
    licence = "CC BY-SA 4.0"
    notes = ()

    def __init__(
        self,
        archive: str | None = None,
        root: str | None = None,
        url: str = "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/heads/master.zip",
        checksum: str | None = "1801eae019c063377d98f831d3f93574f259475df7332bb0e3d1b080fb5e6959",
        speaker: str | None = None,  # leave this speaker out, for test
        num_train: int = 3000,  # strings
        num_dev: int = 300,
        num_test: int = 600,
        min_digits: int = 3,
        max_digits: int = 7,
        max_pause_ms: int = 200,
        first_dev: int = 5,
        seed: int = 0,
    ) -> None:
        self._source = Source(self.name, url, archive, checksum, root)
        self._speaker = speaker
        self._num_strings = {"train": num_train, "dev": num_dev, "test": num_test}
        self._min_digits, self._max_digits = min_digits, max_digits
        self._max_pause_ms, self._seed = max_pause_ms, seed
        self._dev_indexes = range(first_dev, first_dev + _NUM_DEV_INDEXES)
        self._check_settings()
        self.shared_people = "FSDD's own split shares its six speakers between train and test, and so does dev"
        if speaker is not None:
            self.shared_people = f"dev shares its speakers with train; the test speaker, {speaker}, is in neither"

    def splits(self, folder: Path, downloads: Path) -> Mapping[str, Iterable[Row]]:
        """Return the rows of `train`, `dev` and `test`; a string's wav is written below `folder` as its row is read.

        Raises:
            UserError: as `fetch`; a recording is no 8 kHz mono wav, or its name is not the publisher's; there is no
                such speaker, or a split has no recordings.
        """
        root = _recordings_folder(fetch(self._source, downloads, _digest))
        recordings = [_read(path) for path in _wavs(root)]
        speakers = {recording.speaker for recording in recordings}
        if self._speaker is not None and self._speaker not in speakers:
            hint = did_you_mean(self._speaker, speakers)
            raise UserError(f"corpus.speaker={self._speaker} is no speaker of {self.name}{hint}")
        pools = {split: [each for each in recordings if self._split_of(each) == split] for split in self._num_strings}
        for split, pool in pools.items():
            if not pool:
                mend = "give the publisher's whole archive"
                if split == "dev" and self._dev_indexes.start > _TEST_INDEXES.stop:
                    mend = f"lower corpus.first_dev={self._dev_indexes.start}"
                raise UserError(f"{root} has no recordings for {split}; {mend}")
        return {split: self._strings(split, pool, folder) for split, pool in pools.items()}

    def _check_settings(self) -> None:
        if not 1 <= self._min_digits <= self._max_digits:
            where = f"corpus.min_digits={self._min_digits}, corpus.max_digits={self._max_digits}"
            raise UserError(f"{where}: expected 1 <= min_digits <= max_digits; mend either")
        if self._max_pause_ms < 0:
            raise UserError(f"corpus.max_pause_ms={self._max_pause_ms} is negative; set it to 0 or more milliseconds")
        if self._dev_indexes.start < _TEST_INDEXES.stop:
            where = f"corpus.first_dev={self._dev_indexes.start}"
            raise UserError(
                f"{where} is before the publisher's training recordings; set it to {_TEST_INDEXES.stop} or more"
            )
        for split, number in self._num_strings.items():
            if number < 1:
                raise UserError(f"corpus.num_{split}={number} leaves {split} empty; set it to 1 or more strings")

    def _split_of(self, recording: _Recording) -> str:
        if self._speaker == recording.speaker:
            return "test"
        if recording.index in _TEST_INDEXES:
            return "test" if self._speaker is None else "dev"
        return "dev" if self._speaker is None and recording.index in self._dev_indexes else "train"

    def _strings(self, split: str, pool: Sequence[_Recording], folder: Path) -> Iterator[Row]:
        random = Random(f"{self._seed} {split}")
        speakers = sorted({recording.speaker for recording in pool})
        packs = {speaker: _deal([each for each in pool if each.speaker == speaker], random) for speaker in speakers}
        for number in range(self._num_strings[split]):
            pack = packs[speakers[number % len(speakers)]]
            digits = [next(pack) for _ in range(random.randint(self._min_digits, self._max_digits))]
            pauses = [random.randint(0, self._max_pause_ms * _SAMPLE_RATE // 1000) for _ in digits[1:]]
            yield _write(
                f"{self.name}-{split}-{number:05d}", digits, _join(digits, pauses), Path("audio", split), folder
            )


def _deal(recordings: Sequence[_Recording], random: Random) -> Iterator[_Recording]:
    """Yield all recordings in random order, again and again."""
    while True:
        pack = list(recordings)
        random.shuffle(pack)
        yield from pack


def _join(digits: Sequence[_Recording], pauses: Sequence[int]) -> np.ndarray:
    """Return (N,) int16: the digits with `pauses` samples of silence between them."""
    parts = [digits[0].samples]
    for pause, digit in zip(pauses, digits[1:], strict=True):
        parts += [np.zeros(pause, np.int16), digit.samples]
    return np.concatenate(parts)


def _write(row_id: str, digits: Sequence[_Recording], samples: np.ndarray, place: Path, folder: Path) -> Row:
    audio = place / f"{row_id}.wav"
    try:
        (folder / place).mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / audio, samples, _SAMPLE_RATE, subtype="PCM_16")
    except (OSError, soundfile.SoundFileError) as error:
        mend = "free space there, or choose another folder with data_dir=PATH"
        raise UserError(f"{row_id}: cannot write {folder / audio} ({error}); {mend}") from None
    fields = {
        "audio": audio.as_posix(),
        "sample_rate": _SAMPLE_RATE,
        "num_samples": len(samples),
        "duration": len(samples) / _SAMPLE_RATE,  # seconds
        "speaker": digits[0].speaker,
        "recordings": [digit.name for digit in digits],
    }
    return Row(row_id, " ".join(digit.digit for digit in digits), fields)


def _recordings_folder(unpacked: Path) -> Path:
    for home in find_homes(unpacked, lambda folder: bool(_wavs(folder / "recordings"))):
        return home / "recordings"
    raise UserError(
        f"{unpacked} holds no recordings/*.wav; give an archive of the repository with corpus.archive=PATH, or its "
        "folder with corpus.root=PATH"
    )


def _wavs(folder: Path) -> list[Path]:
    return files_in(folder, "*.wav")


def _digest(unpacked: Path) -> str:
    root = _recordings_folder(unpacked)
    return content_digest(_wavs(root), root)


def _read(path: Path) -> _Recording:
    mend = "get the archive anew"
    match = _FILE_NAME.fullmatch(path.name)
    if match is None:
        raise UserError(f"{path}: the name is not DIGIT_SPEAKER_INDEX.wav; {mend}")
    read_header(path)  # refuses a file cut short, and a pipe, which would never end
    try:
        samples, sample_rate = soundfile.read(path, dtype="int16", always_2d=True)  # (N, C)
    except soundfile.SoundFileError as error:
        raise UserError(f"{path}: no readable wav ({error}); {mend}") from None
    if (sample_rate, samples.shape[1]) != (_SAMPLE_RATE, 1):
        found = f"{len(samples)} samples of {samples.shape[1]} channels at {sample_rate} Hz"
        raise UserError(f"{path}: {found}, where one channel at {_SAMPLE_RATE} Hz is expected; {mend}")
    return _Recording(path.stem, match["speaker"], match["digit"], int(match["index"]), samples[:, 0])
