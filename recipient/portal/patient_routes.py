"""The pages that show what patients share, one function each; each asks ``recipient.reading`` for it.

Promises: every page needs a member; addresses hold opaque handles only, never a name, date or code;
searching is a POST for the same reason.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from recipient.portal import pages
from recipient.portal.details import record_page
from recipient.portal.web import Handler, Office, Visit, render

TIMELINE_PAGE = 60
TIMELINE_SHORT = 12


def show_patients(office: Office, visit: Visit) -> Response:
    """Show everybody who shares."""
    return _patients(office, visit, query="")


def find_patients(office: Office, visit: Visit) -> Response:
    """Show those whose name or date of birth fits what was typed."""
    return _patients(office, visit, query=visit.form.get("q", "").strip()[:80])


def _patients(office: Office, visit: Visit, *, query: str) -> Response:
    account, session = visit.member()
    sharing = office.reader.list_patients(account, already_listed=session.listed, at=visit.at)
    rows = [pages.patient_row(patient, lang=visit.lang, at=visit.at) for patient in sharing]
    rows.sort(key=lambda row: row.sort_key)
    found = [row for row in rows if pages.fits(row, query)]
    return render(office, visit, "patients.html", rows=found, total=len(rows), query=query)


def show_patient(office: Office, visit: Visit) -> Response:
    """Show one patient's shared record."""
    account, _ = visit.member()
    look = office.reader.open_record(account, visit.path["handle"], at=visit.at)
    page = pages.patient_page(look, lang=visit.lang, at=visit.at, timeline_length=TIMELINE_SHORT)
    return render(office, visit, "patient.html", href=_href(visit), **page)


def show_timeline(office: Office, visit: Visit) -> Response:
    """Show what is shared in order of time, one kind or all, in pages."""
    account, _ = visit.member()
    start = visit.query.get("from", "0")
    first = int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
    look = office.reader.open_timeline(account, visit.path["handle"], at=visit.at)
    page = pages.timeline_page(
        look,
        lang=visit.lang,
        at=visit.at,
        kind=visit.query.get("kind", ""),
        first=first,
        length=TIMELINE_PAGE,
    )
    return render(office, visit, "timeline.html", href=_href(visit), **page)


def show_trend(office: Office, visit: Visit) -> Response:
    """Show one measurement over time, as chart and table."""
    account, _ = visit.member()
    look, series = office.reader.open_trend(account, visit.path["handle"], visit.path["key"], at=visit.at)
    page = pages.trend_page(look, series, lang=visit.lang, at=visit.at)
    return render(office, visit, "trend.html", href=_href(visit), **page)


def show_record(office: Office, visit: Visit) -> Response:
    """Show one record with all its details and as it was received."""
    account, _ = visit.member()
    look, item = office.reader.open_item(account, visit.path["handle"], int(visit.path["id"]), at=visit.at)
    page = record_page(look, item, lang=visit.lang, at=visit.at)
    return render(office, visit, "record.html", href=_href(visit), **page)


def _href(visit: Visit) -> str:
    return f"/portal/patient/{visit.path['handle']}"


PATIENT_ROUTES: Final[tuple[tuple[str, Handler, str], ...]] = (
    ("", show_patients, "GET"),
    ("", find_patients, "POST"),
    ("/patient/{handle}", show_patient, "GET"),
    ("/patient/{handle}/timeline", show_timeline, "GET"),
    ("/patient/{handle}/trend/{key}", show_trend, "GET"),
    ("/patient/{handle}/record/{id:int}", show_record, "GET"),
)
"""Path under ``/portal``, what answers it, and by which method."""
