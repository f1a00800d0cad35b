"""The pages that show what patients share, one function each; each asks ``recipient.reading`` for it.

Promises: every page needs a member; addresses hold opaque handles only, never a name, date or code;
searching is a POST for the same reason; a file leaves as a download only, under a policy of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from recipient import audit
from recipient.look import Look
from recipient.portal import people
from recipient.portal.details import record_page
from recipient.portal.files import DOWNLOAD_POLICY, take
from recipient.portal.overview import overview_page
from recipient.portal.printing import print_page
from recipient.portal.timeline import Filter, timeline_page
from recipient.portal.trend import trend_page
from recipient.portal.view import View
from recipient.portal.web import Handler, Office, Visit, render

TIMELINE_PAGE = 60


def show_patients(office: Office, visit: Visit) -> Response:
    """Show everybody who shares, a page at a time."""
    return _patients(office, visit, visit.query)


def find_patients(office: Office, visit: Visit) -> Response:
    """Show those whose name or date of birth fits what was typed."""
    return _patients(office, visit, visit.form)


def _patients(office: Office, visit: Visit, said: Mapping[str, str]) -> Response:
    account, session = visit.member()
    wish = people.parse_wish(said)
    found = office.reader.list_patients(
        account, wish, already_listed=office.sessions.shown_names(session), at=visit.at
    )
    page = people.list_page(found, wish, lang=visit.lang, at=visit.at)
    fingerprint = office.identity.signing.public.fingerprint()
    return render(office, visit, "patients.html", fingerprint=fingerprint, **page)


def show_patient(office: Office, visit: Visit) -> Response:
    """Show one patient's shared record."""
    account, _ = visit.member()
    look = office.reader.open_record(account, visit.path["handle"], at=visit.at)
    treats = office.reader.glass.treats(account, visit.path["handle"], at=visit.at)
    return _page(office, visit, "patient.html", overview_page(_view(visit, look)) | {"treats": treats})


def show_timeline(office: Office, visit: Visit) -> Response:
    """Show what is shared in order of time, filtered, in pages."""
    account, _ = visit.member()
    look = office.reader.open_timeline(account, visit.path["handle"], at=visit.at)
    page = timeline_page(_view(visit, look), Filter.parse(visit.query), length=TIMELINE_PAGE)
    return _page(office, visit, "timeline.html", page)


def show_trend(office: Office, visit: Visit) -> Response:
    """Show one measurement over time, as chart and table."""
    account, _ = visit.member()
    look, series = office.reader.open_trend(account, visit.path["handle"], visit.path["key"], at=visit.at)
    return _page(office, visit, "trend.html", trend_page(_view(visit, look), series))


def show_record(office: Office, visit: Visit) -> Response:
    """Show one record with all its details and as it was received."""
    account, _ = visit.member()
    look, item = office.reader.open_item(account, visit.path["handle"], int(visit.path["id"]), at=visit.at)
    return _page(office, visit, "record.html", record_page(_view(visit, look), item))


def give_file(office: Office, visit: Visit) -> Response:
    """Hand out a file of a record for saving."""
    account, _ = visit.member()
    record_id, number = int(visit.path["id"]), int(visit.path["number"])
    taken = office.reader.choose(
        account,
        visit.path["handle"],
        action=audit.DOCUMENT,
        choose=lambda look: take(look, record_id, number),
        at=visit.at,
    )
    found = taken.file
    headers = {
        "content-disposition": f'attachment; filename="{found.name}"',
        "content-security-policy": DOWNLOAD_POLICY,
        "cross-origin-resource-policy": "same-origin",
    }
    return Response(found.data, media_type=found.media_type, headers=headers)


def show_print(office: Office, visit: Visit) -> Response:
    """Show the whole record laid out for paper."""
    account, _ = visit.member()
    look = office.reader.open_print(account, visit.path["handle"], at=visit.at)
    page = print_page(_view(visit, look), place=office.identity.name, account=account)
    return _page(office, visit, "print.html", page)


def _view(visit: Visit, look: Look) -> View:
    return View(look, visit.lang, visit.at)


def _page(office: Office, visit: Visit, template: str, page: dict[str, Any]) -> Response:
    return render(office, visit, template, href=f"/portal/patient/{visit.path['handle']}", **page)


PATIENT_ROUTES: Final[tuple[tuple[str, Handler, str], ...]] = (
    ("", show_patients, "GET"),
    ("", find_patients, "POST"),
    ("/patient/{handle}", show_patient, "GET"),
    ("/patient/{handle}/timeline", show_timeline, "GET"),
    ("/patient/{handle}/trend/{key}", show_trend, "GET"),
    ("/patient/{handle}/record/{id:int}", show_record, "GET"),
    ("/patient/{handle}/record/{id:int}/file/{number:int}", give_file, "GET"),
    ("/patient/{handle}/print", show_print, "GET"),
)
"""Path under ``/portal``, what answers it, and by which method."""
