"""The portal in a real browser: a logged-in page, and what may stand in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from recipient.portal.narrative import ATTRIBUTES, ELEMENTS
from tests.e2e.recipient_server import Clinic

# What a page holds that our own templates never write: scripts, handlers, styles, other places, foreign
# elements in a narrative.
_FOREIGN = """([elements, attributes]) => {
  const found = [];
  const never = 'script,iframe,object,embed,img,video,audio,base,meta[http-equiv],template,math,style';
  for (const one of document.querySelectorAll(never)) found.push(one.tagName);
  for (const one of document.querySelectorAll('*')) for (const own of one.attributes) {
    if (own.name.startsWith('on') || own.name === 'style') found.push(one.tagName + '@' + own.name);
    const leads = ['href', 'src', 'action'].includes(own.name);
    if (leads && !/^(\\/portal|\\/v1\\/card.svg|#)/.test(own.value)) found.push(own.value);
  }
  for (const one of document.querySelectorAll('.narrative *')) {
    if (!elements.includes(one.tagName.toLowerCase())) found.push('narrative ' + one.tagName);
    for (const own of one.attributes)
      if (!attributes.includes(own.name)) found.push('narrative @' + own.name);
  }
  return found;
}"""


@dataclass
class Visitor:
    """A logged-in page, and everything about it that should not happen."""

    page: Page
    dialogs: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def looks_at(self, url: str) -> None:
        """Open a page with everything unfolded, and note what does not belong in it."""
        self.page.goto(url, wait_until="load")
        self.page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        allowed = [sorted(ELEMENTS), sorted(set().union(*ATTRIBUTES.values()))]
        found: list[str] = self.page.evaluate(_FOREIGN, allowed)
        self.foreign += found


@contextlib.contextmanager
def logged_in(clinic: Clinic, browser: Browser, **options: Any) -> Iterator[Visitor]:
    """A page with the session of a member; without our content policy, so that nothing hides behind it."""
    member = clinic.member()
    context = browser.new_context(locale="nl-NL", bypass_csp=True, **options)
    for cookie in member.cookies.jar:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "url": clinic.url}])
    visitor = Visitor(context.new_page())
    visitor.page.on("dialog", lambda dialog: (visitor.dialogs.append(dialog.message), dialog.dismiss()))
    visitor.page.on(
        "request",
        lambda request: visitor.away.append(request.url) if not request.url.startswith(clinic.url) else None,
    )
    try:
        yield visitor
    finally:
        context.close()
