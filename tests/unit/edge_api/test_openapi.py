"""The OpenAPI document is consistent: examples, operation names, security and errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge_api.openapi import document

DOCUMENT = document()
OPERATIONS = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]


def examples(part: Any, place: str = "#") -> Iterator[Any]:
    """Yield each example in a part of the document with its schema."""
    if isinstance(part, list):
        for number, each in enumerate(part):
            yield from examples(each, f"{place}/{number}")
    elif isinstance(part, dict):
        schema = part.get("schema", part)
        given = [part["example"]] if "example" in part else part.get("examples", [])
        for number, example in enumerate(given):
            yield pytest.param(schema, example, id=f"{place}/{number}")
        for name, each in part.items():
            if name not in ("example", "examples"):
                yield from examples(each, f"{place}/{name}")


@pytest.mark.parametrize(("schema", "example"), [*examples(DOCUMENT)])
def test_an_example_fits_its_schema(schema: dict[str, Any], example: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)


def test_an_operation_has_a_name_and_accepts_a_key_or_a_session() -> None:
    names = [operation["operationId"] for operation in OPERATIONS]
    assert len(set(names)) == len(names)
    assert {"create_task", "list_tasks", "get_task", "update_task", "delete_task"} <= set(names)
    assert DOCUMENT["servers"] == [{"url": "/"}]
    assert DOCUMENT["security"] == [{"api_key": []}, {"session": []}]
    assert DOCUMENT["components"]["securitySchemes"].keys() == {"api_key", "session"}


def test_every_error_is_a_problem() -> None:
    errors = [each for operation in OPERATIONS for status, each in operation["responses"].items() if status >= "400"]
    for error in errors:
        assert error["content"]["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
