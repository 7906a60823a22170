"""Every supported service follows the rules for outside channels, and shows text of a user as plain text."""

import json
import smtplib
import socket
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter

from notify_svc.delivery import outbound
from notify_svc.delivery.apprise_channel import AppriseChannel
from notify_svc.delivery.apprise_rules import check
from notify_svc.delivery.apprise_services import PLAIN, SERVICES
from notify_svc.delivery.channel_file import ConfiguredChannel
from notify_svc.domain import Kind, Notification

EVENT_ID = "01JD0000000000000000000001:1:created"
NASTY = "<img src=x onerror=alert(1)> <b>bold</b> **b** `c` [x](javascript:1) @everyone <!channel>\n# h"
URLS = {
    "jsons": "jsons://user:password@example.org/hook?+X-Extra=1&:source=taskmesh",
    "xmls": "xmls://example.org/hook",
    "forms": "forms://example.org/hook",
    "ntfys": "ntfys://example.org/topic?priority=high",
    "gotifys": "gotifys://example.org/AbcdefghijklmnO",
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "workflows": "workflows://example.org:443/643e69f83c8944438d68119179a10a64/KODukebbbGYFo8ED",
    "mmosts": "mmosts://example.org/3ccdd113474722377935511fc85d3dd4",
    "rockets": "rockets://9aklsdjfklj/aslkdjfkasjdf@example.org/#room",
    "tgram": "tgram://123456789:abcdefg_hijklmnop/12315544/",
    "pover": "pover://abcdefghijklmnopqrstuvwxyzabcd@abcdefghijklmnopqrstuvwxyzabcd",
    "mailtos": "mailtos://user:password@example.org?to=team@example.org",
}
ESCAPED = {
    "xmls": "&lt;img src=x",
    "slack": "&lt;img src=x",
    "tgram": "&lt;img src=x onerror=alert(1)&gt; &lt;b&gt;bold&lt;/b&gt;",
    **dict.fromkeys(("discord", "workflows", "mmosts", "rockets"), r"\<img src\=x onerror\=alert\(1\)\>"),
}
"""The escaped text for services that interpret markup; the other services show plain text."""
XML_SCHEMA = "https://raw.githubusercontent.com/caronc/apprise/master/apprise/assets/notifyxml-1.1.xsd"
HTTP = sorted(set(URLS) - {"mailtos"})


class Wire:
    """Records requests and mails instead of sending them."""

    def __init__(self) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self.rules: dict[str, Any] = {}
        self.mails: list[str] = []

    def send(self, _adapter: HTTPAdapter, request: requests.PreparedRequest, **rules: Any) -> requests.Response:
        self.requests.append(request)
        self.rules = rules
        response = requests.Response()
        response.status_code, response.url, response.raw = 200, request.url or "", Raw()
        return response


class Raw:
    def read(self, *_given: object, **_named: object) -> bytes:
        return b"ok"

    def close(self) -> None:
        pass


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    made = Wire()

    def connect(_self: smtplib.SMTP, *_given: object) -> tuple[int, bytes]:
        return 220, b"ready"

    def sendmail(_self: smtplib.SMTP, _sender: str, _to: object, text: str) -> dict[str, Any]:
        made.mails.append(text)
        return {}

    monkeypatch.setattr(HTTPAdapter, "send", lambda adapter, request, **rules: made.send(adapter, request, **rules))
    monkeypatch.setattr(smtplib.SMTP, "connect", connect)
    for name in ("starttls", "login", "quit"):
        monkeypatch.setattr(smtplib.SMTP, name, lambda *_given, **_named: (220, b""))
    monkeypatch.setattr(smtplib.SMTP, "sendmail", sendmail)
    return made


async def send(scheme: str) -> None:
    channel = AppriseChannel(ConfiguredChannel("hook", URLS[scheme]), 3)
    await channel.deliver(Notification(EVENT_ID, Kind.TASK_CREATED, "demo", "01JD", NASTY, 0))


def text_of(request: requests.PreparedRequest) -> str:
    body: Any = request.body
    text = body if isinstance(body, str) else body.decode()
    return text if "json" not in request.headers.get("Content-Type", "") else str(strings_of(json.loads(text)))


def strings_of(value: Any) -> str:
    if isinstance(value, dict):
        value = list(value.values())
    return "\n".join(map(strings_of, value)) if isinstance(value, list) else str(value)


def test_every_service_has_a_case() -> None:
    assert set(URLS) == set(SERVICES)
    assert {f"{scheme}s" for scheme in PLAIN} <= set(SERVICES)


@pytest.mark.parametrize("scheme", sorted(URLS))
def test_its_url_is_allowed_in_production(scheme: str) -> None:
    check(URLS[scheme], is_development=False)


@pytest.mark.parametrize("scheme", HTTP)
async def test_it_sends_over_verified_tls_without_redirects_or_proxies_with_the_events_id(
    wire: Wire, scheme: str
) -> None:
    await send(scheme)
    (request,) = wire.requests
    assert (request.url or "").startswith("https://")
    assert request.headers["Idempotency-Key"] == EVENT_ID
    assert wire.rules["verify"] is True
    assert wire.rules["timeout"] == 3
    assert not wire.rules["proxies"]


@pytest.mark.parametrize("scheme", HTTP)
async def test_text_of_a_user_is_shown_as_plain_text(wire: Wire, scheme: str) -> None:
    await send(scheme)
    (request,) = wire.requests
    if scheme in ("forms", "pover"):  # fields of a form, which contain no markup
        assert "%3Cimg+src%3Dx+onerror%3Dalert%281%29%3E" in text_of(request)
        return
    text = text_of(request)
    assert ESCAPED.get(scheme, "<img src=x onerror=alert(1)>") in text
    assert (ESCAPED.get(scheme, "").startswith("\\")) == ("@everyone" not in text)
    assert f"Event {EVENT_ID}" in text
    assert "github" not in text.lower().replace(XML_SCHEMA, "")  # no images that the receiver would load


async def test_mail_is_plain_text_with_a_fixed_subject(wire: Wire) -> None:
    await send("mailtos")
    (mail,) = wire.mails
    head, _, body = mail.partition("\n\n")
    assert 'Content-Type: text/plain; charset="utf-8"' in head
    assert "Subject: Task created" in head
    assert "img" not in head
    assert f"Event {EVENT_ID}" in body


def test_a_call_that_was_cut_closes_connections_that_are_opened_later() -> None:
    call = outbound.Call(EVENT_ID, 1)
    call.cut()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call.watch(ours)
        assert theirs.recv(1) == b""
