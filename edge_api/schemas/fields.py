"""The types of the API's fields and their documentation.

The edge validates only the form of requests: types, enum values, timestamps. Limits are documented in the schema, but
the services enforce them.
"""

from typing import Annotated, Any, Literal

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from edge_api.schemas import limits, timestamps

Status = Literal["TODO", "IN_PROGRESS", "DONE"]
Priority = Literal["LOW", "MEDIUM", "HIGH", "URGENT"]
Order = Literal[
    "create_time",
    "create_time desc",
    "update_time",
    "update_time desc",
    "due_time",
    "due_time desc",
    "priority",
    "priority desc",
]


def _documented(**keywords: Any) -> Any:
    return Field(json_schema_extra=keywords)


Title = Annotated[str, _documented(minLength=1, maxLength=limits.TITLE_MAX, pattern=limits.LINE_PATTERN)]
Description = Annotated[str, _documented(maxLength=limits.DESCRIPTION_MAX, pattern=limits.TEXT_PATTERN)]
Label = Annotated[str, _documented(minLength=1, maxLength=limits.LABEL_MAX, pattern=limits.LINE_PATTERN)]
SearchText = Annotated[str, _documented(maxLength=limits.QUERY_MAX, pattern=limits.QUERY_PATTERN)]
Labels = Annotated[list[Label], _documented(maxItems=limits.LABELS_MAX, uniqueItems=True)]
Time = Annotated[
    Timestamp,
    PlainValidator(timestamps.parse),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": limits.TIME_PATTERN}),
]
TimeText = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


def _flag(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _number(value: object) -> object:
    if isinstance(value, str) and value.isascii() and value.removeprefix("-").isdecimal() and len(value) <= 100:
        return int(value)
    return value


Flag = Annotated[bool, BeforeValidator(_flag)]
"""A boolean in the query string: true or false."""
Number = Annotated[int, BeforeValidator(_number)]
"""An integer in the query string, in decimal digits."""
