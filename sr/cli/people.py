"""``srsign user`` and ``srsign api-key``: people and machines of the service, at its database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from sr.cli.command import group, register
from sr.cli.service import configured_service
from sr.cli.shell import Shell, printable
from sr.errors import ConfigurationError

__all__ = ["add_commands"]

_ADD_EXAMPLES = """
srsign user add root --name Admin --role admin
srsign user add anna --name Meier^Anna --role author --issuer https://login.example.org --subject 42
"""
_LIST_EXAMPLES = """
srsign user list
srsign user list --json
"""
_DISABLE_EXAMPLES = """
srsign user disable anna
"""
_MAKE_EXAMPLES = """
srsign api-key add root --label "first administrator" --days 7
"""
_KEYS_EXAMPLES = """
srsign api-key list
"""
_REVOKE_EXAMPLES = """
srsign api-key revoke 3f9a0c1d5e7b2a4c6d8e0f1a2b3c4d5e
"""
Login = Annotated[str, typer.Argument(metavar="LOGIN", help="Of the user.")]


def add_commands(app: typer.Typer) -> None:
    """Add ``user`` and ``api-key``."""
    users = group("user", "People and machines that the service knows.")
    register(users, "add", examples=_ADD_EXAMPLES)(add)
    register(users, "list", examples=_LIST_EXAMPLES)(list_users)
    register(users, "disable", examples=_DISABLE_EXAMPLES)(disable)
    app.add_typer(users)
    keys = group("api-key", "Keys with which machines call the service.")
    register(keys, "add", examples=_MAKE_EXAMPLES)(make)
    register(keys, "list", examples=_KEYS_EXAMPLES)(list_api_keys)
    register(keys, "revoke", examples=_REVOKE_EXAMPLES)(revoke)
    app.add_typer(keys)


def add(
    shell: Shell,
    login: Login,
    name: Annotated[str, typer.Option("--name", help="As in reports: Meier^Anna.")],
    role: Annotated[
        list[str],
        typer.Option("--role", help="author, approver, sealer, operator, auditor or admin."),
    ],
    organization: Annotated[
        str, typer.Option("--organization", help="As in reports; approvers need one.")
    ] = "",
    display_name: Annotated[
        str | None, typer.Option("--display-name", help="On pages; --name without.")
    ] = None,
    alias: Annotated[
        list[str],
        typer.Option("--alias", help="Another name or code in reports: Schulz^Anna, 4711^L."),
    ] = [],
    same_person_as: Annotated[
        str | None, typer.Option("--same-person-as", help="Login of an account of that person.")
    ] = None,
    issuer: Annotated[str | None, typer.Option("--issuer", help="OpenID provider.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Id at the provider.")] = None,
) -> None:
    """Add a user. Roles and persons of people are in the audit as changed at the console."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, add_person, list_people
    from sr.store.people import User

    if (issuer is None) != (subject is None):
        raise ConfigurationError("--issuer and --subject belong together")
    person = ""
    if same_person_as is not None:
        known = {user.login: user.person for user in list_people(context, CONSOLE)}
        if same_person_as not in known:
            raise ConfigurationError("there is no user with the login of --same-person-as")
        person = known[same_person_as]
    wanted = User(
        id="",
        login=login,
        display_name=display_name or name,
        person_name=name,
        organization=organization,
        roles=tuple(dict.fromkeys(role)),
        person=person,
        aliases=tuple(alias),
        issuer=issuer,
        subject=subject,
        created_at=datetime.now(UTC),
    )
    made = add_person(context, CONSOLE, wanted)
    if shell.json:
        shell.print_object({"id": made.id, "login": made.login})
    else:
        shell.tell(f"added {printable(made.login)}: {', '.join(made.roles)}")


def list_users(shell: Shell) -> None:
    """List the users with their roles."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, list_people

    users = list_people(context, CONSOLE)
    if shell.json:
        rows = [
            {
                "login": user.login,
                "name": user.person_name,
                "roles": list(user.roles),
                "person": user.person or user.id,
                "disabled": user.disabled_at is not None,
            }
            for user in users
        ]
        shell.print_object({"users": rows})
        return
    for user in users:
        state = "  disabled" if user.disabled_at else ""
        shell.print(
            [printable(f"{user.login}  {user.person_name}  {', '.join(user.roles)}{state}")]
        )


def disable(shell: Shell, login: Login) -> None:
    """Let a user do nothing any more, at once; what the user did stays."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, disable_person

    disable_person(context, CONSOLE, login)
    shell.tell(f"{printable(login)} is disabled")


def make(
    shell: Shell,
    login: Login,
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    days: Annotated[int, typer.Option("--days", min=1, help="How long it opens anything.")] = 365,
) -> None:
    """Make a key for a machine, or for the first administrator. It is shown this once."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, make_key

    key_id, key = make_key(context, CONSOLE, login, label=label, days=days)
    if shell.json:
        shell.print_object({"id": key_id, "key": key})
        return
    shell.print([key])
    shell.tell(f"key {key_id}; send it as Authorization: Bearer, nobody can show it again")


def list_api_keys(shell: Shell) -> None:
    """List the keys of machines; none is shown."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, list_keys

    rows = [
        {
            "id": key.id,
            "login": key.login,
            "label": key.label,
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "revoked": key.revoked_at is not None,
        }
        for key in list_keys(context, CONSOLE)
    ]
    if shell.json:
        shell.print_object({"keys": rows})
        return
    for row in rows:
        state = "revoked" if row["revoked"] else f"until {row['expires_at'] or 'revoked'}"
        shell.print([printable(f"{row['id']}  {row['login']}  {row['label']}  {state}")])


def revoke(
    shell: Shell, key_id: Annotated[str, typer.Argument(metavar="ID", help="Of the key.")]
) -> None:
    """Let a key open nothing any more."""
    context = configured_service()
    from sr.service.accounts.people import CONSOLE, revoke_key

    revoke_key(context, CONSOLE, key_id)
    shell.tell("it opens nothing any more")
