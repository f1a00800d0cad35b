"""Is a folder kept in step with a cloud? Such a service copies half-written files and puts old ones back.

A vault there is not less secret, but it can be damaged or rolled back by its own keeper (guide security 3.2,
3.18). The answer comes from the names of the folders above and from the marks the services leave; a service
that leaves none is not found, so no answer promises nothing.

Sources: the default folder names in the services' own manuals (Dropbox, OneDrive, Google Drive, iCloud Drive,
Nextcloud, ownCloud, pCloud, Proton Drive, MEGA, Box, Synology Drive, Syncthing).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_FOLDERS: Final = (
    ("dropbox", "Dropbox"),
    ("onedrive", "OneDrive"),
    ("google drive", "Google Drive"),
    ("googledrive", "Google Drive"),
    ("com~apple~clouddocs", "iCloud Drive"),
    ("mobile documents", "iCloud Drive"),
    ("icloud", "iCloud Drive"),
    ("nextcloud", "Nextcloud"),
    ("owncloud", "ownCloud"),
    ("pcloud", "pCloud"),
    ("proton drive", "Proton Drive"),
    ("protondrive", "Proton Drive"),
    ("megasync", "MEGA"),
    ("box sync", "Box"),
    ("synologydrive", "Synology Drive"),
)
_MARKS: Final = (
    (".dropbox", "Dropbox"),
    (".dropbox.cache", "Dropbox"),
    (".owncloudsync.log", "ownCloud"),
    (".nextcloudsync.log", "Nextcloud"),
    (".stfolder", "Syncthing"),
    (".SynologyWorkingDirectory", "Synology Drive"),
)


def cloud_of(folder: Path) -> str:
    """Name of the service that keeps this folder in step, '' when none shows."""
    whole = folder.absolute()
    for part in whole.parts:
        name = part.casefold()
        for begins, service in _FOLDERS:
            # "OneDrive - Ziekenhuis", "Dropbox (Personal)", "GoogleDrive-name": the service, then a mark
            rest = name.removeprefix(begins)
            if rest != name and not rest[:1].isalpha():
                return service
    for above in (whole, *whole.parents):
        for mark, service in _MARKS:
            if (above / mark).exists():
                return service
    return ""
