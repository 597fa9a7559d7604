from __future__ import annotations

from seqrec.check.findings import MOST_EXAMPLES, Findings, name_symbol
from seqrec.parts import Problem
from seqrec.report.page import visible


def test_findings_add_up_and_keep_a_few_examples() -> None:
    findings = Findings()
    for number in range(1000):
        findings.add_problem(Problem("quiet", "warning", f"-{number} dB", "shout"), "train", f"a{number}")
    findings.add("note", "seen", "test", "none", [], 2000)
    findings.add("error", "gone", "test", "find it", ["here"])
    error, warning, note = findings.listed()
    assert (error.what, warning.count, note.count) == ("gone", 1000, 2000)
    assert warning.examples == tuple(f"`a{number}`: -{number} dB" for number in range(MOST_EXAMPLES))


def test_what_a_terminal_would_obey_is_spelt_out() -> None:
    assert visible("a\x1b[31m\u202eb\nc é") == "a\\x1b[31m\\u202eb\\nc é"
    findings = Findings()
    findings.add("note", "x", "y", "z", ["\x1b]0;title\x07" + "long" * 100])
    (finding,) = findings.listed()
    assert finding.examples[0].startswith("\\x1b]0;title\\x07longlong")
    assert len(finding.examples[0]) == 160


def test_symbols_are_named_with_their_code_points() -> None:
    assert name_symbol("é") == "'é' (U+00E9)"
    assert name_symbol("\u200b") == "'\\u200b' (U+200B)"
