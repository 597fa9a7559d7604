"""Preparing a corpus: manifests of its splits, the tokens of its training text, and a count of what is in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.corpora.archives.locks import one_at_a_time
from seqrec.corpora.corpus import Corpus, LeftOut
from seqrec.corpora.people import shared_people
from seqrec.corpora.provenance import (
    check_unchanged,
    describe_source,
    path_name,
    read_completed,
    with_absolute_paths,
)
from seqrec.errors import UserError
from seqrec.manifest import Manifest, Row, write_manifest
from seqrec.share import build, constructor_defaults
from seqrec.text.tokens import read_tokens, write_tokens

if TYPE_CHECKING:
    from seqrec.parts import Tokenizer

SPLITS = ("train", "dev", "test")
_WHERE_FROM = {"archive", "url", "num_workers"}
_NOT_SETTINGS = {"_target_", "unknown", "fold", *_WHERE_FROM}  # they do not change what the corpus is
_SAID_ELSEWHERE = {"_target_", "symbols", "unknown"}
_USUAL_TEXT = "tokens"  # of other kinds of text the symbols are others, and so is the folder
_LONGEST_NAME = 80  # characters
Read = Iterable[Row | LeftOut]
Track = Callable[[Read, str], Read]  # shows progress under a title


@dataclass
class SplitStatistics:
    """What a split holds."""

    examples: int = 0
    people: int = 0
    characters: int = 0
    seconds: float = 0.0
    points: int = 0
    left_out: dict[str, int] = field(default_factory=dict)  # reason to count


@dataclass(frozen=True)
class PreparedCorpus:
    """A folder with `manifest-SPLIT.jsonl`, `tokens.json`, `statistics.json` and the marker `.completed`.

    Where examples were left out, `left_out.jsonl` names each with its reason.
    """

    folder: Path
    fresh: bool  # whether it was written now

    def statistics(self) -> dict[str, Any]:
        """Read `statistics.json`: the counts of each split, the alphabet, the licence, people shared by splits.

        Raises:
            UserError: it is missing or damaged.
        """
        path = self.folder / "statistics.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path} cannot be read ({error}); move {self.folder} away and prepare again") from None


def prepared_folder(config: Mapping[str, Any]) -> Path:
    """Return where the corpus of a run's config lies: its name, and each setting that is not the default one."""
    name = _kind(config["corpus"])
    text = {key: _short(value) for key, value in config["text"].items()}
    for part in (with_absolute_paths(config["corpus"]), text):
        defaults = constructor_defaults(part["_target_"]) or {}
        for key, value in part.items():
            if key not in _NOT_SETTINGS and value != defaults.get(key):
                is_path = isinstance(value, str) and os.path.isabs(value)  # even where nothing is there any more
                name += f"-{key}={path_name(value) if is_path else value}"
    if _kind(config["text"]) != _USUAL_TEXT:
        name += f"-text={_kind(config['text'])}"
    name = re.sub(r"[^\w=.-]+", "_", name)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{_digest(name)}"
    return Path(config["data_dir"]).absolute() / name


def text_choices(text: Mapping[str, Any]) -> str:
    """Say in one line how the `text` of a config makes tokens of texts."""
    settings = [f"{key}={value}" for key, value in text.items() if key not in _SAID_ELSEWHERE and value is not None]
    return ", ".join([str(text["_target_"]).rpartition(".")[2], *settings])


def _short(value: Any) -> Any:
    """Return a key of a mapping, whose characters a name may not hold; other values as they are."""
    return _digest(json.dumps(value, sort_keys=True)) if isinstance(value, Mapping) else value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _kind(part: Mapping[str, Any]) -> str:
    """Return the last name of a part's module."""
    return str(part["_target_"]).rpartition(".")[0].rpartition(".")[2]


def prepare(config: Mapping[str, Any], track: Track = lambda rows, title: rows) -> PreparedCorpus:
    """Write the corpus of a run's config, unless it stands already.

    It is written beside its place and moved there when complete, so that an interrupted or a parallel preparation
    leaves nothing half done.

    Raises:
        UserError: the corpus cannot be had, or breaks a law: an id twice, an empty split, people shared unsaid.
    """
    folder = prepared_folder(config)
    config = {**config, "corpus": with_absolute_paths(config["corpus"])}
    standing = _standing(folder, config)
    if standing:
        return standing
    source = describe_source(config["corpus"], output=folder.parent)
    corpus: Corpus = build(config["corpus"], "corpus")
    tokenizer: Tokenizer = build(config["text"], "text")
    with one_at_a_time(folder.with_name(f".{folder.name}.lock")):
        standing = _standing(folder, config)  # by now
        if standing:
            return standing
        if folder.exists():
            raise UserError(f"{folder} exists but holds no complete corpus; move it away and prepare again")
        partial = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        partial.mkdir()
        try:
            _write(corpus, tokenizer, config["text"], partial, folder.parent / "downloads", track)
            write_indexes(config["text"], partial)
            marker = {"settings": dict(config["corpus"]), "source": source}
            (partial / ".completed").write_text(json.dumps(marker) + "\n", encoding="utf-8")
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return PreparedCorpus(folder, fresh=True)


def _standing(folder: Path, config: Mapping[str, Any]) -> PreparedCorpus | None:
    """Return the corpus that stands in `folder`; None where it is still to be made."""
    if not (folder / ".completed").is_file():
        return None
    completed = read_completed(folder)
    _check_settings(folder, completed.settings, config["corpus"])
    check_unchanged(folder, describe_source(config["corpus"], folder.parent, completed.archives))
    return PreparedCorpus(folder, fresh=False)


def _check_settings(folder: Path, written: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse a folder whose corpus has other settings under the same name."""
    for key in settings.keys() - _WHERE_FROM:
        if written.get(key, settings[key]) != settings[key]:
            raise UserError(
                f"{folder} holds the corpus with corpus.{key}={written[key]}, not {settings[key]}; "
                "move the folder away, or set another data_dir"
            )


def _write(
    corpus: Corpus, tokenizer: Tokenizer, text: Mapping[str, Any], folder: Path, downloads: Path, track: Track
) -> None:
    splits = corpus.splits(folder, downloads)
    if "train" not in splits:
        raise UserError(f"corpus {corpus.name} has no split `train`, it has {', '.join(splits)}; check its settings")
    counts = {name: SplitStatistics() for name in splits}
    people: dict[str, set[str]] = {name: set() for name in splits}
    ids: set[str] = set()
    left_out: list[dict[str, str]] = []
    for name, rows in splits.items():
        kept = _kept(track(rows, name), name, counts[name], left_out)
        write_manifest(folder / f"manifest-{name}.jsonl", _checked(kept, ids, counts[name], people[name]))
        if not counts[name].examples:
            raise UserError(
                f"corpus {corpus.name}: the split `{name}` is empty{_reasons(counts[name])}; "
                "check the corpus's settings"
            )
    shared = shared_people(people.values())
    if shared and not corpus.shared_people:
        raise UserError(f"corpus {corpus.name}: {', '.join(shared)} occur in several splits; split by person")
    if left_out:
        lines = (json.dumps(one, ensure_ascii=False) + "\n" for one in left_out)
        (folder / "left_out.jsonl").write_text("".join(lines), encoding="utf-8")
    training_texts = (row.text for row in Manifest(folder / "manifest-train.jsonl"))
    write_tokens(folder / "tokens.json", text.get("symbols") or tokenizer.alphabet(training_texts))
    statistics = {
        "corpus": corpus.name,
        "licence": corpus.licence,
        "shared_people": corpus.shared_people,
        "notes": list(corpus.notes),
        "text": {key: value for key, value in text.items() if key not in ("symbols", "unknown")},
        "alphabet": list(_tokenizer(text, folder).symbols),
        "splits": {name: asdict(count) for name, count in counts.items()},
    }
    content = json.dumps(statistics, ensure_ascii=False, indent=2)
    (folder / "statistics.json").write_text(content + "\n", encoding="utf-8")


def write_indexes(text: Mapping[str, Any], folder: Path) -> None:
    """Write beside each manifest what training would else have to read out of every row."""
    tokenizer = _tokenizer(text, folder)
    for manifest in sorted(folder.glob("manifest-*.jsonl")):
        Manifest(manifest).write_index(tokenizer)


def _tokenizer(text: Mapping[str, Any], folder: Path) -> Tokenizer:
    """Return the tokenizer of a folder's tokens, which drops strangers."""
    symbols = list(read_tokens(folder / "tokens.json"))
    tokenizer: Tokenizer = build({**text, "symbols": symbols, "unknown": "drop"}, "text")
    return tokenizer


def _kept(rows: Read, split: str, counts: SplitStatistics, left_out: list[dict[str, str]]) -> Iterator[Row]:
    """Pass rows on, and note what the corpus leaves out."""
    for row in rows:
        if isinstance(row, Row):
            yield row
        else:
            counts.left_out[row.reason] = counts.left_out.get(row.reason, 0) + 1
            left_out.append({"split": split, **asdict(row)})


def _reasons(counts: SplitStatistics) -> str:
    """Say what was left out."""
    reasons = ", ".join(f"{count} x {reason}" for reason, count in counts.left_out.items())
    return f" ({reasons} left out)" if reasons else ""


def _checked(rows: Iterable[Row], ids: set[str], counts: SplitStatistics, people: set[str]) -> Iterator[Row]:
    """Pass rows on, counting them and refusing an id that occurred before."""
    for row in rows:
        if row.id in ids:
            raise UserError(f"example id `{row.id}` occurs twice; ids name examples in every message and must differ")
        ids.add(row.id)
        counts.examples += 1
        counts.characters += len(row.text)
        counts.seconds = round(counts.seconds + float(row.fields.get("duration", 0)), 6)
        counts.points += int(row.fields.get("num_points", 0))
        if row.person is not None:
            people.add(row.person)
            counts.people = len(people)
        yield row
