"""The page that asks somebody who does not treat a patient for a reason, before anything is shown.

Promises: it names no patient and shows no data; the reasons on it are those that would open something; the
address to go on to is made here, never taken from the request.
"""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from recipient.errors import Refused
from recipient.portal.text import t
from recipient.portal.web import Handler, Office, Visit, render
from recipient.treating import MAX_NOTE_CHARACTERS, REASON_HOLDS, Reason, parse_reason


def ask_reason(office: Office, visit: Visit) -> Response:
    """Show the form."""
    visit.member()
    return _form(office, visit, problem="", status=200)


def take_reason(office: Office, visit: Visit) -> Response:
    """Take the reason, which the patient will read, and go on to the patient's page."""
    account, _ = visit.member()
    handle = visit.path["handle"]
    try:
        reason, note = parse_reason(visit.form.get("reason", ""), visit.form.get("note", ""))
        office.reader.glass.give(account, handle, reason, note, at=visit.at)
    except Refused:
        return _form(office, visit, problem=t(visit.lang, "reason.bad"), status=400)
    return RedirectResponse(f"/portal/patient/{handle}", status_code=303)


def end_treating(office: Office, visit: Visit) -> Response:
    """Take "I treat this patient" back."""
    account, _ = visit.member()
    office.reader.glass.end(account, visit.path["handle"], at=visit.at)
    return RedirectResponse("/portal", status_code=303)


def _form(office: Office, visit: Visit, *, problem: str, status: int) -> Response:
    handle = visit.path["handle"]
    offered = office.reader.glass.offered(handle, at=visit.at)
    chosen = visit.form.get("reason", "")
    return render(
        office,
        visit,
        "reason.html",
        status=status,
        action=f"/portal/patient/{handle}/reason",
        reasons=[_choice(visit, reason, chosen=reason == chosen) for reason in offered],
        note=visit.form.get("note", "")[:MAX_NOTE_CHARACTERS],
        note_length=MAX_NOTE_CHARACTERS,
        hours=int(REASON_HOLDS.total_seconds() // 3600),
        problem=problem,
    )


def _choice(visit: Visit, reason: Reason, *, chosen: bool) -> dict[str, object]:
    return {
        "code": str(reason),
        "words": t(visit.lang, f"reason.{reason}"),
        "hint": t(visit.lang, f"reason.{reason}_hint"),
        "urgent": reason is Reason.EMERGENCY,
        "chosen": chosen,
    }


REASON_ROUTES: tuple[tuple[str, Handler, str], ...] = (
    ("/patient/{handle}/reason", ask_reason, "GET"),
    ("/patient/{handle}/reason", take_reason, "POST"),
    ("/patient/{handle}/not-treating", end_treating, "POST"),
)
