"""Tables of logging in; a step of ``recipient.migrations``.

Nothing here lets a reader of the tables in: ids, states and recovery codes are kept as keyed hashes, the
secrets that must come back are sealed (``recipient.login.sealed``), and names and addresses that somebody
typed or came from are hashed too, because people type passwords into the field for names.
"""

from __future__ import annotations

LOGIN: tuple[str, ...] = (
    # recipient.portal.sessions: `key` is a hash of the cookie
    """CREATE TABLE login_session (
      key TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id), started_at TEXT NOT NULL,
      seen_at TEXT NOT NULL, via TEXT NOT NULL, browser TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX login_session_account ON login_session (account)",
    # recipient.portal.sessions: whose names a session has shown, one access event each
    """CREATE TABLE login_listed (
      session TEXT NOT NULL, sub TEXT NOT NULL, PRIMARY KEY (session, sub)
    ) STRICT, WITHOUT ROWID""",
    # recipient.login.brake
    """CREATE TABLE login_try (
      key TEXT PRIMARY KEY, failures INTEGER NOT NULL, recent TEXT NOT NULL, last_at TEXT NOT NULL,
      closed_until TEXT NOT NULL
    ) STRICT""",
    # recipient.login.pending
    """CREATE TABLE login_pending (
      key TEXT PRIMARY KEY, kind TEXT NOT NULL, binding TEXT NOT NULL, payload TEXT NOT NULL,
      made_at TEXT NOT NULL
    ) STRICT""",
    "CREATE INDEX login_pending_made ON login_pending (made_at)",
    # recipient.login.second
    """CREATE TABLE login_totp (
      account INTEGER PRIMARY KEY REFERENCES account(id), secret TEXT NOT NULL, last_step INTEGER NOT NULL,
      since TEXT NOT NULL
    ) STRICT""",
    """CREATE TABLE login_recovery (
      account INTEGER NOT NULL REFERENCES account(id), hash TEXT NOT NULL, PRIMARY KEY (account, hash)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE login_trial (account INTEGER PRIMARY KEY REFERENCES account(id)) STRICT",
    # recipient.login.providers; `settings` is JSON, `secret` sealed, '' for none
    """CREATE TABLE login_provider (
      name TEXT PRIMARY KEY, issuer TEXT NOT NULL UNIQUE, settings TEXT NOT NULL, secret TEXT NOT NULL
    ) STRICT""",
    # recipient.login.admission; `subject` is '' until an account admitted by address has logged in once
    """CREATE TABLE login_admitted (
      account INTEGER PRIMARY KEY REFERENCES account(id), issuer TEXT NOT NULL, subject TEXT NOT NULL,
      email TEXT NOT NULL, by_role INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX login_admitted_who ON login_admitted (issuer, subject)",
)
