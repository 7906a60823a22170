"""Logging of services and libraries: one JSON object per line on stdout, or short coloured lines on a terminal."""

import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Literal, TextIO, cast

import structlog
from pydantic import TypeAdapter
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "json", "pretty"]

_ANY: TypeAdapter[Any] = TypeAdapter(Any)
_SHORT_ID_MAX = 16
_ALWAYS_HIDDEN = frozenset({"service", "route"})
_HIDDEN = _ALWAYS_HIDDEN | {"trace_id", "task_id", "event_id", "upstream"}


def configure(service: str, level: str, log_format: Format) -> None:
    """Configure structlog and the standard library's logging for this process.

    Fields bound with `structlog.contextvars` (request_id, trace_id, user) appear on every line of that request.
    """
    pretty = log_format == "pretty" or (log_format == "auto" and sys.stdout.isatty())
    output = cast(TextIO, _Stdout())

    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty, key="time")

    def complete(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Add the fields that every line has in front, and those of the request at the end."""
        first = structlog.processors.add_log_level(logger, method, stamp(logger, method, {}))
        line = {**first, "service": service, "event": event.pop("event"), **event}
        return structlog.contextvars.merge_contextvars(logger, method, line)

    render: list[Processor]
    if pretty:
        render = [
            _shorten,
            structlog.dev.ConsoleRenderer(
                timestamp_key="time",
                pad_event_to=12,
                pad_level=False,
                sort_keys=False,
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    else:
        # Without local variables: they can contain tokens and user data.
        tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        render = [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(_to_json)]
    structlog.configure(
        processors=[complete, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, complete],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(logging.WARNING, logging.getLevelName(level.upper())), force=True)


def discard_stdout() -> None:
    """Discard all output to stdout, whose reader has ended, so that Python does not fail to flush it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Stdout:
    """stdout without errors: a full disk or a lost reader must not fail a call or prevent the stop of the process."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            discard_stdout()
        except OSError:
            pass


def _to_json(event: EventDict, *, default: Callable[[Any], Any]) -> str:
    try:
        return _ANY.dump_json(event, fallback=default, ensure_ascii=True).decode()  # five times as fast as json.dumps
    except ValueError:  # a text with half of a surrogate pair
        return json.dumps(event, default=default, separators=(",", ":"))


def _shorten(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Make a line fit on a terminal: drop fields that neighbouring lines repeat, and shorten long request ids.

    Warnings and errors keep the ids that are needed to investigate them.
    """
    hidden = _ALWAYS_HIDDEN if event["level"] in ("warning", "error", "critical") else _HIDDEN
    shown = {name: value for name, value in event.items() if name not in hidden and value is not None}
    if len(shown.get("request_id", "")) > _SHORT_ID_MAX:
        shown["request_id"] = shown["request_id"][:8]
    return shown
