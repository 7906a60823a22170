"""Authentication of callers, and the request ids and traces in their metadata."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest

from chassis import identity, tracing
from chassis.errors import Unauthenticated
from chassis.grpc_api import reflection
from chassis.identity import MeshTokens
from tests.support.chassis.mesh import ALICE, mesh_server
from tests.support.chassis.probe import METHODS, SERVICE, Context, ask
from tests.support.chassis.standard_services import health_of, reflection_of
from tests.support.holding import until

NEWER, OLDER = "the-newer-of-the-two-tokens", "the-older-of-the-two-tokens"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def with_token(token: str) -> tuple[tuple[str, str], ...]:
    return ((identity.TOKEN_KEY, token),)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "mesh-token"
    path.write_text(f"{NEWER}\n{OLDER}\n")
    return path


@pytest.mark.parametrize("token", [NEWER, OLDER])
async def test_both_tokens_of_a_rotation_are_accepted(token_file: Path, token: str) -> None:
    async with mesh_server(token_file=token_file) as mesh:
        assert (await ask(mesh.channel, metadata=with_token(token))).code is grpc.StatusCode.OK


@pytest.mark.parametrize("method", METHODS)
async def test_a_call_without_a_valid_token_is_refused(token_file: Path, method: str) -> None:
    async with mesh_server(token_file=token_file, userless=False) as mesh:
        attempts = 0
        for token in ((), with_token(""), with_token(NEWER[:-1]), with_token(NEWER + "x"), with_token(NEWER.upper())):
            answer = await ask(mesh.channel, method, metadata=(*ALICE, *token))
            assert answer.code is grpc.StatusCode.UNAUTHENTICATED
            assert answer.responses == []
            attempts += answer.attempts
        await until(lambda: mesh.in_flight() == 0)
        assert mesh.outcomes(method) == {"UNAUTHENTICATED": attempts}


async def test_a_server_without_a_token_file_requires_no_token() -> None:
    async with mesh_server(userless=False) as mesh:
        assert (await ask(mesh.channel, metadata=ALICE)).code is grpc.StatusCode.OK


async def test_a_servicer_sees_the_user_of_the_call() -> None:
    users: list[str | None] = []

    async def look(_context: Context) -> None:
        users.append(identity.current_user())

    async with mesh_server(look, userless=False) as mesh:
        for method in METHODS:
            await ask(mesh.channel, method, metadata=ALICE)
    async with mesh_server(look, userless=True) as mesh:
        await ask(mesh.channel, metadata=ALICE)
    assert users == ["alice"] * len(METHODS) + [None]


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("",),
        ("al ice",),
        ("alice\x7e",),
        ("a" * 65,),
        ("../x",),
        ("alice,bob",),
        ("alice", "bob"),
        ("alice", "alice"),
    ],
)
async def test_a_call_needs_exactly_one_valid_username(names: tuple[str, ...]) -> None:
    async with mesh_server(userless=False) as mesh:
        answer = await ask(mesh.channel, metadata=tuple((identity.USER_KEY, name) for name in names))
        assert answer.code is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("name", ["alice\n", "ali\x00ce", "älice", "\u0661", "", "a" * 65])
def test_a_username_is_plain_ascii_of_bounded_length(name: str) -> None:
    assert not identity.is_username(name)


def test_outside_a_request_there_is_no_user() -> None:
    with pytest.raises(Unauthenticated):
        identity.require_user()


async def test_health_checks_need_no_token(token_file: Path) -> None:
    async with mesh_server(token_file=token_file, userless=False) as mesh:
        response = await health_of(mesh.channel).Check(HealthCheckRequest(), timeout=5)
        assert response.status == HealthCheckResponse.SERVING


@pytest.mark.parametrize("name", [reflection.V1, reflection.V1ALPHA])
async def test_reflection_needs_a_token_but_no_user(name: str, token_file: Path) -> None:
    async with mesh_server(token_file=token_file, userless=False) as mesh:
        ask_for_services = [ServerReflectionRequest(list_services="")]
        info = reflection_of(mesh.channel, name)
        call = info(ask_for_services, metadata=with_token(NEWER), timeout=5)
        names = {service.name async for answer in call for service in answer.list_services_response.service}
        assert {SERVICE, "grpc.health.v1.Health"} <= names
        assert await info(ask_for_services, timeout=5).code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("given", ["12345678", "a" * 64, "Request-of-Alice-1"])
async def test_a_well_formed_request_id_is_kept(given: str) -> None:
    assert await _request_id((identity.REQUEST_ID_KEY, given)) == given


@pytest.mark.parametrize(
    "given", ["short", "a" * 65, "a b c d e", '"quoted-id"', "${jndi:ldap}", "\x7e" * 8, "a" * 5_000]
)
async def test_a_malformed_request_id_is_replaced(given: str) -> None:
    made = await _request_id((identity.REQUEST_ID_KEY, given))
    assert made != given
    assert len(made) == 32


async def test_every_request_without_an_id_gets_a_new_id() -> None:
    assert await _request_id() != await _request_id()


async def test_a_traceparent_joins_its_trace() -> None:
    assert await _trace_id(f"00-{TRACE_ID}-b7ad6b7169203331-01") == TRACE_ID


@pytest.mark.parametrize(
    "given", ["", "00", f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff-{TRACE_ID}-b7ad6b7169203331-01"]
)
async def test_a_malformed_traceparent_is_ignored(given: str) -> None:
    trace_id = await _trace_id(given)
    assert trace_id != TRACE_ID
    assert len(trace_id) == 32


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n\n", id="blank"),
        pytest.param(b"\n".join([b"a-token-that-is-long-enough"] * 3), id="three"),
        pytest.param(b"fifteen-letters", id="short"),
        pytest.param(b"a-token-that-is-long-enough\nshort", id="one of two short"),
        pytest.param("ein-schlüssel-der-lang-genug-ist".encode(), id="not ASCII"),
        pytest.param(b"a-token-with-a-\x00-control-character", id="control character"),
    ],
)
def test_a_token_file_without_valid_tokens_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mesh-token"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="must hold one or two tokens") as refusal:
        MeshTokens.read(path)
    assert str(path) in str(refusal.value)
    assert "long-enough" not in str(refusal.value)


def test_the_first_token_is_sent_and_without_a_file_there_is_none(token_file: Path) -> None:
    assert MeshTokens.read(token_file).outgoing == NEWER
    assert MeshTokens.read(None).outgoing is None


async def _request_id(*metadata: tuple[str, str]) -> str:
    return (await _seen(identity.current_request_id, metadata)) or ""


async def _trace_id(traceparent: str) -> str:
    return (await _seen(tracing.trace_id, (("traceparent", traceparent),))) or ""


async def _seen(look: Callable[[], str | None], metadata: tuple[tuple[str, str], ...]) -> str | None:
    """Return the result of `look` inside a call with this metadata."""
    seen: list[str | None] = []

    async def act(_context: Context) -> None:
        seen.append(look())

    async with mesh_server(act) as mesh:
        answer = await ask(mesh.channel, metadata=metadata)
        assert answer.code is grpc.StatusCode.OK
    return seen[0]
