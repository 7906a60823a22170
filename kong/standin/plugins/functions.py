"""pre-function and post-function: Lua is not run here; a function counts where it has a twin in Python.

A twin is bound to the very text of its Lua, so a change of kong.yml that does not reach the twin keeps the stand-in
from starting. The attack suite holds the two equal: it is run on the stand-in and on Kong.
"""

import hashlib

from kong.standin.exchange import Answer, Exchange
from kong.standin.fields import Fields, Unknown
from kong.standin.plugins.base import Plugin, Surroundings
from kong.standin.plugins.twins import ANSWER_TWINS, REQUEST_TWINS, UNNEEDED, AnswerTwin, RequestTwin


class _Function(Plugin):
    def __init__(self, fields: Fields, _around: Surroundings) -> None:
        where = fields.where
        self._rewrite: list[RequestTwin] = [REQUEST_TWINS[key] for key in _keys(fields, "rewrite", REQUEST_TWINS)]
        self._access: list[RequestTwin] = [REQUEST_TWINS[key] for key in _keys(fields, "access", REQUEST_TWINS)]
        self._answer: list[AnswerTwin] = [ANSWER_TWINS[key] for key in _keys(fields, "header_filter", ANSWER_TWINS)]
        _keys(fields, "body_filter", UNNEEDED)
        if not (self._rewrite or self._access or self._answer):
            msg = f"{where}: it has no function"
            raise Unknown(msg)

    async def rewrite(self, exchange: Exchange) -> None:
        """Runs the functions of this phase."""
        for twin in self._rewrite:
            twin(exchange)

    async def access(self, exchange: Exchange) -> None:
        """Runs the functions of this phase."""
        for twin in self._access:
            twin(exchange)

    def header_filter(self, exchange: Exchange, answer: Answer) -> None:
        """Runs the functions of this phase."""
        for twin in self._answer:
            twin(exchange, answer)


class PreFunction(_Function):
    """Before all other plugins."""

    priority = 1_000_000


class PostFunction(_Function):
    """After all other plugins."""

    priority = -1000


def key_of(lua: str) -> str:
    """What a twin is registered under: a digest of its Lua."""
    return hashlib.sha256(lua.encode()).hexdigest()


def _keys(fields: Fields, phase: str, known: object) -> list[str]:
    keys = [key_of(lua) for lua in fields.texts(phase)]
    for key in keys:
        if key not in known:  # type: ignore[operator]
            msg = f"{fields.where}: {phase}: this Lua has no twin in kong/standin/plugins/twins.py; its digest is {key}"
            raise Unknown(msg)
    return keys
