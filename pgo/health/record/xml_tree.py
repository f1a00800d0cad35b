"""Parse XML from outside into a small tree that remembers where in the bytes each element stood.

Rules:

1. No document type declaration, no entities, nothing external: defusedxml with ``forbid_dtd``.
2. UTF-8 only (https://hl7.org/fhir/R4/xml.html), at most 64 elements deep.
3. Each element knows its byte range, so that a resource can be kept exactly as it came.
4. A finished element can be handed out and forgotten, so that a large Bundle is not held whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

from pgo.health.record.resource import Refused

MAX_DEPTH = 64
FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(slots=True)
class Node:
    """One element: name, namespace, attributes, child elements, and its byte range."""

    name: str
    namespace: str
    attributes: dict[str, str]
    start: int
    end: int = 0
    children: list[Node] = field(default_factory=list)

    def child(self, name: str) -> Node | None:
        """Give the first child of a name."""
        return next((node for node in self.children if node.name == name), None)

    def all(self, name: str) -> list[Node]:
        """Give all children of a name, in order."""
        return [node for node in self.children if node.name == name]

    def value(self, name: str) -> str:
        """Give the ``value`` attribute of the first child of a name, or an empty text."""
        node = self.child(name)
        return node.attributes.get("value", "") if node else ""


class TreeBuilder:
    """Target of the parser: builds nodes, calls ``finished`` for each one, which may drop it."""

    def __init__(self, data: bytes, finished: Callable[[list[Node], Node], bool]) -> None:
        """Keep the bytes (for element ends) and the listener; ``True`` from it drops the node."""
        self._data = data
        self._finished = finished
        self._open: list[Node] = []
        self._untouched: Node | None = None
        self.root: Node | None = None
        self.offset: Callable[[], int] = lambda: 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        if len(self._open) >= MAX_DEPTH:
            raise Refused("too_deep", f"more than {MAX_DEPTH} elements deep")
        namespace, _, name = tag.rpartition("}")
        node = Node(name, namespace.removeprefix("{"), attributes, self.offset())
        if self.root is None:
            self.root = node
        self._open.append(node)
        self._untouched = node

    def end(self, tag: str) -> None:  # noqa: ARG002 (the parser has checked that it matches)
        """Close an element, and hand it out."""
        node = self._open.pop()
        node.end = self._end_of(node)
        self._untouched = None
        if not self._finished(self._open, node) and self._open:
            self._open[-1].children.append(node)

    def _end_of(self, node: Node) -> int:
        """Find the byte after an element. The parser stands before ``</a>``, but behind ``<a/>``."""
        at = self.offset()
        if node is self._untouched and self._data[at - 2 : at] == b"/>":
            return at
        return self._data.index(b">", at) + 1

    def data(self, text: str) -> None:  # noqa: ARG002 (the parser's name for it)
        """Ignore text: FHIR has its values in attributes, and narrative is kept as bytes."""
        self._untouched = None

    def close(self) -> Node | None:
        """Give the root."""
        return self.root


def parse_xml(data: bytes, finished: Callable[[list[Node], Node], bool]) -> Node:
    """Parse a document.

    Args:
        data: Untrusted bytes.
        finished: Called with (open ancestors, node) at the end of each element; ``True`` drops the node.

    Returns:
        The root, with the children that were not dropped.

    Raises:
        Refused: ``not_utf8``, ``xml_dtd``, ``too_deep`` or ``not_xml``.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Refused("not_utf8", f"at {exc.start}") from exc
    builder = TreeBuilder(data, finished)
    parser = DefusedXMLParser(target=builder, encoding="utf-8", forbid_dtd=True)
    expat = parser.parser
    builder.offset = lambda: int(expat.CurrentByteIndex)
    try:
        parser.feed(data)
        root = parser.close()
    except DefusedXmlException as exc:
        raise Refused("xml_dtd", "a document type or entity declaration") from exc
    except (ParseError, ExpatError) as exc:
        line = getattr(exc, "position", (0, 0))[0]
        raise Refused("not_xml", f"line {line}") from exc
    if not isinstance(root, Node):
        raise Refused("not_xml", "no root element")
    return root
