"""`seqrec prepare RECIPE`: download or read the recipe's corpus, and write manifests and tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text

from seqrec.cli.compose import run_recipe
from seqrec.cli.console import console, corpus_table, track
from seqrec.corpora.prepare import PreparedCorpus, prepare

USAGE = """usage: seqrec prepare RECIPE [KEY=VALUE ...]

Downloads or reads the recipe's corpus and writes manifest-{train,dev,test}.jsonl, tokens.json and statistics.json into
data_dir (default: data/, or $SEQREC_DATA). `seqrec train` does it too where it is missing.

  corpus.archive=PATH   read a local archive instead of downloading
  data_dir=PATH         where prepared corpora lie
"""


def main(words: Sequence[str]) -> None:
    """Prepare, and say what there is."""
    run_recipe(words, USAGE, lambda config: show(prepare_shown(config)))


def prepare_shown(config: dict[str, Any]) -> PreparedCorpus:
    """Prepare the corpus of `config`, with a progress bar a split."""
    return prepare(config, lambda rows, title: track(rows, f"preparing {title}"))


def show(corpus: PreparedCorpus) -> None:
    """Print what a prepared corpus holds and where."""
    statistics = corpus.statistics()
    console.print(corpus_table(statistics))
    console.print(Text(f"alphabet: {statistics['alphabet']!r}"))
    if statistics["shared_people"]:
        console.print(Text(f"note: {statistics['shared_people']}"))
    console.print(Text(f"{'written to' if corpus.fresh else 'stands already in'} {corpus.folder}"), soft_wrap=True)
