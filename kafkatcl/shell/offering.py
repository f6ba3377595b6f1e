"""The completer, for line editors that start without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from kafkatcl.shell.offers import Offer


def offering(app: Any) -> Callable[[str], Offer]:
    """What says what can stand at the end of a text:
    a completer, made when it is asked first.
    """
    made: list[Callable[[str], Offer]] = []

    def ask(text: str) -> Offer:
        if not made:
            from kafkatcl.shell.completer import Completer  # noqa: PLC0415 - it would hold up the first prompt

            made.append(Completer(app).offer)
        return made[0](text)

    return ask
