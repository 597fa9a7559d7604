"""UNIPEN train_r01_v07: online handwriting of many contributors; isolated characters, words and lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from pathlib import Path

from seqrec.corpora.archives.fetch import Source, fetch
from seqrec.corpora.corpus import LeftOut
from seqrec.corpora.ink.unipen_file import Segment, read_data_file
from seqrec.corpora.ink.unipen_segment import SegmentError, read_delineation, read_strokes
from seqrec.corpora.parallel import in_processes
from seqrec.corpora.people import split_people
from seqrec.errors import UserError
from seqrec.manifest import Row
from seqrec.progress import track

_LEVELS = {"6": "WORD", "7": "WORD", "8": "TEXT"}  # of the segments of a category; CHARACTER in all others
_DEPTH = 4  # folders an archive may have on top of `data` and `include`
# Contributors of one house, whose people may have given to several of their sets.
_HOUSES = {
    **dict.fromkeys(("apa", "apb", "apc", "apd", "ape", "app"), "apple"),
    **dict.fromkeys(("cea", "ceb", "cec", "ced", "cee", "cef"), "cedar"),
    **dict.fromkeys(("hpb", "hpp", "sta"), "hp"),
}
# What tells sessions of one writer apart: hpb0-aeb and hpb1-aeb, r01-04 and r02-04 (ibm0.doc has 12 writers, three
# sessions each; they even share ink), Eric_Behnke_1 and _2, KNKE4574.A, bam11 and bam12.
_SESSION = re.compile(r"^hpb\d-?|^r\d\d-|_\d$|\.[a-z]$|(?<=^[a-z]{3})\d\d$")


@dataclass(frozen=True)
class _File:
    """A data file, and those of its people whose segments are wanted; None: all."""

    path: Path
    name: str  # category/contributor/..., without .dat
    people: frozenset[str] | None = None

    @property
    def category(self) -> str:
        return self.name.split("/")[0]

    @property
    def contributor(self) -> str:
        return self.name.split("/")[1]


class UNIPEN:
    """Words, lines or characters as ink: the label is the text, the strokes are in units of the contributor's tablet.

    `categories` are the publisher's: 1a digits, 1b upper case, 1c lower case, 1d symbols, 2 characters of all kinds,
    3 characters within words or texts, 6 words of letters, 7 words with digits and symbols too, 8 lines of text. Of
    each one level of segments is taken: CHARACTER, WORD (6 and 7) or TEXT (8). The same writing may be in several.

    UNIPEN's y grows upwards; here its sign is flipped. Times are those of the files, or follow from their sampling
    rate; a pen that was lifted beyond the tablet's reach takes no time then. Ink of files that have neither has no
    times. A row's `writer` is the contributor and the .WRITER_ID (lacking it, the file's name).

    There is no split of the publisher's: the people of each house that contributed are dealt to the splits by a hash
    of `seed`. So that nobody is in two, sets of one house (Apple, CEDAR, HP) are taken together, and sessions whose ids
    differ by a number only count as one person. Nothing in the corpus tells whether people wrote for several houses.

    `train_categories` are more categories, for training alone: of their people those of dev and test are left out, and
    dev and test stay what they are without them.

    `qualities` are those of the publisher's codes that are taken. BAD, for hard to read, is: the labels are right as
    far as one can see, and leaving the hardest words out would flatter a test.

    `checksum` is the SHA-256 of the archive.

    Source: Guyon, Schomaker, Plamondon, Liberman, Janet (1994), DOI 10.1109/ICPR.1994.576870
    """

    name = "unipen"
    licence = "research use, no commercial distribution (notice in the data); CC BY 4.0 on the publisher's later page"
    shared_people = ""
    notes: tuple[str, ...] = ()

    def __init__(
        self,
        archive: str | None = None,
        root: str | None = None,
        url: str | None = "https://zenodo.org/records/1195803/files/unipen-CDROM-train_r01_v07.tgz",
        checksum: str | None = None,
        categories: Sequence[str] = ("6",),
        train_categories: Sequence[str] = (),
        contributors: Sequence[str] = (),  # such as sta; none: all
        qualities: Sequence[str] = ("GOOD", "OK", "?", "BAD"),
        dev_fraction: float = 0.1,  # of the people
        test_fraction: float = 0.1,
        num_workers: int | None = None,
        seed: int = 0,
    ) -> None:
        how = "get unipen-CDROM-train_r01_v07.tgz from its page, DOI 10.5281/zenodo.1195803"
        self._source = Source(self.name, url, archive, checksum, root, how)
        self._categories, self._contributors = tuple(map(str, categories)), tuple(contributors)
        self._qualities = frozenset(quality.upper() for quality in qualities)
        self._train_categories = tuple(map(str, train_categories))
        if not self._categories or any(isinstance(each, str) for each in (categories, train_categories, contributors)):
            where = f"corpus.categories={categories}, corpus.contributors={contributors}"
            where += f", corpus.train_categories={train_categories}" if train_categories else ""
            raise UserError(f"{where}: give lists, such as corpus.categories=[6]; categories must name at least one")
        if both := set(self._categories) & set(self._train_categories):
            where = f"corpus.train_categories={list(train_categories)}"
            raise UserError(f"{where}: {', '.join(sorted(both))} is in corpus.categories too; leave it out of one")
        if not (dev_fraction > 0 and test_fraction > 0 and dev_fraction + test_fraction < 1):
            where = f"corpus.dev_fraction={dev_fraction}, corpus.test_fraction={test_fraction}"
            raise UserError(f"{where} leave a split empty; give positive fractions whose sum is below 1")
        self._fractions = {"train": 1 - dev_fraction - test_fraction, "dev": dev_fraction, "test": test_fraction}
        self._num_workers, self._seed = num_workers, seed

    def splits(self, folder: Path, downloads: Path) -> Mapping[str, Iterable[Row | LeftOut]]:
        """Return the rows of `train`, `dev` and `test`; the ink is in the rows, and nothing is written to `folder`.

        Raises:
            UserError: as `fetch`; the folders data and include are not there, or a category or contributor is not;
                there are fewer people than splits.
        """
        root = _find_root(fetch(self._source, downloads), self._source)
        files = self._data_files(root, "categories", self._categories)
        more = self._data_files(root, "train_categories", self._train_categories) if self._train_categories else []
        found = in_processes(partial(_people, root=root), [*files, *more], self._num_workers)
        people = list(track(found, "telling the writers apart", len(files) + len(more)))
        split_of = _deal(sorted(set(chain.from_iterable(people[: len(files)]))), self._fractions, self._seed)
        newcomers = set(chain.from_iterable(people[len(files) :]))
        self._note(name for name in newcomers if split_of.get(name, "train") != "train")
        split_of = {**dict.fromkeys(newcomers, "train"), **split_of}
        parts = {split: list(zip(files, people, strict=False)) for split in self._fractions}
        parts["train"] += zip(more, people[len(files) :], strict=True)
        return {
            split: self._read(root, [_only(file, split, split_of, names) for file, names in part])
            for split, part in parts.items()
        }

    def _note(self, kept_out: Iterable[str]) -> None:
        if count := len(list(kept_out)):
            names = ", ".join(self._train_categories)
            self.notes = (f"{count} people of dev and test wrote for the categories {names} too, not taken from them",)

    def _read(self, root: Path, files: Sequence[_File]) -> Iterator[Row | LeftOut]:
        wanted = [file for file in files if file.people]
        read = partial(_read_rows, root=root, qualities=self._qualities)
        return chain.from_iterable(in_processes(read, wanted, self._num_workers, chunk=4))

    def _data_files(self, root: Path, option: str, categories: Sequence[str]) -> list[_File]:
        folders = [
            _subfolder(root / "data", category, f"corpus.{option}={list(categories)}")
            for category in dict.fromkeys(categories)
        ]
        there = {path.name for folder in folders for path in folder.iterdir() if path.is_dir()}
        for contributor in self._contributors:
            if contributor not in there:
                where = f"corpus.contributors: `{contributor}` has no folder in the categories"
                raise UserError(f"{where} {', '.join(categories)}; these have: {', '.join(sorted(there))}")
        paths = (path for folder in folders for path in folder.glob("*/**/*"))
        files = (_File(path, _name(path.relative_to(root / "data"))) for path in paths)
        found = [file for file in files if not self._contributors or file.contributor in self._contributors]
        kept = sorted((file for file in found if _is_data(file.path)), key=lambda file: file.name)
        if not kept:
            raise UserError(f"{root / 'data'} has no files for the categories asked for; get the archive anew")
        return kept


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")  # macOS packs `._` shadows


def _name(path: Path) -> str:
    """Return what names a data file in ids; bytes of its name that are no UTF-8 are spelt out."""
    return path.as_posix().encode(errors="backslashreplace").decode().removesuffix(".dat")


def _find_root(unpacked: Path, source: Source) -> Path:
    """Return the folder that holds `data` and `include`."""
    for depth in range(_DEPTH):
        for path in sorted(unpacked.glob("*/" * depth + "include")):
            if path.is_dir() and (path.parent / "data").is_dir():
                return path.parent
    raise UserError(
        f"{source.named(unpacked)} holds no folder with UNIPEN's `data` and `include`; give the publisher's archive "
        "with corpus.archive=PATH, or its unpacked folder with corpus.root=PATH"
    )


def _subfolder(folder: Path, name: str, where: str) -> Path:
    there = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if name not in there:
        raise UserError(f"{where}: {folder} has no category `{name}`; it has {', '.join(there) or 'none'}")
    return folder / name


def _only(file: _File, split: str, split_of: Mapping[str, str], people: Iterable[str]) -> _File:
    return _File(file.path, file.name, frozenset(person for person in people if split_of[person] == split))


def _deal(people: Sequence[str], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Return the split of each person, dealt house by house; those of houses too small for it are dealt together."""
    houses = [list(names) for _, names in groupby(people, lambda person: person.split("-")[0])]
    large = [names for names in houses if len(names) >= len(fractions)]
    small = [name for names in houses if len(names) < len(fractions) for name in names]
    if large and len(small) < len(fractions):
        large, small = large[:-1], small + large[-1]
    split_of: dict[str, str] = {}
    for names in filter(None, [*large, small]):
        split_of.update(split_people(names, fractions, seed))
    return split_of


def _people(file: _File, root: Path) -> list[str]:
    """Return who wrote the segments of a file."""
    segments = read_data_file(file.path, root).segments
    writers = {_writer(segment, file) for segment in segments} or {_stem(file)}
    return sorted({_person(writer, file) for writer in writers})


def _person(writer: str, file: _File) -> str:
    """Return what is the same for all sessions of a writer, as far as ids tell."""
    name = re.sub(r"[\W_]", "", _SESSION.sub("", writer.lower()))
    return f"{_HOUSES.get(file.contributor, file.contributor)}-{name}"


def _stem(file: _File) -> str:
    return file.name.rpartition("/")[2]


def _writer(segment: Segment, file: _File) -> str:
    """Return the id of who wrote the first component of a segment."""
    components = segment.ink.components
    first = re.match(r"\d{1,9}", segment.delineation, re.ASCII)
    number = int(first[0]) if first else 0
    return (components[number].writer if number < len(components) else None) or _stem(file)


def _read_rows(file: _File, root: Path, qualities: frozenset[str]) -> list[Row | LeftOut]:
    """Return what the segments of a file give, of the people that are wanted."""
    data = read_data_file(file.path, root)
    rows: list[Row | LeftOut] = []
    for number, segment in enumerate(data.segments):
        if file.people is None or _person(_writer(segment, file), file) in file.people:
            name = f"{file.name}/{number:04d}"
            try:
                _check_segment(segment, file, data.missing, qualities)
                rows.append(_row(name, segment, file))
            except SegmentError as error:
                rows.append(LeftOut(name, error.reason, error.detail))
    return rows if data.segments else [LeftOut(file.name, "no segments in the file", str(file.path))]


def _check_segment(segment: Segment, file: _File, missing: Sequence[str], qualities: frozenset[str]) -> None:
    level = _LEVELS.get(file.category, "CHARACTER")
    if segment.is_damaged or not segment.delineation:
        raise SegmentError("damaged segment", f"{segment.level} {segment.delineation} {segment.quality}")
    if segment.level != level:
        raise SegmentError("segment of another level", f"{segment.level}, not {level}")
    if segment.quality not in qualities:
        raise SegmentError("quality not asked for", segment.quality)
    if not segment.label:
        raise SegmentError("no label", segment.delineation)
    if missing:  # the components may be those of another file
        raise SegmentError("missing include", "; ".join(missing))


def _row(name: str, segment: Segment, file: _File) -> Row:
    components = segment.ink.components
    strokes = read_strokes(components, read_delineation(segment.delineation, len(components)))
    fields = {
        "ink": {"strokes": strokes},
        "num_points": sum(map(len, strokes)),
        "writer": f"{file.contributor}-{_writer(segment, file)}",
        "contributor": file.contributor,
    }
    return Row(name, segment.label or "", fields)
