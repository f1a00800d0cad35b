"""How many attempts to come in were tried and how many came in, printed at the end of the run."""

from __future__ import annotations

from tests.support import fault_figures

_counted: dict[str, tuple[int, int]] = {}


def count(name: str, *, tried: int, accepted: int) -> None:
    """Add to the line of one harness."""
    before = _counted.get(name, (0, 0))
    _counted[name] = total = (before[0] + tried, before[1] + accepted)
    fault_figures.figures[name] = f"{total[0]} tried, {total[1]} accepted"
