"""Tables of the programs that may ask for data: a step of ``recipient.migrations``.

Promises: of a token only its hash is kept, of a client only public keys; an assertion's id is kept for as
long as the assertion could be used again, and then swept.
"""

from __future__ import annotations

TABLES: tuple[str, ...] = (
    # recipient.fhir_api.clients: each has a closed account of its own, so that access events can name it
    """CREATE TABLE oauth_client (
      id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
      account INTEGER NOT NULL REFERENCES account(id), keys TEXT NOT NULL, scopes TEXT NOT NULL,
      purpose TEXT NOT NULL, person_needed INTEGER NOT NULL DEFAULT 0, active INTEGER NOT NULL DEFAULT 1,
      created_at TEXT NOT NULL
    ) STRICT""",
    # recipient.fhir_api.tokens
    """CREATE TABLE oauth_token (
      hash TEXT PRIMARY KEY, client INTEGER NOT NULL REFERENCES oauth_client(id), scopes TEXT NOT NULL,
      person TEXT, person_role TEXT, expires_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID""",
    # recipient.fhir_api.assertion: ids of assertions seen
    """CREATE TABLE oauth_assertion (
      client INTEGER NOT NULL REFERENCES oauth_client(id), jti TEXT NOT NULL, expires_at TEXT NOT NULL,
      PRIMARY KEY (client, jti)
    ) STRICT, WITHOUT ROWID""",
)
