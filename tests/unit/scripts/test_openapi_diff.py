"""What the comparison of two OpenAPI documents calls a break, and what not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from edge_api.openapi import document
from scripts.openapi_diff import breaks

_TASKS, _TASK = "/api/v1/tasks", "/api/v1/tasks/{id}"
Document = dict[str, Any]


def _schema(of: Document, name: str) -> Document:
    found: Document = of["components"]["schemas"][name]
    return found


def _changed(change: Callable[[Document], object]) -> list[str]:
    after = copy.deepcopy(document())
    change(after)
    return list(breaks(document(), after))


def test_a_document_breaks_nothing_of_itself() -> None:
    assert list(breaks(document(), document())) == []


def _of_created(name: str) -> Callable[[Document], Document]:
    def schema(of: Document) -> Document:
        body = of["paths"][_TASKS]["post"]["requestBody" if name == "request" else "responses"]
        content = body["content"] if name == "request" else body["201"]["content"]
        reference: str = next(iter(content.values()))["schema"]["$ref"]
        return _schema(of, reference.rsplit("/", 1)[1])

    return schema


_request, _answer = _of_created("request"), _of_created("answer")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda of: of["paths"].pop(_TASK), f"GET {_TASK} is gone"),
        (lambda of: of["paths"][_TASK].pop("delete"), f"DELETE {_TASK} is gone"),
        (lambda of: of["paths"][_TASKS]["get"]["parameters"].pop(), "is gone"),
        (lambda of: of["paths"][_TASKS]["get"]["parameters"][0].update(required=True), "is required now"),
        (lambda of: of["paths"][_TASKS]["post"]["responses"].pop("201"), "the answer 201 is gone"),
        (lambda of: _request(of)["required"].append("due_time"), "body.due_time is required now"),
        (lambda of: _request(of)["properties"].pop("labels"), "body.labels is no longer taken"),
        (lambda of: _request(of)["properties"]["labels"].update(type="string"), "body.labels is of another kind"),
        (lambda of: _answer(of)["properties"].pop("etag"), "201.etag is gone"),
        (lambda of: _answer(of)["required"].remove("etag"), "201.etag may be missing now"),
        (lambda of: _answer(of)["properties"]["revision"].update(type="string"), "201.revision is of another kind"),
    ],
)
def test_what_takes_something_from_a_client_breaks(change: Callable[[Document], object], problem: str) -> None:
    assert any(problem in each for each in _changed(change)), _changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda of: of["paths"].update({"/api/v1/more": {"get": {"responses": {}}}}),
        lambda of: of["paths"][_TASKS]["get"]["parameters"].append({"in": "query", "name": "more", "schema": {}}),
        lambda of: _request(of)["properties"].update(more={"type": "string"}),
        lambda of: _answer(of)["properties"].update(more={"type": "string"}),
    ],
)
def test_what_is_added_breaks_nobody(change: Callable[[Document], object]) -> None:
    assert _changed(change) == []
