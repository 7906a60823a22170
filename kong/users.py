"""Manages the gateway's users: adds and removes them, changes passwords, creates and revokes API keys.

`make kong-user ARGS=…` runs it; `--help` lists the commands. The users' file is a secret: it holds passwords in plain
text, because Kong hashes them when it imports them. `make kong-apply` imports the changes into Kong.
"""

import argparse
import getpass
import secrets
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from kong.users_file import BadFile, Key, User, UsersFile, is_username

DEFAULT = Path(__file__).parents[1] / ".secrets" / "kong-users"
DEMO = Path(__file__).parent / "demo-users.yml"
MIN_PASSWORD_LENGTH = 12


class UserCommandError(Exception):
    """The command is invalid; the message is shown to the user."""


def main(arguments: list[str], ask: Callable[[], str] | None = None) -> int:
    """Run one command and return the exit status. `ask` returns a new password."""
    options = _parser().parse_args(arguments)
    try:
        file = UsersFile.read(options.file)
        options.run(file, options, ask or _ask)
    except (UserCommandError, BadFile, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _list(file: UsersFile, options: argparse.Namespace, _: Callable[[], str]) -> None:
    if not file.users:
        print(f"There are no users in {options.file}. To add one: make kong-user ARGS='add NAME'")
        print("The demo users of kong/demo-users.yml exist only in development.")
    for user in file.users.values():
        print(user.name, "password" if user.password else "no password", *(f"key:{key.id}" for key in user.keys))


def _add(file: UsersFile, options: argparse.Namespace, ask: Callable[[], str]) -> None:
    if not is_username(options.user) or options.user == "anonymous":
        msg = f"the user name {options.user!r} is invalid: it must be 1 to 64 of A-Za-z0-9._- and not anonymous"
        raise UserCommandError(msg)
    if options.user in file.users or options.user in UsersFile.read(DEMO).users:
        msg = f"the user {options.user} already exists"
        raise UserCommandError(msg)
    password = None if options.no_password else _acceptable(ask())
    file.put(User(options.user, str(uuid.uuid4()), password))


def _password(file: UsersFile, options: argparse.Namespace, ask: Callable[[], str]) -> None:
    user = _known(file, options.user)
    # A session refers to its user's id. A new id ends all of the user's sessions, including stolen ones.
    file.put(User(user.name, str(uuid.uuid4()), _acceptable(ask()), user.keys))


def _sign_out(file: UsersFile, options: argparse.Namespace, _: Callable[[], str]) -> None:
    user = _known(file, options.user)
    file.put(User(user.name, str(uuid.uuid4()), user.password, user.keys))


def _remove(file: UsersFile, options: argparse.Namespace, _: Callable[[], str]) -> None:
    file.remove(_known(file, options.user).name)


def _add_key(file: UsersFile, options: argparse.Namespace, _: Callable[[], str]) -> None:
    user = _known(file, options.user)
    key = Key(str(uuid.uuid4()), secrets.token_urlsafe(32))
    file.put(User(user.name, user.id, user.password, (*user.keys, key)))
    print(f"x-api-key: {key.key}\nid, to revoke it: {key.id}")


def _revoke_key(file: UsersFile, options: argparse.Namespace, _: Callable[[], str]) -> None:
    owner = next((user for user in file.users.values() for key in user.keys if key.id == options.id), None)
    if owner is None:
        msg = f"there is no key with the id {options.id}; `list` shows the ids"
        raise UserCommandError(msg)
    file.put(User(owner.name, owner.id, owner.password, tuple(key for key in owner.keys if key.id != options.id)))


def _known(file: UsersFile, name: str) -> User:
    if name not in file.users:
        msg = f"the user {name} does not exist; `list` shows the users"
        raise UserCommandError(msg)
    return file.users[name]


def _acceptable(password: str) -> str:
    if len(password) < MIN_PASSWORD_LENGTH or not password.isascii() or not password.isprintable():
        msg = (
            f"the password must have at least {MIN_PASSWORD_LENGTH} characters, all printable ASCII: "
            "browsers encode other characters differently"
        )
        raise UserCommandError(msg)
    return password


def _ask() -> str:
    """Return a password: entered twice on a terminal, otherwise the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Repeat the password: ") != password:
        msg = "the passwords do not match"
        raise UserCommandError(msg)
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kong.users", description=__doc__)
    parser.add_argument("--file", type=Path, default=DEFAULT, help="the users' file (%(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, about: str, *named: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        for argument in named:
            added.add_argument(argument)
        return added

    command("list", _list, "Show the users and the ids of their keys")
    add = command("add", _add, "Add a user; the command prompts for the password", "user")
    add.add_argument("--no-password", action="store_true", help="add a program, which uses an API key instead")
    command("password", _password, "Change a user's password and end all of the user's sessions", "user")
    command("sign-out", _sign_out, "End all sessions of a user", "user")
    command("remove", _remove, "Remove a user with all credentials and sessions", "user")
    command("add-key", _add_key, "Create an API key and show it; it is not shown again", "user")
    command("revoke-key", _revoke_key, "Revoke an API key", "id")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
