"""The data module: nothing left out unsaid, and every example once an epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from lightning.pytorch.accelerators import Accelerator, CPUAccelerator, CUDAAccelerator

from seqrec.augmentation.chain import AugmentationChain
from seqrec.checkpoint import Parts
from seqrec.data.datamodule import Infeasible, SequenceDataModule
from seqrec.encoders.lstm import LSTMEncoder
from seqrec.errors import UserError
from seqrec.manifest import Row, write_manifest
from seqrec.recognizer import Recognizer
from seqrec.speech.audio import AudioReader
from seqrec.speech.logmel import LogMel
from seqrec.text.tokens import CharacterTokenizer

FEASIBLE = {f"t{i}": "ab" * (i % 4) for i in range(23)}
TOO_LONG = {"long1": "ab" * 40, "long2": "aa" * 30}


def write_split(folder: Path, split: str, texts: dict[str, str]) -> None:
    rows = []
    for i, (id, text) in enumerate(texts.items()):
        num_samples = 1000 + 100 * i
        soundfile.write(folder / f"{id}.wav", 0.1 * np.random.default_rng(i).standard_normal(num_samples), 8000)
        rows.append(Row(id, text, {"audio": f"{id}.wav", "num_samples": num_samples, "sample_rate": 8000}))
    write_manifest(folder / f"manifest-{split}.jsonl", rows)


def module_of(
    folder: Path,
    train: dict[str, str],
    dev: dict[str, str] | None = None,
    infeasible: Infeasible = "error",
    unknown: str = "error",
    **options: int,
) -> SequenceDataModule:
    write_split(folder, "train", train)
    write_split(folder, "dev", dev or {"d1": "ab", "d2": "b", "d3": ""})
    frontend = LogMel(8000, 20)
    recognizer = Recognizer(frontend, LSTMEncoder(20, hidden_size=4, num_layers=1), num_tokens=3)
    parts = Parts({}, AudioReader(8000), recognizer, CharacterTokenizer("ab", unknown=unknown))
    return SequenceDataModule(folder, parts, infeasible, seed=0, augmentation=AugmentationChain(), **options)


def train_ids(data: SequenceDataModule) -> list[str]:
    return [id for batch in data.train_dataloader() for id in batch.ids]


def test_every_example_comes_once_an_epoch_as_it_was_written(tmp_path: Path) -> None:
    data = module_of(tmp_path, FEASIBLE, max_frames=100)
    data.setup("fit")
    batches = list(data.train_dataloader())
    assert sorted(id for batch in batches for id in batch.ids) == sorted(FEASIBLE)
    for batch in batches:
        assert batch.texts == [FEASIBLE[id] for id in batch.ids]
        assert batch.target_lengths.tolist() == [len(FEASIBLE[id]) for id in batch.ids]
        assert batch.signal_lengths.tolist() == [1000 + 100 * int(id[1:]) for id in batch.ids]
        frames = data.parts.recognizer.frame_lengths(batch.signals, batch.signal_lengths)
        assert frames.max() * len(batch) <= 100
    assert sorted(id for batch in data.val_dataloader() for id in batch.ids) == ["d1", "d2", "d3"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_workers_read_the_same(tmp_path: Path) -> None:
    data = module_of(tmp_path, FEASIBLE, max_frames=100)
    data.setup()
    alone = [(batch.ids, batch.signals.numpy().tobytes()) for batch in data.train_dataloader()]
    for num_workers in (1, 2):
        data.num_workers = num_workers
        assert [(batch.ids, batch.signals.numpy().tobytes()) for batch in data.train_dataloader()] == alone


class Device:
    """What the data module asks a trainer for."""

    current_epoch = global_rank = 0
    world_size = 1

    def __init__(self, accelerator: Accelerator, num_devices: int = 1) -> None:
        self.accelerator, self.num_devices = accelerator, num_devices


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on a machine of fewer cores
@pytest.mark.parametrize("cores", [1, 2, 6, 64])
@pytest.mark.parametrize("num_devices", [1, 2])
def test_a_gpu_has_its_share_of_the_cores_to_read_ahead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cores: int, num_devices: int
) -> None:
    monkeypatch.setattr("seqrec.data.datamodule.count_workers", lambda asked: cores)
    data = module_of(tmp_path, FEASIBLE)
    data.setup()
    on_cpu, on_gpu = Device(CPUAccelerator(), num_devices), Device(CUDAAccelerator(), num_devices)
    for trainer, expected in ((None, 0), (on_cpu, 0), (on_gpu, min(8, max(1, cores // num_devices)))):
        data.trainer = trainer  # type: ignore[assignment]
        for loader in (data.train_dataloader(), data.val_dataloader()):
            assert loader.num_workers == expected
            assert loader.pin_memory == (trainer is on_gpu)
    data.num_workers = 3
    assert data.train_dataloader().num_workers == 3


def test_batches_are_planned_without_opening_anything(tmp_path: Path) -> None:
    data = module_of(tmp_path, FEASIBLE, max_frames=100)
    for recording in tmp_path.glob("*.wav"):
        recording.unlink()
    data.setup()
    planned = [list(loader.batch_sampler) for loader in (data.train_dataloader(), data.val_dataloader())]
    assert [sorted(index for batch in batches for index in batch) for batches in planned] == [[*range(23)], [0, 1, 2]]


def test_a_resumed_epoch_leaves_out_what_is_done(tmp_path: Path) -> None:
    data = module_of(tmp_path, FEASIBLE, max_frames=100)
    data.setup()
    whole = [batch.ids for batch in data.train_dataloader()]
    data.resume(0, 3)
    assert [batch.ids for batch in data.train_dataloader()] == whole[3:]
    data.resume(1, 3)  # another epoch
    assert [batch.ids for batch in data.train_dataloader()] == whole


def test_infeasible_targets_are_an_error_that_names_them(tmp_path: Path) -> None:
    data = module_of(tmp_path, {**FEASIBLE, **TOO_LONG})
    with pytest.raises(UserError) as caught:
        data.setup()
    message = str(caught.value)
    assert message.startswith("train: 2 of 25 targets need more frames than their examples have: `long1` (")
    assert "needs 80), `long2` (" in message
    assert "needs 119); mend the transcripts" in message
    assert "ctc.infeasible=skip" in message


def test_infeasible_targets_can_be_skipped_counted_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = module_of(tmp_path, {**FEASIBLE, **TOO_LONG}, infeasible="skip")
    data.setup()
    assert sorted(train_ids(data)) == sorted(FEASIBLE)
    (message,) = caplog.messages
    assert message.startswith("train: skipping 2 of 25 examples with infeasible targets: `long1` (")
    assert "`long2` (" in message


def test_nothing_left_to_train_on_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="train: no example is left to train on"):
        module_of(tmp_path, TOO_LONG, infeasible="skip").setup()


def test_dev_examples_are_never_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = module_of(tmp_path, FEASIBLE, {"d1": "ab", **TOO_LONG})
    data.setup()
    assert sorted(id for batch in data.val_dataloader() for id in batch.ids) == ["d1", "long1", "long2"]
    (message,) = caplog.messages
    assert message.startswith("dev: 2 targets need more frames than their examples have: `long1` (")


@pytest.mark.parametrize("split", ["train", "dev"])
def test_an_unknown_character_names_its_example(tmp_path: Path, split: str) -> None:
    strange = {"fine": "ab", "odd-7": "a☃"}
    data = module_of(tmp_path, strange if split == "train" else FEASIBLE, strange if split == "dev" else None)
    with pytest.raises(UserError, match=r"^example `odd-7`: '☃' \(U\+2603\) not in the alphabet .* text\.unknown=drop"):
        data.setup()


def test_an_unknown_character_can_be_dropped_from_targets_only(tmp_path: Path) -> None:
    data = module_of(tmp_path, {"odd-7": "a☃b"}, unknown="drop")
    data.setup()
    (batch,) = data.train_dataloader()
    assert batch.targets.tolist() == [[1, 2]]
    assert batch.texts == ["a☃b"]


def test_examples_longer_than_a_batch_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = module_of(tmp_path, FEASIBLE, max_frames=35)
    data.setup()
    (message,) = caplog.messages
    assert message.startswith("train: 3 examples are longer than data.max_frames=35")
    assert "the longest is `t22` with 38 frames" in message
    assert sorted(train_ids(data)) == sorted(FEASIBLE)


def test_a_recording_that_is_gone_is_named(tmp_path: Path) -> None:
    data = module_of(tmp_path, FEASIBLE)
    data.setup()
    (tmp_path / "t5.wav").unlink()
    with pytest.raises(UserError, match=r"^example `t5`: .*t5\.wav: no such file"):
        train_ids(data)
