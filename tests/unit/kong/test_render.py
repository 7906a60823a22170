"""kong/render rejects unsafe secrets that Kong would accept, and prints no secret."""

from pathlib import Path

import pytest

from kong import rendered

GOOD = "g" * 40


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    for name in ("mesh-token", "kong-session-secret"):
        (tmp_path / name).write_text(f"{GOOD}\n")
    return tmp_path


def test_secrets_are_filled_in_and_nothing_is_left_to_fill_in(secrets: Path) -> None:
    (secrets / "kong-session-secret").write_text("Aa0._~+=-" * 4)
    text = rendered.render(secrets, "development")
    assert f'"X-Mesh-Token:{GOOD}"' in text
    assert 'secret: "' + "Aa0._~+=-" * 4 + '"' in text
    assert "_TOKEN@" not in text
    assert "_SECRET@" not in text


def test_the_first_of_two_mesh_tokens_is_sent(secrets: Path) -> None:
    (secrets / "mesh-token").write_text(f"{'n' * 40}\n{GOOD}\n")
    text = rendered.render(secrets, "development")
    assert "n" * 40 in text
    assert f"X-Mesh-Token:{GOOD}" not in text


@pytest.mark.parametrize("name", ["mesh-token", "kong-session-secret"])
@pytest.mark.parametrize(
    "value",
    ["", "\n", "s" * 31, "s" * 40 + " ", f's{GOOD}"', f"$({GOOD})", f"{GOOD}@", f"{GOOD}\\", f"{GOOD}ä", f"{GOOD}\r\n"],
)
def test_a_short_or_malformed_secret_is_rejected_by_name_and_not_printed(secrets: Path, name: str, value: str) -> None:
    (secrets / name).write_text(value)
    with pytest.raises(rendered.RenderError, match=name) as refused:
        rendered.render(secrets, "development")
    assert not value.strip() or value.strip() not in str(refused.value)


@pytest.mark.parametrize("name", ["mesh-token", "kong-session-secret"])
def test_a_missing_secret_is_rejected_by_name(secrets: Path, name: str) -> None:
    (secrets / name).unlink()
    with pytest.raises(rendered.RenderError, match=name):
        rendered.render(secrets, "development")


def test_only_the_mesh_token_may_have_a_second_line(secrets: Path) -> None:
    (secrets / "kong-session-secret").write_text(f"{GOOD}\n{GOOD}\n")
    with pytest.raises(rendered.RenderError, match="kong-session-secret"):
        rendered.render(secrets, "development")


def test_demo_users_are_rendered_except_in_production(secrets: Path) -> None:
    (secrets / "kong-users").write_text("- username: alice\n  id: a1\n")
    names = {
        environment: list(rendered.read(secrets, environment).consumers)
        for environment in ("development", "production")
    }
    assert names == {"development": ["anonymous", "demo", "guest", "alice"], "production": ["anonymous", "alice"]}
