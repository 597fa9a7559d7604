"""`seqrec lm`: models of a recipe's texts, a run's and the user's own, with a note of how; mistakes in a sentence."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from tiny import TINY, Seqrec, assert_one_sentence

from seqrec.cli.main import main
from seqrec.manifest import Manifest


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir with the corpus of synth/ink."""
    folder = tmp_path_factory.mktemp("lm") / "data"
    main(["prepare", "synth/ink", *TINY["synth/ink"], f"data_dir={folder}"])
    return folder


@pytest.fixture(scope="session")
def untrained(data: Path) -> Path:
    """The folder of a run as it is before training begins."""
    run = data.parent / "run"
    run.mkdir()
    with redirect_stdout((run / "config.yaml").open("w")) as file:
        main(["train", "synth/ink", *TINY["synth/ink"], f"data_dir={data}", "--cfg", "job", "--resolve"])
    file.close()
    (tokens,) = data.glob("*/tokens.json")
    shutil.copy(tokens, run)
    return run


@pytest.fixture
def run(untrained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(untrained, tmp_path / "run")


def texts(data: Path, split: str) -> list[str]:
    (manifest,) = data.glob(f"*/manifest-{split}.jsonl")
    return [row.text for row in Manifest(manifest)]


def note_of(path: Path) -> dict[str, object]:
    note: dict[str, object] = json.loads(path.read_text())
    return note


def words_of(path: Path) -> set[str]:
    unigrams = gzip.decompress(path.read_bytes()).decode().partition("\\1-grams:\n")[2].partition("\n\n")[0]
    return {line.split("\t")[1] for line in unigrams.splitlines()} - {"<s>", "</s>", "<unk>"}


def test_the_training_texts_of_a_recipe(seqrec: Seqrec, data: Path) -> None:
    recipe = "synth/ink", *TINY["synth/ink"], f"data_dir={data}"
    outcome = seqrec("lm", *recipe, "order=3")
    assert outcome.code == 0, outcome.err
    (path,) = data.glob("*/lm-char-3.arpa.gz")
    train = texts(data, "train")
    assert words_of(path) == {"<space>" if symbol == " " else symbol for text in train for symbol in text}
    note = note_of(path.with_name("lm-char-3.json"))
    digest = hashlib.sha256("".join(f"{text}\n" for text in train).encode()).hexdigest()
    assert (note["unit"], note["order"], note["text_sha256"]) == ("char", 3, digest)
    assert note["source"] == {"recipe": "synth/ink", "split": "train"}
    scored = note["texts"]
    assert isinstance(scored, dict)
    assert scored["train"]["sentences"] == 60
    assert scored["train"]["words"] == sum(map(len, train))
    assert 1 < scored["train"]["perplexity"] < scored["dev"]["perplexity"] < 100
    command = f"seqrec evaluate RUN decoder=beam_lm decoder.unit=char decoder.lm={path}"
    for shown in ("perplexity", "train", "dev", "D3+", command):
        assert shown in outcome.err
    assert not Path("runs").exists()
    assert_one_sentence(seqrec("lm", *recipe, "unti=word"), "`unti` is no option of lm", "did you mean `unit`?")


def test_a_tokenizer_is_no_text(seqrec: Seqrec) -> None:
    assert seqrec("lm", "synth/ink", *TINY["synth/ink"], "text=graphemes", "order=2").code == 0
    assert list(Path("data").glob("*graphemes*/lm-char-2.arpa.gz"))


def test_a_run(seqrec: Seqrec, run: Path, data: Path) -> None:
    outcome = seqrec("lm", run, "order=2")
    assert outcome.code == 0, outcome.err
    path = run / "lm-char-2.arpa.gz"
    assert f"seqrec evaluate {run} decoder=beam_lm decoder.unit=char decoder.lm={path}" in outcome.err
    assert note_of(run / "lm-char-2.json")["source"] == {"run": str(run), "split": "train"}
    assert path.is_file()


def test_words_that_only_dev_and_test_have_stay_out(seqrec: Seqrec, run: Path, data: Path) -> None:
    assert seqrec("lm", run, "unit=word", "order=2", "output=here/words.arpa.gz").code == 0
    train, others = texts(data, "train"), texts(data, "dev") + texts(data, "test")
    known = {word for text in train for word in text.split()}
    assert {word for text in others for word in text.split()} - known
    assert words_of(Path("here/words.arpa.gz")) == known
    assert note_of(Path("here/words.json"))["unit"] == "word"


def test_the_same_command_writes_the_same_bytes(seqrec: Seqrec, run: Path) -> None:
    assert seqrec("lm", run, "output=one.arpa").code == seqrec("lm", run, "output=two.arpa").code == 0
    assert Path("one.arpa").read_bytes() == Path("two.arpa").read_bytes()


@pytest.mark.parametrize("zipped", [False, True])
def test_texts_of_the_users_own(seqrec: Seqrec, run: Path, data: Path, zipped: bool) -> None:
    a, b = sorted({symbol for text in texts(data, "train") for symbol in text if symbol.isalpha()})[:2]
    mine = f"\ufeff{a}{b}  {a}\r\n\n{b}☃{a}\n".encode()
    Path("mine.txt").write_bytes(gzip.compress(mine) if zipped else mine)
    Path("more.txt").write_text(f"{b}{b}")
    outcome = seqrec("lm", run, "text=mine.txt", "text=more.txt", "order=2")
    assert outcome.code == 0, outcome.err
    path = run / "lm-char-2-mine.arpa.gz"
    assert words_of(path) == {a, b, "<space>"}
    note = note_of(path.with_name("lm-char-2-mine.json"))
    assert note["source"] == {"run": str(run), "text": ["mine.txt", "more.txt"]}
    assert note["text_sha256"] == hashlib.sha256(f"{a}{b} {a}\n{b}☃{a}\n{b}{b}\n".encode()).hexdigest()
    scored = note["texts"]
    assert isinstance(scored, dict)
    assert scored["text"]["unknown_words"] == 1
    assert "note: 1 of 9 symbols of the text are outside the alphabet" in outcome.err
    of_words = seqrec("lm", run, "text=mine.txt", "unit=word")
    assert "1 of 3 words of the vocabulary have characters outside the alphabet" in of_words.err


def test_pruning(seqrec: Seqrec, run: Path) -> None:
    assert (
        seqrec("lm", run, "prune=0,0,1", "order=3", "output=pruned.arpa").code
        == seqrec("lm", run, "order=3", "output=all.arpa").code
        == 0
    )
    (pruned, full) = (note_of(Path(f"{name}.json"))["ngrams"] for name in ("pruned", "all"))
    assert isinstance(pruned, list)
    assert isinstance(full, list)
    assert pruned[:2] == full[:2]
    assert pruned[2] < full[2]


def test_sentences_too_short_for_the_order_are_said(seqrec: Seqrec, run: Path, data: Path) -> None:
    (word,) = texts(data, "train")[0].split()[:1]
    Path("mine.txt").write_text(f"{word}\n")
    outcome = seqrec("lm", run, "text=mine.txt", "unit=word", "order=5", "output=mine.arpa")
    assert "note: the order is 3, not 5" in outcome.err
    assert note_of(Path("mine.json"))["order"] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["text=missing.txt"], ["text=missing.txt is no file"]),
        (["text=empty.txt"], ["empty.txt holds no text"]),
        (["text=cyrillic.txt"], ["cyrillic.txt shares no symbol with the recogniser's alphabet"]),
        (["text=cyrillic.txt", "unit=word"], ["cyrillic.txt shares no symbol"]),
        (["text=latin1.txt"], ["latin1.txt:2: no text in UTF-8"]),
        (["text=cut.txt.gz"], ["cut.txt.gz: gzip ends or breaks"]),
        (["order=0"], ["order=0 is not between 1 and 10"]),
        (["order=five"], ["order=five: `five` is not a whole number"]),
        (["order=3", "order=4"], ["`order` is given twice"]),
        (["unit=words"], ["unit=words is none; did you mean `word`?"]),
        (["unti=word"], ["`unti=word` is no option of lm for a run; did you mean `unit`?"]),
        (["encoder=lstm"], ["`encoder=lstm` is no option of lm for a run"]),
        (["data_dir=none"], ["manifest-train.jsonl does not exist"]),
        (["prune=1"], ["prune=1 is not at most 5 counts"]),
        (["prune=0,x"], ["`x` is not a whole number"]),
        (["output=mine.bin"], ["output=mine.bin is no name of a .arpa or .arpa.gz file"]),
        (["-m", "order=3"], ["lm takes no sweep"]),
    ],
)
def test_mistakes(words: list[str], said: list[str], seqrec: Seqrec, run: Path) -> None:
    Path("empty.txt").write_text("\n  \n")
    Path("cyrillic.txt").write_text("привет мир\n", encoding="utf-8")
    Path("latin1.txt").write_bytes(b"ab\ncaf\xe9\n")
    Path("cut.txt.gz").write_bytes(gzip.compress(b"some text\n" * 1000)[:-20])
    assert_one_sentence(seqrec("lm", run, *words), *said)


def test_neither_a_recipe_nor_a_run(seqrec: Seqrec, tmp_path: Path) -> None:
    assert_one_sentence(seqrec("lm", "synth/inks"), "neither a recipe nor the folder of a run", "`synth/ink`")
    assert_one_sentence(seqrec("lm", "order=3"), "lm needs a recipe or a run first")
    assert_one_sentence(seqrec("lm", tmp_path), "holds no config.yaml")
    assert "usage: seqrec lm RECIPE" in seqrec("lm").out
    assert "usage: seqrec lm RECIPE" in seqrec("lm", "synth/ink", "--help").out
