"""Every kind of text unit from preparing to transcribing, by a run folder alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny import Seqrec, tiny_options

from seqrec.checkpoint import load_parts, read_checkpoint
from seqrec.corpora.prepare import prepare, prepared_folder
from seqrec.manifest import Manifest
from seqrec.text.tokens import read_tokens

TINY = {"num_train": 60, "num_dev": 8, "num_test": 8, "num_writers": 10}
UNITS = {
    "graphemes": ["text=graphemes", "text.case=upper", "text.drop_punctuation=true"],
    "bpe": ["text=bpe", "text.vocab_size=60"],
    "unigram": ["text=unigram", "text.vocab_size=50"],
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_run_is_complete(unit: str, seqrec: Seqrec, tmp_path: Path) -> None:
    run, data = tmp_path / "run", tmp_path / "data"
    options = [*tiny_options("synth/ink", data), *UNITS[unit]]
    trained = seqrec("train", "synth/ink", *options, "trainer.max_epochs=1", f"hydra.run.dir={run}")
    assert trained.code == 0, trained.err
    (folder,) = data.glob("synth_ink*")
    assert (run / "tokens.json").read_bytes() == (folder / "tokens.json").read_bytes()
    known = Manifest(folder / "manifest-train.jsonl")
    parts = load_parts(run / "checkpoints/best.ckpt")
    assert parts.symbols == read_tokens(run / "tokens.json")
    assert known.target_numbers(parts.tokenizer) is not None  # the index is this tokenizer's
    for row in known:
        assert parts.tokenizer.decode(parts.tokenizer.encode(row.text, row.id)) == parts.tokenizer.normalise(row.text)
    evaluated = seqrec("evaluate", run, "split=dev")
    assert evaluated.code == 0, evaluated.err
    shutil.rmtree(data)
    (tmp_path / "a.json").write_text(json.dumps({"strokes": [[[0, 0], [0, 30], [4, 34]], [[-10, 10], [10, 10]]]}))
    assert seqrec("transcribe", run, "a.json", "--format", "json").code == 0


def test_a_run_is_resumed_with_the_same_pieces(seqrec: Seqrec, tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = [*tiny_options("synth/ink", tmp_path / "data"), *UNITS["unigram"], "score_test=false"]
    assert seqrec("train", "synth/ink", *options, "trainer.max_epochs=1", f"hydra.run.dir={run}").code == 0
    before = read_checkpoint(run / "checkpoints/last.ckpt")
    (run / "metrics.json").unlink(missing_ok=True)
    config = (run / "config.yaml").read_text()
    assert "max_epochs: 1\n" in config
    (run / "config.yaml").write_text(config.replace("max_epochs: 1\n", "max_epochs: 2\n"))
    resumed = seqrec("resume", run)
    assert resumed.code == 0, resumed.err
    after = read_checkpoint(run / "checkpoints/last.ckpt")
    assert after["global_step"] > before["global_step"]
    assert after["seqrec"]["symbols"] == before["seqrec"]["symbols"] == list(read_tokens(run / "tokens.json"))


def config(data_dir: Path, **text: Any) -> dict[str, Any]:
    return {
        "corpus": {"_target_": "seqrec.corpora.synth.synth_ink.SynthInk", **TINY},
        "text": {"_target_": "seqrec.text.subwords.SubwordTokenizer", "vocab_size": 60, **text},
        "data_dir": str(data_dir),
    }


def test_pieces_are_learnt_from_the_training_text_alone(tmp_path: Path) -> None:
    folder = prepare(config(tmp_path)).folder
    texts = [row.text for row in Manifest(folder / "manifest-train.jsonl")]
    assert set("".join(map(str, read_tokens(folder / "tokens.json")))) == set("".join(texts).replace(" ", "▁"))


def test_prepare_and_check_say_what_was_chosen(seqrec: Seqrec, tmp_path: Path) -> None:
    options = [*tiny_options("synth/ink", tmp_path / "data"), "text=bpe", "text.vocab_size=60", "text.case=lower"]
    line = "text: SubwordTokenizer, model_type=bpe, vocab_size=60, unicode_form=NFC, case=lower, drop_punctuation=False"
    assert line in " ".join(seqrec("prepare", "synth/ink", *options).err.split())
    assert line in " ".join(seqrec("check", "synth/ink", *options, "--measure", "0").out.split())
    (folder,) = (tmp_path / "data").glob("synth_ink*")
    assert line.rpartition(", drop")[0] in " ".join(seqrec("check", folder).out.split())  # without the recipe


def test_a_wrong_size_is_said_when_preparing_and_leaves_nothing(seqrec: Seqrec, tmp_path: Path) -> None:
    done = seqrec("prepare", "synth/ink", *tiny_options("synth/ink", tmp_path), "text=bpe", "text.vocab_size=9")
    assert done.code == 2
    assert "text.vocab_size=9: the training text needs" in " ".join(done.err.split())
    assert not list(tmp_path.glob("synth_ink*"))


def test_wrong_values_are_sentences(seqrec: Seqrec, tmp_path: Path) -> None:
    for option, message in {
        "text.case=Lower": "`text.case=Lower` (str) is not one of keep, lower, upper",
        "text.unicode_form=NFD": "is not one of NFC, NFKC, none",
        "text.drop_punctuation=maybe": "`text.drop_punctuation=maybe` (str) is not true or false",
        "text.replace={ab: c}": "text.replace: 'ab' is not one character",
    }.items():
        done = seqrec("prepare", "synth/ink", *tiny_options("synth/ink", tmp_path), option)
        assert done.code == 2
        assert message in " ".join(done.err.split())


def test_corpora_of_other_replacements_lie_apart(tmp_path: Path) -> None:
    def name(**text: Any) -> str:
        return prepared_folder(config(tmp_path, **text)).name

    names = [name(), name(replace={"’": "'"}), name(replace={"’": '"'}), name(model_type="unigram"), name(case="lower")]
    assert len(set(names)) == 5
    assert name(replace={"’": "'"}) == names[1]
    assert name(replace=None) == names[0]
