"""nginx and Caddy in front of a recipient, each with the file of docs/operations that administrators copy.

In those files ports, addresses to listen at, certificates and paths are replaced, nothing else. Each proxy
runs on loopback, with the rights of the tests, in a folder of its own, with a certificate made for it. nginx
gets the surroundings that Debian gives it, compression included.

Where a program is absent its tests are skipped with that reason; with ``PGO_REQUIRE_PROXY=1`` (continuous
integration) they fail instead.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from sync.transport import InboxTransport
from tests.conftest import PROJECT
from tests.support.certificates import Authority

DOCUMENTED = PROJECT / "docs" / "operations"
NAME = "share.example.org"
SERVICE = "127.0.0.1:8443"
ADDRESSES = {"nginx": "127.0.0.11", "caddy": "127.0.0.12"}
START_SECONDS = 60.0


def require(program: str) -> str:
    """The path of a program; skips, or fails with ``PGO_REQUIRE_PROXY``, where it is not installed."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if found is None and os.environ.get("PGO_REQUIRE_PROXY") == "1":
        pytest.fail(f"{program} is not installed, and PGO_REQUIRE_PROXY is set")
    if found is None:
        pytest.skip(f"{program} is not installed here")
    return found


def free_port(address: str) -> int:
    """A port nobody uses at an address."""
    with socket.socket() as listener:
        listener.bind((address, 0))
        return int(listener.getsockname()[1])


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Replace each text by another; one that is not there means that the documented file has changed."""
    for old, new in changes.items():
        assert old in text, f"the documented file has no {old!r} to replace"
        text = text.replace(old, new)
    return text


@dataclass
class Proxy:
    """One running proxy, and ways to talk to it."""

    kind: str
    folder: Path
    port: int
    plain_port: int
    signer: Authority
    process: subprocess.Popen[bytes]
    opened: list[httpx.Client] = field(default_factory=list)

    @property
    def address(self) -> str:
        return ADDRESSES[self.kind]

    @property
    def host(self) -> str:
        """Name and port, as in a ``Host`` header."""
        return f"{NAME}:{self.port}"

    def browser(
        self, source: str = "127.0.0.1", *, http2: bool = False, headers: Mapping[str, str] | None = None
    ) -> httpx.Client:
        """A browser-like client at an address of its own."""
        line = _NamedLine(self, source, http2=http2)
        client = httpx.Client(
            base_url=f"https://{self.host}", transport=line, headers=headers, trust_env=False, timeout=60
        )
        self.opened.append(client)
        return client

    def transport(self) -> InboxTransport:
        """The transport of the patient's app, told where the name lies and which authority signs here."""
        return InboxTransport(
            https_ports=frozenset({self.port}),
            allow_private=True,
            resolver=lambda _host, _port: (self.address,),
            ssl_context=self.signer.trusting(),
        )

    def connected(self, source: str = "127.0.0.1", *, speaks: str = "http/1.1") -> ssl.SSLSocket:
        """A bare TLS connection."""
        trusting = self.signer.trusting()
        trusting.set_alpn_protocols([speaks])
        plain = socket.create_connection((self.address, self.port), timeout=60, source_address=(source, 0))
        return trusting.wrap_socket(plain, server_hostname=NAME)

    def log_text(self) -> str:
        return (self.folder / "log.txt").read_text("utf-8")


class _NamedLine(httpx.BaseTransport):
    """HTTP from one address, to a proxy found without asking any name server."""

    def __init__(self, proxy: Proxy, source: str, *, http2: bool) -> None:
        self._proxy = proxy
        trusting = proxy.signer.trusting()
        self._line = httpx.HTTPTransport(verify=trusting, trust_env=False, local_address=source, http2=http2)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        there = request.url.copy_with(host=self._proxy.address)
        moved = httpx.Request(
            request.method,
            there,
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": NAME},
        )
        return self._line.handle_request(moved)

    def close(self) -> None:
        self._line.close()


@contextlib.contextmanager
def running_proxy(kind: str, folder: Path, *, port: int, service: int) -> Iterator[Proxy]:
    """Run a proxy until the block ends.

    Args:
        kind: ``nginx`` or ``caddy``.
        folder: where it keeps everything; a fresh one.
        port: where it speaks TLS, at its address in ``ADDRESSES``.
        service: port of the recipient behind it.
    """
    program = require(kind)
    signer = Authority.made()
    certificate = signer.certify(NAME, folder)
    plain_port = free_port(ADDRESSES[kind])
    write = {"nginx": _nginx, "caddy": _caddy}[kind]
    arguments = write(folder, certificate, port=port, plain_port=plain_port, service=service)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [program, *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    proxy = Proxy(kind, folder, port, plain_port, signer, process)
    try:
        _wait(proxy)
        yield proxy
    finally:
        for client in proxy.opened:
            client.close()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(proxy: Proxy) -> None:
    ends = time.monotonic() + START_SECONDS
    while True:
        assert proxy.process.poll() is None, proxy.log_text()
        with contextlib.suppress(OSError), proxy.connected():
            return
        assert time.monotonic() < ends, proxy.log_text()
        time.sleep(0.02)


def _nginx(folder: Path, certificate: Path, *, port: int, plain_port: int, service: int) -> list[str]:
    here = ADDRESSES["nginx"]
    text = replaced(
        (DOCUMENTED / "nginx.conf").read_text("utf-8"),
        {
            "listen [::]:443": f"listen 127.0.0.1:{free_port('127.0.0.1')}",  # not every machine has IPv6
            "listen [::]:80": f"listen 127.0.0.1:{free_port('127.0.0.1')}",
            "listen 443": f"listen {here}:{port}",
            "listen 80": f"listen {here}:{plain_port}",
            f"https://{NAME}": f"https://{NAME}:{port}",
            f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(certificate),
            f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(certificate),
            "/var/log/nginx/recipient.error.log": str(folder / "error.log"),
            "/var/www/certbot": str(folder),
            SERVICE: f"127.0.0.1:{service}",
        },
    )
    (folder / "recipient.conf").write_text(text, "utf-8")
    kept = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    for name in kept:
        (folder / name).mkdir()
    temporary = "\n".join(f"    {name}_temp_path {folder / name} 1 2;" for name in kept)
    # The rest is what Debian's own /etc/nginx/nginx.conf says around the files in conf.d.
    surroundings = f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
pid {folder / "nginx.pid"};
error_log {folder / "log.txt"};
events {{ worker_connections 768; }}
http {{
    sendfile on;
    tcp_nopush on;
    types_hash_max_size 2048;
    default_type application/octet-stream;
    access_log {folder / "access.log"};
    gzip on;
    gzip_types text/plain text/css application/json;
{temporary}
    include {folder / "recipient.conf"};
}}
"""
    (folder / "nginx.conf").write_text(surroundings, "utf-8")
    return ["-e", str(folder / "log.txt"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, certificate: Path, *, port: int, plain_port: int, service: int) -> list[str]:
    text = replaced(
        (DOCUMENTED / "Caddyfile").read_text("utf-8"),
        {
            "http_port 80": f"http_port {plain_port}\n\tdefault_bind {ADDRESSES['caddy']}",
            "https_port 443": f"https_port {port}",
            "tls admin@example.org": f"tls {certificate} {certificate}",
            SERVICE: f"127.0.0.1:{service}",
        },
    )
    (folder / "Caddyfile").write_text(text, "utf-8")
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
