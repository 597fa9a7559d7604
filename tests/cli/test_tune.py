"""`seqrec tune`: weights found on dev are those that `evaluate` then takes, and says so; mistakes in a sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tiny import Outcome, Seqrec, assert_one_sentence, tiny_options

from seqrec.cli.main import main


@pytest.fixture(scope="module")
def run_with_lm(ink_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = shutil.copytree(ink_run, tmp_path_factory.mktemp("tune") / "run")
    main(["lm", str(run), "order=3"])
    return run


@pytest.fixture
def run(run_with_lm: Path, tmp_path: Path) -> Path:
    return shutil.copytree(run_with_lm, tmp_path / "run")


def tuned(seqrec: Seqrec, run: Path, *words: str) -> Outcome:
    """Tune fast, with a language model named by a relative path; `words` come instead of options of the same name."""
    lm = (run / "lm-char-3.arpa.gz").relative_to(Path.cwd())
    fast = f"decoder.lm={lm}", "decoder.unit=char", "trials=4", "beams=4,8", "decoder.beam_size=8"
    given = {word.partition("=")[0] for word in words}
    return seqrec("tune", run, *(word for word in fast if word.partition("=")[0] not in given), *words)


def test_what_was_tuned_is_used(seqrec: Seqrec, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = tuned(seqrec, run, "alpha=0.5,1.5")
    assert outcome.code == 0, outcome.err
    for shown in ("8 examples", "greedy", "tuned, beam 4", "tuned, beam 8", "chosen: alpha="):
        assert shown in outcome.err
    file = run / "tuning" / "beam_lm.json"
    found = json.loads(file.read_text())
    options, tuning = found["options"], found["tuning"]
    assert tuning["metric"] == "cer"
    assert len(tuning["trials"]) == 4
    assert all(trial["options"]["alpha"] == 0 or 0.5 <= trial["options"]["alpha"] <= 1.5 for trial in tuning["trials"])
    assert options["beam_size"] in (4, 8)
    assert options["unit"] == "char"
    assert ("does not help" in outcome.err) is not tuning["helps"]
    elsewhere = run.parent / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # the language model's path was relative
    evaluated = seqrec("evaluate", run, "decoder=beam_lm", "split=dev")
    assert evaluated.code == 0, evaluated.err
    assert f"decoder=beam_lm as tuned ({file})" in evaluated.err
    assert f"alpha={options['alpha']}" in evaluated.err
    report = run / "evaluation" / "dev-beam_lm" / "report.json"
    assert json.loads(report.read_text())["cer"] == pytest.approx(tuning["rate"])


def test_the_same_seed_finds_the_same(seqrec: Seqrec, run: Path) -> None:
    found = []
    for seed in ("3", "3", "4"):
        assert tuned(seqrec, run, f"seed={seed}").code == 0
        trials = json.loads((run / "tuning" / "beam_lm.json").read_text())["tuning"]["trials"]
        found.append([trial["options"] for trial in trials])
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["split=test"], "split=test: what is tuned on test has no honest test score"),
        (["split=tran"], "did you mean `train`?"),
        (["split=dev", "manifest=dev.jsonl"], "give split= or manifest=, not both"),
        (["manifest=none.jsonl"], "none.jsonl does not exist"),
        (["alpha=2,1"], "alpha=2,1: the first is to be less than the second"),
        (["alpha=-1,1"], "a language model's weight is 0 or more"),
        (["alpha=nan,1"], "alpha=nan,1"),
        (["beta=1"], "beta=1: give the least and the greatest value"),
        (["trials=1"], "trials=1 is no whole number of 2 or more"),
        (["beams=0"], "beams=0 is no whole number of 1 or more"),
        (["beams=4,20000"], "decoder.beam_size=20000 is not between"),
        (["decoder.n_best=6"], "decoder.n_best=6 is not between 1 and decoder.beam_size=4"),
        (["metric=wre"], "metric=wre is none; did you mean `wer`?"),
        (["trials=3", "trials=4"], "`trials` is given twice"),
        (["decoder=beam"], "`decoder.lm` is no option of seqrec.ctc.beam.BeamDecoder"),
        (["decoder.alhpa=1"], "did you mean `alpha`?"),
        (["trails=3"], "`trails` is no option of tune; did you mean `trials`?"),
    ],
)
def test_mistakes(words: list[str], said: str, seqrec: Seqrec, run: Path) -> None:
    assert_one_sentence(tuned(seqrec, run, *words), said)
    assert not (run / "tuning").exists()


def test_the_test_split_by_its_path_is_refused_too(seqrec: Seqrec, run: Path, ink_run: Path) -> None:
    (manifest,) = (ink_run.parent / "data").glob("*/manifest-test.jsonl")
    assert_one_sentence(tuned(seqrec, run, f"manifest={manifest}"), "is the test split")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "there is no language model to tune; give one with decoder.lm=PATH"),
        (["decoder.lm=missing.arpa"], "missing.arpa cannot be read (No such file or directory)"),
        (["decoder=greedy"], "decoder=greedy takes no language model"),
        (["decoder=beam"], "decoder=beam takes no language model"),
    ],
)
def test_no_language_model(words: list[str], said: str, seqrec: Seqrec, run: Path) -> None:
    assert_one_sentence(seqrec("tune", run, *words), said)


def test_usage(seqrec: Seqrec) -> None:
    assert "usage: seqrec tune RUN" in seqrec("tune").out
    assert "usage: seqrec tune RUN" in seqrec("tune", "run", "--help").out


def test_not_a_run(seqrec: Seqrec, tmp_path: Path) -> None:
    assert_one_sentence(seqrec("tune", tmp_path), "holds no config.yaml")


def test_a_run_trained_with_a_language_model_is_evaluated_from_any_folder(
    seqrec: Seqrec, run: Path, ink_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = tiny_options("synth/ink", ink_run.parent / "data")
    lm = (run / "lm-char-3.arpa.gz").relative_to(Path.cwd())
    decoder = ("decoder=beam_lm", f"decoder.lm={lm}", "decoder.unit=char", "decoder.beam_size=4")
    trained = seqrec("train", "synth/ink", *words, *decoder, "trainer.max_epochs=1", "hydra.run.dir=trained")
    assert trained.code == 0, trained.err
    (run.parent / "elsewhere").mkdir()
    monkeypatch.chdir(run.parent / "elsewhere")
    evaluated = seqrec("evaluate", "../trained")
    assert evaluated.code == 0, evaluated.err
    assert Path("../trained/evaluation/test-beam_lm/report.json").is_file()
