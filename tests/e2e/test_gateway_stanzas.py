"""Each stanza of kong.yml is necessary: without it, the attack that it stops succeeds."""

import pytest

from tests.e2e import test_gateway_callers, test_gateway_limits, test_gateway_requests, test_gateway_sessions
from tests.support.kong.dev_gateway import Change
from tests.support.kong.gateway import STOPPED, Attack, gateway_to, not_kong

pytestmark = not_kong
_SUITE = (test_gateway_callers, test_gateway_limits, test_gateway_requests, test_gateway_sessions)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("attack", "without"),
    [pytest.param(attack, without, id=f"{stanza} | {attack.__name__}") for attack, stanza, without in STOPPED],
)
async def test_an_attack_succeeds_without_its_stanza(
    attack: Attack, without: tuple[Change, ...], edge_of_the_mesh: str
) -> None:
    is_limited = attack.__module__ == test_gateway_limits.__name__
    async with gateway_to(edge_of_the_mesh, *without, is_limited=is_limited) as gateway:
        with pytest.raises((AssertionError, KeyError)):
            await attack(gateway)


def test_every_suite_names_stanzas() -> None:
    assert {attack.__module__ for attack, _, _ in STOPPED} == {module.__name__ for module in _SUITE}
