"""`seqrec bench`: each kind, what is written and compared, and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import Seqrec, assert_one_sentence, tiny_options

from seqrec.benchmark import loading
from seqrec.benchmark.results import read_benchmark
from seqrec.cli.bench_table import number


def scale(path: Path, factor: float) -> None:
    content = json.loads(path.read_text())
    for one in content["measurements"]:
        one["value"] *= factor
    content["about"]["threads"] = "99"
    path.write_text(json.dumps(content))


def test_decode_without_a_run_and_what_changed(seqrec: Seqrec, tmp_path: Path) -> None:
    done = seqrec("bench", "decode", "decoder=greedy", "rounds=1", "--json", "a.json")
    assert done.code == 0, done.err
    assert "greedy, one thread" in done.out
    assert "written to a.json" in done.out
    found = read_benchmark(tmp_path / "a.json")
    assert found.kind == "decode"
    assert {"processor", "threads", "torch", "seqrec", "commit", "date", "examples"} <= found.about.keys()
    again = ("bench", "decode", "decoder=greedy", "rounds=1", "--against=a.json")
    same = seqrec(*again, "--tolerance", "900")
    assert (same.code, "0 worse and 0 better by over 900 %, of 1 figures" in same.out) == (0, True), same.out
    scale(tmp_path / "a.json", 20)
    slower = seqrec(*again)
    assert slower.code == 1
    assert "worse: greedy, one thread" in slower.out
    assert "may be their doing: threads: 1, before 99" in slower.out
    scale(tmp_path / "a.json", 1 / 400)
    faster = seqrec(*again)
    assert faster.code == 0
    assert "better: greedy, one thread" in faster.out


def test_decode_a_run(ink_run: Path, seqrec: Seqrec) -> None:
    done = seqrec("bench", "decode", ink_run, "rounds=1", "examples=4")
    assert done.code == 0, done.err
    assert "4 of dev" in done.out
    assert "greedy, one thread" in done.out
    assert "beam, one thread" in done.out
    one = seqrec("bench", "decode", ink_run, "rounds=1", "examples=4", "decoder=beam", "decoder.beam_size=3")
    assert "beam, one thread" in one.out
    assert "greedy" not in one.out


def test_transcribe(speech_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    words = ("bench", "transcribe", speech_run, "rounds=1", "examples=2", "batch_size=2")
    done = seqrec(*words, "engine=torch,torch-bf16", "--json=t.json")
    assert done.code == 0, done.err
    names = [one.name for one in read_benchmark(tmp_path / "t.json").measurements]
    assert "torch-bf16, batches of 2" in names
    assert "torch, batch 1, 95th percentile of latency" in names
    assert "2 of dev" in done.out
    (manifest,) = speech_run.parent.glob("data/*/manifest-test.jsonl")
    assert "2 of test" in seqrec(*words, "engine=torch", f"manifest={manifest}").out


def test_transcribe_without_a_corpus(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    config = (ink_run / "config.yaml").read_text().replace(str(ink_run.parent / "data"), str(tmp_path / "gone"))
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(config)
    (run / "checkpoints").symlink_to(ink_run / "checkpoints")
    words = ("bench", "transcribe", run, "rounds=1", "examples=3", "engine=torch")
    done = seqrec(*words)
    assert done.code == 0, done.err
    assert "is not at hand: synthetic signals" in done.err
    assert "3 synthetic signals" in done.out
    assert_one_sentence(seqrec(*words, "split=dev"), "manifest-dev.jsonl does not exist")


def test_an_engine_that_cannot_be_had(ink_run: Path, seqrec: Seqrec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    words = ("bench", "transcribe", ink_run, "rounds=1", "examples=2")
    done = seqrec(*words)
    assert done.code == 0, done.err
    assert done.err.count("left out: engine=onnx") == 2
    assert "seqrec[onnx]" in done.err
    assert "onnx" not in done.out
    assert_one_sentence(seqrec(*words, "engine=onnx"), "seqrec[onnx]")


def test_data(ink_run: Path, seqrec: Seqrec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORKERS", (0,))
    options = tiny_options("synth/ink", ink_run.parent / "data")
    done = seqrec("bench", "data", "synth/ink", *options, "--steps", "2", "--json", "d.json")
    assert done.code == 0, done.err
    assert "reading, 0 workers" in done.out
    assert read_benchmark(tmp_path / "d.json").about["recipe"] == "synth/ink"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.json"]  # no run folder is left behind


def test_train(ink_run: Path, seqrec: Seqrec, tmp_path: Path) -> None:
    options = tiny_options("synth/ink", ink_run.parent / "data")
    done = seqrec("bench", "train", "synth/ink", *options, "--steps", "1", "--json", "t.json")
    assert done.code == 0, done.err
    assert "valid frames/s" in done.out
    assert read_benchmark(tmp_path / "t.json").kind == "train"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.json"]


def test_help(seqrec: Seqrec) -> None:
    for words in ([], ["--help"], ["-h"]):
        assert seqrec("bench", *words).out.startswith("usage: seqrec bench KIND")
    for kind in ("train", "data", "transcribe", "decode"):
        assert seqrec("bench", kind, "--help").out.startswith(f"usage: seqrec bench {kind}")
    assert seqrec("bench", "train").out.startswith("usage: seqrec bench train RECIPE")
    shown = seqrec("bench", "data", "synth/ink", "--cfg", "job")
    assert (shown.code, "encoder:" in shown.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "`trian` is nothing that bench measures; did you mean `train`?"),
        (["data", "synth/inc"], "`synth/inc` is no recipe; did you mean `synth/ink`?"),
        (["data", "synth/ink", "--steps", "0"], "--steps 0 is not a whole number from 1 on"),
        (["train", "synth/ink", "--steps=-3"], "--steps -3 is not"),
        (["train", "synth/ink", "--step", "3"], "`--step` is no option of bench train; did you mean `--steps`?"),
        (["decode", "--steps", "3"], "`--steps` is no option of bench decode"),
        (["train", "synth/ink", "-m", "seed=1,2"], "bench takes no sweep"),
        (["data", "synth/ink", "encoder.hiden_size=3"], "did you mean `encoder.hidden_size`"),
        (["transcribe", "nowhere"], "run folder nowhere does not exist"),
        (["transcribe", "nowhere", "engine=onx"], "did you mean `onnx`?"),
        (["transcribe", "nowhere", "rounds=0"], "rounds=0 is no whole number from 1"),
        (["transcribe", "nowhere", "batch_size=x"], "batch_size=x is no whole number"),
        (["transcribe", "nowhere", "sped=3"], "`sped` is no option of bench transcribe"),
        (["decode", "nowhere"], "run folder nowhere does not exist"),
        (["decode", "decoder=beam_lm"], "decoder=beam_lm: without a run only greedy and beam are measured"),
        (["decode", "decoder=beam", "decoder.beam_sizes=3"], "did you mean `beam_size`?"),
        (["decode", "decoder=beam", "decoder.beam_size=0"], "decoder.beam_size=0 is not between"),
        (["decode", "examples=3"], "`examples` is no option of bench decode"),
        (["decode", "--json", "no/a.json"], "--json no/a.json: its folder does not exist"),
        (["decode", "--json", "."], "--json . is a folder"),
        (["decode", "--json"], "--json needs a value"),
        (["decode", "--tolerance", "x"], "--tolerance x is not a number of percent"),
        (["decode", "--tolerance=nan"], "--tolerance nan is not"),
        (["decode", "--against", "none.json"], "none.json does not exist; `seqrec bench KIND ... --json none.json`"),
    ],
)
def test_mistakes(words: list[str], sentence: str, seqrec: Seqrec) -> None:
    assert_one_sentence(seqrec("bench", *words), sentence)


def test_files_that_cannot_be_compared_with(seqrec: Seqrec, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    assert_one_sentence(seqrec("bench", "decode", "--against", "no.json"), "no.json is no benchmark (")
    content = {"format": 1, "kind": "data", "about": {}, "measurements": []}
    (tmp_path / "data.json").write_text(json.dumps(content))
    outcome = seqrec("bench", "decode", "--against", "data.json")
    assert_one_sentence(outcome, "--against data.json is a benchmark of `data`, not of `decode`")
    (tmp_path / "empty.json").write_text(json.dumps({**content, "kind": "decode"}))
    outcome = seqrec("bench", "decode", "decoder=greedy", "rounds=1", "--against", "empty.json", "--json", "now.json")
    assert_one_sentence(outcome, "empty.json measured nothing that was measured now")
    assert read_benchmark(tmp_path / "now.json").measurements  # what was measured is not lost


def test_what_a_file_says_is_not_obeyed_by_the_terminal(seqrec: Seqrec, tmp_path: Path) -> None:
    seqrec("bench", "decode", "decoder=greedy", "rounds=1", "--json", "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    content["about"]["threads"] = "\x1b[2J[bold]"
    content["measurements"].append({"name": "\x1b[31mred", "value": 1, "unit": "s", "higher_is_better": True})
    (tmp_path / "a.json").write_text(json.dumps(content))
    outcome = seqrec("bench", "decode", "decoder=greedy", "rounds=1", "--against", "a.json", "--tolerance", "900")
    assert "\x1b" not in outcome.out
    assert "not measured now: \\x1b[31mred" in outcome.out
    assert "before \\x1b[2J[bold]" in outcome.out


def test_numbers() -> None:
    shown = [number(value) for value in (0, 0.00573, 1.2345, 99.96, 100, 1317.8, 1234567)]
    assert shown == ["0", "0.00573", "1.23", "100", "100", "1,318", "1,234,567"]
