"""What an exported model takes, from files and arrays: samples of recordings, features of inks."""

from __future__ import annotations

import logging
from pathlib import Path
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError
from seqrec.exported.inputs import InkFeatures, Recording
from seqrec.exported.metadata import Metadata
from seqrec.exported.resampling import resample
from seqrec.exported.stroke_deltas import StrokeDeltaFeatures
from seqrec.formats.ink import Ink
from seqrec.formats.ink_files import EXTENSIONS as INK_EXTENSIONS
from seqrec.formats.ink_files import read_ink
from seqrec.formats.samples import check_samples, samples_of

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)
_LONGEST_MINUTES = 10
_HIGHEST_RATE = (1 << 31) - 1
_AUDIO_READER, _INK_READER = "seqrec.speech.audio.AudioReader", "seqrec.ink.reader.InkReader"


def model_reader(metadata: Metadata, where: str) -> SampleReader | InkFeatureReader:
    """Return the reader of a model that messages call `where`.

    Raises:
        UserError: it needs a reader or a front-end that only torch has.
    """
    target = metadata.config["reader"].get("_target_")
    if metadata.input == "signals" and target == _AUDIO_READER:
        return SampleReader(metadata.config, where)
    if metadata.input == "features" and target == _INK_READER:
        return InkFeatureReader(metadata, where)
    raise UserError(
        f"{where}: takes {metadata.input} from {short_repr(target)}, which needs torch; transcribe with the run and "
        "--engine onnx"
    )


class InkFeatureReader:
    """Reads inks to their stroke deltas (T, F)."""

    extensions: tuple[str, ...] = INK_EXTENSIONS
    sample_rate = None  # of inks

    def __init__(self, metadata: Metadata, where: str) -> None:
        self._features = StrokeDeltaFeatures(metadata.config["frontend"], metadata.mean, metadata.deviation, where)

    def load(self, source: Any) -> InkFeatures:
        """Return the features of a file, an `Ink`, a list of strokes, or one stroke as an array (n, 2..4).

        Raises:
            UserError: the source holds no well-formed ink.
        """
        if isinstance(source, (str, Path)):
            ink, name = read_ink(Path(source)), f"{source}: "
        else:
            strokes = [source] if isinstance(source, np.ndarray) else source
            ink, name = (source if isinstance(source, Ink) else Ink.from_strokes(strokes)), ""
        try:
            return self._features(ink.to_signal())
        except UserError as error:
            raise UserError(f"{name}{error}") from None


class SampleReader:
    """Reads recordings to samples (N,) at the rate of the model."""

    def __init__(self, config: Mapping[str, Any], where: str) -> None:
        from seqrec.formats.audio import EXTENSIONS

        self.extensions: tuple[str, ...] = EXTENSIONS
        rate = config["reader"].get("sample_rate")
        if not isinstance(rate, int) or isinstance(rate, bool) or not 0 < rate <= _HIGHEST_RATE:
            raise UserError(f"{where}: reader.sample_rate={short_repr(rate)} is no rate in hertz; export it again")
        self.sample_rate = rate
        self._window, self._hop = (self._samples(config, name, where) for name in ("window_ms", "hop_ms"))
        self._said: set[str] = set()

    def load(self, source: Any, sample_rate: int | None = None) -> Recording:
        """Read a file, or take an array (N,) or (N, channels) at `sample_rate` hertz (default: the model's own).

        Raises:
            UserError: it is no recording, or too long to be recognised at once.
        """
        if isinstance(source, (str, Path)):
            from seqrec.formats.audio import decode, read_header

            path = Path(source)
            self._check_duration(read_header(path).duration, str(source))
            samples, rate = decode(path)
            return self._convert(samples, rate, str(source))
        samples = samples_of(source)
        rate = self.sample_rate if sample_rate is None else sample_rate
        if not 0 < rate <= _HIGHEST_RATE or rate != int(rate):
            raise UserError(f"sample_rate={rate} is no rate in hertz; give a positive whole number")
        self._check_duration(len(samples) / rate, "array")
        return self._convert(samples, int(rate), "array")

    def _samples(self, config: Mapping[str, Any], name: str, where: str) -> int:
        """Return the samples of a time of the front-end."""
        value = config["frontend"].get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 1000 / self.sample_rate <= value <= 10_000:
            raise UserError(f"{where}: frontend.{name}={short_repr(value)} is no time in ms; export it again")
        return round(self.sample_rate * value / 1000)

    def _convert(self, samples: np.ndarray, rate: int, name: str) -> Recording:
        """Take samples (N, channels) at a rate to (N',) at the model's."""
        check_samples(samples, name)
        if samples.shape[1] > 1:
            self._say_once(name, f"mixing {samples.shape[1]} channels down to one (said once)")
        mixed = samples.mean(axis=1, dtype=np.float32)
        if rate != self.sample_rate:
            self._say_once(name, f"resampling {rate} Hz to {self.sample_rate} Hz (said once for each rate)")
            mixed = resample(mixed, rate, self.sample_rate, name)
        return Recording(mixed, self.sample_rate, self._window, self._hop)

    def _check_duration(self, seconds: float, name: str) -> None:
        if seconds > 60 * _LONGEST_MINUTES:
            raise UserError(
                f"{name}: lasts {seconds / 60:.0f} minutes, and an exported model takes {_LONGEST_MINUTES} at most; "
                "transcribe it with the run: `seqrec transcribe RUN FILE --engine onnx`"
            )

    def _say_once(self, name: str, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            logger.warning(f"{name}: {message}")
