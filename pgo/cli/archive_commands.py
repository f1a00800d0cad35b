"""``pgo archive verify``: what a stranger can know about an export archive, without the vault."""

from __future__ import annotations

import argparse

from pgo.cli.terminal import DAMAGED, DONE, say, say_json
from pgo.ui.journal_words import finding_sentence
from pgo.ui.text import has, t
from pgo.usecases.archive_verify import ArchiveCheck, LookedCheck, verify_archive
from pgo.usecases.export_read import MAX_TOTAL_BYTES

_LANGUAGE = "en"


def verify(options: argparse.Namespace) -> int:
    """Check files, journal, decisions, and who looked."""
    with options.file.open("rb") as stream:
        checked = verify_archive(stream.read(MAX_TOTAL_BYTES + 1))
    if options.json:
        say_json(_as_json(checked))
    else:
        for sentence in _sentences(checked):
            say(sentence)
    return DONE if checked.whole else DAMAGED


def _sentences(checked: ArchiveCheck) -> list[str]:
    journal = checked.journal
    told = [f"All {checked.members} files are as the list in the archive says."]
    told += [f"Journal: {finding_sentence(_LANGUAGE, one)}" for one in journal.findings]
    if not journal.findings:
        told.append(f"The journal is whole: {journal.count} lines.")
    told.append(f"Signed by {journal.fingerprint}")
    if checked.decisions_fault:
        told.append(f"The signed decisions do not hold ({checked.decisions_fault}).")
    elif checked.decisions:
        told.append(f"The decisions are whole: {checked.decisions}, signed by the same key.")
    return told + [sentence for one in checked.looked for sentence in _looked(one)]


def _looked(one: LookedCheck) -> list[str]:
    """What holds of one recipient's list, and what was wrong with the recipient's last answer."""
    told = f"Who looked at {one.recipient}: {one.looks} looks, "
    if one.fault:
        told += f"but the list does not hold ({one.fault})."
    elif one.signed_at is None:
        told += "in one piece, without a signed end."
    else:
        told += f"as signed there at {one.signed_at:%Y-%m-%d %H:%M:%SZ} by {one.fingerprint}"
    if not one.problem:
        return [told]
    key = f"looked.doubt.{one.problem}"
    doubt = t(_LANGUAGE, key, name=one.recipient) if has(_LANGUAGE, key) else one.problem
    return [told, f"Its newest answer when the archive was made was not taken over: {doubt}"]


def _as_json(checked: ArchiveCheck) -> dict[str, object]:
    return {
        "ok": checked.whole,
        "files": checked.members,
        "journal": {
            "lines": checked.journal.count,
            "fingerprint": checked.journal.fingerprint,
            "findings": [one.fault.value for one in checked.journal.findings],
        },
        "decisions": {"count": checked.decisions, "fault": checked.decisions_fault},
        "looked": [
            {
                "recipient": one.recipient,
                "looks": one.looks,
                "signed_at": None if one.signed_at is None else one.signed_at.isoformat(),
                "fingerprint": one.fingerprint,
                "problem": one.problem,
                "fault": one.fault,
            }
            for one in checked.looked
        ],
    }
