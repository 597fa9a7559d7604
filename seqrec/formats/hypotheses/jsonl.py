"""JSON objects, one a line: manifests, `hypotheses.jsonl` of `seqrec evaluate`, and what other systems write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqrec.errors import UserError, did_you_mean
from seqrec.formats.hypotheses.utterances import Utterances, numbered_lines, unique_ids


def read_jsonl(path: Path, text_keys: Sequence[str], id_key: str = "id", keys: Sequence[str] = ()) -> list[Utterances]:
    """Read one text of each object for each of `text_keys`.

    Args:
        path: the file.
        text_keys: where the texts stand, such as `text`, or `reference` and `hypothesis`.
        id_key: where the id stands; no object needs one, but one that stands alone is an error.
        keys: what else to keep of the objects that have it.

    Returns:
        the texts under each of `text_keys`, all with the same ids and keys.

    Raises:
        UserError: a line is no object, or lacks a text or an id, or has the id of another.
    """
    columns: list[list[str]] = [[] for _ in text_keys]
    ids: list[tuple[int, str]] = []
    kept = []
    for number, row in _rows(path):
        where = f"{path}:{number}"
        for key, column in zip(text_keys, columns, strict=True):
            column.append(_text(row, key, where))
        if id_key in row or ids:
            if len(ids) + 1 < len(columns[0]):
                raise UserError(f"{where}: `{id_key}` is given, but not in the lines above; give it in all or in none")
            ids.append((number, _id(row, id_key, where)))
        kept.append({key: _value(row[key], key, where) for key in keys if row.get(key) is not None})
    names = unique_ids(ids, path) if ids else None
    return [Utterances(path, column, names, kept) for column in columns]


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in numbered_lines(path):
        if not line or line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}:{number}: not a JSON object ({error}); mend or drop the line") from None
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: a {type(row).__name__} where a JSON object is expected; mend the line")
        yield number, row


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    if key not in row:
        raise UserError(f"{where}: no key `{key}`{did_you_mean(key, row)}")
    return _string(row[key], key, where)


def _id(row: Mapping[str, Any], key: str, where: str) -> str:
    id = row.get(key)
    return str(id) if type(id) is int else _string(id, key, where)


def _value(value: object, key: str, where: str) -> str:
    return json.dumps(value) if type(value) in (int, float, bool) else _string(value, key, where)


def _string(value: object, key: str, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f"{where}: `{key}` is a {type(value).__name__}, not a string; mend or drop the line")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise UserError(f"{where}: `{key}` holds half a UTF-16 pair, which is no character; mend or drop the line")
    return value
