"""``recipient user`` and ``recipient oidc``: accounts, second steps, and log-in services.

Promises: a client secret comes from a file, never from an argument; nothing printed holds a secret.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from recipient.accounts import accounts, add_account, close_account, set_password
from recipient.errors import Unusable
from recipient.login.admission import admit, refuse_taken
from recipient.login.directory import Directory
from recipient.login.fetch import ProviderWeb
from recipient.login.second import is_enrolled, reset_second_step
from recipient.login.services import (
    LoginService,
    check_service,
    login_services,
    remove_service,
    set_service,
)
from recipient.terminal import Commands, command, opened, read_secret, say

Clock: TypeAlias = Callable[[], datetime]
LOGIN_SENTENCES = {
    "bad_user_name": "A user name has 2 to 32 lower-case letters, digits, dots or dashes, a letter first.",
    "bad_display": "Name and role must be 1 to 80 readable characters.",
    "password_too_short": "The password needs at least 12 characters.",
    "password_too_long": "The password may have at most 256 characters.",
    "password_weak": "This password is easy to guess; four unrelated words make a good one.",
    "password_unequal": "The two passwords differ.",
    "password_unreadable": "The password file cannot be read as UTF-8 text.",
    "user_exists": "There is a user of that name already.",
    "no_such_user": "There is no user of that name.",
    "bad_who": "Who may come in is a subject of the log-in service, or an e-mail address.",
    "admitted_already": "Another user has this person of the log-in service already.",
    "bad_service_name": "The name of a log-in service has up to 32 lower-case letters, digits and dashes.",
    "bad_issuer": "The issuer must be https://..., or http:// to this machine only, without a query.",
    "bad_service_text": "Label, client id, roles and classes must be 1 to 200 readable characters.",
    "roles_without_claim": "Roles need --role-claim, and that needs at least one --role VALUE=PROFESSION.",
    "issuer_taken": "Another log-in service has this issuer.",
    "no_such_service": "There is no log-in service of that name.",
    "service_unreachable": "The log-in service does not answer as it should; check address and network.",
    "service_unfit": "The log-in service names another issuer, or lacks the code flow, PKCE (S256) or RS256, "
    "PS256, ES256, EdDSA.",
}


def add_login_commands(commands: Commands, clock: Clock) -> None:
    """Add the commands of this module."""
    _add_user_commands(commands, clock)
    _add_service_commands(commands, clock)


def _add_user_commands(commands: Commands, clock: Clock) -> None:
    user = _group(commands, "user", "accounts of people who read")

    def run_add(options: argparse.Namespace) -> None:
        _user_add(options, at=clock())

    add = command(user, "add", run_add, "make an account")
    add.add_argument("user", metavar="NAME")
    add.add_argument("--display", required=True, help="full name, shown to patients in their access log")
    add.add_argument("--role", default="clinician", help="profession, shown to patients")
    way = add.add_mutually_exclusive_group()
    _password_option(way)
    way.add_argument(
        "--oidc",
        nargs=2,
        metavar=("ISSUER", "WHO"),
        help="no password: log in at this service, as this subject or verified e-mail address",
    )
    add.add_argument(
        "--no-second-factor", action="store_true", help="for a trial: works on this machine only"
    )
    renew = command(user, "password", _user_password, "give an account a new password")
    renew.add_argument("user", metavar="NAME")
    _password_option(renew)
    let_in = command(user, "admit", _user_admit, "let somebody of a log-in service in under an account")
    let_in.add_argument("user", metavar="NAME")
    let_in.add_argument("issuer", metavar="ISSUER")
    let_in.add_argument("who", metavar="WHO", help="subject or verified e-mail address")
    for name, run, words in (
        ("close", _user_close, "let an account log in no more"),
        ("reset-totp", _user_reset, "let the owner of an account set up the second step anew"),
    ):
        command(user, name, run, words).add_argument("user", metavar="NAME")
    command(user, "list", _user_list, "list accounts")


def _add_service_commands(commands: Commands, clock: Clock) -> None:
    oidc = _group(commands, "oidc", "log-in services (OpenID Connect)")
    setting = command(oidc, "set", _service_set, "add or change a log-in service")
    setting.add_argument("name", metavar="NAME", help="short, in addresses: for instance hospital")
    setting.add_argument("--label", help="on the button; left out: NAME")
    setting.add_argument("--issuer", required=True, help="exactly as the service says it")
    setting.add_argument("--client-id", required=True)
    setting.add_argument("--client-secret-file", metavar="FILE", help="left out: a public client with PKCE")
    setting.add_argument("--role-claim", default="", help="claim with roles, or a path with points")
    setting.add_argument(
        "--role", action="append", default=[], metavar="VALUE=PROFESSION", help="who has it may come in"
    )
    setting.add_argument("--require-acr", action="append", default=[], metavar="CLASS")
    setting.add_argument("--require-amr", action="append", default=[], metavar="METHOD", help="e.g. mfa")

    def run_check(options: argparse.Namespace) -> None:
        _service_check(options, at=clock())

    command(oidc, "remove", _service_remove, "trust a log-in service no more").add_argument("name")
    command(oidc, "check", run_check, "ask a log-in service what it can do").add_argument("name")
    command(oidc, "list", _service_list, "list log-in services")


def _group(commands: Commands, name: str, words: str) -> Commands:
    return commands.add_parser(name, help=words).add_subparsers(required=True, metavar="ACTION")


def _password_option(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--password-file", metavar="FILE", help="first line of FILE; - is standard input")


def _user_add(options: argparse.Namespace, *, at: datetime) -> None:
    with opened(options) as store:
        if options.oidc:
            refuse_taken(store, issuer=options.oidc[0], who=options.oidc[1])
        password = None if options.oidc else read_secret(options.password_file, prompt="Password")
        account = add_account(
            store,
            name=options.user,
            display=options.display,
            role=options.role,
            password=password,
            at=at,
            second_step=not options.no_second_factor,
        )
        if options.oidc:
            admit(store, name=account.name, issuer=options.oidc[0], who=options.oidc[1])
    say(f"Made the account {account.name}.")


def _user_password(options: argparse.Namespace) -> None:
    with opened(options) as store:
        set_password(store, name=options.user, password=read_secret(options.password_file, prompt="Password"))
    say("The password is changed; the sessions of the account are ended.")


def _user_admit(options: argparse.Namespace) -> None:
    with opened(options) as store:
        admit(store, name=options.user, issuer=options.issuer, who=options.who)
    say("This person of the log-in service may come in under the account.")


def _user_close(options: argparse.Namespace) -> None:
    with opened(options) as store:
        close_account(store, name=options.user)
    say("The account is closed; its sessions are ended.")


def _user_reset(options: argparse.Namespace) -> None:
    with opened(options) as store:
        reset_second_step(store, name=options.user)
    say("The second step is forgotten; it is set up anew at the next log-in.")


def _user_list(options: argparse.Namespace) -> None:
    with opened(options) as store:
        for account, is_open in accounts(store):
            state = "open" if is_open else "closed"
            second = "second step" if is_enrolled(store, account.id) else "no second step yet"
            say(f"{account.name}\t{account.display}\t{account.role}\t{state}\t{second}")


def _service_set(options: argparse.Namespace) -> None:
    pairs = [text.partition("=") for text in options.role]
    if any(not (role and profession) for role, _, profession in pairs):
        raise Unusable("roles_without_claim")
    secret_file = options.client_secret_file
    service = LoginService(
        name=options.name,
        label=options.label or options.name,
        issuer=options.issuer,
        client_id=options.client_id,
        secret=read_secret(secret_file, prompt="") if secret_file else "",
        role_claim=options.role_claim,
        roles={role: profession for role, _, profession in pairs},
        acr=tuple(options.require_acr),
        amr=tuple(options.require_amr),
    )
    check_service(service)
    with opened(options) as store:
        set_service(store, service)
    factor = "the service vouches for a second factor" if service.vouches else "our second step is asked too"
    say(f"Set the log-in service {service.name}; {factor}.")
    say(f"Register there: <your address>/portal/login/at/{service.name}/done")


def _service_remove(options: argparse.Namespace) -> None:
    with opened(options) as store:
        remove_service(store, options.name)
    say("The log-in service is trusted no more; its sessions are ended.")


def _service_check(options: argparse.Namespace, *, at: datetime) -> None:
    with opened(options) as store:
        service = next((one for one in login_services(store) if one.name == options.name), None)
    if service is None:
        raise Unusable("no_such_service")
    directory = Directory(ProviderWeb())
    metadata = directory.metadata(service.issuer, at=at)
    keys = directory.keys(service.issuer, at=at)
    say(f"signs with {', '.join(sorted(metadata.algorithms))}; {len(keys)} usable keys")
    say(f"says its name in answers (RFC 9207): {'yes' if metadata.says_issuer else 'no'}")
    say(f"log-out there: {'yes' if metadata.end_session else 'no'}")


def _service_list(options: argparse.Namespace) -> None:
    with opened(options) as store:
        for one in login_services(store):
            say(f"{one.name}\t{one.label}\t{one.issuer}\t{one.client_id}")
