"""Are all texts of the screens there, in every language, and is none left over?

``python tools/check_locale.py`` prints one line per finding and exits 1 when there is one. Rules:

1. Every language has the same keys, and the same places to fill in (``{name}``) under each key.
2. A key given to ``t(...)`` as a literal exists.
3. Every key is used somewhere in ``pgo``: as a literal, or by the fixed parts of an f-string
   (``f"error.{code}"`` uses all keys that begin with ``error.``). A key that ends in ``.one`` is used with
   the key before it.
4. No text is empty, and none begins or ends with a space.
"""

from __future__ import annotations

import ast
import re
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from pgo.ui.text import LANGUAGES, catalogue  # noqa: E402 - found through the path above

KEY = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_-]+)+")


@dataclass(slots=True)
class Uses:
    """What the code says about keys: literals, patterns of f-strings, literals given to ``t``."""

    literals: set[str] = field(default_factory=set)
    patterns: set[str] = field(default_factory=set)
    asked: dict[str, str] = field(default_factory=dict)


def uses_in(source: str, place: str, uses: Uses) -> None:
    """Collect the uses of one module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
            uses.literals.add(node.value)
        elif isinstance(node, ast.JoinedStr) and (pattern := _pattern(node)):
            uses.patterns.add(pattern)
        elif isinstance(node, ast.Call) and _name(node.func) == "t":
            for argument in node.args:
                for key in _literal_keys(argument):
                    uses.asked[key] = f"{place}:{node.lineno}"


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literal_keys(argument: ast.expr) -> Iterator[str]:
    """The keys an argument can be: a literal, or either side of a conditional."""
    if isinstance(argument, ast.IfExp):
        yield from _literal_keys(argument.body)
        yield from _literal_keys(argument.orelse)
    elif (
        isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and KEY.fullmatch(argument.value)
    ):
        yield argument.value


def _pattern(node: ast.JoinedStr) -> str | None:
    """A regular expression of the keys an f-string can make; None when its fixed parts say too little."""
    fixed = [str(part.value) for part in node.values if isinstance(part, ast.Constant)]
    if not re.fullmatch(r"[A-Za-z0-9_.-]*", "".join(fixed)) or not re.search(r"[a-z]{2}", "".join(fixed)):
        return None
    if "." not in "".join(fixed):
        return None
    parts = [
        re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"[A-Za-z0-9_.-]+" for p in node.values
    ]
    return "".join(parts)


def places(text: str) -> frozenset[str]:
    """Names to fill in."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def language_findings(texts: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Rules 1 and 4."""
    every = frozenset().union(*(frozenset(of) for of in texts.values()))
    for key in sorted(every):
        absent = [lang for lang, of in texts.items() if key not in of]
        if absent:
            yield f"{key}: no text in {', '.join(absent)}"
            continue
        # "1 record" may be written out in one language and filled in in another.
        written_out = frozenset({"n"}) if key.endswith(".one") else frozenset()
        if len({places(of[key]) - written_out for of in texts.values()}) != 1:
            yield f"{key}: the languages fill in different places"
        for lang, of in texts.items():
            if not of[key] or of[key] != of[key].strip():
                yield f"{key}: empty or with a space at an end in {lang}"


def use_findings(keys: frozenset[str], uses: Uses) -> Iterator[str]:
    """Rules 2 and 3."""
    for key, place in sorted(uses.asked.items()):
        if key not in keys:
            yield f"{key}: asked for in {place}, no such text"
    patterns = [re.compile(pattern) for pattern in uses.patterns]
    for key in sorted(keys):
        plain = key.removesuffix(".one")
        if plain in uses.literals or key in uses.literals:
            continue
        if not any(pattern.fullmatch(plain) for pattern in patterns):
            yield f"{key}: used nowhere"


def findings(project: Path = PROJECT) -> list[str]:
    """Everything that is wrong, sorted by rule and key."""
    uses = Uses()
    for path in sorted((project / "pgo").rglob("*.py")):
        uses_in(path.read_text(encoding="utf-8"), path.relative_to(project).as_posix(), uses)
    texts = {lang: catalogue(lang) for lang in LANGUAGES}
    keys = frozenset().union(*(frozenset(of) for of in texts.values()))
    return [*language_findings(texts), *use_findings(keys, uses)]


def main() -> int:
    """Print the findings; 1 when there are any."""
    found = findings()
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
