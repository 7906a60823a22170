"""notify.v1.DeadLetterService: converts the request, calls `dead_letter_admin`, and converts the result."""

from typing import Any

import grpc
from notify.v1 import dead_letters_pb2, dead_letters_pb2_grpc

from notify_svc.domain import DEAD_LETTER_KEYS_MAX
from notify_svc.grpc_api import page_token, validation
from notify_svc.grpc_api.convert import dead_letter_to_proto
from notify_svc.storage.dead_letter_admin import DeadLetterAdmin

Context = grpc.aio.ServicerContext[Any, Any]


class DeadLetterServicer(dead_letters_pb2_grpc.DeadLetterServiceServicer):
    """Lets operators list, replay and discard dead letters."""

    def __init__(self, dead_letter_admin: DeadLetterAdmin) -> None:
        self._dead_letter_admin = dead_letter_admin

    async def ListDeadLetters(
        self, request: dead_letters_pb2.ListDeadLettersRequest, context: Context
    ) -> dead_letters_pb2.ListDeadLettersResponse:
        """List dead letters, oldest first."""
        after = page_token.decode(request.page_token) if request.page_token else None
        page = await self._dead_letter_admin.page(validation.page_size(request.page_size), after)
        return dead_letters_pb2.ListDeadLettersResponse(
            dead_letters=[dead_letter_to_proto(letter) for letter in page.letters],
            next_page_token=page_token.encode(page.next) if page.next else "",
            total_count=page.total_count,
        )

    async def ReplayDeadLetters(
        self, request: dead_letters_pb2.ReplayDeadLettersRequest, context: Context
    ) -> dead_letters_pb2.ReplayDeadLettersResponse:
        """Replay some or all dead letters."""
        validation.check_some_or_all("keys", request.keys, request.all, at_most=DEAD_LETTER_KEYS_MAX)
        done = await self._dead_letter_admin.replay(request.keys or await self._dead_letter_admin.keys())
        return dead_letters_pb2.ReplayDeadLettersResponse(
            replayed_count=done.replayed, not_replayable_keys=done.not_replayable[:DEAD_LETTER_KEYS_MAX]
        )

    async def DiscardDeadLetters(
        self, request: dead_letters_pb2.DiscardDeadLettersRequest, context: Context
    ) -> dead_letters_pb2.DiscardDeadLettersResponse:
        """Discard some or all dead letters permanently."""
        validation.check_some_or_all("keys", request.keys, request.all, at_most=DEAD_LETTER_KEYS_MAX)
        discarded = await self._dead_letter_admin.discard(request.keys or await self._dead_letter_admin.keys())
        return dead_letters_pb2.DiscardDeadLettersResponse(discarded_count=discarded)
