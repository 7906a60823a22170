"""The file of channels is refused with a reason that names the channel, and nothing of its URL but the scheme."""

from pathlib import Path

import pytest

from notify_svc.delivery.channel_file import read

SECRET = "the-secret-in-the-url"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "channels"
    path.touch(mode=0o600)
    return path


def test_channels_stand_one_a_line_among_comments(path: Path) -> None:
    path.write_text(
        "# ours\n\nteam-1  slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general\n x jsons://e.org\n"
    )
    first, second = read(path, is_development=False)
    assert (first.name, first.url[-9:]) == ("team-1", "/#general")
    assert (second.name, second.url) == ("x", "jsons://e.org")
    assert "slack" not in repr(first)


def test_no_file_and_an_empty_one_name_none(path: Path) -> None:
    assert read(None, is_development=False) == read(path, is_development=False) == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"file:///tmp/{SECRET}", "file is none of the services"),
        (f"dbus://{SECRET}", "dbus is none of the services"),
        (f"syslog://{SECRET}", "syslog is none of the services"),
        (f"windows://{SECRET}", "windows is none of the services"),
        (f"macosx://{SECRET}", "macosx is none of the services"),
        (f"apprises://{SECRET}", "apprises is none of the services"),
        (f"https://example.org/{SECRET}", "https is none of the services"),
        (f"mailto://user:{SECRET}@example.org", "mailto is none of the services"),
        (f"nonsense://{SECRET}", "nonsense is none of the services"),
        (SECRET, "what stands there is none of the services"),
        (f"json://example.org/{SECRET}", "json is not encrypted"),
        (f"xml://example.org/{SECRET}", "xml is not encrypted"),
        (f"form://127.0.0.1/{SECRET}", "form is not encrypted"),
        (f"ntfy://example.org/{SECRET}", "ntfy is not encrypted"),
        (f"gotify://example.org/{SECRET}", "gotify is not encrypted"),
        (f"jsons://example.org/{SECRET}?verify=no", "these are: +header"),
        (f"jsons://example.org/{SECRET}?redirect=yes", "not allowed"),
        (f"jsons://example.org/{SECRET}?optional=yes", "not allowed"),
        (f"jsons://example.org/{SECRET}?retry=5", "not allowed"),
        (f"ntfys://example.org/{SECRET}?format=markdown", "these are: priority, tags"),
        (f"ntfys://example.org/{SECRET}?attach=file:///etc/passwd", "not allowed"),
        (f"mailtos://user:{SECRET}@example.org?mode=insecure", "not allowed"),
        (f"discord://{SECRET}/?template=/etc/passwd", "not allowed"),
        (f"gotifys://example.org/{SECRET}-token?+x=y", "not allowed"),
        (f"slack://{SECRET}", "does not look as Apprise documents it for slack"),
        ("tgram://", "does not look as Apprise documents it for tgram"),
    ],
)
def test_a_url_that_must_not_be_is_refused_in_plain_words(
    path: Path, url: str, reason: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    path.write_text(f"console-2 jsons://example.org\nteam {url}\n")
    with pytest.raises(ValueError, match="channel team: ") as refusal:
        read(path, is_development=False)
    assert reason in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_in_development_what_is_not_encrypted_goes_to_loopback_alone(path: Path) -> None:
    path.write_text("a json://localhost:1/x\nb json://127.0.0.1/x\nc ntfy://localhost/topic\nd json://[::1]:8080/x\n")
    assert len(read(path, is_development=True)) == 4
    for url in ("json://example.org", "json://10.0.0.1", "ntfy://topic"):
        path.write_text(f"far {url}")
        with pytest.raises(ValueError, match=r"channel far: .* on loopback only"):
            read(path, is_development=True)


@pytest.mark.parametrize(
    "line", [f"jsons://{SECRET}", f"Team jsons://{SECRET}", f"a b jsons://{SECRET}", f"é {SECRET}"]
)
def test_a_line_that_is_no_channel_is_named_by_its_number(path: Path, line: str) -> None:
    path.write_text(f"# ours\n{line}\n")
    with pytest.raises(ValueError, match=r"^line 2 is not") as refusal:
        read(path, is_development=True)
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize("names", [["console"], ["a", "b", "a"]])
def test_a_name_that_is_taken_is_refused(path: Path, names: list[str]) -> None:
    path.write_text("".join(f"{name} jsons://example.org\n" for name in names))
    with pytest.raises(ValueError, match="name is taken"):
        read(path, is_development=True)


def test_more_than_ten_are_refused(path: Path) -> None:
    path.write_text("".join(f"c{number} jsons://example.org\n" for number in range(11)))
    with pytest.raises(ValueError, match="11 channels; 10 are allowed"):
        read(path, is_development=True)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o646])
def test_a_file_that_everybody_may_read_or_write_is_refused_outside_development(path: Path, mode: int) -> None:
    path.write_text("a jsons://example.org")
    path.chmod(mode)
    with pytest.raises(ValueError, match="everybody"):
        read(path, is_development=False)
    assert len(read(path, is_development=True)) == 1
    path.chmod(0o640)
    assert len(read(path, is_development=False)) == 1
