"""What the process does to keep its memory to itself, asked of the operating system."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import PROJECT

ASK = """
import ctypes, json, os, resource
from pgo.bootstrap import harden_process
harden_process()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), dumpable, os.umask(0)]))
"""
PR_GET_DUMPABLE_NO = 0


@pytest.mark.skipif(sys.platform != "linux", reason="these limits are those of Linux")
def test_no_core_file_no_reading_by_others_and_private_files() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [[0, 0], PR_GET_DUMPABLE_NO, 0o077]
