"""`seqrec lm RECIPE` or `RUN`: estimate a language model from the training text, or from a text of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqrec.cli.compose import SWEEP_FLAGS, known_keys, run_recipe, take_run_folder_away
from seqrec.cli.recipe_names import list_recipes
from seqrec.errors import UserError, did_you_mean
from seqrec.share import share_folder

if TYPE_CHECKING:
    from seqrec.cli.lm_making import Source

USAGE = """usage: seqrec lm RECIPE [order=5] [unit=char|word] [text=FILE ...] [prune=0,0,1] [output=PATH] [KEY=VALUE]
       seqrec lm RUN    [order=5] [unit=char|word] [text=FILE ...] [prune=0,0,1] [output=PATH] [data_dir=PATH]

Estimates an n-gram language model (interpolated modified Kneser-Ney, as KenLM's lmplz does it) from the training texts
of a recipe's corpus, which is prepared first where it is missing, or of a run's. Texts of dev and test never enter; the
perplexity on dev is for looking at. A .json beside the model says how it was made.

  order=5               words of the longest n-grams
  unit=char|word        the words of the model are the recogniser's symbols, or the words between spaces
  text=FILE             a text of your own instead: a sentence a line, UTF-8, gzipped or not; several: text=A text=B
  prune=0,0,1           leave out n-grams that occur so often or less: here trigrams and longer ones that occur once
  output=PATH           where it goes, a .arpa or .arpa.gz; else lm-UNIT-ORDER.arpa.gz beside the prepared corpus, or in
                        the run's folder, with the name of your text behind it

Decode with it: seqrec evaluate RUN decoder=beam_lm decoder.unit=char|word decoder.lm=PATH
"""
OPTIONS = ("order", "unit", "text", "prune", "output")
UNITS = ("char", "word")


@dataclass(frozen=True)
class Options:
    """What the command line says besides a recipe's overrides."""

    words: tuple[str, ...]  # the recipe or run, and the overrides
    order: int = 5
    unit: str = "char"
    texts: tuple[str, ...] = ()
    prune: tuple[int, ...] = ()
    output: Path | None = None


def main(words: Sequence[str]) -> None:
    """Estimate, write and show a language model."""
    if not words or {"-h", "--help"} & set(words):
        print(USAGE, end="")
        return
    options = _parse(words)
    if _is_run(options.words[0]):
        _of_run(options)
    else:
        _check_overrides(options.words[1:])
        run_recipe(options.words, USAGE, lambda config: _of_recipe(config, options))


def _is_run(word: str) -> bool:
    recipes = list_recipes()
    if word in recipes or word.endswith(".yaml"):
        return False
    if not Path(word).exists():
        raise UserError(f"`{word}` is neither a recipe nor the folder of a run{did_you_mean(word, recipes)}")
    return True


def _of_recipe(config: dict[str, Any], options: Options) -> None:
    from seqrec.cli.lm_making import Source, source_tokenizer
    from seqrec.cli.prepare import prepare_shown

    take_run_folder_away()
    corpus = prepare_shown(config).folder
    tokenizer = source_tokenizer(config["text"], corpus / "tokens.json")
    _make(Source({"recipe": config["recipe"]}, tokenizer, corpus, corpus), options)


def _of_run(options: Options) -> None:
    from seqrec.cli.lm_making import Source, source_tokenizer
    from seqrec.corpora.shards.fetch import corpus_folder
    from seqrec.run_folder import open_run

    path, *overrides = options.words
    run = open_run(path)
    config = run.read_config()
    for word in overrides:
        key, sign, value = word.partition("=")
        if key != "data_dir" or not sign:
            raise UserError(f"`{word}` is no option of lm for a run{did_you_mean(key, (*OPTIONS, 'data_dir'))}")
        config["data_dir"] = value
    tokenizer = source_tokenizer(config["text"], run.tokens)
    _make(Source({"run": str(run.path)}, tokenizer, corpus_folder(config), run.path), options)


def _make(source: Source, options: Options) -> None:
    from seqrec.cli.lm_making import make, show

    made = make(source, options)
    show(made, source)


def _parse(words: Sequence[str]) -> Options:
    """Take this verb's options out of `words`; Hydra would not know them."""
    rest: list[str] = []
    texts: list[str] = []
    found: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or key not in OPTIONS or (key == "text" and _is_tokenizer(value)):
            rest.append(word)
        elif key == "text":
            texts.append(value)
        elif key in found:
            raise UserError(f"`{key}` is given twice; give it once")
        else:
            found[key] = value
    if SWEEP_FLAGS & set(rest):
        raise UserError("lm takes no sweep (-m); make one model after another")
    if not rest or "=" in rest[0]:
        raise UserError("lm needs a recipe or a run first, as in `seqrec lm fsdd/bilstm order=5`")
    unit = found.get("unit", "char")
    if unit not in UNITS:
        raise UserError(f"unit={unit} is none{did_you_mean(unit, UNITS)}")
    return Options(
        words=tuple(rest),
        order=_whole_number("order", found.get("order", "5")),
        unit=unit,
        texts=tuple(texts),
        prune=tuple(_whole_number("prune", value) for value in found["prune"].split(",")) if "prune" in found else (),
        output=_output(found["output"]) if "output" in found else None,
    )


def _is_tokenizer(value: str) -> bool:
    """Tell whether `text=VALUE` is a recipe's override rather than a file: the group `text` has the same name."""
    return (share_folder("conf") / "text" / f"{value}.yaml").is_file() and not Path(value).exists()


def _whole_number(key: str, value: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise UserError(f"{key}={value}: `{value}` is not a whole number; give one, such as {key}=3")
    return int(value)


def _output(value: str) -> Path:
    path = Path(value).expanduser()
    if not value.endswith((".arpa", ".arpa.gz")) or path.is_dir():
        raise UserError(f"output={value} is no name of a .arpa or .arpa.gz file; give one, such as output=mine.arpa.gz")
    return path


def _check_overrides(words: Sequence[str]) -> None:
    """Refuse a misspelt option here: what Hydra says of it names the recipe's keys alone."""
    keys = known_keys()
    for word in words:
        key, sign, _ = word.partition("=")
        if sign and key.isidentifier() and key not in keys:
            raise UserError(f"`{key}` is no option of lm and no key of recipes{did_you_mean(key, {*OPTIONS, *keys})}")
