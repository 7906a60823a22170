"""Excerpts show a definition as it is in its source, and a definition that does not exist is an error."""

from pathlib import Path

import pytest

from scripts.docs_check import excerpts, sources
from scripts.docs_check.pages import Page

_PYTHON = """
LIMIT = 3

class Tasks:
    # A comment.
    @property
    def first(
        self,
    ) -> int:
        return 1

    def second(self) -> int: ...
"""
_PROTO = """
service TaskService {
  // Creates a task.
  rpc CreateTask(CreateTaskRequest) returns (CreateTaskResponse);
}

message Task {
  string id = 1;
}
"""
_YAML = """services:
  - name: api
    routes:
      - name: login
        plugins:
          - &one
            name: session
      # For browsers.
      - { name: web, paths: ["/"] }
other: 1
"""
_TYPESCRIPT = """
class Tasks {
  #load(all: boolean) {
    return all;
  }
}
"""
_DOCKERFILE = "FROM a AS base\nRUN x\n\n# A comment.\nFROM base AS task\nCMD y\n"


@pytest.mark.parametrize(
    ("file", "text", "name", "found"),
    [
        ("a.py", _PYTHON, "LIMIT", "LIMIT = 3\n"),
        (
            *("a.py", _PYTHON, "Tasks.first"),
            "# A comment.\n@property\ndef first(\n    self,\n) -> int:\n    return 1\n",
        ),
        (
            *("a.proto", _PROTO, "TaskService.CreateTask"),
            "// Creates a task.\nrpc CreateTask(CreateTaskRequest) returns (CreateTaskResponse);\n",
        ),
        ("a.proto", _PROTO, "Task", "message Task {\n  string id = 1;\n}\n"),
        ("a.yml", _YAML, "services.api.routes.login.plugins.session", "- &one\n  name: session\n"),
        ("a.yml", _YAML, "services.api.routes.web", '# For browsers.\n- { name: web, paths: ["/"] }\n'),
        ("a.ts", _TYPESCRIPT, "Tasks.load", "#load(all: boolean) {\n  return all;\n}\n"),
        ("Dockerfile", _DOCKERFILE, "base", "FROM a AS base\nRUN x\n"),
        ("a.lua", "return 1\n", "", "return 1\n"),
    ],
)
def test_a_definition_is_found_with_its_comment_and_without_its_indent(
    tmp_path: Path, file: str, text: str, name: str, found: str
) -> None:
    (tmp_path / file).write_text(text)
    assert sources.excerpt(tmp_path / file, name) == found


def test_a_missing_definition_is_an_error_that_names_the_page(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(_PYTHON)
    for code, problem in (("a.py Nothing", "there is no Nothing in"), ("b.py", "there is no file")):
        page = Page(Path("docs/page.md"), f"<!-- code: {code} -->\n<!-- end -->\n")
        with pytest.raises(sources.UnknownDefinition, match=rf"docs/page\.md: {problem}"):
            excerpts.filled(tmp_path, page)


def test_a_page_shows_the_current_code_with_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("X = 1\n")
    empty = Page(Path("docs/page.md"), "Before\n<!-- code: a.py X -->\n<!-- end -->\nafter\n")
    filled = excerpts.filled(tmp_path, empty)
    assert "[`a.py`](../a.py) · `X`\n\n```python\nX = 1\n```\n" in filled
    (tmp_path / "a.py").write_text("X = 2\n")
    assert "X = 2" in excerpts.filled(tmp_path, Page(empty.path, filled))
