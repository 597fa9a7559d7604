"""What runs the network of a trained recogniser: torch in float32 or bfloat16, or ONNX Runtime in float32 or int8.

Front-end, lengths and decoding are the same with all of them; an engine is built in memory, from a run's checkpoint.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from seqrec.checkpoint import Parts
from seqrec.errors import UserError, did_you_mean
from seqrec.recognizer import Recognizer
from seqrec.sequence import Emissions, Features, pad_signals

Engine = Literal["torch", "torch-bf16", "onnx", "onnx-int8"]
ENGINES: tuple[str, ...] = get_args(Engine)


def with_engine(parts: Parts, engine: str) -> Parts:
    """Return `parts` whose recogniser runs encoder and head by `engine`.

    Raises:
        UserError: `engine` is none, its packages are not installed, or it cannot run this encoder.
    """
    recognizer = parts.recognizer
    if check_engine(engine) == "torch":
        return parts
    if engine == "torch-bf16":
        return replace(parts, recognizer=BFloat16Recognizer(recognizer))
    require_onnx(f"engine={engine}")
    from seqrec.export.quantisation import quantised
    from seqrec.export.recognizer_graph import features_model

    model = features_model(recognizer, {})
    if engine == "onnx-int8":
        model = quantised(model)
    session = open_session(model.SerializeToString())
    return replace(parts, recognizer=OnnxRecognizer(recognizer, session, one_by_one=engine == "onnx-int8"))


def check_engine(engine: str, device: str = "cpu") -> str:
    """Return `engine`.

    Raises:
        UserError: it is none, or none that runs on `device`.
    """
    if engine not in ENGINES:
        raise UserError(f"engine={engine} is none of {', '.join(ENGINES)}{did_you_mean(engine, ENGINES)}")
    if on_cpu_only(engine) and device not in ("auto", "cpu"):
        raise UserError(f"engine={engine} with device={device}: it runs on the CPU; give device=cpu, or engine=torch")
    return engine


def on_cpu_only(engine: str) -> bool:
    """Tell whether an engine runs on the CPU alone."""
    return engine.startswith("onnx")


def open_session(model: bytes | str) -> Any:
    """Open a graph, or the file of one, in ONNX Runtime, with as many threads as torch takes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors; it warns of what its own quantisation leaves over
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class BFloat16Recognizer(Recognizer):
    """Runs encoder and head of a recogniser in bfloat16 by autocast; front-end and log-softmax stay in float32.

    Twice as fast on processors that multiply bfloat16 (AVX512-BF16, AMX), slower on others.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        nn.Module.__init__(self)
        self.frontend, self.encoder, self.head = recognizer.frontend, recognizer.encoder, recognizer.head

    def recognise(self, features: Features) -> Emissions:
        """Recognise features (B, T, F)."""
        with torch.autocast(features.values.device.type, dtype=torch.bfloat16):
            return super().recognise(features)


class OnnxRecognizer(Recognizer):
    """Runs a recogniser's graph by ONNX Runtime, on the CPU; the recogniser's own encoder only tells lengths.

    Args:
        recognizer: whose front-end and lengths it has.
        session: takes `features` (B, T, F) or, with the front-end inside, `signals` (B, N), and `lengths` (B,); gives
            `log_probs` (B, T', V) and `output_lengths` (B,).
        one_by_one: run the examples of a batch by themselves. Dynamic int8 takes the scale of a layer's inputs from
            all that is run together, so that results of a batch would depend on what else is in it.
    """

    def __init__(self, recognizer: Recognizer, session: Any, one_by_one: bool = False) -> None:
        nn.Module.__init__(self)
        self.frontend, self.encoder = recognizer.frontend, recognizer.encoder
        self.session = session
        self.one_by_one = one_by_one
        self.input: str = session.get_inputs()[0].name

    def forward(self, signals: Tensor, signal_lengths: Tensor) -> Emissions:
        """Recognise signals (B, N, C) of lengths (B,)."""
        if self.input == "signals":
            return self._run(signals[..., 0], signal_lengths)  # (B, N, 1) -> (B, N)
        return super().forward(signals, signal_lengths)

    def recognise(self, features: Features) -> Emissions:
        """Recognise features (B, T, F)."""
        return self._run(features.values, features.lengths)

    def _run(self, values: Tensor, lengths: Tensor) -> Emissions:
        if not self.one_by_one:
            return self._run_batch(values, lengths)
        rows = [(row[None, :length], length[None]) for row, length in zip(values, lengths, strict=True)]
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            found = list(pool.map(lambda row: self._run_batch(*row), rows))
        log_probs, output_lengths = pad_signals([one.log_probs[0] for one in found])
        return Emissions(log_probs, output_lengths)

    def _run_batch(self, values: Tensor, lengths: Tensor) -> Emissions:
        inputs = {self.input: values.numpy(), "lengths": lengths.numpy()}
        log_probs, output_lengths = self.session.run(["log_probs", "output_lengths"], inputs)
        return Emissions(torch.from_numpy(log_probs), torch.from_numpy(output_lengths))


def require_onnx(what: str) -> None:
    """Refuse what needs the packages of the extra `onnx` where they are not installed.

    Raises:
        UserError: one is not.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise UserError(f"{what} needs ONNX and ONNX Runtime ({error}); pip install 'seqrec[onnx]'") from None
