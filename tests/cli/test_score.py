"""`seqrec score`: the figures of files of any system, and nothing done to them in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jiwer
import pytest

from seqrec.cli.score import main
from seqrec.errors import UserError

REFERENCES = {"bob-1": "one two three", "bob-2": "four five", "eve-1": "", "eve-2": "The cat's (black)"}
HYPOTHESES = {"eve-2": "the cat's black", "bob-2": "four five six", "eve-1": "", "bob-1": "one too"}
ESCAPED = str.maketrans({"(": r"\(", ")": r"\)"})


def trn(texts: dict[str, str]) -> str:
    return "".join(f"{text.translate(ESCAPED)} ({id})\n" for id, text in texts.items())


def jsonl(texts: dict[str, str]) -> str:
    return "".join(json.dumps({"id": id, "text": text, "speaker": id[:3]}) + "\n" for id, text in texts.items())


def plain(texts: dict[str, str]) -> str:
    return "".join(texts[id] + "\n" for id in REFERENCES)


def ctm(texts: dict[str, str]) -> str:
    lines = (f"{id} 1 {i} 0.5 {word}\n" for id, text in texts.items() for i, word in enumerate(text.split()))
    return "".join(lines)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for suffix, write in (("trn", trn), ("jsonl", jsonl), ("txt", plain), ("ctm", ctm)):
        Path(f"ref.{suffix}").write_text(write(REFERENCES))
        Path(f"hyp.{suffix}").write_text(write(HYPOTHESES))
    both = [{"id": id, "reference": text, "hypothesis": HYPOTHESES[id]} for id, text in REFERENCES.items()]
    Path("hypotheses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in both))
    return tmp_path


def scores(capsys: pytest.CaptureFixture[str], *words: str) -> dict:
    main([*words, "--json", "-"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "files",
    [
        ["ref.trn", "hyp.trn"],
        ["ref.jsonl", "hyp.jsonl"],
        ["ref.txt", "hyp.txt"],
        ["ref.jsonl", "hyp.trn"],
        ["hypotheses.jsonl"],
        ["ref.ctm", "hyp.ctm"],
        ["ref.jsonl", "hyp.ctm", "--missing", "delete"],
    ],
)
def test_every_format_gives_jiwers_numbers(folder: Path, capsys: pytest.CaptureFixture[str], files: list[str]) -> None:
    found = scores(capsys, *files)
    pairs = [REFERENCES[id] for id in REFERENCES], [HYPOTHESES[id] for id in REFERENCES]
    words, characters = jiwer.process_words(*pairs), jiwer.process_characters(*pairs)
    assert (found["wer"], found["cer"]) == (words.wer, characters.cer)
    assert [found[kind] for kind in ("substitutions", "insertions", "deletions")] == [
        words.substitutions,
        words.insertions,
        words.deletions,
    ]
    assert found["sentence_error_rate"] == 3 / (3 if files[0] == "ref.ctm" else 4)  # a CTM has no empty texts


def test_normalisation_is_asked_for_and_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = scores(capsys, "ref.trn", "hyp.trn")
    assert plain["normalisation"]["case"] == "keep"
    alike = scores(capsys, "ref.trn", "hyp.trn", "--case", "lower", "--drop-punctuation", "--replace", "x=k")
    assert alike["normalisation"] == {
        "unicode_form": "none",
        "case": "lower",
        "drop_punctuation": True,
        "replace": {"x": "k"},
        "white_space": "single",
    }
    assert alike["substitutions"] == plain["substitutions"] - 2  # The, (black)
    main(["ref.trn", "hyp.trn", "--case", "lower"])
    assert "normalised: case=lower, white_space=single" in capsys.readouterr().out


def test_differences_of_writing_are_hinted_at(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(scores(capsys, "ref.trn", "hyp.trn")["hints"])
    assert "--case lower" in said
    assert "--drop-punctuation" in said
    assert "--unicode-form" not in said
    assert not scores(capsys, "ref.trn", "ref.trn")["hints"]
    Path("decomposed.txt").write_text("cafe\u0301\n")
    (hint,) = scores(capsys, "decomposed.txt", "decomposed.txt")["hints"]
    assert "--unicode-form NFC" in hint


def test_parts_and_examples(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = scores(capsys, "ref.trn", "hyp.trn", "--by", "speaker", "--per-example")
    assert [(part["name"], part["examples"]) for part in found["parts"]["speaker"]] == [("bob", 2), ("eve", 2)]
    assert found["intervals"]["drawn_by"] == "speaker"
    assert [one["id"] for one in found["examples"]] == list(REFERENCES)
    assert found["examples"][0]["words"] == {"hits": 1, "substitutions": 1, "insertions": 0, "deletions": 1}
    assert sum(one["words"]["deletions"] for one in found["examples"]) == found["deletions"]


def test_what_a_reader_sees(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ref.trn", "hyp.trn", "--by", "speaker", "--worst", "1"])
    shown = capsys.readouterr().out
    assert "WER   62.50 %" in shown
    assert "bob-1: 2 errors in 3 words\nREF: one two three\nHYP: one too *****\n         S   D" in shown
    assert "eve-2:" not in shown


def test_written_for_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ref.trn", "hyp.trn", "--json", "out.json"])
    written = json.loads(Path("out.json").read_text())
    assert "WER" in capsys.readouterr().out
    assert written == scores(capsys, "ref.trn", "hyp.trn")


def test_missing_and_extra_ids_are_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("short.trn").write_text("one two three (bob-1)\nfour (amy-1)\n")
    with pytest.raises(UserError, match="no hypothesis for 3"):
        main(["ref.trn", "short.trn"])
    words = ["ref.trn", "short.trn", "--missing", "delete", "--extra", "ignore"]
    found = scores(capsys, *words)
    assert (found["missing"], found["extra"]) == (["bob-2", "eve-1", "eve-2"], ["amy-1"])
    assert found["deletions"] == 5
    main(words)
    shown = capsys.readouterr().out
    assert "3 ids have no hypothesis: all their words count as deleted (bob-2, eve-1, eve-2)" in shown
    assert "1 ids have no reference: left out (amy-1)" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ref.txt", "hyp.trn"], "hyp.trn has ids and ref.txt has none"),
        (["ref.txt"], "a single file must be JSONL"),
        (["ref.trn", "hyp.trn", "--by", "room"], "--by room: no utterance has this key"),
        (["ref.trn", "hyp.trn", "--per-example"], "--json OUT"),
        (["ref.trn", "hyp.trn", "--replace", "abc"], "--replace 'abc' does not read A=B"),
        (["ref.trn", "hyp.trn", "--replace", "a=b", "--replace", "b=a"], "--replace: 'b' is replaced, but also put"),
        (["ref.jsonl", "hyp.jsonl", "--hyp-key", "pred_text"], "hyp.jsonl:1: no key `pred_text`"),
        (["empty.txt", "empty.txt"], "empty.txt holds no utterances"),
        (["nothing.trn", "hyp.trn"], "nothing.trn: cannot be read"),
    ],
)
def test_mistakes_are_sentences(folder: Path, words: list[str], said: str) -> None:
    Path("empty.txt").write_text("")
    with pytest.raises(UserError) as caught:
        main(words)
    assert said in str(caught.value)


def test_insertions_into_nothing_are_no_number_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("silence.txt").write_text("\n")
    Path("noise.txt").write_text("uh\n")
    found = scores(capsys, "silence.txt", "noise.txt")
    assert (found["wer"], found["intervals"]["wer"]) == (None, [None, None])
    main(["silence.txt", "noise.txt"])
    assert "∞" in capsys.readouterr().out


def test_no_torch_is_imported(folder: Path) -> None:
    code = "import sys; from seqrec.cli.score import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, str(folder / "ref.trn"), str(folder / "hyp.trn")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "hydra", "jiwer"} & set(done.stdout.split())
