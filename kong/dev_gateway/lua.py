"""Runs the Lua functions of kong.yml in LuaJIT, with the parts of Kong's `kong` and nginx's `ngx` that they use.

A function that uses any other part fails, and its request gets a 500 response.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from lupa.luajit21 import LuaError, LuaRuntime

from kong.dev_gateway.counters import Counters
from kong.dev_gateway.exchange import Exchange, Exit, Response, error

_PORT = "8000"
"""Kong's port for HTTP without TLS. It does not depend on the gateway's own port."""
Function = Callable[[], None]

# Lua gets these tables and functions once, not per call: lupa confuses Python objects that it wraps for a single call,
# and exceptions that pass through Lua.
_GLOBALS = """
local python = ...
local function by_name(get) return setmetatable({}, { __index = function(_, name) return get(name) end }) end
kong = {
  ctx = by_name(python.context),
  request = { get_header = python.request_header, get_headers = python.request_headers },
  service = { request = { set_header = python.set_request_header, clear_header = python.clear_request_header } },
  response = {
    exit = python.exit, get_status = python.status, get_source = python.source,
    get_header = python.response_header, set_header = python.set_response_header,
    clear_header = python.clear_response_header, get_raw_body = python.body, set_raw_body = python.set_body,
  },
}
ngx = {
  decode_base64 = python.decode_base64,
  var = by_name(python.variable),
  shared = {
    kong_rate_limiting_counters = {
      incr = function(_, ...) return python.incr(...) end,
      ttl = function(_, ...) return python.ttl(...) end,
    },
  },
}
"""


class Lua:
    """A Lua runtime. It runs one function at a time, on the request and response passed to `call`."""

    def __init__(self, counters: Counters) -> None:
        self._lua: Any = LuaRuntime(encoding="latin-1", register_eval=False, register_builtins=False)
        self._exchange: Exchange = None  # type: ignore[assignment]  # set by call
        self._response: Response = None  # type: ignore[assignment]  # set by call
        self._exit_response: Response | None = None
        functions = {
            "context": lambda name: self._exchange.lua_shared if name == "shared" else None,
            "request_header": lambda name: self._exchange.headers.get(name),
            "request_headers": self._request_headers,
            "set_request_header": self._set_request_header,
            "clear_request_header": self._clear_request_header,
            "exit": self._exit,
            "status": lambda: self._response.status,
            "source": lambda: self._response.source,
            "response_header": lambda name: self._response.headers.get(name),
            "set_response_header": self._set_response_header,
            "clear_response_header": self._clear_response_header,
            "body": lambda: self._response.body.decode("latin-1"),
            "set_body": self._set_body,
            "decode_base64": _decode_base64,
            "variable": lambda name: {"remote_addr": self._exchange.client, "server_port": _PORT}.get(name),
            "incr": counters.incr,
            "ttl": counters.ttl,
        }
        self._lua.execute(_GLOBALS, self._lua.table_from(functions))

    def function(self, code: str) -> Function:
        """Return the function that a chunk of Lua returns. Raise ValueError if the chunk is invalid."""
        try:
            return self._lua.execute(code)  # type: ignore[no-any-return]
        except LuaError as error:
            msg = f"invalid Lua: {error}"
            raise ValueError(msg) from None

    def call(self, function: Function, exchange: Exchange, response: Response | None = None) -> None:
        """Run a function; `response` is None in `rewrite` and `access`. Raise Exit if it calls `kong.response.exit`."""
        self._exchange, self._exit_response = exchange, None
        if response is not None:
            self._response = response
        if exchange.lua_shared is None:
            exchange.lua_shared = self._lua.table()
        function()
        if self._exit_response:
            raise Exit(self._exit_response)

    def _request_headers(self, most: int) -> Any:
        lines: dict[str, Any] = {}
        for name, value in self._exchange.headers.items()[:most]:
            lines.setdefault(name, []).append(value)
        return self._lua.table_from(
            {name: self._lua.table_from(each) if len(each) > 1 else each[0] for name, each in lines.items()}
        )

    def _set_request_header(self, name: str, value: Any) -> None:
        self._exchange.headers[name] = str(value)

    def _clear_request_header(self, name: str) -> None:
        del self._exchange.headers[name]

    def _set_response_header(self, name: str, value: Any) -> None:
        self._response.headers[name] = str(value)

    def _clear_response_header(self, name: str) -> None:
        del self._response.headers[name]

    def _set_body(self, body: str) -> None:
        self._response.body = body.encode("latin-1")

    def _exit(self, status: int, body: Any, headers: Any = None) -> None:
        values = {str(name): str(value) for name, value in (headers.items() if headers else ())}
        self._exit_response = error(status, body["message"], values, "exit")


def _decode_base64(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode("latin-1")
    except binascii.Error:
        return None
