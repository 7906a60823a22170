"""The text of messages to outside channels, escaped as each of them requires."""

import html
import re

from notify_svc.domain import Notification

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~=&:])")


def heading(notification: Notification) -> str:
    """A heading without text of the user, since some services put it into a header."""
    return f"Task {notification.kind.verb}"


def as_text(text: str) -> str:
    """The text as it is, for services that interpret nothing."""
    return text


def as_html(text: str) -> str:
    """HTML that shows the text."""
    return html.escape(text)


def as_markdown(text: str) -> str:
    """Markdown that shows the text, and mentions nobody: an `@` is parted from the name behind it."""
    return _MARKDOWN.sub(r"\\\1", text).replace("@", "@\N{ZERO WIDTH SPACE}")
