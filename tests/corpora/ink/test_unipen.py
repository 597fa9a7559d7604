"""The corpus UNIPEN, from small files in the publisher's layout and from the real ones."""

from __future__ import annotations

import tarfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from corpora.ink.unipen_small import INK, ROWS, contribute, small_corpus, write

from seqrec.corpora.corpus import LeftOut
from seqrec.corpora.ink.unipen import UNIPEN
from seqrec.errors import UserError
from seqrec.manifest import Row

ARCHIVE = Path(__file__).parents[4] / "shared/data/unipen_train_r01_v07_subset.tar.xz"
WORDS = {"sta": 15808, "cec": 4880, "cee": 3977, "pap": 2203, "apd": 1958, "kar": 1809, "ibm": 1196}
LINES = {"aga": 605, "apd": 507, "app": 745, "cec": 604, "sta": 156}
DIGITS = {"aga": 405, "app": 1046, "ibm": 1571}
Splits = dict[str, list[Row | LeftOut]]


def read(root: Path, **settings: Any) -> Splits:
    corpus = UNIPEN(root=str(root), **{"num_workers": 1, **settings})
    return {split: list(part) for split, part in corpus.splits(root, root / "downloads").items()}


def rows(splits: Splits) -> dict[str, Row]:
    return {each.id: each for part in splits.values() for each in part if isinstance(each, Row)}


def left_out(splits: Splits) -> dict[str, LeftOut]:
    return {each.id: each for part in splits.values() for each in part if isinstance(each, LeftOut)}


def writers(splits: Splits) -> dict[str, set[str | None]]:
    return {split: {each.person for each in part if isinstance(each, Row)} for split, part in splits.items()}


def test_words_and_their_ink(tmp_path: Path) -> None:
    splits = read(small_corpus(tmp_path))
    found = rows(splits)
    assert len(found) == 40
    assert not left_out(splits)
    first = found["6/sta/hpb0-a/0000"]
    assert (first.text, first.person, first.fields["contributor"]) == ("vi", "sta-hpb0-a", "sta")
    assert first.fields["num_points"] == 5
    assert first.fields["ink"]["strokes"] == [
        [[0, -100, 0.0], [10, 0, 0.01], [20, -100, 0.02]],
        [[40, -100, 0.04], [40, 0, 0.05]],  # the pen was in the air for one point
    ]
    assert found["6/sta/hpb0-a/0002"].text == 'a"b\\'
    assert [[point[0] for point in stroke] for stroke in found["6/sta/hpb0-a/0002"].fields["ink"]["strokes"]] == [
        [40, 40],
        [61, 62, 63],
    ]
    assert found["6/sta/hpb0-a/0003"].text == "two lines"
    assert found["6/sta/hpb0-a/0003"].fields["ink"]["strokes"] == [[[60, -1, 0.0], [61, -2, 0.01]]]


def test_every_house_is_in_every_split_and_nobody_in_two(tmp_path: Path) -> None:
    names = writers(read(small_corpus(tmp_path, num_writers=20)))
    assert {split: Counter(str(name)[:3] for name in part) for split, part in names.items()} == {
        "train": {"sta": 16, "kar": 16}, "dev": {"sta": 2, "kar": 2}, "test": {"sta": 2, "kar": 2},
    }  # fmt: skip
    assert sum(map(len, names.values())) == len(set().union(*names.values())) == 40


def test_the_seed_chooses_the_people(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    choices = [tuple(sorted(map(str, writers(read(tmp_path, seed=seed))["test"]))) for seed in range(6)]
    assert len(set(choices)) > 2
    assert choices[0] == tuple(sorted(map(str, writers(read(tmp_path))["test"])))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("sta", "hpb0-aeb"), ("hpp", "hpb1-aeb")),
        (("apd", "Eric_Behnke_1"), ("apd", "Eric_Behnke_2")),
        (("apd", "Eric_Behnke_1"), ("app", "EricBehnke")),
        (("cee", "KNKE4574.A"), ("cec", "knke4574")),
        (("ibm", "r01-04"), ("ibm", "r02-04")),
        (("ibm", "bam11"), ("ibm", "bam12")),
    ],
)
def test_sessions_of_a_writer_stay_together(tmp_path: Path, first: tuple[str, str], second: tuple[str, str]) -> None:
    small_corpus(tmp_path, num_writers=2)
    for contributor, writer in (first, second):
        contribute(tmp_path, contributor, writer)
    pair = {f"{contributor}-{writer}" for contributor, writer in (first, second)}
    for seed in range(8):
        assert sum(bool(part & pair) for part in writers(read(tmp_path, seed=seed)).values()) == 1


def test_others_do_not_stay_together(tmp_path: Path) -> None:
    for writer in ("mms_0020", "mms_0072", "mjh_0055"):
        contribute(tmp_path, "kar", writer)
    assert [len(part) for part in writers(read(tmp_path)).values()] == [1, 1, 1]


def test_a_file_of_several_writers_and_one_of_none(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    people = [f".WRITER_ID w{n}\n.PEN_DOWN\n{n} {n}\n" for n in range(6)]
    segments = [f'.SEGMENT WORD {n} ? "{n}"\n' for n in range(6)]
    write(tmp_path / "data/6/abm/many.dat", ".COORD X Y\n" + "".join(people + segments))
    write(tmp_path / "data/6/abm/none.dat", '.COORD X Y\n.PEN_DOWN\n0 0\n.SEGMENT WORD 0 ? "a"\n')
    splits = read(tmp_path)
    assert {str(row.person) for key, row in rows(splits).items() if "/abm/" in key} == {
        "abm-none", *(f"abm-w{n}" for n in range(6)),
    }  # fmt: skip
    assert all(any("abm" in str(name) for name in part) for part in writers(splits).values())


def test_what_gets_no_row_is_named(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    expected = {
        '.SEGMENT WORD 0 LBL "a"': "quality not asked for",
        ".SEGMENT WORD 0 ?": "no label",
        '.SEGMENT WORD 0 ? " "': "no label",
        '.SEGMENT WORD 1 ? "a"': "no pen-down points",
        '.SEGMENT WORD 5-6 ? "a"': "components that are not there",
        '.SEGMENT WORD 5:1-5:5 ? "a"': "components that are not there",
        '.SEGMENT TEXT 0-5 ? "a"': "segment of another level",
        '.SEGMENT WORD ? ? "a"': "damaged segment",
        '.SEGMENT WORD 0 ? "a': "damaged segment",
    }
    include = ".INCLUDE {contributor}/{contributor}.doc\n.INCLUDE {contributor}/data/{name}.dat\n"
    contribute(tmp_path, "pap", "bill", rows=include + "\n".join(expected) + "\n")
    contribute(tmp_path, "pap", "brian", rows=include + '.INCLUDE pap/none.dat\n.SEGMENT WORD 0 ? "a"\n')
    contribute(tmp_path, "pap", "tim", rows=include)
    write(tmp_path / "data/6/pap/leo.dat", '.PEN_DOWN\n1 1\n.SEGMENT WORD 0 ? "a"\n')
    splits = read(tmp_path)
    found = left_out(splits)
    assert [found[f"6/pap/bill/{number:04d}"].reason for number in range(len(expected))] == list(expected.values())
    assert found["6/pap/brian/0000"].reason == "missing include"
    assert found["6/pap/brian/0000"].detail == f"'pap/none.dat' is not in {tmp_path.name}"
    assert found["6/pap/tim"].reason == "no segments in the file"
    assert (found["6/pap/leo/0000"].reason, found["6/pap/leo/0000"].detail) == (
        "damaged ink", ".COORD is ``, which lacks X or Y",
    )  # fmt: skip
    assert len(found) == len(expected) + 3
    assert len(rows(splits)) == 40


def test_qualities_are_chosen(tmp_path: Path) -> None:
    splits = read(small_corpus(tmp_path), qualities=["ok", "?"])
    assert {row.text for row in rows(splits).values()} == {"vi", "l"}
    assert {each.detail for each in left_out(splits).values()} == {"BAD", "GOOD"}


def test_categories_have_levels_of_their_own(tmp_path: Path) -> None:
    small_corpus(tmp_path)
    for number in range(3):
        row = f'.INCLUDE kar/data/mab_{number:04d}.dat\n.SEGMENT {{}} 0-1 ? "7"\n'
        for category, level in (("8", "TEXT"), ("1a", "CHARACTER"), ("7", "WORD")):
            path = tmp_path / f"data/{category}/kar/sub/mab_{number:04d}.dat"
            write(path, ".COORD X Y\n" + row.format(level))
    assert len(rows(read(tmp_path, categories=["8"]))) == 3
    assert set(rows(read(tmp_path, categories=["1a", "7"]))) == {
        f"{category}/kar/sub/mab_{number:04d}/0000" for category in ("1a", "7") for number in range(3)
    }


def test_more_categories_for_training_leave_dev_and_test_as_they_are(tmp_path: Path) -> None:
    small_corpus(tmp_path, num_writers=10)
    for path in sorted((tmp_path / "data/6").glob("*/*.dat")):  # lines of the same people, but for two
        if path.stem not in ("hpb0-a", "hpb0-b"):
            lines = path.read_text().replace("SEGMENT WORD", "SEGMENT TEXT").replace("SEGMENT\nWORD", "SEGMENT\nTEXT")
            write(tmp_path / "data/8" / path.relative_to(tmp_path / "data/6"), lines)
    alone = read(tmp_path, categories=["8"])
    corpus = UNIPEN(root=str(tmp_path), categories=["8"], train_categories=["6"], num_workers=1)
    both = {split: list(part) for split, part in corpus.splits(tmp_path, tmp_path / "downloads").items()}
    assert both["dev"] == alone["dev"]
    assert both["test"] == alone["test"]
    assert both["train"][: len(alone["train"])] == alone["train"]
    words = both["train"][len(alone["train"]) :]
    held_out = writers(alone)["dev"] | writers(alone)["test"]
    assert len(held_out) == 4
    expected = rows(read(tmp_path))
    assert {row.id: row for row in words if isinstance(row, Row)} == {
        id: row for id, row in expected.items() if row.person not in held_out
    }
    assert {"sta-hpb0-a", "sta-hpb0-b"} <= writers(both)["train"]  # who wrote words alone
    assert corpus.notes == ("4 people of dev and test wrote for the categories 6 too, not taken from them",)


def test_sessions_of_held_out_people_do_not_get_in(tmp_path: Path) -> None:
    small_corpus(tmp_path, num_writers=1)
    for name in ("ann", "bob", "cid", "dan"):
        contribute(tmp_path, "apd", f"{name}_1")
        rows_of_lines = ROWS.replace("WORD", "TEXT").replace("{contributor}", "apd").replace("{name}", f"{name}_1")
        write(tmp_path / f"data/8/apd/{name}_2.dat", rows_of_lines.replace("_1.dat", "_2.dat"))
        write(tmp_path / f"include/apd/data/{name}_2.dat", INK.format(writer=f"{name}_2"))
    splits = read(tmp_path, categories=["8"], train_categories=["6"])
    people = {split: {str(name)[:7] for name in part} for split, part in writers(splits).items()}
    assert len(people["dev"]) == len(people["test"]) == 1
    assert not people["train"] & (people["dev"] | people["test"])
    assert len(writers(splits)["train"]) == 2 * 2 + 2  # both sessions of two, and one writer of each other house


def test_contributors_are_chosen(tmp_path: Path) -> None:
    found = rows(read(small_corpus(tmp_path), contributors=["kar"]))
    assert {row.fields["contributor"] for row in found.values()} == {"kar"}


def test_workers_do_not_change_the_rows(tmp_path: Path) -> None:
    small_corpus(tmp_path, num_writers=40)
    assert read(tmp_path, num_workers=2) == read(tmp_path, num_workers=1)


def test_an_archive_with_folders_on_top(tmp_path: Path) -> None:
    small_corpus(tmp_path / "corpus/train_r01_v07")
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.add(tmp_path / "corpus", "CDROM")
    corpus = UNIPEN(str(tmp_path / "a.tgz"), num_workers=1)
    splits = {split: list(part) for split, part in corpus.splits(tmp_path, tmp_path / "downloads").items()}
    assert splits == read(tmp_path / "corpus")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"categories": ["9"]}, r"corpus\.categories=\['9'\]: .*data has no category `9`; it has 6"),
        ({"categories": [".."]}, r"has no category `\.\.`"),
        ({"contributors": ["kai"]}, r"`kai` has no folder in the categories 6; these have: kar, sta"),
        ({"categories": []}, r"categories must name at least one"),
        ({"categories": "6"}, r"give lists, such as corpus\.categories=\[6\]"),
        ({"train_categories": "7"}, r"corpus\.train_categories=7: give lists"),
        ({"train_categories": ["7"]}, r"corpus\.train_categories=\['7'\]: .*data has no category `7`; it has 6"),
        ({"train_categories": ["6"]}, r"corpus\.train_categories=\['6'\]: 6 is in corpus\.categories too"),
        ({"dev_fraction": 0.0}, r"corpus\.dev_fraction=0\.0, corpus\.test_fraction=0\.1 leave a split empty"),
        ({"test_fraction": 0.95}, "whose sum is below 1"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, settings: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        read(small_corpus(tmp_path), **settings)


def test_folders_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    with pytest.raises(
        UserError, match=r"^corpus\.root=.* holds no folder with UNIPEN's `data` and `include`; .*corpus\.root=PATH"
    ):
        read(tmp_path)
    (tmp_path / "data/6/sta").mkdir(parents=True)
    with pytest.raises(UserError, match="has no files for the categories asked for"):
        read(tmp_path)
    contribute(tmp_path, "sta", "hpb0-a")
    with pytest.raises(UserError, match=r"1 speakers or writers \(hp-a\) cannot make 3 splits"):
        read(tmp_path)


def check_counts(splits: Splits, expected: dict[str, int], num_writers: int) -> None:
    found = rows(splits)
    assert Counter(row.fields["contributor"] for row in found.values()) == expected
    assert not left_out(splits)
    assert len({row.person for row in found.values()}) == num_writers
    assert not any(set(a) & set(b) for a, b in [(writers(splits)["train"], writers(splits)["test"])])


@pytest.fixture(scope="module")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not ARCHIVE.exists():
        pytest.skip("the publisher's data are not on this machine")
    folder = tmp_path_factory.mktemp("unipen")
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            if member.isfile() and ".." not in member.name:
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                file = archive.extractfile(member)
                path.write_bytes(file.read() if file else b"")
    return folder


def test_the_publishers_digits(publishers: Path) -> None:
    splits = read(publishers, categories=["1a"], num_workers=None)
    check_counts(splits, DIGITS, 50)
    sessions = defaultdict(set)
    for split, part in writers(splits).items():
        for name in part:
            if str(name).startswith("ibm-"):
                sessions[str(name)[-2:]].add(split)
    assert len(sessions) == 12  # as the contributor counts writers
    assert all(len(each) == 1 for each in sessions.values())


@pytest.mark.slow
def test_the_publishers_words_and_lines(publishers: Path) -> None:
    check_counts(read(publishers, num_workers=None), WORDS, 201)
    check_counts(read(publishers, categories=["8"], num_workers=None), LINES, 122)
