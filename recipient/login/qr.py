"""A QR code as SVG, drawn on this machine. The only module that uses ``segno``.

Source: ISO/IEC 18004; four modules of quiet zone around the code (section 6.3.8).
"""

from __future__ import annotations

import io

import segno

_QUIET_ZONE = 4


def qr_svg(text: str) -> str:
    """Draw a text; plain attributes only, because pages allow no inline style.

    Returns:
        One ``svg`` element without name; who places it says what it is.
    """
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        border=_QUIET_ZONE,
        dark="#000",
        light="#fff",
        svgclass=None,
        lineclass=None,
        nl=False,
    )
    return out.getvalue().decode("ascii")
