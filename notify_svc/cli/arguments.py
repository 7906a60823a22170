"""The command line of `dead_letters`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from notify_svc.domain import DEAD_LETTER_KEYS_MAX


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of the command: a verb (list, replay or discard), the keys or `all`, and the output format."""

    verb: str
    keys: Sequence[str]
    all: bool
    json: bool


def parsed(arguments: Sequence[str]) -> Arguments:
    """Parse the arguments. The default verb is list. Invalid arguments exit with status 2 and a message."""
    parser = _parser()
    result = Arguments(**vars(parser.parse_args(arguments)))
    if result.verb != "list" and bool(result.keys) == result.all:
        parser.error(f"{result.verb} needs either KEYs or --all")
    if len(result.keys) > DEAD_LETTER_KEYS_MAX:
        parser.error(f"{result.verb} takes at most {DEAD_LETTER_KEYS_MAX} KEYs; use --all for all dead letters")
    return result


def _parser() -> argparse.ArgumentParser:
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    parser = argparse.ArgumentParser(
        prog="dead-letters",
        parents=[as_json],
        description="List, replay or discard dead letters: events and deliveries that could not be processed.",
        epilog="With make, pass the arguments in ARGS: make dead-letters ARGS='replay --all'",
    )
    parser.set_defaults(verb="list", keys=(), all=False, json=False)
    verbs = parser.add_subparsers(title="commands", metavar="[list | replay | discard]")
    verbs.add_parser("list", parents=[as_json], help="list all dead letters, oldest first (default)")
    for verb, words in (("replay", "process dead letters again"), ("discard", "delete dead letters permanently")):
        chosen = verbs.add_parser(verb, parents=[as_json], description=f"{words.capitalize()}.", help=words)
        chosen.set_defaults(verb=verb)
        chosen.add_argument("keys", nargs="*", type=_key, metavar="KEY", help="a key from the list")
        chosen.add_argument("--all", action="store_true", help="all dead letters that exist now")
    return parser


def _key(argument: str) -> str:
    return argument.encode(errors="replace").decode()  # gRPC cannot send invalid UTF-8, and no key contains it
