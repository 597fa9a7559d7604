"""Building parts: only allowed classes, only options they have; and their defaults read without importing them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from seqrec.encoders.lstm import LSTMEncoder
from seqrec.errors import UserError
from seqrec.share import build, constructor_defaults, share_folder

LSTM = "seqrec.encoders.lstm.LSTMEncoder"
LOGMEL = "seqrec.speech.logmel.LogMel"
TOKENIZER = "seqrec.text.tokens.CharacterTokenizer"
READER = "seqrec.speech.audio.AudioReader"


def targets(node: Any) -> Iterator[str]:
    """Yield every `_target_` in a YAML tree."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield node["_target_"]
        for value in node.values():
            yield from targets(value)


def ours() -> list[str]:
    files = sorted(share_folder("conf").rglob("*.yaml"))
    found = {target for path in files for target in targets(yaml.safe_load(path.read_text(encoding="utf-8")))}
    return sorted(target for target in found if target.startswith("seqrec."))


def load_class(target: str) -> type:
    module, _, name = target.rpartition(".")
    return getattr(importlib.import_module(module), name)


def is_plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, dict))


def test_conf_names_our_classes() -> None:
    assert {"seqrec.encoders.recurrent.RecurrentEncoder", LOGMEL, TOKENIZER, READER} <= set(ours())


@pytest.mark.parametrize("target", ours())
def test_defaults_read_from_source_are_those_of_the_constructor(target: str) -> None:
    parameters = inspect.signature(load_class(target)).parameters.values()
    plain = {p.name: p.default for p in parameters if p.default is not p.empty and is_plain(p.default)}
    expected = {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}
    assert constructor_defaults(target) == expected


@pytest.mark.parametrize("target", ["torch.optim.SGD", "seqrec.no.Such", "seqrec.text.tokens.NoSuch", "seqrec", ""])
def test_no_defaults_of_what_is_no_class_of_ours(target: str) -> None:
    assert constructor_defaults(target) is None


def test_a_part_gets_its_options_and_what_code_adds() -> None:
    encoder = build(
        {"_target_": LSTM, "hidden_size": 7, "dropout": [0.1, 0.2], "num_layers": 2}, "encoder", input_size=5
    )
    assert type(encoder) is LSTMEncoder
    assert encoder.output_size == 14
    assert encoder.layers[0].lstm.input_size == 5


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "subprocess.Popen",
        "torch.load",
        "torch.nn.Linear",
        "pathlib.Path",
        "seqrecx.parts.Reader",  # begins like an allowed package
        "torch.optimx.SGD",
        ".seqrec",
    ],
)
def test_targets_outside_the_allowed_packages_are_refused(target: str) -> None:
    with pytest.raises(
        UserError, match=r"^encoder\._target_=\S+ lies outside the allowed packages seqrec, torch\.optim"
    ):
        build({"_target_": target}, "encoder")


@pytest.mark.parametrize(
    "target",
    [
        "seqrec.share.os.system",  # through an allowed module to a stranger
        "seqrec.run_folder.subprocess.Popen",
        "seqrec.share.Path",
        "seqrec.share.importlib",
        "seqrec.checkpoint.torch.load",
        "seqrec.share.build",  # a function
        "seqrec.text.tokens.BLANK",  # a value
        "seqrec.share",  # a module
        "lightning.pytorch.seed_everything",
        "seqrec.text.tokens.NoSuch",
        "seqrec.no.Such",
        "seqrec.",
        "seqrec..share",
        "SGD",
        "",
        None,
        3,
        ["seqrec.text.tokens.CharacterTokenizer"],
    ],
)
def test_other_targets_are_refused(target: Any) -> None:
    with pytest.raises(UserError, match=r"^encoder\._target_="):
        build({"_target_": target}, "encoder")


def test_a_part_without_a_target_is_refused() -> None:
    with pytest.raises(UserError, match=r"^encoder\._target_=None is not the dotted path of a class"):
        build({"hidden_size": 3}, "encoder")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"_target_": LOGMEL, "num_mels": "80"}, "`p.num_mels=80` (str) is not a whole number"),
        ({"_target_": LOGMEL, "num_mels": 80.0}, "`p.num_mels=80.0` (float) is not a whole number"),
        ({"_target_": LOGMEL, "num_mels": True}, "`p.num_mels=True` (bool) is not a whole number"),
        ({"_target_": LOGMEL, "hop_ms": "10"}, "`p.hop_ms=10` (str) is not a number"),
        ({"_target_": LOGMEL, "hop_ms": None}, "`p.hop_ms=None` (NoneType) is not a number"),
        ({"_target_": LOGMEL, "high_hz": "4k"}, "`p.high_hz=4k` (str) is not a number or null"),
        ({"_target_": LOGMEL, "normalize": "utterances"}, "is not one of utterance, global, none"),
        ({"_target_": LSTM, "input_size": 3, "bidirectional": 1}, "`p.bidirectional=1` (int) is not true or false"),
        ({"_target_": LSTM, "input_size": 3, "dropout": ["a"]}, "`p.dropout=['a']` (list) is not a number or a list"),
        ({"_target_": TOKENIZER, "symbols": 5}, "`p.symbols=5` (int) is not a list"),
        ({"_target_": TOKENIZER, "symbols": ["a", 5]}, "each symbol is one character; quote digits"),
    ],
)
def test_values_of_the_wrong_type_are_named(part: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build(part, "p")
    assert said in str(caught.value)


def test_whole_numbers_and_null_fit_where_they_are_meant_to() -> None:
    frontend = build({"_target_": LOGMEL, "window_ms": 20, "high_hz": None, "num_mels": 20}, "frontend")
    assert frontend.window == 320


def test_an_unknown_option_says_what_was_meant() -> None:
    with pytest.raises(
        UserError, match=r"^`encoder\.hiden_size` is no option of LSTMEncoder; did you mean `hidden_size`"
    ):
        build({"_target_": LSTM, "hiden_size": 3}, "encoder", input_size=5)
    with pytest.raises(UserError, match=r"`reader\.zzz` is no option of AudioReader; choose from sample_rate$"):
        build({"_target_": READER, "zzz": 3}, "reader")


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(UserError, match=r"^`encoder\.input_size` is missing; LSTMEncoder has no default"):
        build({"_target_": LSTM}, "encoder")


def test_a_value_the_constructor_refuses_is_placed() -> None:
    with pytest.raises(UserError, match=r"^reader: sample_rate=0: a rate is a positive number"):
        build({"_target_": READER, "sample_rate": 0}, "reader")


def test_an_interface_is_no_part() -> None:
    with pytest.raises(UserError, match=r"^reader._target_=seqrec\.parts\.Reader is only an interface"):
        build({"_target_": "seqrec.parts.Reader"}, "reader")


def test_the_user_lets_a_package_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_recogniser_parts.py").write_text(
        "import subprocess\n\nclass Own:\n    def __init__(self, size: int = 3) -> None:\n        self.size = size\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    part = {"_target_": "own_recogniser_parts.Own", "size": 4}
    with pytest.raises(UserError, match=r"outside the allowed packages .*SEQREC_PACKAGES"):
        build(part, "encoder")
    monkeypatch.setenv("SEQREC_PACKAGES", "other, own_recogniser_parts ,")
    assert build(part, "encoder").size == 4
    with pytest.raises(UserError, match="is not a class of the allowed packages"):
        build({"_target_": "own_recogniser_parts.subprocess"}, "encoder")
