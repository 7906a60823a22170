"""The text of messages to outside channels, escaped for each service."""

import html
import re

from notify_svc.domain import Notification

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~=&:])")


def heading(notification: Notification) -> str:
    """Return a heading without text of the user, because some services put it into a header."""
    return f"Task {notification.kind.verb}"


def as_text(text: str) -> str:
    """Return the text unchanged, for services that show plain text."""
    return text


def as_html(text: str) -> str:
    """Return HTML that shows the text."""
    return html.escape(text)


def as_markdown(text: str) -> str:
    """Return Markdown that shows the text. A zero-width space after each `@` prevents mentions of users."""
    return _MARKDOWN.sub(r"\\\1", text).replace("@", "@\N{ZERO WIDTH SPACE}")
