"""Checkpoints: all that is needed comes back, and nothing in them is run or trusted."""

from __future__ import annotations

import os
import pickle
import zipfile
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from seqrec.checkpoint import KEY, PREFIX, build_parts, describe, load_parts, read_checkpoint
from seqrec.errors import UserError
from seqrec.sequence import pad_signals

SYMBOLS = (" ", "a", "b")
CONFIG = {
    "reader": {"_target_": "seqrec.speech.audio.AudioReader", "sample_rate": 8000},
    "frontend": {"_target_": "seqrec.speech.logmel.LogMel", "sample_rate": 8000, "num_mels": 8, "normalize": "global"},
    "encoder": {"_target_": "seqrec.encoders.lstm.LSTMEncoder", "hidden_size": 4, "num_layers": 1},
    "text": {"_target_": "seqrec.text.tokens.CharacterTokenizer", "case": "lower"},
}


class RunsCode:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def checkpoint(config: dict[str, Any] | None = None) -> dict[str, Any]:
    """What training saves, with weights that a fresh recogniser does not have."""
    recognizer = build_parts(CONFIG, SYMBOLS).recognizer
    recognizer.frontend.fit([torch.randn(4000, 1)])
    weights = {PREFIX + name: weight for name, weight in recognizer.state_dict().items()}
    return {"epoch": 3, "state_dict": weights, "loops": {}, KEY: describe(config or CONFIG, SYMBOLS)}


def save(folder: Path, content: Any) -> Path:
    path = folder / "best.ckpt"
    torch.save(content, path)
    return path


def changed(part: str, **options: Any) -> dict[str, Any]:
    config = deepcopy(CONFIG)
    config[part].update(options)
    return config


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_parts(path)
    return str(caught.value)


def test_parts_come_back_with_their_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    content = checkpoint()
    parts = load_parts(save(tmp_path, content))
    assert parts.config == CONFIG
    assert (parts.tokenizer.symbols, parts.tokenizer.case) == (SYMBOLS, "lower")
    assert parts.reader.sample_rate == 8000
    assert not parts.recognizer.training
    loaded = parts.recognizer.state_dict()
    assert {PREFIX + name for name in loaded} == content["state_dict"].keys()
    assert all(content["state_dict"][PREFIX + name].equal(weight) for name, weight in loaded.items())


def test_loaded_parts_recognise_the_same(tmp_path: Path) -> None:
    torch.manual_seed(0)
    parts = build_parts(CONFIG, SYMBOLS)
    signals = pad_signals([torch.randn(4000, 1), torch.randn(900, 1)])
    weights = {PREFIX + name: weight for name, weight in parts.recognizer.state_dict().items()}
    path = save(tmp_path, {"state_dict": weights, KEY: describe(CONFIG, SYMBOLS)})
    expected = parts.recognizer.eval()(*signals).log_probs
    assert load_parts(path).recognizer(*signals).log_probs.equal(expected)


@pytest.mark.parametrize("plain_pickle", [False, True])
def test_code_in_a_checkpoint_is_refused_and_does_not_run(tmp_path: Path, plain_pickle: bool) -> None:
    trace = tmp_path / "was-run"
    content = {**checkpoint(), "callbacks": RunsCode(trace)}
    path = save(tmp_path, content)
    if plain_pickle:
        path.write_bytes(pickle.dumps(content, protocol=2))
    assert "asks to run code, which is refused" in refusal(path)
    assert not trace.exists()
    torch.load(save(tmp_path, content), weights_only=False)
    assert trace.exists()  # so the trap is a real one


@pytest.mark.parametrize(
    "target",
    ["os.system", "builtins.eval", "seqrec.share.os.system", "seqrec.run_folder.subprocess.Popen", "torch.load"],
)
@pytest.mark.parametrize("part", ["text", "frontend", "encoder", "reader"])
def test_forbidden_targets_in_its_config_are_refused(tmp_path: Path, part: str, target: str) -> None:
    path = save(tmp_path, checkpoint(changed(part, _target_=target)))
    assert refusal(path).startswith(f"{part}._target_={target} ")


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, -1])
def test_cut_off_files_are_named(tmp_path: Path, keep: float) -> None:
    path = save(tmp_path, checkpoint())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep) if isinstance(keep, float) else keep])
    assert str(path) in refusal(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    assert f"checkpoint {tmp_path / 'best.ckpt'} does not exist" in refusal(tmp_path / "best.ckpt")
    assert f"checkpoint {tmp_path} does not exist" in refusal(tmp_path)


@pytest.mark.parametrize(
    "content",
    [{}, [], 3, torch.zeros(2), {"state_dict": {}}, {"state_dict": {}, KEY: "yes"}, {KEY: describe(CONFIG, SYMBOLS)}],
)
def test_what_is_none_of_ours_is_named(tmp_path: Path, content: Any) -> None:
    assert "is no checkpoint of seqrec" in refusal(save(tmp_path, content))


@pytest.mark.parametrize("content", [b"to be\n" * 100, bytes(1000), b"PK\x03\x04" + bytes(100)])
def test_other_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "best.ckpt"
    path.write_bytes(content)
    assert f"checkpoint {path} " in refusal(path)


def test_a_newer_format_is_said(tmp_path: Path) -> None:
    content = checkpoint()
    content[KEY]["format"] = 2
    assert "has format 2, this seqrec reads format 1; use a newer seqrec" in refusal(save(tmp_path, content))


@pytest.mark.parametrize("hidden_size", [5, 3])
def test_weights_that_do_not_fit_the_config_are_refused(tmp_path: Path, hidden_size: int) -> None:
    path = save(tmp_path, checkpoint(changed("encoder", hidden_size=hidden_size)))
    assert f"checkpoint {path} does not fit its own config" in refusal(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [("config", {}), ("config", []), ("config", {**CONFIG, "encoder": "lstm"}), ("symbols", None), ("symbols", ["a"])],
)
def test_a_description_that_is_none_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    content = checkpoint()
    content[KEY][key] = value
    assert "does not fit its own config" in refusal(save(tmp_path, content))


def test_missing_weights_are_refused(tmp_path: Path) -> None:
    content = checkpoint()
    del content["state_dict"][PREFIX + "head.bias"]
    assert "does not fit its own config" in refusal(save(tmp_path, content))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("seed", range(150))
def test_a_damaged_pickle_raises_nothing_but_user_errors(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    buffer, path = BytesIO(), tmp_path / "best.ckpt"
    torch.save(checkpoint(), buffer)
    with zipfile.ZipFile(buffer) as whole, zipfile.ZipFile(path, "w") as damaged:
        for name in whole.namelist():
            content = bytearray(whole.read(name))
            for _ in range(random.randint(1, 4) if name.endswith("data.pkl") else 0):
                content[random.randrange(len(content))] = random.randrange(256)
            damaged.writestr(name, bytes(content))
    try:
        assert KEY in read_checkpoint(path)
    except UserError as error:
        message = str(error)
    else:
        return
    assert str(path) in message


def test_flipped_bits_in_weights_are_found(tmp_path: Path) -> None:
    path = save(tmp_path, {**checkpoint(), "filler": torch.zeros(100_000)})
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "is damaged at" in refusal(path)
