"""Notifications in words, for the channels; what a user wrote stands in quotes, its line breaks and quotes escaped."""

import html
import json
import re

from notify_svc.domain import Kind, Notification

_VERBS = {Kind.TASK_CREATED: "created", Kind.TASK_DUE: "due"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~=&:])")


def heading(notification: Notification) -> str:
    """What happened, in words of ours alone: some services make a header of it."""
    return f"Task {_VERBS[notification.kind]}"


def sentence(notification: Notification) -> str:
    """What happened to which task, in one line."""
    title = json.dumps(notification.title, ensure_ascii=False)
    return f"{notification.owner}: task {_VERBS[notification.kind]} {title} ({notification.task_id})"


def as_text(text: str) -> str:
    """The text as it is, for services that interpret nothing."""
    return text


def as_html(text: str) -> str:
    """HTML that shows the text."""
    return html.escape(text)


def as_markdown(text: str) -> str:
    """Markdown that shows the text, and mentions nobody: an `@` is parted from the name behind it."""
    return _MARKDOWN.sub(r"\\\1", text).replace("@", "@\N{ZERO WIDTH SPACE}")
