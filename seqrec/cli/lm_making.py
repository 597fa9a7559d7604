"""What `seqrec lm` does: reads texts, estimates a model of them, writes it with a note of how, and shows it."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.table import Table
from rich.text import Text

from seqrec.errors import UserError
from seqrec.lm.arpa_writer import write_arpa
from seqrec.lm.kneser_ney import SPECIAL_WORDS, NGramModel, estimate
from seqrec.lm.perplexity import TextScore, score_text
from seqrec.lm.units import SPACE, Unit, lm_words
from seqrec.manifest import Manifest
from seqrec.metrics.wording import percent
from seqrec.parts import Tokenizer
from seqrec.progress import console, track
from seqrec.share import build
from seqrec.text.tokens import read_tokens
from seqrec.version import __version__

if TYPE_CHECKING:
    from seqrec.cli.lm import Options

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """What a recipe or a run gives for a language model."""

    name: Mapping[str, str]  # `recipe` or `run`, and which
    tokenizer: Tokenizer
    corpus: Path  # folder of the manifests
    output: Path  # folder where the model goes


@dataclass(frozen=True)
class Made:
    """A language model that was written."""

    path: Path
    unit: Unit
    order: int  # asked for
    model: NGramModel
    scores: Mapping[str, TextScore]  # of `train`, or `text`, and `dev`
    unreadable: int  # words of the vocabulary that the recogniser cannot write


def source_tokenizer(text: Mapping[str, Any], tokens: Path) -> Tokenizer:
    """Return the tokenizer of the config `text` with the symbols of the file `tokens`."""
    tokenizer: Tokenizer = build({**text, "symbols": list(read_tokens(tokens)), "unknown": "drop"}, "text")
    return tokenizer


def make(source: Source, options: Options) -> Made:
    """Estimate the model that `options` ask for, score it, and write it with its note.

    Raises:
        UserError: there is no text, or none that the recogniser could write.
    """
    unit = cast(Unit, options.unit)
    lines = _user_lines(options.texts, source.tokenizer) if options.texts else _split_lines(source, "train")
    if not lines:
        raise UserError(f"{', '.join(options.texts) or 'the training split'} holds no text; give a sentence a line")
    model = estimate(
        _words(lines, unit, source.tokenizer, "reading words"),
        options.order,
        options.prune,
        lambda orders: track(orders, "counting n-grams"),
    )
    unreadable = _unreadable(model, unit, source.tokenizer, options)
    texts = {"text" if options.texts else "train": lines, "dev": _split_lines(source, "dev")}
    scores = {
        name: score
        for name, lines in texts.items()
        if (score := score_text(model, _words(lines, unit, source.tokenizer, f"scoring {name}")))
    }
    made = Made(_path(source, options), unit, options.order, model, scores, unreadable)
    made.path.parent.mkdir(parents=True, exist_ok=True)
    write_arpa(made.path, model, lambda chunks: track(chunks, "writing n-grams"))
    _write_note(made, source, options, texts)
    return made


def _words(lines: Iterable[str], unit: Unit, tokenizer: Tokenizer, title: str) -> Iterator[list[str]]:
    return (lm_words(line, unit, tokenizer) for line in track(lines, title))


def _split_lines(source: Source, split: str) -> list[str]:
    """Return the normalised texts of a split of the corpus; of a split that it lacks, other than `train`, none."""
    path = source.corpus / f"manifest-{split}.jsonl"
    if split != "train" and not path.is_file():
        return []
    texts = (source.tokenizer.normalise(row.text) for row in track(Manifest(path), f"reading {split}"))
    return [text for text in texts if text]


def _user_lines(paths: Iterable[str], tokenizer: Tokenizer) -> list[str]:
    """Return the normalised lines of the user's files, blank ones left out."""
    texts = (tokenizer.normalise(line) for path in paths for line in track(_read(Path(path)), f"reading {path}"))
    return [text for text in texts if text]


def _read(path: Path) -> Iterator[str]:
    """Yield the lines of a file in UTF-8, gzipped or not.

    Raises:
        UserError: there is no such file, or it is no text in UTF-8.
    """
    if not path.is_file():
        raise UserError(f"text={path} is no file; give a text file in UTF-8 with a sentence a line")
    with path.open("rb") as raw:
        gzipped = raw.read(2) == _GZIP
        raw.seek(0)
        number = 0
        try:
            for number, line in enumerate(gzip.GzipFile(fileobj=raw) if gzipped else raw, start=1):
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}:{number}: no text in UTF-8 ({error.reason}); convert the file to UTF-8") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"{path}: gzip ends or breaks after line {number} ({error}); copy it again") from None


def _unreadable(model: NGramModel, unit: Unit, tokenizer: Tokenizer, options: Options) -> int:
    """Count the words with characters that the recogniser does not know; refuse a text of nothing else."""
    words = [word for word in model.words[len(SPECIAL_WORDS) :] if word != SPACE]
    strangers = sum(bool(tokenizer.strangers(word)) for word in words) if unit == "word" else 0
    if strangers == len(words):
        shown = " ".join(symbol for symbol in tokenizer.symbols[:30] if symbol != " ")
        raise UserError(
            f"{', '.join(options.texts) or 'the training text'} shares no symbol with the recogniser's alphabet "
            f"({shown}); give a text in its script and case, or set text.case"
        )
    return strangers


def _path(source: Source, options: Options) -> Path:
    name = f"lm-{options.unit}-{options.order}"
    if options.texts:
        name += f"-{Path(options.texts[0]).name.partition('.')[0]}"  # beside that of the training text
    return options.output or source.output / f"{name}.arpa.gz"


def _note_path(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".arpa") + ".json")


def _write_note(made: Made, source: Source, options: Options, texts: Mapping[str, list[str]]) -> None:
    """Write beside the model how it was made."""
    name = "text" if options.texts else "train"
    digest = hashlib.sha256()
    for line in texts[name]:
        digest.update(line.encode() + b"\n")
    note = {
        "unit": made.unit,
        "order": len(made.model.orders),
        "source": {**source.name, **({"text": list(options.texts)} if options.texts else {"split": "train"})},
        "text_sha256": digest.hexdigest(),  # of its normalised lines
        "prune": list(options.prune),
        "ngrams": [len(ngrams.words) for ngrams in made.model.orders],
        "discounts": [list(discounts.amounts) for discounts in made.model.discounts],
        "discounts_estimated": [discounts.estimated for discounts in made.model.discounts],
        "texts": {
            name: {
                "sentences": score.sentences,
                "words": score.words,
                "unknown_words": score.unknown,
                "perplexity": score.perplexity,
            }
            for name, score in made.scores.items()
        },
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seqrec": __version__,
    }
    content = json.dumps(note, ensure_ascii=False, indent=2)
    _note_path(made.path).write_text(content + "\n", encoding="utf-8")


def show(made: Made, source: Source) -> None:
    """Print what was made, and the command to decode with it."""
    console.print(_orders_table(made.model))
    console.print(_texts_table(made))
    if len(made.model.orders) < made.order:
        reason = f"no sentence has n-grams of {len(made.model.orders) + 1} words and more, or all are pruned"
        console.print(f"note: the order is {len(made.model.orders)}, not {made.order}: {reason}", soft_wrap=True)
    if made.unreadable:
        of = len(made.model.words) - len(SPECIAL_WORDS)
        told = "words of the vocabulary have characters outside the alphabet, and are never recognised"
        console.print(f"note: {made.unreadable:,} of {of:,} {told}", soft_wrap=True, highlight=False)
    first = next(iter(made.scores.values()))
    if made.unit == "char" and first.unknown:
        told = "symbols of the text are outside the alphabet, and stand as <unk> in the model"
        console.print(f"note: {first.unknown:,} of {first.words:,} {told}", soft_wrap=True, highlight=False)
    console.print(Text(f"written to {made.path}"), soft_wrap=True)
    run = source.name.get("run", "RUN")
    command = f"seqrec evaluate {run} decoder=beam_lm decoder.unit={made.unit} decoder.lm={made.path}"
    console.print(Text(f"decode with it: {command}"), soft_wrap=True)


def _orders_table(model: NGramModel) -> Table:
    table = Table()
    for heading in ("order", "n-grams", "D1", "D2", "D3+"):
        table.add_column(heading, justify="right")
    for n, (ngrams, discounts) in enumerate(zip(model.orders, model.discounts, strict=True), start=1):
        table.add_row(str(n), f"{len(ngrams.words):,}", *(f"{amount:.3f}" for amount in discounts.amounts))
    return table


def _texts_table(made: Made) -> Table:
    """Tabulate the model's perplexity on the texts."""
    table = Table()
    words = "symbols" if made.unit == "char" else "words"
    for heading in ("text", "sentences", words, "perplexity", f"unknown {words}"):
        table.add_column(heading, justify="left" if heading == "text" else "right")
    for name, score in made.scores.items():
        numbers = f"{score.sentences:,}", f"{score.words:,}", f"{score.perplexity:.2f}", percent(score.unknown_share)
        table.add_row(name, *numbers)
    return table
