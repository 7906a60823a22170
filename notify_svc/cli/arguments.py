"""The command line of `dead_letters`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from notify_svc.domain import DEAD_LETTER_KEYS_MAX


@dataclass(frozen=True, slots=True)
class Asked:
    """A verb (list, replay, discard), what it is for, and whether the answer is to be JSON."""

    verb: str
    keys: Sequence[str]
    all: bool
    json: bool


def parsed(arguments: Sequence[str]) -> Asked:
    """What is asked for; without a verb, the list. Exits with status 2 and says why when it makes no sense."""
    parser = _parser()
    asked = Asked(**vars(parser.parse_args(arguments)))
    if asked.verb != "list" and bool(asked.keys) == asked.all:
        parser.error(f"{asked.verb} needs either KEYs or --all")
    if len(asked.keys) > DEAD_LETTER_KEYS_MAX:
        parser.error(f"{asked.verb} takes {DEAD_LETTER_KEYS_MAX} KEYs at most, or --all")
    return asked


def _parser() -> argparse.ArgumentParser:
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="answer with one JSON object")
    parser = argparse.ArgumentParser(
        prog="dead-letters",
        parents=[as_json],
        description="Shows what the notification service could not handle; has it handled once more, or thrown away.",
        epilog="With make, all of this goes into ARGS: make dead-letters ARGS='replay --all'",
    )
    parser.set_defaults(verb="list", keys=(), all=False, json=False)
    verbs = parser.add_subparsers(title="what to do", metavar="[list | replay | discard]")
    verbs.add_parser("list", parents=[as_json], help="list them all, the oldest first; the same as saying nothing")
    for verb, words in (("replay", "have dead letters handled once more"), ("discard", "throw dead letters away")):
        chosen = verbs.add_parser(verb, parents=[as_json], description=f"{words.capitalize()}.", help=words)
        chosen.set_defaults(verb=verb)
        chosen.add_argument("keys", nargs="*", type=_key, metavar="KEY", help="a key as the list shows it")
        chosen.add_argument("--all", action="store_true", help="all dead letters that there are now")
    return parser


def _key(argument: str) -> str:
    return argument.encode(errors="replace").decode()  # bytes that are no UTF-8 cannot be sent, and name no letter
