"""After a restore: what a plain FHIR server still has of us.

Our newest statement lies there inside a Consent, signed with the pairwise key, so the server cannot make one
up; it can show an older one, which is noticed when we know of a newer. Whatever else lies there with our tag
and is not remembered by this vault was sent after the backup was made: it is written down, so that the next
message takes it away or brings it up to date.
"""

from __future__ import annotations

from consent.errors import ConsentError
from consent.statement import open_statement, statement_hash
from crypto.naming import pairwise_names
from pgo.store.fhir_servers import UNKNOWN_RECORD
from pgo.usecases.fhir_servers import destination
from pgo.usecases.session import Session
from pgo.usecases.statements import pairwise_for
from sync.errors import RemoteRuleError
from sync.fhir_server.controls import anchor_name, first_consent
from sync.fhir_server.names import type_of
from sync.head import Head

_BESIDE = frozenset({"Consent", "Provenance"})


def plain_head(session: Session, recipient_id: str, *, acknowledged: int) -> Head:
    """Ask a server for the newest statement of ours and write down what lies there unremembered.

    Args:
        session: the open vault.
        recipient_id: which server.
        acknowledged: number of the newest statement that was seen there, as far as we know.

    Raises:
        Unreachable, RemoteRuleError, LocalRuleError: as any question, and ``bad_head``, ``head_rolled_back``.
    """
    store, plain = session.store, session.plain_transport
    to = destination(store, recipient_id)
    names = pairwise_names(store.identity_seed(), recipient_id)
    token = plain.newest_statement(to, first_consent(names))
    found = {name for name in plain.all_of_ours(to, anchor_name(names)) if type_of(name) not in _BESIDE}
    at = session.now()
    with store.write(at):
        unknown = found - store.fhir.items(recipient_id).keys() - {anchor_name(names)}
        store.fhir.sending(recipient_id, dict.fromkeys(sorted(unknown), UNKNOWN_RECORD))
    if token is None:
        if acknowledged:
            raise RemoteRuleError("head_rolled_back")
        return Head(0, "", "", None, at)
    own = pairwise_for(store, recipient_id).signing.public
    try:
        statement = open_statement(token, own)
    except ConsentError as exc:
        raise RemoteRuleError("bad_head") from exc
    if statement.audience != recipient_id:
        raise RemoteRuleError("bad_head")
    if statement.sequence < acknowledged:
        raise RemoteRuleError("head_rolled_back")
    return Head(statement.sequence, token, statement_hash(token), statement, at)
