"""`seqrec tune RUN`: the weights of a language-model decoder with the least error rate on dev."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.cli.options import options_of, split_name
from seqrec.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from seqrec.tuning import Metric, Tuning

USAGE = """usage: seqrec tune RUN decoder.lm=PATH [decoder=beam_lm] [metric=cer|wer] [trials=60] [split=dev]

Recognises dev once, then searches the decoder's weights over the log-probs: alpha, the language model's, and beta, for
each of its words. Then the smallest beam that keeps the rate is taken. Says so where the language model does not help.
Writes RUN/tuning/DECODER.json, which `evaluate` and `transcribe` with this decoder use from then on.

  decoder.OPTION=VALUE  of the decoder, such as decoder.unit=char, decoder.lexicon=PATH
  metric=cer|wer        what is lowered; else CER for decoder.unit=char, WER for decoder.unit=word
  trials=60             choices of weights that are tried
  alpha=0,2  beta=-3,6  where they are searched
  beams=8,16,32,64      beams that are tried with the best weights; the search is done with decoder.beam_size
  seed=0                of the search
  split=dev             what it is tuned on; test is refused, since its score would mean nothing afterwards
  manifest=PATH         any manifest instead of a split
  data_dir=PATH         where the prepared corpus lies, if it has moved
  device=auto|cpu|cuda  where the recogniser runs
"""
DEFAULTS = {
    "decoder": "beam_lm",
    "trials": "60",
    "alpha": "0,2",
    "beta": "-3,6",
    "beams": "8,16,32,64",
    "seed": "0",
    "split": "dev",
}
OPTIONS = (*DEFAULTS, "metric", "manifest", "data_dir", "device")
_FEWEST_TRIALS = 2


def main(words: Sequence[str]) -> None:
    """Tune a decoder for the run named first in `words`, under the options that follow."""
    if not words or words[0] in ("-h", "--help") or "--help" in words:
        print(USAGE, end="")
        return
    from seqrec.cli.run_options import load_run, tuning_file
    from seqrec.corpora.shards.fetch import corpus_folder
    from seqrec.ctc.beam import check_search
    from seqrec.ctc.greedy import GreedyDecoder
    from seqrec.progress import console, track
    from seqrec.tuning import dev_emissions, tune

    given = options_of(words[1:], OPTIONS, "tune")
    options = {**DEFAULTS, **given}
    ranges = {name: _range(name, options[name]) for name in ("alpha", "beta")}
    beams = [_whole("beams", size, 1) for size in options["beams"].split(",")]
    trials, seed = _whole("trials", options["trials"], _FEWEST_TRIALS), _whole("seed", options["seed"], 0)
    run = load_run(words[0], options, as_tuned=False)
    decoder: Any = run.transcriber.decoder
    if not hasattr(decoder, "language_model"):
        raise UserError(f"decoder={run.decoder_name} takes no language model, so it has no weights; tune beam_lm")
    if decoder.language_model is None:
        raise UserError("there is no language model to tune; give one with decoder.lm=PATH (`seqrec lm` makes one)")
    for size in beams:
        check_search(size, decoder.n_best, decoder.token_min_logp, decoder.beam_threshold)
    metric = _metric(options.get("metric", "cer" if decoder.unit == "char" else "wer"))
    dev = dev_emissions(run.transcriber, _manifest(given, corpus_folder(run.config)), track=track)
    tokenizer = run.transcriber.parts.tokenizer
    found = tune(dev, tokenizer, decoder, GreedyDecoder(), metric, ranges, beams, trials, seed, track)
    path = tuning_file(run.folder, run.decoder_name)
    _write(path, found, run.decoder_part, options)
    for line in _report(found, len(dev.references)):
        console.print(line, soft_wrap=isinstance(line, str), highlight=False)
    console.print(f"written to {path}", soft_wrap=True, highlight=False)


def _manifest(options: Mapping[str, str], corpus: Path) -> Path:
    split = split_name(options if "manifest" in options else {"split": "dev", **options})
    if split == "test":
        raise UserError("split=test: what is tuned on test has no honest test score any more; tune on dev")
    manifest = Path(options["manifest"]) if "manifest" in options else corpus / f"manifest-{split}.jsonl"
    if manifest.resolve() == (corpus / "manifest-test.jsonl").resolve():
        raise UserError(f"manifest={manifest} is the test split, whose score would not be honest any more; tune on dev")
    return manifest


def _metric(name: str) -> Metric:
    if name == "wer":
        return "wer"
    if name == "cer":
        return "cer"
    raise UserError(f"metric={name} is none{did_you_mean(name, ('cer', 'wer'))}")


def _range(name: str, value: str) -> tuple[float, float]:
    try:
        low, high = (float(each) for each in value.split(","))
    except ValueError:
        raise UserError(
            f"{name}={value}: give the least and the greatest value, as in {name}={DEFAULTS[name]}"
        ) from None
    if not -1000 <= low < high <= 1000:
        raise UserError(f"{name}={value}: the first is to be less than the second, both within 1,000 of 0")
    if name == "alpha" and low < 0:
        raise UserError(f"alpha={value}: a language model's weight is 0 or more")
    return low, high


def _whole(name: str, value: str, least: int) -> int:
    if not (value.strip().isascii() and value.strip().isdecimal()) or not least <= int(value) < 1_000_000:
        raise UserError(f"{name}={value} is no whole number of {least} or more; mend it")
    return int(value)


def _write(path: Path, found: Tuning, part: Mapping[str, Any], options: Mapping[str, str]) -> None:
    """Write what was found, with the decoder's whole options, its language model's path made absolute."""
    import json
    from datetime import datetime, timezone

    from seqrec.version import __version__

    settings = {key: value for key, value in part.items() if key != "_target_"}
    for key in ("lm", "lexicon"):
        if settings.get(key) is not None:
            settings[key] = str(Path(settings[key]).expanduser().resolve())
    about = {
        "options": {**settings, **found.options},
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seqrec": __version__,
        "command": dict(options),
        "tuning": found.to_json(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _report(found: Tuning, num_examples: int) -> list[Any]:
    """Return what is shown: a table of rates, the weights, and a word of warning where one is due."""
    from rich.table import Table

    from seqrec.metrics.wording import percent

    table = Table("decoding", found.metric.upper(), title=f"{num_examples:,} examples")
    table.add_row("greedy", percent(found.greedy))
    table.add_row("beam, no language model", percent(found.without_lm))
    for trial in found.beams:
        table.add_row(f"tuned, beam {trial.options['beam_size']} ({trial.seconds:.1f} s)", percent(trial.rate))
    chosen = ", ".join(f"{name}={value:.4g}" for name, value in found.options.items())
    lines: list[Any] = [table, f"chosen: {chosen}"]
    if not found.helps:
        p_value = found.against_rival.p_value
        lines.append(
            f"the language model does not help here: {percent(found.rate)} tuned, {percent(found.greedy)} greedy, "
            f"{percent(found.without_lm)} without it (p = {p_value:.3f}); decode without it, or take "
            "text more like what is read"
        )
    else:
        lines.append(
            "these rates are of what the weights were tuned on; for honest ones: seqrec evaluate RUN split=test"
        )
    return lines
