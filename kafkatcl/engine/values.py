"""Values with attributes, as ``dataclasses`` makes them, but quicker to import.

That module imports what reads sources, and compiles the methods of each class: together
a tenth of the time that it takes to load the package.
https://github.com/python/cpython/blob/v3.11.2/Lib/dataclasses.py#L1-L11
"""

from __future__ import annotations


class Value:
    """Equal to others of its class with the same attributes."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
        )
