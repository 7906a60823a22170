"""Errors in the channels file contain the channel's name and the URL's scheme, but no other part of the URL."""

from pathlib import Path

import pytest

from notify_svc.delivery.channel_file import read

SECRET = "the-secret-in-the-url"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "channels"
    path.touch(mode=0o600)
    return path


def test_a_file_has_one_channel_per_line_and_comments(path: Path) -> None:
    path.write_text(
        "# ours\n\nteam-1  slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general\n x jsons://e.org\n"
    )
    first, second = read(path, is_development=False)
    assert (first.name, first.url[-9:]) == ("team-1", "/#general")
    assert (second.name, second.url) == ("x", "jsons://e.org")
    assert "slack" not in repr(first)


def test_no_file_and_an_empty_file_have_no_channels(path: Path) -> None:
    assert read(None, is_development=False) == read(path, is_development=False) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"file:///tmp/{SECRET}", "the URL scheme 'file' is not supported"),
        (f"dbus://{SECRET}", "the URL scheme 'dbus' is not supported"),
        (f"syslog://{SECRET}", "the URL scheme 'syslog' is not supported"),
        (f"windows://{SECRET}", "the URL scheme 'windows' is not supported"),
        (f"macosx://{SECRET}", "the URL scheme 'macosx' is not supported"),
        (f"apprises://{SECRET}", "the URL scheme 'apprises' is not supported"),
        (f"https://example.org/{SECRET}", "the URL scheme 'https' is not supported"),
        (f"mailto://user:{SECRET}@example.org", "the URL scheme 'mailto' is not supported"),
        (f"nonsense://{SECRET}", "the URL scheme 'nonsense' is not supported"),
        (SECRET, "the URL scheme '' is not supported"),
        (f"json://example.org/{SECRET}", "json is not encrypted"),
        (f"xml://example.org/{SECRET}", "xml is not encrypted"),
        (f"form://127.0.0.1/{SECRET}", "form is not encrypted"),
        (f"ntfy://example.org/{SECRET}", "ntfy is not encrypted"),
        (f"gotify://example.org/{SECRET}", "gotify is not encrypted"),
        (f"jsons://example.org/{SECRET}?verify=no", "jsons allows: +header"),
        (f"jsons://example.org/{SECRET}?redirect=yes", "not allowed"),
        (f"jsons://example.org/{SECRET}?optional=yes", "not allowed"),
        (f"jsons://example.org/{SECRET}?retry=5", "not allowed"),
        (f"ntfys://example.org/{SECRET}?format=markdown", "ntfys allows: priority, tags"),
        (f"ntfys://example.org/{SECRET}?attach=file:///etc/passwd", "not allowed"),
        (f"mailtos://user:{SECRET}@example.org?mode=insecure", "not allowed"),
        (f"discord://{SECRET}/?template=/etc/passwd", "not allowed"),
        (f"gotifys://example.org/{SECRET}-token?+x=y", "not allowed"),
        (f"slack://{SECRET}", "the URL is not valid for slack"),
        ("tgram://", "the URL is not valid for tgram"),
    ],
)
def test_a_url_that_is_not_allowed_is_refused_without_its_secrets(
    path: Path, url: str, reason: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_text(f"console-2 jsons://example.org\nteam {url}\n")
    with pytest.raises(ValueError, match="channel team: ") as refusal:
        read(path, is_development=False)
    assert reason in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_in_development_unencrypted_urls_are_allowed_only_on_loopback(path: Path) -> None:
    path.write_text("a json://localhost:1/x\nb json://127.0.0.1/x\nc ntfy://localhost/topic\nd json://[::1]:8080/x\n")
    assert len(read(path, is_development=True)) == 4
    for url in ("json://example.org", "json://10.0.0.1", "ntfy://topic"):
        path.write_text(f"far {url}")
        with pytest.raises(ValueError, match=r"channel far: .* on loopback"):
            read(path, is_development=True)


@pytest.mark.parametrize(
    "line", [f"jsons://{SECRET}", f"Team jsons://{SECRET}", f"a b jsons://{SECRET}", f"é {SECRET}"]
)
def test_an_invalid_line_is_reported_with_its_number(path: Path, line: str) -> None:
    path.write_text(f"# ours\n{line}\n")
    with pytest.raises(ValueError, match=r"^line 2 must be") as refusal:
        read(path, is_development=True)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("names", [["console"], ["a", "b", "a"]])
def test_a_reserved_or_repeated_name_is_refused(path: Path, names: list[str]) -> None:
    path.write_text("".join(f"{name} jsons://example.org\n" for name in names))
    with pytest.raises(ValueError, match="name is already used"):
        read(path, is_development=True)


def test_more_than_ten_channels_are_refused(path: Path) -> None:
    path.write_text("".join(f"c{number} jsons://example.org\n" for number in range(11)))
    with pytest.raises(ValueError, match="11 channels; at most 10 are allowed"):
        read(path, is_development=True)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o646])
def test_a_file_that_every_user_can_access_is_refused_outside_development(path: Path, mode: int) -> None:
    path.write_text("a jsons://example.org")
    path.chmod(mode)
    with pytest.raises(ValueError, match="every user"):
        read(path, is_development=False)
    assert len(read(path, is_development=True)) == 1
    path.chmod(0o640)
    assert len(read(path, is_development=False)) == 1
