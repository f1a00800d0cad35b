"""Mark-up that tries to run, fetch, navigate, dress up or turn text around; in our own wording.

``MARKUP`` holds 21 vectors, one for each known way (security.md, check 38); ``STRINGS`` are texts for places
where no mark-up is expected. Each vector calls ``alert`` with its number or asks ``http://127.0.0.1:9`` for
something, so that a browser in which it works opens a dialog or sends a request.

Sources of the classes: OWASP XSS Filter Evasion Cheat Sheet; https://hl7.org/fhir/R4/security.html#narrative;
HTML Living Standard (elements that fetch).
"""

from __future__ import annotations

from typing import Final

_AWAY: Final = "http://127.0.0.1:9"

MARKUP: Final[tuple[str, ...]] = (
    "<script>alert(1)</script>",
    f"<img src='{_AWAY}/2' onerror='alert(2)'>",
    "<svg onload='alert(3)'><script>alert(3)</script></svg>",
    "<a href='javascript:alert(4)' autofocus onfocus='alert(4)'>klik</a>",
    "<iframe srcdoc='&lt;script&gt;parent.alert(5)&lt;/script&gt;'></iframe>",
    f"<link rel='stylesheet' href='{_AWAY}/6.css'>",
    f"<style>@import '{_AWAY}/7.css'; body{{background:url({_AWAY}/7.png)}}</style>",
    f"<p style=\"background-image:url('{_AWAY}/8.png');position:fixed;inset:0\">Over alles heen</p>",
    f"<meta http-equiv='refresh' content='0;url={_AWAY}/9'>",
    f"<base href='{_AWAY}/'><img src='10.png'>",
    f"<form action='{_AWAY}/11'><input name='q' autofocus onfocus='alert(11)'><button>Ga</button></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(12)></style>",
    '<noscript><p title="</noscript><img src=x onerror=alert(13)>"></p></noscript>',
    "<details open ontoggle='alert(14)'><summary>meer</summary></details>",
    f"<video autoplay src='{_AWAY}/15.mp4' onloadstart='alert(15)'></video><audio src='{_AWAY}/15'>",
    f"<object data='{_AWAY}/16.swf'></object><embed src='{_AWAY}/16.pdf'>",
    "<div id='main' class='bar' name='token'>Een kopie van onze kop</div>",
    "<scr<script>ipt>alert(18)</scr</script>ipt>",
    "<!--><img src=x onerror=alert(19)>--><![CDATA[<script>alert(19)</script>]]>",
    "<textarea></textarea><xmp><img src=x onerror=alert(20)></xmp><template><script>alert(20)</script>",
    f"<table background='{_AWAY}/21.png'><tr><td onmouseover='alert(21)'><img srcset='{_AWAY}/21 1x'>x",
)

STRINGS: Final[tuple[str, ...]] = (
    '"><script>alert(101)</script>',
    "'-alert(102)-'",
    "</title><script>alert(103)</script>",
    "</dd></dl></section></main><img src=x onerror=alert(104)>",
    "{{ 7*7 }}{% for x in y %}${7*7}#{7*7}",
    "javascript:alert(106)",
    "&lt;script&gt;alert(107)&lt;/script&gt;",
    "\u202egnp.ecilitset\u202c",
    "\u2066\u2067verborgen\u2069\u2069",
    "Z\u0351\u0316a\u0352\u0317l\u0353g\u0354o\u0355",
    "\ufeff\u200b\u200d",
    "𝓦𝓲𝓵𝓵𝓮𝓶 👩‍👩‍👧 ﷽ ✋🏿",
    "..\\..\\..\\windows\\win.ini",
    "%00%0d%0aset-cookie:x=1",
    "=1+1+cmd|' /C calc'!A0",
    "null",
    "-1E+9999",
    "' OR 1=1; DROP TABLE sender; --",
    "A" * 400,
    "ß ﬁ İ ı ſ K",
)
