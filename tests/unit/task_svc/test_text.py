"""The rules of Unicode text. The page's test of the cases of `folded` is web/src/lib/filters/folded.test.ts."""

import json
import re
import sys
import unicodedata
from typing import Any

import pytest

from edge_api.schemas import limits
from task_svc.text import control_character, folded, is_invisible
from tests import ROOT

CASES = json.loads((ROOT / "web/src/lib/filters/folded.cases.json").read_text())
CHARACTERS = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number <= 0xDFFF]


@pytest.mark.parametrize("case", CASES["found"], ids=lambda case: ascii(case["text"]))
def test_a_text_is_found_by_each_query(case: Any) -> None:
    assert [query for query in case["queries"] if folded(query) not in folded(case["text"])] == []


@pytest.mark.parametrize("case", CASES["not_found"], ids=lambda case: ascii(case["text"]))
def test_a_text_is_not_found_by_another_query(case: Any) -> None:
    assert [query for query in case["queries"] if folded(query) in folded(case["text"])] == []


def test_every_character_is_found_in_each_of_its_forms() -> None:
    for character in CHARACTERS:
        forms = {unicodedata.normalize(form, character) for form in ("NFC", "NFD", "NFKC", "NFKD")}
        cases = {form for each in forms for form in (each, each.lower(), each.upper(), each.casefold())}
        # Casing keeps the iota subscript as a mark or writes it as a letter, so only the former can be compared.
        if "\u0345" not in unicodedata.normalize("NFKD", character):
            assert {folded(form) for form in cases} == {folded(character)}, ascii(character)


def test_white_space_and_format_characters_are_invisible() -> None:
    assert all(
        is_invisible(character)
        for character in CHARACTERS
        if character.isspace() or unicodedata.category(character) in ("Zs", "Zl", "Zp", "Cc", "Cf")
    )
    blank = "\u00ad\u034f\u115f\u1160\u17b4\u180b\u200b\u2060\u2800\u3164\ufe0f\ufeff\uffa0\U000e0020\U000e0100"
    assert is_invisible(blank)
    assert not any(is_invisible(f"{blank}{visible}") for visible in ("a", "日", "🥛", "\u0301", "1", "."))


def test_the_documented_pattern_of_a_line_is_the_rule_of_the_service() -> None:
    pattern = re.compile(limits.LINE_PATTERN)
    for character in CHARACTERS:
        is_line = not is_invisible(character) and not control_character(character, one_line=True)
        assert (pattern.search(character) is not None) == is_line, ascii(character)
        is_part = not control_character(character, one_line=True)
        assert (pattern.search(f"a{character}a") is not None) == is_part, ascii(character)


def test_the_documented_pattern_of_a_description_is_the_rule_of_the_service() -> None:
    pattern = re.compile(limits.TEXT_PATTERN)
    for character in CHARACTERS:
        is_allowed = not control_character(character, one_line=False)
        assert (pattern.search(f"a{character}a") is not None) == is_allowed, ascii(character)


def test_a_control_character_is_named_with_its_place() -> None:
    assert control_character("🥛ab\tc", one_line=True) == "U+0009 at character 4"
    assert control_character("a\tb\n", one_line=False) == ""
