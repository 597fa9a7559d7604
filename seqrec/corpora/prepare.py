"""Preparing a corpus: manifests of its splits, the tokens of its training text, and a count of what is in it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seqrec.corpora.corpus import Corpus
from seqrec.errors import UserError
from seqrec.manifest import Manifest, Row, write_manifest
from seqrec.share import build, constructor_defaults
from seqrec.text.tokens import CharacterTokenizer, write_tokens

SPLITS = ("train", "dev", "test")
_WHERE_FROM = {"archive", "url"}
_NOT_SETTINGS = {"_target_", "unknown", *_WHERE_FROM}  # they do not change what the corpus is
_LONGEST_NAME = 80  # characters
Track = Callable[[Iterable[Row], str], Iterable[Row]]  # shows progress under a title


@dataclass
class SplitStatistics:
    """What a split holds."""

    examples: int = 0
    people: int = 0
    characters: int = 0
    seconds: float = 0.0
    points: int = 0


@dataclass(frozen=True)
class PreparedCorpus:
    """A folder with `manifest-SPLIT.jsonl`, `tokens.json`, `statistics.json` and the marker `.completed`."""

    folder: Path
    fresh: bool  # whether it was written now

    def statistics(self) -> dict[str, Any]:
        """Read `statistics.json`: the counts of each split, the alphabet, the licence, people shared by splits."""
        return json.loads((self.folder / "statistics.json").read_text(encoding="utf-8"))


def prepared_folder(config: Mapping[str, Any]) -> Path:
    """Return where the corpus of a run's config lies: its name, and each setting that is not the default one."""
    name = config["corpus"]["_target_"].rpartition(".")[0].rpartition(".")[2]
    for part in ("corpus", "text"):
        defaults = constructor_defaults(config[part]["_target_"]) or {}
        for key, value in config[part].items():
            if key not in _NOT_SETTINGS and value != defaults.get(key):
                name += f"-{key}={value}"
    name = re.sub(r"[^\w=.-]+", "_", name)
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return Path(config["data_dir"]).absolute() / name


def prepare(config: Mapping[str, Any], track: Track = lambda rows, title: rows) -> PreparedCorpus:
    """Write the corpus of a run's config, unless it stands already.

    It is written beside its place and moved there when complete, so that an interrupted or a parallel preparation
    leaves nothing half done.

    Raises:
        UserError: the corpus cannot be had, or breaks a law: an id twice, an empty split, people shared unsaid.
    """
    folder = prepared_folder(config)
    archive = config["corpus"].get("archive")
    if archive is not None and not Path(archive).is_file():
        raise UserError(f"corpus.archive={archive} does not exist; check the path")
    if (folder / ".completed").is_file():
        _check_settings(folder, config["corpus"])
        return PreparedCorpus(folder, fresh=False)
    corpus: Corpus = build(config["corpus"], "corpus")
    tokenizer: CharacterTokenizer = build(config["text"], "text")
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        _write(corpus, tokenizer, partial, folder.parent / "downloads", track)
        settings = {key: config["corpus"][key] for key in config["corpus"]}
        (partial / ".completed").write_text(json.dumps(settings) + "\n", encoding="utf-8")
        if folder.exists() and not (folder / ".completed").is_file():
            raise UserError(f"{folder} exists but holds no complete corpus; move it away and prepare again")
        if not folder.exists():
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return PreparedCorpus(folder, fresh=True)


def _check_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder whose corpus has other settings under the same name."""
    marker = folder / ".completed"
    written = json.loads(marker.read_text(encoding="utf-8"))
    for key in settings.keys() - _WHERE_FROM:
        if written.get(key, settings[key]) != settings[key]:
            raise UserError(
                f"{folder} holds the corpus with corpus.{key}={written[key]}, not {settings[key]}; "
                "move the folder away, or set another data_dir"
            )


def _write(corpus: Corpus, tokenizer: CharacterTokenizer, folder: Path, downloads: Path, track: Track) -> None:
    splits = corpus.splits(folder, downloads)
    counts = {name: SplitStatistics() for name in splits}
    people: dict[str, set[str]] = {name: set() for name in splits}
    ids: set[str] = set()
    for name, rows in splits.items():
        checked = _checked(track(rows, name), ids, counts[name], people[name])
        write_manifest(folder / f"manifest-{name}.jsonl", checked)
        if not counts[name].examples:
            raise UserError(f"corpus {corpus.name}: the split `{name}` is empty; check the corpus's settings")
    shared = _shared(people)
    if shared and not corpus.shared_people:
        raise UserError(f"corpus {corpus.name}: {', '.join(shared)} occur in several splits; split by person")
    symbols = tokenizer.symbols or tokenizer.alphabet(row.text for row in Manifest(folder / "manifest-train.jsonl"))
    write_tokens(folder / "tokens.json", symbols)
    statistics = {
        "corpus": corpus.name,
        "licence": corpus.licence,
        "shared_people": corpus.shared_people,
        "alphabet": "".join(symbols),
        "splits": {name: asdict(count) for name, count in counts.items()},
    }
    text = json.dumps(statistics, ensure_ascii=False, indent=2)
    (folder / "statistics.json").write_text(text + "\n", encoding="utf-8")


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


def _shared(people: Mapping[str, set[str]]) -> list[str]:
    names = list(people)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    return sorted(set().union(*(people[a] & people[b] for a, b in pairs)))
