"""Why each stanza is in kong.yml: without it, the attack that it stops succeeds.

Every attack that says which stanza stops it is tried again on a gateway whose kong.yml has all but that one.
"""

import pytest

from tests.e2e import test_gateway_callers, test_gateway_limits, test_gateway_requests, test_gateway_sessions
from tests.support.door import KONG, LIMITS, STOPPED, Attack, door_to
from tests.support.standin import Change

pytestmark = pytest.mark.skipif(KONG is not None, reason="a real Kong's configuration is not changed by tests")
_SUITE = (test_gateway_callers, test_gateway_limits, test_gateway_requests, test_gateway_sessions)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("attack", "without"),
    [pytest.param(attack, without, id=f"{stanza} | {attack.__name__}") for attack, stanza, without in STOPPED],
)
async def test_without_its_stanza_the_attack_succeeds(
    attack: Attack, without: tuple[Change, ...], edge_of_the_mesh: str
) -> None:
    limits = LIMITS if attack.__module__ == test_gateway_limits.__name__ else ()
    async with door_to(edge_of_the_mesh, *limits, *without) as door:
        with pytest.raises((AssertionError, KeyError)):
            await attack(door)


def test_there_are_stanzas_to_take_out() -> None:
    assert {attack.__module__ for attack, _, _ in STOPPED} == {module.__name__ for module in _SUITE}
