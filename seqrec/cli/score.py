"""`seqrec score REF HYP`: error rates of any system's output, from its files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from seqrec.errors import UserError

if TYPE_CHECKING:
    from seqrec.formats.hypotheses.matching import Matched
    from seqrec.metrics.scored import ScoredExample
    from seqrec.text.normalise import Normalisation

DESCRIPTION = """Word and character error rates of hypotheses against references, with 95 % intervals, confusions and
the worst examples. Files are matched by id, or line n to line n where they have no ids."""
EPILOG = """formats (auto: by the file's name, .trn .ctm .jsonl, else text):
  text   one utterance a line
  trn    sclite's: words (speaker-utterance)
  ctm    recording channel start duration word [confidence]
  jsonl  objects with `id` and `text`; with a single FILE `reference` and `hypothesis`, as `seqrec evaluate` writes

Nothing is normalised unless asked for, but runs of white space count as one space. Errors are those of the alignment
with the fewest; sclite, which ignores case and weighs kinds of errors unlike, may count otherwise.

examples:
  seqrec score ref.trn hyp.trn --by speaker
  seqrec score runs/fsdd/bilstm/2026-11-21_12-00-00/evaluation/test-greedy/hypotheses.jsonl
  seqrec score ref.txt hyp.txt --case lower --drop-punctuation --replace "’='"
  seqrec score manifest.jsonl nemo.jsonl --hyp-key pred_text --json scores.json
"""
_CHUNK = 5000  # utterances scored between two looks at the progress


def main(words: Sequence[str]) -> None:
    """Score the files named in `words`."""
    arguments = _parser().parse_args(words)
    if arguments.per_example and not arguments.json:
        raise UserError("--per-example adds every example to the JSON; say where it goes with --json OUT")
    from seqrec.cli.score_report import Report, show, to_json
    from seqrec.metrics.summary import summarise

    normalisation = _normalisation(arguments)
    matched = _match(arguments)
    _check_keys(arguments.by, matched)
    examples = list(_score(matched, normalisation))
    if not examples:
        raise UserError(f"{arguments.ref} holds no utterances; there is nothing to score")
    report = Report(summarise(examples), examples, matched, tuple(arguments.by), _said(arguments))
    if arguments.json == "-":
        print(json.dumps(to_json(report, arguments.per_example), ensure_ascii=False, indent=2))
        return
    show(report, arguments.worst)
    if arguments.json:
        text = json.dumps(to_json(report, arguments.per_example), ensure_ascii=False, indent=2)
        Path(arguments.json).write_text(text + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="seqrec score",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("ref", metavar="REF", type=Path, help="the references; or one JSONL file that holds both")
    parser.add_argument("hyp", metavar="HYP", type=Path, nargs="?", help="the hypotheses")
    parser.add_argument(
        "--format", choices=("auto", "text", "trn", "jsonl", "ctm"), default="auto", help="of both files"
    )
    keys = parser.add_argument_group("keys of JSONL")
    keys.add_argument("--ref-key", help="text of a reference (text; reference in a single file)")
    keys.add_argument("--hyp-key", help="text of a hypothesis (text; hypothesis in a single file)")
    keys.add_argument("--id-key", default="id", help="id (id)")
    normalise = parser.add_argument_group("normalisation of references and hypotheses alike")
    normalise.add_argument("--case", choices=("keep", "lower", "upper"), default="keep", help="of all letters (keep)")
    normalise.add_argument("--drop-punctuation", action="store_true", help="but for apostrophes within words")
    normalise.add_argument("--unicode-form", choices=("none", "NFC", "NFKC"), default="none", help="(none)")
    normalise.add_argument("--replace", metavar="A=B", action="append", default=[], help="put B for the character A")
    ids = parser.add_argument_group("ids in one file only")
    ids.add_argument("--missing", choices=("error", "delete"), default="error", help="delete: count words as deleted")
    ids.add_argument("--extra", choices=("error", "ignore"), default="error", help="ignore: leave them out, counted")
    show = parser.add_argument_group("what is shown")
    show.add_argument(
        "--by", metavar="KEY", action="append", default=[], help="rates of each speaker, or any JSONL key"
    )
    show.add_argument("--worst", metavar="N", type=int, default=5, help="aligned examples with the most errors (5)")
    show.add_argument("--json", metavar="OUT", help="write all of it for programs; - for standard output alone")
    show.add_argument("--per-example", action="store_true", help="every example in the JSON, too")
    return parser


def _normalisation(arguments: argparse.Namespace) -> Normalisation:
    from seqrec.text.normalise import Normalisation

    replace = {}
    for word in arguments.replace:
        character, sign, text = word[:1], word[1:2], word[2:]
        if not character or sign != "=":
            raise UserError(f"--replace {word!r} does not read A=B, one character and what stands for it")
        if character in replace:
            raise UserError(f"--replace {word!r}: {character!r} is replaced twice; name it once")
        replace[character] = text
    try:
        return Normalisation(arguments.unicode_form, arguments.case, arguments.drop_punctuation, replace)
    except UserError as error:
        raise UserError(str(error).replace("text.replace", "--replace")) from None


def _said(arguments: argparse.Namespace) -> dict[str, object]:
    """Return what was normalised, as it was asked for."""
    return {
        "unicode_form": arguments.unicode_form,
        "case": arguments.case,
        "drop_punctuation": arguments.drop_punctuation,
        "replace": {word[0]: word[2:] for word in arguments.replace},
        "white_space": "single",
    }


def _match(arguments: argparse.Namespace) -> Matched:
    from seqrec.formats.hypotheses.files import read_pair, read_texts
    from seqrec.formats.hypotheses.matching import match
    from seqrec.metrics.summary import PEOPLE

    keys = (*PEOPLE, *arguments.by)
    if arguments.hyp is None:
        pair = read_pair(
            arguments.ref,
            arguments.format,
            (arguments.ref_key or "reference", arguments.hyp_key or "hypothesis"),
            arguments.id_key,
            keys,
        )
        return match(*pair)
    references = read_texts(arguments.ref, arguments.format, arguments.ref_key or "text", arguments.id_key, keys)
    hypotheses = read_texts(arguments.hyp, arguments.format, arguments.hyp_key or "text", arguments.id_key, keys)
    return match(references, hypotheses, arguments.missing, arguments.extra)


def _check_keys(by: Sequence[str], matched: Matched) -> None:
    for key in by:
        if not any(key in keys for keys in matched.keys):
            raise UserError(
                f"--by {key}: no utterance has this key; trn files know `speaker`, JSONL files their own keys"
            )


def _score(matched: Matched, normalisation: Normalisation) -> Iterator[ScoredExample]:
    from seqrec.metrics.scored import score_pairs
    from seqrec.progress import track

    count = len(matched.ids)
    chunks = [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]
    scored = (
        score_pairs(
            matched.ids[chunk],
            [normalisation(text) for text in matched.references[chunk]],
            [normalisation(text) for text in matched.hypotheses[chunk]],
            matched.keys[chunk],
        )
        for chunk in track(chunks, f"scoring {count:,} utterances, by {_CHUNK:,}")
    )
    return chain.from_iterable(scored)
