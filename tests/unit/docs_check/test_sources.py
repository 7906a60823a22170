"""Definitions are found by their names, and what is not there is refused."""

from pathlib import Path

import pytest

from scripts.docs_check import excerpts, sources
from scripts.docs_check.pages import Page

_PYTHON = '''LIMIT = 3


class Tasks:
    """All of them."""

    # Why it is so.
    @property
    def first(self) -> int:
        return 1

    def second(self) -> int:
        return 2
'''
_PROTO = """// Keeps tasks.
service TaskService {
  // Creates a task.
  rpc CreateTask(CreateTaskRequest) returns (CreateTaskResponse);
}

// A thing to do.
message Task {
  // Its id.
  string id = 1;
}
"""
_YAML = """services:
  # == The API.
  - name: api
    routes:
      - name: login
        plugins:
          - &one
            name: session
            config: { a: 1 }
          - name: basic-auth
      # What browsers bring.
      - { name: web, paths: ["/"] }
other: 1
"""
_TYPESCRIPT = """/** Sends it. */
export async function send(
  path: string
) {
  return send(path);
}

class Tasks {
  #load(all: boolean) {
    return all;
  }
}
"""
_MAKEFILE = "one: two ## Does it\n\t@true\n\ntwo:\n\t@false\n"
_DOCKERFILE = "FROM a AS base\nRUN x\n\n# Why.\nFROM base AS task\nCMD y\n"


@pytest.mark.parametrize(
    ("file", "text", "name", "found"),
    [
        ("a.py", _PYTHON, "LIMIT", "LIMIT = 3\n"),
        (
            "a.py",
            _PYTHON,
            "Tasks.first",
            "# Why it is so.\n@property\ndef first(self) -> int:\n    return 1\n",
        ),
        (
            "a.proto",
            _PROTO,
            "TaskService.CreateTask",
            "// Creates a task.\nrpc CreateTask(CreateTaskRequest) returns (CreateTaskResponse);\n",
        ),
        ("a.proto", _PROTO, "Task", "// A thing to do.\nmessage Task {\n  // Its id.\n  string id = 1;\n}\n"),
        ("a.proto", _PROTO, "Task.id", "// Its id.\nstring id = 1;\n"),
        (
            "a.yml",
            _YAML,
            "services.api.routes.login.plugins.session",
            "- &one\n  name: session\n  config: { a: 1 }\n",
        ),
        (
            "a.yml",
            _YAML,
            "services.api.routes.web",
            '# What browsers bring.\n- { name: web, paths: ["/"] }\n',
        ),
        ("a.yml", _YAML, "other", "other: 1\n"),
        (
            "a.yml",
            "groups:\n  - name: what users see\n    rules:\n      - alert: Slow\n",
            "groups.what-users-see.rules.Slow",
            "- alert: Slow\n",
        ),
        (
            "a.ts",
            _TYPESCRIPT,
            "send",
            "/** Sends it. */\nexport async function send(\n  path: string\n) {\n",
        ),
        ("a.ts", _TYPESCRIPT, "Tasks.load", "#load(all: boolean) {\n  return all;\n}\n"),
        ("Makefile", _MAKEFILE, "one", "one: two ## Does it\n\t@true\n"),
        ("Dockerfile", _DOCKERFILE, "base", "FROM a AS base\nRUN x\n"),
        ("a.lua", "return 1\n", "", "return 1\n"),
    ],
)
def test_a_definition_is_found_with_its_comment_and_without_its_indent(
    tmp_path: Path, file: str, text: str, name: str, found: str
) -> None:
    (tmp_path / file).write_text(text)
    assert sources.excerpt(tmp_path / file, name).startswith(found)
    assert len(sources.excerpt(tmp_path / file, name)) <= len(found) + len("  return send(path);\n}\n")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.py", _PYTHON),
        ("a.proto", _PROTO),
        ("a.yml", _YAML),
        ("a.ts", _TYPESCRIPT),
        ("Makefile", _MAKEFILE),
        ("Dockerfile", _DOCKERFILE),
    ],
)
def test_a_name_that_is_not_there_is_refused(tmp_path: Path, file: str, text: str) -> None:
    (tmp_path / file).write_text(text)
    with pytest.raises(sources.UnknownDefinition, match="there is no Nothing in"):
        sources.excerpt(tmp_path / file, "Nothing")


def test_a_page_shows_the_code_with_a_link_and_follows_its_changes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("X = 1\n")
    empty = Page(Path("docs/page.md"), "Before\n<!-- code: a.py X -->\n<!-- end -->\nafter\n")
    filled = excerpts.filled(tmp_path, empty)
    assert "[`a.py`](../a.py) · `X`\n\n```python\nX = 1\n```\n" in filled
    assert excerpts.filled(tmp_path, Page(empty.path, filled)) == filled
    (tmp_path / "a.py").write_text("X = 2\n")
    assert "X = 2" in excerpts.filled(tmp_path, Page(empty.path, filled))


def test_a_page_that_shows_what_is_gone_is_named(tmp_path: Path) -> None:
    page = Page(Path("docs/page.md"), "<!-- code: b.py -->\n<!-- end -->\n")
    with pytest.raises(sources.UnknownDefinition, match=r"docs/page\.md: there is no file"):
        excerpts.filled(tmp_path, page)
