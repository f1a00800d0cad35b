"""Which account somebody gets who logged in at a service; nobody gets one by logging in alone.

Rules, in this order:
1. somebody whose subject an operator admitted, or who came in by address before, gets that account;
2. an address that an operator admitted lets in once, and only where the service says it verified it: from
   then on the subject is what counts, because addresses are given to other people when somebody leaves;
3. a role that the operator named lets in whoever has it *now*; the account is made at the first log-in, with
   the name that the service says, because patients read it;
4. everybody else is refused, and so is a closed account.

Source: OpenID Connect Core 1.0 section 5.7 (only issuer and subject together name a person).
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from recipient.accounts import Account, account_id, add_account
from recipient.errors import Refused, Unusable
from recipient.login.claims import Person
from recipient.login.sealed import LOGIN_ROWS
from recipient.login.services import LoginService
from recipient.store import Store

_OPEN = (
    "SELECT a.id, a.name, a.display, a.role, w.by_role FROM login_admitted w "
    "JOIN account a ON a.id = w.account WHERE w.issuer = ? AND a.active = 1 AND "
)


class NotAdmitted(Refused):
    """Somebody logged in at a service and has no account here; ``subject`` is shown to that person only."""

    def __init__(self, subject: str) -> None:
        super().__init__("not_admitted", status=403)
        self.subject = subject


def admit(store: Store, *, name: str, issuer: str, who: str) -> None:
    """Let somebody of a service in, under an account that exists.

    Args:
        store: open store.
        name: of the account.
        issuer: of the service.
        who: subject, or an address (recognised by its ``@``).

    Raises:
        Unusable: ``no_such_user``, ``bad_who``, ``admitted_already`` when another account has this person.
    """
    account = account_id(store, name)
    subject, email = _parse_who(who)
    with store.transaction(about=LOGIN_ROWS):
        refuse_taken(store, issuer=issuer, who=who, account=account)
        store.run("DELETE FROM login_admitted WHERE account = ?", (account,))
        store.run(
            "INSERT INTO login_admitted (account, issuer, subject, email, by_role) VALUES (?, ?, ?, ?, 0)",
            (account, issuer, subject, email),
        )


def refuse_taken(store: Store, *, issuer: str, who: str, account: int = 0) -> None:
    """Refuse a person whom another account than this one has.

    Raises:
        Unusable: ``bad_who``, ``admitted_already``.
    """
    taken = (
        "SELECT 1 FROM login_admitted WHERE issuer = ? AND account <> ? "
        "AND ((subject = ? AND subject <> '') OR (email = ? AND email <> ''))"
    )
    if store.row(taken, (issuer, account, *_parse_who(who))):
        raise Unusable("admitted_already")


def account_of(store: Store, service: LoginService, person: Person, *, at: datetime) -> Account:
    """Return the account of somebody who logged in at a service.

    Raises:
        NotAdmitted: no rule of this module lets this person in.
    """
    profession = _profession(service, person)
    row = store.row(_OPEN + "w.subject = ?", (service.issuer, person.subject))  # rule 1
    if row is not None:
        if row[4] and profession is None:  # came in by a role and has none any more
            raise NotAdmitted(person.subject)
        return Account(row[0], row[1], row[2], row[3])
    account = _by_address(store, service, person) or _by_role(store, service, person, profession, at=at)
    if account is None:
        raise NotAdmitted(person.subject)
    return account


def _parse_who(who: str) -> tuple[str, str]:
    """Return subject and address, one of them ''."""
    who = who.strip()
    if not (1 <= len(who) <= 255 and who.isascii() and who.isprintable()):
        raise Unusable("bad_who")
    return ("", who.lower()) if "@" in who else (who, "")


def _by_address(store: Store, service: LoginService, person: Person) -> Account | None:
    """Rule 2."""
    if not person.email:
        return None
    row = store.row(_OPEN + "w.email = ? AND w.subject = ''", (service.issuer, person.email))
    if row is None:
        return None
    bound = store.run(  # of two that come at once one binds its subject
        "UPDATE login_admitted SET subject = ? WHERE account = ? AND issuer = ? AND subject = ''",
        (person.subject, row[0], service.issuer),
    )
    return Account(row[0], row[1], row[2], row[3]) if bound else None


def _by_role(
    store: Store, service: LoginService, person: Person, profession: str | None, *, at: datetime
) -> Account | None:
    """Rule 3."""
    if profession is None:
        return None
    digest = hashlib.sha256(f"{service.issuer} {person.subject}".encode()).hexdigest()
    try:
        account = add_account(
            store, name=f"at-{digest[:20]}", display=person.name, role=profession, password=None, at=at
        )
    except Unusable as exc:  # no name that patients could read, or closed by the operator
        raise NotAdmitted(person.subject) from exc
    store.run(
        "INSERT INTO login_admitted (account, issuer, subject, email, by_role) VALUES (?, ?, ?, '', 1)",
        (account.id, service.issuer, person.subject),
    )
    return account


def _profession(service: LoginService, person: Person) -> str | None:
    return next((service.roles[role] for role in sorted(person.roles) if role in service.roles), None)
