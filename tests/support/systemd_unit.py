"""The systemd unit of docs/operations: its command line, and which system calls it leaves to the service.

The named sets of system calls are those of the systemd that is installed (`systemd-analyze syscall-filter`).

Source: https://www.freedesktop.org/software/systemd/man/252/systemd.exec.html (SystemCallFilter=).
"""

from __future__ import annotations

import re
import shlex
import subprocess

from tests.support.proxies import DOCUMENTED, replaced, require

UNIT = DOCUMENTED / "recipient.service"
# "implicitly permitted ... without being in the list", as the manual says of an allow-list
_IMPLICIT = {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}


def setting(name: str) -> list[str]:
    """Every value of a setting, in the order of the file."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


def options_of_the_unit(port: int, metrics: int) -> list[str]:
    """What the unit's command line says after `serve --data FOLDER`, at other ports."""
    (line,) = setting("ExecStart")
    found = re.fullmatch(r"\S+/recipient serve --data \S+ (.*)", line)
    assert found is not None
    return shlex.split(replaced(found.group(1), {"--port 8443": f"--port {port}", "9443": str(metrics)}))


def permitted_calls() -> set[str]:
    """Every system call that the unit's filter leaves."""
    sets = _named_sets()
    permitted = set(_IMPLICIT)
    for value in setting("SystemCallFilter"):
        if value.startswith("~"):
            permitted -= _calls(sets, value[1:])
        else:
            permitted |= _calls(sets, value)
    return permitted


def _calls(sets: dict[str, set[str]], name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return {call for member in sets[name] for call in _calls(sets, member)}


def _named_sets() -> dict[str, set[str]]:
    command = [require("systemd-analyze"), "syscall-filter", "--no-pager"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    sets: dict[str, set[str]] = {}
    name = ""
    for line in said.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = set()
        elif line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].add(line.strip())
    return sets
