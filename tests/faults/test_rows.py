"""Every row of `rows.toml` is on the page, and all its tests exist."""

import ast
import re

import pytest

from tests.faults.harness.page import PAGE, status_of
from tests.faults.harness.rows import TESTS, Row, rows


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_each_row_has_existing_tests_or_missing_requirements(row: Row) -> None:
    assert row.tests or row.needs
    for test in row.tests:
        path, *_, name = test.split("::")
        functions = [node for node in ast.walk(ast.parse((TESTS / path).read_text())) if hasattr(node, "name")]
        assert name in [function.name for function in functions], test


def test_the_page_shows_the_current_rows() -> None:
    lines = re.findall(r"^\| ([A-F]\d+) \| (.*?) \| .+ \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)
    assert lines == [(row.id, row.fault, status_of(row)) for row in rows()], "run `make faults`"
