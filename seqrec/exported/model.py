"""An exported model, run by ONNX Runtime: from signals or features to log-probs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqrec.errors import UserError
from seqrec.exported.metadata import KEY, read_metadata
from seqrec.exported.model_file import read_sealed
from seqrec.parts import Tokenizer
from seqrec.share import build

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_OUTPUTS = ["log_probs", "output_lengths"]


class ExportedModel:
    """A .onnx file that `seqrec export` wrote.

    Args:
        path: of the file.

    Raises:
        UserError: it is none, is damaged, or ONNX Runtime is not installed or refuses it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.threads = num_threads()
        self._session = _open(self.path, self.threads)
        try:
            text = self._session.get_modelmeta().custom_metadata_map.get(KEY)
            self.metadata = read_metadata(text, str(self.path))
            self.tokenizer = self._build_tokenizer()
            self._check_signature()
        except UnicodeDecodeError as error:  # ONNX Runtime looks at neither metadata nor names
            raise UserError(f"{self.path}: holds text that is not UTF-8 ({error}); export it again") from None

    def recognise(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the log-probs (T', V) float32 of signals (N,) or features (T, F); each comes out as it would alone.

        Raises:
            UserError: ONNX Runtime fails, such as for want of memory.
        """
        if self.metadata.engine == "onnx-int8" and len(inputs) > 1:  # its scales would be those of the whole batch
            with ThreadPoolExecutor(self.threads) as pool:
                return list(pool.map(lambda one: self.recognise([one])[0], inputs))
        lengths = np.array([len(one) for one in inputs], dtype=np.int64)
        padded = np.zeros((len(inputs), lengths.max(initial=0), *inputs[0].shape[1:]), dtype=np.float32)
        for row, one in zip(padded, inputs, strict=True):
            row[: len(one)] = one
        try:
            found = self._session.run(_OUTPUTS, {self.metadata.input: padded, "lengths": lengths})
        except Exception as error:  # ONNX Runtime's own, of no common class
            raise UserError(
                f"{self.path}: ONNX Runtime cannot run it ({_first_line(error)}); export it again"
            ) from None
        return [row[:length] for row, length in zip(*found, strict=True)]

    def _build_tokenizer(self) -> Tokenizer:
        metadata = self.metadata
        tokenizer = build({**metadata.config["text"], "symbols": list(metadata.symbols)}, f"{self.path}: text")
        if not hasattr(tokenizer, "spellings"):
            raise UserError(f"{self.path}: text._target_ is {type(tokenizer).__name__}, no tokenizer; export it again")
        return tokenizer

    def _check_signature(self) -> None:
        names = {value.name for value in self._session.get_inputs()}
        outputs = {value.name: value.shape for value in self._session.get_outputs()}
        if names != {self.metadata.input, "lengths"} or not outputs.keys() >= set(_OUTPUTS):
            raise UserError(
                f"{self.path}: its graph goes from {', '.join(sorted(names))} to {', '.join(outputs)}, not from "
                f"{self.metadata.input}, lengths to {', '.join(_OUTPUTS)}; export it again"
            )
        if outputs["log_probs"][-1:] != [len(self.tokenizer)]:
            raise UserError(
                f"{self.path}: gives log-probs of {outputs['log_probs']}, but its alphabet has "
                f"{len(self.tokenizer)} tokens; export it again"
            )


def num_threads() -> int:
    """Return on how many threads to work: what `OMP_NUM_THREADS` says, as torch does, else one for each core."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and 0 < int(given) < 1000:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open(path: Path, threads: int) -> InferenceSession:
    data = read_sealed(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"{path}: transcribing with a .onnx file needs ONNX Runtime ({error}); install it with "
            "`pip install onnxruntime`"
        ) from None
    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # only what is fatal: errors come as exceptions
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own, of no common class
        raise UserError(f"{path}: ONNX Runtime does not open it ({_first_line(error)}); export it again") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
