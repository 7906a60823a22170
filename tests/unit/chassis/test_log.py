"""JSON log lines, written by a process of their own, because logging is configured for the whole process."""

import json
import subprocess
import sys

from tests import ROOT

_WRITE = """
import logging
import structlog
from chassis import log
log.configure("probe", "INFO", "json")
structlog.contextvars.bind_contextvars(user="alice")
structlog.get_logger().info("texts", control="\\x9b\\u2028", half="\\ud800", raw=b"\\xff")
structlog.get_logger().info("numbers", count=1, unknown=object)
logging.getLogger("library").warning("%s words", 3)
"""
_FIRST = ["time", "level", "service", "event"]


def test_every_line_is_one_compact_ascii_object_that_begins_with_the_common_fields() -> None:
    written = subprocess.run([sys.executable, "-c", _WRITE], cwd=ROOT, capture_output=True, check=True, timeout=30)
    lines = written.stdout.decode("ascii").splitlines()
    texts, numbers, library = map(json.loads, lines)
    assert all(json.dumps(json.loads(line), separators=(",", ":")) == line for line in lines)
    assert all(list(line)[:4] == _FIRST and list(line)[-1] == "user" for line in (texts, numbers, library))
    assert (texts["event"], texts["control"], texts["half"], texts["raw"]) == (
        "texts",
        "\x9b\u2028",
        "\ud800",
        "b'\\xff'",
    )
    assert (numbers["count"], numbers["unknown"], numbers["user"]) == (1, "<class 'object'>", "alice")
    assert (library["event"], library["level"], library["logger"]) == ("3 words", "warning", "library")
