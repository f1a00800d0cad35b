"""What the service writes about itself: one JSON object per line, with allowed fields only.

Promises:
1. a line has a time, a level, an event name, and of the fields in ``FIELDS`` those that were given; nothing
   else can be logged, so no name, address, message text or path gets in by mistake;
2. values are numbers, or words of a small alphabet: codes, class names, file places; anything else is
   replaced by ``?``;
3. records of other libraries are written as their logger's name, level and class of exception, without text:
   texts of foreign libraries may quote what they choked on;
4. an event of a person (a look) is no log line: it is in the patient's access log.

Source: OWASP ASVS 5.0 chapter 16 (logging), security.md 3.16.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final, TextIO

FIELDS: Final = frozenset(
    {"code", "count", "kind", "place", "route", "seconds", "state", "status", "version", "port"}
)
_WORD = re.compile(r"[A-Za-z0-9_.:/{}+-]{1,80}")
_OURS = "recipient"


def event(name: str, level: int = logging.INFO, /, **fields: str | int | float) -> None:
    """Write one line.

    Args:
        name: what happened, for instance ``stopping``.
        level: of ``logging``.
        fields: of ``FIELDS`` only.

    Raises:
        ValueError: a field that is not allowed; a mistake of ours.
    """
    unknown = fields.keys() - FIELDS
    if unknown:
        raise ValueError("a field that is not allowed in the log")
    logging.getLogger(_OURS).log(level, name, extra={"allowed": fields})


def write_logs(stream: TextIO, *, level: int = logging.INFO) -> None:
    """Send everything that is logged to a stream, in the form of this module, and nothing elsewhere."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger(_OURS).setLevel(level)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it logs texts of exceptions


class JsonLines(logging.Formatter):
    """Turns a record into a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Keep what is allowed."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, str | int | float] = {"at": at, "level": record.levelname.lower()}
        if record.name == _OURS or record.name.startswith(_OURS + "."):
            line["event"] = _clean(record.msg)
            allowed: dict[str, str | int | float] = getattr(record, "allowed", {})
            line |= {name: _clean(value) for name, value in sorted(allowed.items()) if name in FIELDS}
        else:
            line |= {"event": "foreign", "code": _clean(record.name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["kind"] = record.exc_info[0].__name__
        return json.dumps(line)


def _clean(value: object) -> str | int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return round(value, 4)
    return value if isinstance(value, str) and _WORD.fullmatch(value) else "?"
