from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import hydra
import numpy as np
import pytest
import soundfile
import torch
import yaml
from tiny import Seqrec

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import build_parts
from seqrec.cli.compose import known_keys, plain, register_plugins
from seqrec.cli.ranks import num_processes
from seqrec.cli.recipe_names import list_recipes
from seqrec.errors import UserError
from seqrec.share import build, share_folder
from seqrec.training.optimizer import build_optimizer

RECIPES = list(list_recipes())
OPTIONS = [(path.parent.name, path.stem) for path in sorted(share_folder("conf").glob("*/*.yaml"))]
MODALITIES = {  # options that only some recipes can take
    "synth/speech": [
        ("reader", "audio"),
        *[("frontend", name) for name in ("logmel", "logmel_deltas", "mfcc")],
        *[("augmentation", name) for name in ("speech", "gain", "noise", "white_noise", "reverb")],
        *[("encoder", name) for name in ("conv_bilstm", "deepspeech")],
        *[("text", name) for name in ("phones", "timit_phones")],
    ],
    "synth/ink": [
        ("reader", "ink"),
        *[("frontend", name) for name in ("deltas", "deltas_notime", "deltas_timed", "liwicki", "bezier")],
        *[
            ("augmentation", name)
            for name in ("ink", "ink_jitter", "ink_linear", "ink_stroke_drop", "ink_stroke_order", "join_words")
        ],
    ],
}
SYMBOLS = {"bpe": ("▁", "a", "b"), "unigram": (("▁", -1.0), ("a", -2.0), ("b", -2.0))}
WITHOUT_STACKING = ("~encoder.stack_size", "~encoder.stack_stride")  # of the recipe; convolutions have strides instead
NEEDED = {  # by options that take more than their name
    ("augmentation", "noise"): ("augmentation.noise.folder=noises",),
    ("augmentation", "reverb"): ("augmentation.reverb.folder=noises",),
    ("optimizer", "schedule_free"): ("schedule=constant",),
    **{("encoder", name): WITHOUT_STACKING for name in ("conv_bilstm", "deepspeech", "conv1d_bilstm", "tds")},
    ("encoder", "pyramid_bilstm"): (*WITHOUT_STACKING, "~encoder.num_layers"),
}
OF_A_MODALITY = {pair for pairs in MODALITIES.values() for pair in pairs}


def compose(recipe: str, *overrides: str) -> dict[str, Any]:
    register_plugins()
    with hydra.initialize_config_dir(str(share_folder("recipes")), version_base="1.3"):
        config = hydra.compose(recipe, [*overrides, "recipe=test"])
    return plain(config)


def check_builds(config: dict[str, Any], tmp_path: Path) -> None:
    """Construct everything a training constructs, but for the trainer's devices, and run a frame through it."""
    model_type = config["text"].get("model_type")
    parts = build_parts(config, SYMBOLS.get(model_type, ("a", "b")))
    parameters = list(parts.recognizer.parameters())
    build(config["corpus"], "corpus")
    build(config["ctc"], "ctc")
    build(config["decoder"], "decoder")
    schedule = build(config["schedule"], "schedule")
    build_optimizer(config["optimizer"], parameters, schedule)
    assert 0 < schedule.factor(0.5, 100) <= 1
    AugmentationChain.build(config["augmentation"], parts.reader.num_channels)
    for name, part in config["callbacks"].items():
        build(part, f"callbacks.{name}")
    for name, part in config["logger"].items():
        build(part, f"logger.{name}", save_dir=tmp_path)
    signals = torch.zeros(1, 50, parts.reader.num_channels)
    emissions = parts.recognizer.eval()(signals, torch.tensor([50]))
    torch.testing.assert_close(emissions.log_probs.exp().sum(-1), torch.ones(emissions.log_probs.shape[:2]))


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_composes_and_builds(recipe: str, tmp_path: Path) -> None:
    check_builds(compose(recipe), tmp_path)


@pytest.mark.parametrize(
    ("group", "option"), [each for each in OPTIONS if each not in OF_A_MODALITY and each[0] != "corpus"]
)
def test_every_option_composes_and_builds(group: str, option: str, tmp_path: Path) -> None:
    config = compose("synth/ink", f"{group}={option}", *NEEDED.get((group, option), ()))
    assert config[group] is not None
    check_builds(config, tmp_path)


@pytest.mark.parametrize(
    ("recipe", "group", "option"), [(recipe, *pair) for recipe, pairs in MODALITIES.items() for pair in pairs]
)
def test_every_option_of_a_modality_composes_and_builds(
    recipe: str, group: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("noises").mkdir()
    soundfile.write("noises/hum.wav", np.full(8000, 0.1), 16000)
    check_builds(compose(recipe, f"{group}={option}", *NEEDED.get((group, option), ())), tmp_path)


def test_every_corpus_has_a_recipe() -> None:
    chosen = {compose(recipe)["corpus"]["_target_"] for recipe in RECIPES}
    corpora = {
        path.stem: yaml.safe_load(path.read_text())["_target_"] for path in share_folder("conf").glob("corpus/*")
    }
    assert chosen == set(corpora.values())


def test_the_trainers_differ_in_devices_only() -> None:
    cpu, gpu, ddp = (compose("synth/ink", f"trainer={name}")["trainer"] for name in ("cpu", "gpu", "ddp"))
    assert cpu["max_epochs"] == gpu["max_epochs"] == ddp["max_epochs"]
    assert (cpu["accelerator"], gpu["accelerator"], ddp["strategy"]) == ("cpu", "gpu", "ddp")


def test_several_machines_compose_as_the_readme_says() -> None:
    trainer = compose("synth/ink", "trainer=ddp", "trainer.devices=4", "trainer.num_nodes=2")["trainer"]
    assert num_processes(trainer) == 8
    assert compose("synth/ink", "trainer=ddp", "trainer.sync_batchnorm=true")["trainer"]["sync_batchnorm"]


def test_defaults_that_yaml_leaves_out_come_from_the_constructor() -> None:
    encoder = compose("synth/ink", "encoder.dropout=[0.1,0.2]")["encoder"]
    assert encoder["bidirectional"] is True
    assert encoder["dropout"] == [0.1, 0.2]


def test_known_keys_are_groups_and_settings() -> None:
    assert {"corpus", "encoder", "seed", "data_dir", "checkpoint_steps"} <= known_keys()
    assert "hydra" not in known_keys()


def test_an_open_value_is_named() -> None:
    with pytest.raises(UserError, match=r"encoder\.hidden_size"):
        compose("synth/ink", "encoder.hidden_size=???")


def test_composing_imports_no_torch() -> None:
    code = (
        "import sys; from seqrec.cli.main import main; main(['train', 'fsdd/bilstm', '--cfg', 'job']); "
        "sys.exit('torch' in sys.modules or 'lightning' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "FSDD" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["recipes"], ["--version"], ["train", "--help"], ["evaluate", "--help"]])
def test_light_verbs_import_neither_torch_nor_hydra(words: list[str]) -> None:
    code = (
        f"import sys; from seqrec.cli.main import main; main({words!r}); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'lightning', 'jiwer')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_recipes_are_listed_with_what_they_are(seqrec: Seqrec) -> None:
    lines = seqrec("recipes").out.splitlines()
    assert [line.split()[0] for line in lines] == RECIPES
    assert all(len(line.split()) > 3 for line in lines)
