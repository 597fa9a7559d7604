"""`seqrec prepare RECIPE`: download or read the recipe's corpus, and write manifests and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from seqrec.cli.compose import run_recipe, take_run_folder_away
from seqrec.cli.console import corpus_table
from seqrec.corpora.prepare import PreparedCorpus, prepare, text_choices
from seqrec.corpora.shards.fetch import fetch_index
from seqrec.corpora.shards.store import ShardStore
from seqrec.corpora.shards.writer import write_corpus
from seqrec.progress import console, track

USAGE = """usage: seqrec prepare RECIPE [KEY=VALUE ...]

Downloads or reads the recipe's corpus and writes manifest-{train,dev,test}.jsonl, tokens.json and statistics.json into
data_dir (default: data/, or $SEQREC_DATA). `seqrec train` does it too where it is missing.

  corpus.archive=PATH   read a local archive instead of downloading
  corpus.root=PATH      read a folder: an unpacked archive, or your own recordings or inks (recipes own/...)
  data_dir=PATH         where prepared corpora lie
  shards=ADDRESS        write the corpus to a folder or a URL, too, as WebDataset tars: `seqrec train RECIPE
                        shards=ADDRESS` streams them, on any machine; shard_mb=256 is their size in megabytes
"""


def main(words: Sequence[str]) -> None:
    """Prepare, and say what there is."""
    run_recipe(words, USAGE, _prepare)


def prepare_shown(config: dict[str, Any]) -> PreparedCorpus:
    """Return the corpus that `config` trains on: the index of its shards, or files prepared here."""
    return fetch_index(config) if config.get("shards") else _prepare_files(config)


def _prepare(config: dict[str, Any]) -> None:
    take_run_folder_away()
    if config["shards"]:
        ShardStore(config["shards"]).check_writable()  # now, not after an hour of preparing
    corpus = _prepare_files(config)
    show(corpus)
    if config["shards"]:
        fresh = write_corpus(config, corpus, track)
        about = "written as shards to" if fresh else "stands already as shards in"
        console.print(Text(f"{about} {config['shards']}"), soft_wrap=True)


def _prepare_files(config: dict[str, Any]) -> PreparedCorpus:
    """Prepare a corpus with a progress bar a split."""
    return prepare(config, lambda rows, title: track(rows, f"preparing {title}"))


def show(corpus: PreparedCorpus) -> None:
    """Print what a prepared corpus holds and where."""
    statistics = corpus.statistics()
    console.print(corpus_table(statistics))
    if "text" in statistics:  # corpora prepared by an older seqrec do not say
        console.print(Text(f"text: {text_choices(statistics['text'])}"), soft_wrap=True)
    symbols = ["␣" if symbol == " " else symbol for symbol in statistics["alphabet"]]
    console.print(Text(f"alphabet, {len(symbols)} symbols: {' '.join(symbols)}"))
    for note in (statistics["shared_people"], *statistics["notes"]):
        if note:
            console.print(Text(f"note: {note}"), soft_wrap=True)
    left_out = [(name, *item) for name, split in statistics["splits"].items() for item in split["left_out"].items()]
    for name, reason, count in left_out:
        console.print(Text(f"left out of {name}: {count} x {reason} (named in left_out.jsonl)"), soft_wrap=True)
    if not left_out:
        console.print("left out: nothing", highlight=False)
    console.print(Text(f"{'written to' if corpus.fresh else 'stands already in'} {corpus.folder}"), soft_wrap=True)
