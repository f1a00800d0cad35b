"""Mark-up from outside, made safe to show: the only owner of ``nh3``.

Promises:
1. only the elements below are left, and of their attributes only how many columns or rows a cell takes;
   nothing that fetches, links, scripts, styles, names or numbers itself;
2. what stands in an element that holds no text for people (``script``, ``style`` ...) goes with it;
3. direction controls are taken out, and a heading of the narrative never competes with ours;
4. nothing here is ever the only way to read a record: our own rows come first.

Sources: https://hl7.org/fhir/R4/narrative.html (what a narrative may hold); OWASP Cross Site Scripting
Prevention Cheat Sheet (HTML sanitization); ammonia, https://docs.rs/ammonia.
"""

from __future__ import annotations

import html
import re
from typing import Final

import nh3
from markupsafe import Markup

from recipient.portal.text import shown

MAX_CHARACTERS: Final = 200_000
MAX_DEPTH: Final = 200  # beyond it only the words are shown
ELEMENTS: Final = frozenset(
    (
        *("p", "br", "hr", "div", "blockquote", "pre", "code"),
        *("h4", "h5", "h6", "b", "strong", "i", "em", "u", "small", "sub", "sup"),
        *("ul", "ol", "li", "dl", "dt", "dd"),
        *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
    )
)
ATTRIBUTES: Final = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}}
# Elements of which the text is no text for people, or is only meant for where the element is not known.
_UNREAD: Final = frozenset(
    (
        *("script", "style", "template", "iframe", "object", "embed", "noscript", "noembed", "noframes"),
        *("svg", "math", "textarea", "select", "title", "xmp", "plaintext", "audio", "video", "canvas"),
    )
)
# https://html.spec.whatwg.org/#void-elements, those a narrative may hold
_VOID: Final = frozenset({"br", "hr", "img", "col", "input", "wbr"})
# Linear on any input: neither looks past the name, or past the next angle.
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_ANY_TAG: Final = re.compile(r"<[^<>]*>?")
_NUMBER: Final = re.compile(r"[1-9]\d{0,2}\Z")
# Our own page has h1 to h3; the opening tag has no attributes yet when this is asked, so it is found by name.
_HIGH_HEADING: Final = re.compile(r"<(/?)h[123](?=[\s/>])", re.IGNORECASE)


def safe_narrative(untrusted_div: str) -> Markup:
    """Clean a narrative.

    Args:
        untrusted_div: XHTML or what claims to be; beyond ``MAX_CHARACTERS`` it is not looked at.

    Returns:
        Markup to show as it is; empty when nothing readable is left.
    """
    untrusted = untrusted_div[:MAX_CHARACTERS]
    if _depth(untrusted) > MAX_DEPTH:
        return Markup("{}").format(" ".join(shown(html.unescape(_ANY_TAG.sub(" ", untrusted))).split()))
    cleaned = nh3.clean(
        _HIGH_HEADING.sub(r"<\1h4", untrusted),
        tags=set(ELEMENTS),
        clean_content_tags=set(_UNREAD),
        attributes=ATTRIBUTES,
        attribute_filter=_keep,
        strip_comments=True,
        link_rel=None,
        url_schemes=set(),
    )
    plain = shown(cleaned)  # after cleaning: a control may be written as a character reference
    return Markup(plain) if _readable(plain) else Markup("")  # noqa: S704  the one place that makes it safe


def _depth(untrusted: str) -> int:
    """Give how deep elements may lie in each other; cleaning takes time with the square of it."""
    depth = deepest = 0
    for closing, name in _TAG.findall(untrusted):
        if closing:
            depth = max(0, depth - 1)
        elif name.lower() not in _VOID:
            depth += 1
            deepest = max(deepest, depth)
    return deepest


def _keep(_element: str, _attribute: str, value: str) -> str | None:
    return value if _NUMBER.match(value) else None


def _readable(cleaned: str) -> bool:
    return bool(re.sub(r"<[^>]*>|&nbsp;|\s", "", cleaned))
