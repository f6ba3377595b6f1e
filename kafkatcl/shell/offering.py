"""The completer, for line editors that start without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from kafkatcl.shell.offers import Offer


def offering(app: Any) -> Callable[[str], Offer]:
    """A function that says what can stand at the end of a text.

    The completer is made when the function is called first.
    """
    made: list[Callable[[str], Offer]] = []

    def ask(text: str) -> Offer:
        if not made:
            from kafkatcl.shell.completer import Completer  # noqa: PLC0415 - it would hold up the first prompt

            made.append(Completer(app).offer)
        return made[0](text)

    return ask
