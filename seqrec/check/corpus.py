"""What is checked: the corpus of a recipe, a single manifest, or a folder of manifests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from seqrec.corpora.prepare import SPLITS, PreparedCorpus
from seqrec.errors import UserError, did_you_mean
from seqrec.manifest import Manifest
from seqrec.share import build, share_folder
from seqrec.text.tokens import Symbol, read_tokens

if TYPE_CHECKING:
    from seqrec.parts import Reader

_TEXT = {"_target_": "seqrec.text.tokens.CharacterTokenizer"}
_LOOKED_AT = 100  # rows to tell the reader by


@dataclass(frozen=True)
class Corpus:
    """What is checked."""

    title: str  # the recipe's name, or the path
    manifests: Mapping[str, Path]  # of each split
    config: Mapping[str, Any]  # a recipe's, or its reader and text alone
    symbols: tuple[Symbol, ...] = ()  # none: those of the training text
    shared_people: str | None = None  # why splits share people, where they are meant to
    prepared: Path | None = None  # the folder, where seqrec prepared it

    @property
    def has_recipe(self) -> bool:
        """Whether there is a model to think of."""
        return "encoder" in self.config


def corpus_of_recipe(config: Mapping[str, Any], prepared: PreparedCorpus) -> Corpus:
    """Return the prepared corpus of a composed config."""
    return Corpus(
        title=str(config["recipe"]),
        manifests=_manifests(prepared.folder),
        config=config,
        symbols=read_tokens(prepared.folder / "tokens.json"),
        shared_people=prepared.statistics()["shared_people"],
        prepared=prepared.folder,
    )


def corpus_of_path(path: Path, reader: str | None) -> Corpus:
    """Return a manifest, or the manifests of a folder, without a recipe.

    Args:
        path: a JSONL file, or a folder of `manifest-SPLIT.jsonl`.
        reader: the name of its reader in conf/; None: told from the keys of its rows.

    Raises:
        UserError: there is no manifest, or no reader for its rows.
    """
    if path.is_dir():
        manifests = _manifests(path)
        if not manifests:
            raise UserError(
                f"{path} holds no manifest-train.jsonl, -dev or -test; give the path of a manifest, or check a "
                f"folder of your own recordings with `own/speech corpus.root={path}`, of inks with own/ink"
            )
        symbols = read_tokens(path / "tokens.json") if (path / "tokens.json").is_file() else ()
        said = PreparedCorpus(path, fresh=False).statistics() if (path / "statistics.json").is_file() else {}
    else:
        manifests, symbols, said = {path.stem.removeprefix("manifest-"): path}, (), {}
    part = _reader_part(next(iter(manifests.values())), reader)
    config = {"reader": part, "text": said.get("text", _TEXT)}
    return Corpus(str(path), manifests, config, symbols, said.get("shared_people"), path if said else None)


def _manifests(folder: Path) -> dict[str, Path]:
    paths = {split: folder / f"manifest-{split}.jsonl" for split in SPLITS}
    return {split: path for split, path in paths.items() if path.is_file()}


def _reader_part(manifest: Path, name: str | None) -> dict[str, Any]:
    files = sorted((share_folder("conf") / "reader").glob("*.yaml"))
    parts = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    if name is not None:
        if name not in parts:
            raise UserError(f"reader={name} is none{did_you_mean(name, parts)}")
        return parts[name]
    keys = _keys(Manifest(manifest))
    for part in parts.values():
        reader: Reader = build(part, "reader")
        if reader.source_key in keys:
            return part
    raise UserError(f"{manifest}: its first rows have no source that a reader takes; give reader={'|'.join(parts)}")


def _keys(manifest: Manifest) -> set[str]:
    """Return the keys of the first rows.

    Raises:
        UserError: none of them is a row; it names the first.
    """
    keys: set[str] = set()
    failure = None
    for index in range(min(len(manifest), _LOOKED_AT)):
        try:
            keys.update(manifest[index].fields)
        except UserError as error:
            failure = failure or error  # where others are rows, the check names it
    if failure and not keys:
        raise failure
    return keys
