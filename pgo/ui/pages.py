"""What every response of the local web server carries: headers, and our script in Flet's start page.

Rules:

1. A strict Content-Security-Policy: nothing is loaded from, or sent to, anywhere but this origin. Flet
   1.0.5 asks a CDN for ``rive_native.js`` even with ``no_cdn=True``; the policy stops that before any
   network traffic.
2. No response may be kept by the browser, except the engine's own public files.
3. The script in the start page (a) switches on the accessibility tree for everybody, (b) empties the page
   when the program is gone or the session has ended, because Flet would leave the last screen in the
   document for ever, (c) tells the program that somebody is there, so that it locks when nobody is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from pgo.ui.gate import ALIVE_PATH, AWAKE_PATH, GONE_PATH

Header = tuple[bytes, bytes]
WS_ENDED: Final = 4001  # RFC 6455, 7.4.2: 4000 to 4999 are for private use

STATIC_HEADERS: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    ),
)
_REPLACED: Final = frozenset(
    {b"access-control-allow-origin", b"server", b"cache-control"} | {name for name, _ in STATIC_HEADERS}
)
# Flutter's engine: public code, the same for everybody. Nothing else is ever cached.
_ENGINE: Final = re.compile(r"/(canvaskit/.*|main\.dart\.(wasm|js|mjs)|flutter(_bootstrap)?\.js|[^/]+\.otf)$")


def policy(authority: str, nonce: str) -> str:
    """Return the Content-Security-Policy of one response.

    ``wasm-unsafe-eval`` is what Flutter's renderers need (not ``unsafe-eval``); Flutter sets inline styles
    on its elements; workers start from ``blob:``.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' 'nonce-{nonce}'",
            "worker-src 'self' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            f"connect-src 'self' ws://{authority}",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def response_headers(given: list[Header], *, path: str, authority: str, nonce: str) -> list[Header]:
    """Return the headers of a response: Flet's own, cleaned, and ours."""
    kept = [(k, v) for k, v in given if k.lower() not in _REPLACED]
    keep = b"private, max-age=86400" if _ENGINE.search(path) else b"no-store"
    return [
        *kept,
        *STATIC_HEADERS,
        (b"content-security-policy", policy(authority, nonce).encode()),
        (b"cache-control", keep),
    ]


_SCRIPT: Final = """
(() => {
  const words = __WORDS__;
  addEventListener('flutter-first-frame', () => {
    document.querySelector('flt-semantics-placeholder')?.click();
    document.querySelector('flutter-view')?.setAttribute('role', 'main');
  }, { once: true });
  let gone = false;
  const empty = () => {
    gone = true;
    const box = document.createElement('p');
    box.textContent = words[(document.documentElement.lang || 'nl').slice(0, 2)] || words.nl;
    box.style = 'font: 1.25rem/1.5 sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem';
    document.body.replaceChildren(box);
    for (const node of [...document.documentElement.children])
      if (node !== document.body && node !== document.head) node.remove();
    sessionStorage.clear();
  };
  const look = async () => {
    if (gone) return;
    try { if (!(await fetch('__ALIVE__', { cache: 'no-store' })).ok) empty(); } catch { empty(); }
  };
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener('close', (event) => {
        // Another window took over: leave the page altogether, so that nothing of it reconnects.
        if (event.code === __ENDED__) { empty(); location.replace('__GONE__'); }
        else setTimeout(look, 700);
      });
    }
  };
  let told = 0;
  const awake = (event) => {
    if (!event.isTrusted || gone || Date.now() - told < 10000) return;
    told = Date.now();
    fetch('__AWAKE__', { method: 'POST', cache: 'no-store' }).catch(() => {});
  };
  for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'click', 'input'])
    addEventListener(name, awake, { capture: true, passive: true });
})();
"""


def start_page(body: bytes, *, nonce: str, lang: str, words: Mapping[str, str]) -> bytes:
    """Put our script into Flet's start page and the nonce on its inline scripts.

    Args:
        body: The page as Flet made it.
        nonce: Of this response's policy.
        lang: Language of the document until Flutter sets it.
        words: Language to the sentence shown when the program is gone.
    """
    # "<" could end the script element from inside a string.
    safe_words = json.dumps(dict(words)).replace("<", "\\u003c")
    script = _SCRIPT.replace("__WORDS__", safe_words)
    script = script.replace("__ENDED__", str(WS_ENDED)).replace("__GONE__", GONE_PATH[1:])
    script = script.replace("__ALIVE__", ALIVE_PATH[1:]).replace("__AWAKE__", AWAKE_PATH[1:])
    tag = f'<script nonce="{nonce}">'.encode()
    body = body.replace(b"<script>", tag)
    body = body.replace(b"<html>", f'<html lang="{lang}">'.encode(), 1)
    return body.replace(b"</head>", tag + script.encode() + b"</script></head>", 1)
