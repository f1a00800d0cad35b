"""Set up and run the project on any machine that has Python 3.11 or newer.

Uses the standard library only, because it runs before anything is installed. It makes one
virtual environment (`.venv`), installs exactly what the hash-locked file names, and remembers
the lock file's hash so that a second start installs nothing.

    python3 tools/dev.py demo         the clinic, the app, in your browser
    python3 tools/dev.py test         the whole test suite
    python3 tools/dev.py test-night   two million new random cases, every fault (hours)
    python3 tools/dev.py cover        every branch of the consent engine is tested (a minute)
    python3 tools/dev.py check        formatting, types, architecture, texts
    python3 tools/dev.py bench        the benchmarks, with their goals
    python3 tools/dev.py sbom         list every package of the lock as CycloneDX (ARGS=FILE)
    python3 tools/dev.py lock         resolve the dependencies again (maintainers)
    python3 tools/dev.py demo-clean   remove what the demo wrote
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
POSTGRES_LOCK = ROOT / "requirements-postgres.lock"
DEMO_DATA = ROOT / "demo-data"


def run(*command: str | Path, **env: str) -> int:
    """Run a command in the project folder and hand back its exit status."""
    return subprocess.call([str(part) for part in command], cwd=ROOT, env={**os.environ, **env})


def must(*command: str | Path) -> None:
    """Run a command that has to succeed."""
    status = run(*command)
    if status:
        raise SystemExit(status)


def ensure_environment(lock: Path) -> None:
    """Create `.venv` and install what `lock` names, unless that was done before."""
    if sys.version_info < (3, 11):  # noqa: UP036 (this file runs on whatever Python is there)
        raise SystemExit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    stamp = VENV / f"{lock.stem}.installed"
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        make_environment()
    print(f"Installing what {lock.name} names (once) ...", flush=True)
    pip = (PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    must(*pip, "--require-hashes", "--only-binary", ":all:", "--requirement", lock)
    must(*pip, "--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT)
    stamp.write_text(wanted)


def make_environment() -> None:
    """Create the virtual environment, and say what is missing where that cannot be done."""
    print("Creating .venv ...", flush=True)
    if run(sys.executable, "-m", "venv", VENV):
        shutil.rmtree(VENV, ignore_errors=True)
        raise SystemExit(
            "Python could not create a virtual environment.\n"
            "On Debian or Ubuntu, install the missing part with: sudo apt install python3-venv"
        )


def demo(extra: list[str]) -> int:
    """Start the demo clinic and the patient's app."""
    ensure_environment(RUNTIME_LOCK)
    return run(PYTHON, "-m", "pgo", "demo", "--data", DEMO_DATA, *extra)


def demo_clean(_extra: list[str]) -> int:
    """Remove everything the demo wrote."""
    if DEMO_DATA.is_dir():
        shutil.rmtree(DEMO_DATA)
        print(f"Removed {DEMO_DATA}")
    return 0


def test(extra: list[str]) -> int:
    """Run the whole test suite, or what is named.

    The whole of it goes in two parts: spread over two processes what needs no browser, then what does, one
    test at a time, because a browser waits for nobody. Files start in the order of their folders, and the
    long ones (e2e, fault, generative) come before the many short ones, which fill what is left at the end.
    """
    ensure_environment(DEV_LOCK)
    if extra:
        return run(PYTHON, "-m", "pytest", *extra)
    spread = ("--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder")
    plain = run(PYTHON, "-m", "pytest", "-m", "not ui", *spread)
    browser = run(PYTHON, "-m", "pytest", "-m", "ui")
    return plain or browser


def test_night(extra: list[str]) -> int:
    """Run the random tests with fresh seeds and twenty times as many cases, and every fault there is."""
    ensure_environment(DEV_LOCK)
    chosen = ("--hypothesis-profile=night", "--timeout=7200", "tests/generative", "tests/fault", *extra)
    return run(PYTHON, "-m", "pytest", *chosen)


def cover(extra: list[str]) -> int:
    """Run the quick tests of the consent engine and ask that they walk every branch of it."""
    ensure_environment(DEV_LOCK)
    tests = ("tests/unit/consent", "tests/spec", "-m", "not data")
    wanted = (
        "--cov=consent",
        "--cov-branch",
        "--cov-fail-under=100",
        "--cov-report=term-missing:skip-covered",
    )
    return run(PYTHON, "-m", "pytest", *tests, *wanted, *extra)


def check(_extra: list[str]) -> int:
    """Run every check that needs no test run; report all, not just the first."""
    ensure_environment(DEV_LOCK)
    commands: tuple[tuple[str | Path, ...], ...] = (
        (PYTHON, "-m", "ruff", "format", "--check", "--quiet", "."),
        (PYTHON, "-m", "ruff", "check", "--quiet", "."),
        (BIN / "lint-imports",),
        (PYTHON, "tools/check_locale.py"),
        (PYTHON, "-m", "mypy"),
    )
    failed = [command for command in commands if run(*command)]
    for command in failed:
        print("failed:", " ".join(str(part) for part in command[-3:]), file=sys.stderr)
    return 1 if failed else 0


def bench(extra: list[str]) -> int:
    """Run the benchmarks and print their tables."""
    ensure_environment(DEV_LOCK)
    return run(PYTHON, "-m", "benchmarks", *extra)


def lock(_extra: list[str]) -> int:
    """Resolve the dependencies again for every platform and Python we support."""
    common = (
        "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-emit-index-url", "--no-annotate", "--custom-compile-command", "make lock", "--quiet",
    )  # fmt: skip
    must("uv", *common, "--group", "install", "--output-file", RUNTIME_LOCK)
    must("uv", *common, "--group", "install", "--extra", "postgres", "--output-file", POSTGRES_LOCK)
    must("uv", *common, "--group", "dev", "--output-file", DEV_LOCK)
    return 0


def sbom(extra: list[str]) -> int:
    """Write the software bill of materials: every package of the lock, with its hashes."""
    ensure_environment(DEV_LOCK)
    target = extra[0] if extra else "sbom.cdx.json"
    return run(
        PYTHON, "-W", "ignore", "-m", "cyclonedx_py", "requirements", RUNTIME_LOCK,
        "--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "--output-file", target,
    )  # fmt: skip


TASKS = {
    "demo": demo,
    "demo-clean": demo_clean,
    "test": test,
    "test-night": test_night,
    "cover": cover,
    "check": check,
    "bench": bench,
    "sbom": sbom,
    "lock": lock,
}


def main() -> int:
    """Run one task; what follows its name goes to the program it starts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("task", choices=sorted(TASKS))
    arguments, extra = parser.parse_known_args()
    try:
        return TASKS[arguments.task](extra)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
