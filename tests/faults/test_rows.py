"""Every fault on the list has its line on the page, and every test that is to prove one exists."""

import ast
import re

import pytest

from tests.faults.harness.page import PAGE, standing_of
from tests.faults.harness.rows import TESTS, Row, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_a_row_is_proven_by_tests_that_exist_or_says_what_it_needs(row: Row) -> None:
    assert row.tests or row.needs
    for test in row.tests:
        path, *_, name = test.split("::")
        functions = [node for node in ast.walk(ast.parse((TESTS / path).read_text())) if hasattr(node, "name")]
        assert name in [function.name for function in functions], test


def test_the_page_has_every_row_as_it_stands_today() -> None:
    lines = re.findall(r"^\| ([A-F]\d+) \| (.*?) \| .+ \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)
    assert lines == [(row.id, row.what, standing_of(row)) for row in rows()], "make faults writes it anew"
