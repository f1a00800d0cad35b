"""Check 40, packages: one changed digit refuses the install; the bill of materials is complete."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import PROJECT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-postgres.lock")


def packages(lock: str) -> list[tuple[str, str, int]]:
    """Name, version and number of hashes of every package a lock names, sorted."""
    found = []
    for block in re.split(r"\n(?=[a-z0-9])", (PROJECT / lock).read_text("utf-8")):
        named = re.match(r"([a-z0-9][a-z0-9._-]*)(?:\[[a-z,]+\])?==([^\s;\\]+)", block)
        if named is not None:
            found.append((named.group(1), named.group(2), block.count("--hash=sha256:")))
    return sorted(found)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    text = (PROJECT / lock).read_text("utf-8")
    found = packages(lock)
    assert len(found) == len(re.findall(r"^[a-z0-9][^\n]*==", text, re.MULTILINE)) > 20
    assert [name for name, _, hashes in found if hashes == 0] == []


def a_wheel(folder: Path) -> Path:
    """The smallest wheel there is, made here."""
    path = folder / "lockprobe-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("lockprobe.py", "")
        wheel.writestr(
            "lockprobe-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lockprobe\nVersion: 1.0\n"
        )
        wheel.writestr(
            "lockprobe-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("lockprobe-1.0.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize("changed", [False, True])
def test_one_changed_digit_of_a_hash_refuses_the_install(tmp_path: Path, changed: bool) -> None:
    digest = hashlib.sha256(a_wheel(tmp_path).read_bytes()).hexdigest()
    if changed:
        digest = ("0" if digest[0] != "0" else "1") + digest[1:]
    lock = tmp_path / "one.lock"
    lock.write_text(f"lockprobe==1.0 \\\n    --hash=sha256:{digest}\n", "utf-8")
    flags = ("--require-hashes", "--only-binary", ":all:")  # as tools/dev.py and docs/operations.md say
    line = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *flags),
        *("--no-index", "--find-links", str(tmp_path), "--target", str(tmp_path / "to"), "-r", str(lock)),
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert (done.returncode != 0) is changed, done.stderr
    assert (tmp_path / "to" / "lockprobe.py").exists() is not changed
    assert ("DO NOT MATCH THE HASHES" in done.stderr) is changed


def test_the_installer_and_the_docs_ask_for_hashes() -> None:
    for path in ("tools/dev.py", "docs/operations.md"):
        assert "--require-hashes" in (PROJECT / path).read_text("utf-8")


def test_the_bill_of_materials_lists_every_package_of_the_lock(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    line = [
        *(sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", "requirements.lock"),
        *("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", str(target)),
    ]
    subprocess.run(line, check=True, capture_output=True, cwd=PROJECT, timeout=120)
    components = json.loads(target.read_text("utf-8"))["components"]
    listed = sorted((one["name"], one["version"], _hashes(one)) for one in components)
    assert listed == packages("requirements.lock")


def _hashes(component: dict[str, list[dict[str, list[object]]]]) -> int:
    return sum(len(reference.get("hashes", [])) for reference in component["externalReferences"])
