"""A definition is explained, or excepted with a reason, or the check fails."""

from pathlib import Path

import pytest

from scripts.course import coverage
from scripts.course.pages import Page

_ALL = [
    "task.v1.TaskService",
    "task.v1.TaskService.CreateTask",
    "task.v1.Task",
    "task.v1.Empty",
    "task_svc.domain.Task",
    "task_svc.domain.create",
    "kong.yml.services.api",
    "kong.yml.routes.login",
    "kong.yml.plugins.session",
    "kong.yml.consumers.anonymous",
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("docs", "protos/task/v1", "task_svc", "kong"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "protos/task/v1/task.proto").write_text(
        "package task.v1;\nservice TaskService {\n  rpc CreateTask(A) returns (B);\n}\n"
        "message Task {\n  string id = 1;\n}\nmessage Empty {}\n"
    )
    (tmp_path / "task_svc/domain.py").write_text("class Task: ...\ndef create(): ...\ndef _own(): ...\n")
    (tmp_path / "kong/kong.yml").write_text(
        "services: [{name: api, routes: [{name: login, plugins: [{name: session}]}]}]\n"
        "consumers: [{username: anonymous}]\n"
    )
    (tmp_path / "docs/unexplained.yml").write_text("{}\n")
    return tmp_path


def _measured(root: Path, text: str) -> coverage.Coverage:
    return coverage.measure(root, [Page(Path("docs/page.md"), text)])


def test_everything_public_counts(root: Path) -> None:
    assert list(_measured(root, "").everything) == _ALL


@pytest.mark.parametrize(
    ("text", "explained"),
    [
        ("`TaskService`", {"task.v1.TaskService"}),
        ("`CreateTask`", {"task.v1.TaskService.CreateTask"}),
        ("`task.v1.Task`", {"task.v1.Task"}),
        ("`domain.Task`, `domain.create()`", {"task_svc.domain.Task", "task_svc.domain.create"}),
        ("<!-- code: task_svc/domain.py create -->\n<!-- end -->", {"task_svc.domain.create"}),
        (
            "<!-- code: kong/kong.yml services.api.routes.login -->\n<!-- end -->\n`session`",
            {"kong.yml.routes.login", "kong.yml.plugins.session"},
        ),
        ("`Task` may be either, and `create` is a word; `login` is one too", set()),
        ("TaskService without marks", set()),
        ("```text\n`TaskService`\n```\n", set()),
    ],
)
def test_one_is_explained_by_a_name_that_means_nothing_else(root: Path, text: str, explained: set[str]) -> None:
    assert _measured(root, text).explained == explained


def test_what_is_neither_explained_nor_excepted_is_a_problem(root: Path) -> None:
    (root / "docs/unexplained.yml").write_text('"kong.yml.*": shown elsewhere\n"task.*": shown elsewhere\n')
    assert _measured(root, "`domain.Task`").problems == ["task_svc.domain.create is explained nowhere"]


def test_an_exception_must_have_a_reason_and_must_be_needed(root: Path) -> None:
    (root / "docs/unexplained.yml").write_text('"*": ""\n"task.v2.*": old\n')
    assert _measured(root, "").problems == [
        "docs/unexplained.yml: * has no reason",
        "docs/unexplained.yml: task.v2.* excepts nothing",
    ]


def test_it_tells_how_much_is_explained(root: Path) -> None:
    (root / "docs/unexplained.yml").write_text('"*": later\n')
    told = str(_measured(root, "`TaskService`"))
    assert told == "1 of 10 definitions are explained (10 %), 9 are exceptions with a reason"
