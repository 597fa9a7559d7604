"""Speed of reading training batches: by workers, with the padding that training has."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from seqrec.benchmark import loading
from seqrec.benchmark.loading import bench_loading
from seqrec.benchmark.results import Measurement
from seqrec.errors import UserError


def config_and_corpus(run: Path) -> tuple[dict, Path]:
    (corpus,) = (path.parent for path in run.parent.glob("data/*/manifest-train.jsonl"))
    return yaml.safe_load((run / "config.yaml").read_text()), corpus


def figures(found: list[Measurement]) -> dict[tuple[str, str], Measurement]:
    assert len({(one.name, one.unit) for one in found}) == len(found)
    return {(one.name, one.unit): one for one in found}


@pytest.mark.parametrize("kind", ["ink", "speech"])
def test_reading(kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORKERS", (0,))
    config, corpus = config_and_corpus(request.getfixturevalue(f"{kind}_run"))
    titles: list[str] = []
    found = figures(bench_loading(config, corpus, 9, lambda items, title: (titles.append(title), items)[1]))
    unit = "points/s" if kind == "ink" else "seconds of sound/s"
    assert found["reading, 0 workers", unit].value > found["reading, 0 workers", "examples/s"].value > 0
    assert 0 <= found["padding", "% of frames"].value < 50
    assert found["opening and surveying train and dev", "s"].value > 0
    assert "reading, 0 workers" in titles


def test_more_batches_than_an_epoch_has(ink_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORKERS", (0,))
    config, corpus = config_and_corpus(ink_run)
    counts: list[int] = []

    def track(items: object, title: str) -> object:
        for number, item in enumerate(items):
            yield item
            counts.append(number)

    bench_loading(config, corpus, 40, track)
    assert max(counts) == 40  # and the first one


def test_examples_that_are_all_alike_have_no_padding(ink_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORKERS", (0,))
    config, corpus = config_and_corpus(ink_run)
    alone = {**config, "data": {**config["data"], "max_examples": 1}}
    padding = bench_loading(alone, corpus, 1, lambda items, title: items)[-1]
    assert (padding.value, padding.higher_is_better) == (0.0, None)


def test_workers_are_bounded_by_cores_and_those_of_the_recipe_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading.os, "cpu_count", lambda: 2)
    assert loading._worker_numbers(None) == [0, 1, 2]
    assert loading._worker_numbers(3) == [0, 1, 2, 3]
    monkeypatch.setattr(loading.os, "cpu_count", lambda: 64)
    assert loading._worker_numbers(0) == [0, 1, 2, 4]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_worker_processes_read_the_same_number(ink_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_WORKERS", (1,))
    config, corpus = config_and_corpus(ink_run)
    found = figures(bench_loading(config, corpus, 5, lambda items, title: items))
    assert found["reading, 1 worker", "examples/s"].value > 0


def test_a_corpus_that_is_not_there(ink_run: Path, tmp_path: Path) -> None:
    config, _ = config_and_corpus(ink_run)
    with pytest.raises(UserError, match=r"tokens\.json"):
        bench_loading(config, tmp_path, 1, lambda items, title: items)
