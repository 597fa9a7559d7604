"""`seqrec bench transcribe` and `seqrec bench decode`: what a trained run is measured by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.cli.options import options_of, split_name
from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.benchmark.results import Measurement
    from seqrec.benchmark.signals import Signals
    from seqrec.cli.run_options import OpenRun
    from seqrec.parts import Decoder
    from seqrec.sequence import Emissions
    from seqrec.transcriber import Transcriber

TRANSCRIBE = """usage: seqrec bench transcribe RUN [engine=NAME,NAME] [KEY=VALUE ...] [--json FILE] [--against FILE]

Recognises examples of a run's dev split, one by one and in batches, by each engine. Speech is told as real-time factor
(seconds of work for a second of sound), ink as inks a second; latencies are those of one example. Front-end, network
and decoder count, reading files does not.

  batch 1                  all examples one after another, as a user sends them; batches of N: N together
  real-time factor         0.1: ten seconds of sound take one second; the less, the faster
  latency                  what one example takes, of which half stay below the median; long ones take longest
  peak memory              of the whole process and all engines measured together; name one engine for its own

  engine=torch,onnx-int8   torch, torch-bf16, onnx, onnx-int8; left out: all that are installed
  split=dev                another split of the run's corpus; synthetic signals where no corpus is at hand
  manifest=PATH            any manifest instead of a split
  batch_size=8             examples of a batch
  examples=32  rounds=5    how many examples, evenly spread over lengths; how often, of which medians are told
  decoder=NAME             another decoder, with its options as decoder.OPTION=VALUE
  data_dir=PATH            where the prepared corpus lies, if it has moved
  device=auto|cpu|cuda     where the recogniser runs
"""
DECODE = """usage: seqrec bench decode [RUN] [decoder=NAME] [decoder.OPTION=VALUE ...] [--json FILE] [--against FILE]

Decodes log-probs of a run's dev split, computed once, on one thread: utterances a second of CPU time, of `greedy`,
`beam`, the run's own decoder and those that `seqrec tune` has tuned for it. Without a run on synthetic log-probs of 500
frames and 29 tokens. The network's own time does not count: `seqrec bench transcribe` tells both together.

  decoder=NAME             only this decoder, with its options as decoder.OPTION=VALUE
  split=dev                another split of the run's corpus; synthetic signals where no corpus is at hand
  manifest=PATH            any manifest instead of a split
  examples=100  rounds=5   how many examples, evenly spread over lengths; how often, of which medians are told
  data_dir=PATH            where the prepared corpus lies, if it has moved
  device=auto|cpu|cuda     where the recogniser runs
"""
_OPTIONS = ("decoder", "split", "manifest", "examples", "rounds", "data_dir", "device")
_WITHOUT_RUN = ("decoder", "rounds")
_UNTRAINED = ("greedy", "beam")  # decoders that need to know nothing of a run


def transcribe(words: Sequence[str]) -> tuple[dict[str, str], list[Measurement]]:
    """Measure the engines of the run named first in `words`; return what was measured, and how fast it was."""
    options = options_of(words[1:], ("engine", "batch_size", *_OPTIONS), "bench transcribe")
    count, rounds, size = (_whole(options, *each) for each in (("examples", 32), ("rounds", 5), ("batch_size", 8)))
    names = _engine_names(options)
    from seqrec.benchmark.transcribing import bench_transcribing
    from seqrec.cli.run_options import load_run
    from seqrec.progress import track

    run = load_run(words[0], {key: value for key, value in options.items() if key not in ("engine", "batch_size")})
    signals = _signals(run, options, count)
    transcribers = _engines(words[0], run, names, options)
    about = {**_about(run, signals), "decoder": run.decoder_name, "device": run.transcriber.device}
    return about, bench_transcribing(transcribers, signals, size, rounds, track)


def _engine_names(options: Mapping[str, str]) -> list[str] | None:
    """Return the engines that are asked for; None: all."""
    if "engine" not in options:
        return None
    from seqrec.engine import check_engine

    device = options.get("device", "auto")
    return list(dict.fromkeys(check_engine(name.strip(), device) for name in options["engine"].split(",")))


def _engines(
    path: str, run: OpenRun, names: Sequence[str] | None, options: Mapping[str, str]
) -> dict[str, Transcriber]:
    """Open the run by each engine; one that cannot be had is left out where none was asked for by name."""
    from seqrec.engine import ENGINES
    from seqrec.transcriber import load

    found: dict[str, Transcriber] = {}
    for name in names or ENGINES:
        try:
            found[name] = load(path, options.get("device", "auto"), run.transcriber.decoder, name)
        except UserError as error:
            if names:
                raise
            _say(f"left out: {error}")
    return found


def decode(words: Sequence[str]) -> tuple[dict[str, str], list[Measurement]]:
    """Measure decoders, on the log-probs of the run named first in `words`, if one is."""
    from seqrec.benchmark.decoding import bench_decoding
    from seqrec.progress import track

    has_run = bool(words) and ("=" not in words[0] or Path(words[0]).is_dir())
    options = options_of(words[has_run:], _OPTIONS if has_run else _WITHOUT_RUN, "bench decode")
    rounds = _whole(options, "rounds", 5)
    about, decoders, batches = _of_run(words[0], options) if has_run else _synthetic(options)
    return {**about, "threads": "1"}, bench_decoding(decoders, batches, rounds, track)


def _of_run(path: str, options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Decoder], list[Emissions]]:
    from seqrec.benchmark.signals import emissions_of
    from seqrec.cli.run_options import load_run
    from seqrec.progress import track

    count = _whole(options, "examples", 100)
    run = load_run(path, options)
    decoders = {run.decoder_name: run.transcriber.decoder}
    if not any(key.startswith("decoder") for key in options):
        tuned = sorted(file.stem for file in (run.folder.path / "tuning").glob("*.json"))
        for name in dict.fromkeys((*_UNTRAINED, *tuned)):
            try:
                opened = load_run(path, {**options, "decoder": name})
            except UserError as error:
                _say(f"left out: {error}")
                continue
            decoders.setdefault(opened.decoder_name, opened.transcriber.decoder)
    signals = _signals(run, options, count)
    return _about(run, signals), decoders, emissions_of(run.transcriber, signals.values, track)


def _synthetic(options: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Decoder], list[Emissions]]:
    from seqrec.benchmark.decoding import FRAMES, LETTERS, synthetic_emissions

    names = [options["decoder"]] if "decoder" in options else list(_UNTRAINED)
    for name in names:
        if name not in _UNTRAINED:
            raise UserError(f"decoder={name}: without a run only {' and '.join(_UNTRAINED)} are measured; name a run")
    decoders = {name: _untrained(name, options) for name in names}
    batches = synthetic_emissions()
    about = f"{len(batches)} synthetic log-probs, {FRAMES} frames, {len(LETTERS) + 1} tokens"
    return {"examples": about}, decoders, batches


def _untrained(name: str, options: Mapping[str, str]) -> Decoder:
    from seqrec.cli.run_options import chosen_decoder, with_options
    from seqrec.share import build

    part, _ = chosen_decoder({}, {"decoder": name})
    decoder: Decoder = build(with_options(part, {}, options), "decoder")
    return decoder


def _signals(run: OpenRun, options: Mapping[str, str], count: int) -> Signals:
    """Return what is recognised: examples of a manifest, or synthetic ones where none was named and none is there."""
    from seqrec.benchmark.signals import manifest_signals, synthetic_signals
    from seqrec.corpora.shards.fetch import corpus_folder
    from seqrec.progress import track

    named = {"manifest", "split", "data_dir"} & options.keys()
    if "manifest" in options:
        split_name(options)  # refuses both
        return manifest_signals(run.transcriber, Path(options["manifest"]), count, track)
    manifest = corpus_folder(run.config) / f"manifest-{split_name({'split': 'dev', **options})}.jsonl"
    if named or manifest.is_file():
        return manifest_signals(run.transcriber, manifest, count, track)
    _say(f"{manifest} is not at hand: synthetic signals are recognised; data_dir= or manifest= say where others lie")
    return synthetic_signals(run.transcriber.parts.reader, count)


def _about(run: OpenRun, signals: Signals) -> dict[str, str]:
    return {"run": str(run.folder.path), "examples": signals.describe()}


def _whole(options: Mapping[str, str], name: str, usual: int) -> int:
    value = options.get(name, str(usual))
    if not (value.isascii() and value.isdecimal()) or not 1 <= int(value) <= 100_000:
        raise UserError(f"{name}={value} is no whole number from 1 to 100,000")
    return int(value)


def _say(message: str) -> None:
    from seqrec.progress import console

    console.print(message, soft_wrap=True, highlight=False, markup=False)
