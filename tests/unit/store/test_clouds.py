"""A folder that a cloud service keeps in step is known by its name or by what the service leaves there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pgo.store.clouds import cloud_of


@pytest.mark.parametrize(
    ("folder", "service"),
    [
        ("/home/a/Dropbox/pgo", "Dropbox"),
        ("/home/a/Dropbox (Personal)/pgo", "Dropbox"),
        ("/Users/a/Library/CloudStorage/OneDrive-Personal/pgo", "OneDrive"),
        ("/Users/a/Library/CloudStorage/GoogleDrive-a@example.org/My Drive", "Google Drive"),
        ("/Users/a/Library/Mobile Documents/com~apple~CloudDocs/pgo", "iCloud Drive"),
        ("/home/a/Nextcloud/pgo", "Nextcloud"),
        ("/home/a/.local/share/pgo/vaults", ""),
        ("/home/a/Dropboxes/pgo", ""),
        ("/home/icloudy/pgo", ""),
    ],
)
def test_by_name(folder: str, service: str) -> None:
    assert cloud_of(Path(folder)) == service


@pytest.mark.parametrize(
    ("mark", "service"), [(".stfolder", "Syncthing"), (".nextcloudsync.log", "Nextcloud")]
)
def test_by_what_the_service_leaves(tmp_path: Path, mark: str, service: str) -> None:
    (tmp_path / "mine" / "vaults").mkdir(parents=True)
    assert cloud_of(tmp_path / "mine" / "vaults") == ""
    (tmp_path / "mine" / mark).touch()
    assert cloud_of(tmp_path / "mine" / "vaults") == service
