"""The page to find a patient in an emergency: name, date of birth and what happened, before anybody is shown.

Promises: the form is the same for everybody who is logged in, whoever shares for emergencies; what is typed
stands in no address.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from recipient.emergency import MAX_NAME_CHARACTERS, parse_sought
from recipient.errors import Refused, Throttled
from recipient.portal.people import PatientRow, patient_row
from recipient.portal.text import t
from recipient.portal.web import Handler, Office, Visit, render
from recipient.treating import MAX_NOTE_CHARACTERS, REASON_HOLDS

_PROBLEMS = {"bad_search": "emergency.bad_search", "bad_reason": "emergency.bad_reason"}


def ask_emergency(office: Office, visit: Visit) -> Response:
    """Show the form."""
    visit.member()
    return _page(office, visit, rows=None)


def find_in_emergency(office: Office, visit: Visit) -> Response:
    """Show who fits; the patient reads that it was asked, by whom and why."""
    account, _ = visit.member()
    form = visit.form
    try:
        sought = parse_sought(form.get("name", ""), form.get("born", ""), form.get("note", ""))
    except Refused as exc:
        return _page(office, visit, rows=None, problem=t(visit.lang, _PROBLEMS[exc.code]), status=400)
    try:
        found = office.emergency.find(account, sought, at=visit.at)
    except Throttled as exc:
        wait = exc.retry_after_seconds
        page = _page(office, visit, rows=None, problem=t(visit.lang, "login.wait", n=wait), status=exc.status)
        page.headers["retry-after"] = str(wait)
        return page
    return _page(office, visit, rows=[patient_row(one, lang=visit.lang, at=visit.at) for one in found])


def _page(
    office: Office, visit: Visit, *, rows: Sequence[PatientRow] | None, problem: str = "", status: int = 200
) -> Response:
    return render(
        office,
        visit,
        "emergency.html",
        status=status,
        rows=rows,
        problem=problem,
        name=visit.form.get("name", "")[:MAX_NAME_CHARACTERS],
        born=visit.form.get("born", "")[:10],
        note=visit.form.get("note", "")[:MAX_NOTE_CHARACTERS],
        name_length=MAX_NAME_CHARACTERS,
        note_length=MAX_NOTE_CHARACTERS,
        hours=int(REASON_HOLDS.total_seconds() // 3600),
    )


EMERGENCY_ROUTES: tuple[tuple[str, Handler, str], ...] = (
    ("/emergency", ask_emergency, "GET"),
    ("/emergency", find_in_emergency, "POST"),
)
