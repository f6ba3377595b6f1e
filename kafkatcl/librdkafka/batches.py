"""Messages to produce as they lie in memory, many together."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, repeat

#: How many messages of a list are handled together, and from how many bytes each on
#: they are handled singly.
_TOGETHER = 1000
_LARGE = 4096


def address(data: bytes | bytearray) -> int:
    """Where ``data`` lies in memory.

    The address holds as long as the caller keeps ``data``, and a bytearray its size.
    """
    if isinstance(data, bytearray):
        return ctypes.addressof((ctypes.c_char * len(data)).from_buffer(data))
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0


_sample = b"sample"
#: Where the bytes of a ``bytes`` lie behind its ``id``, which is the address of the
#: object: quicker than :func:`address`, where many small ones are asked for.
BYTES_AT = address(_sample) - id(_sample)


class OutgoingBatch:
    """Messages to produce: the addresses of their payloads and keys,
    and how many bytes they have.

    :param data: what has all of these bytes in it, and must not change.
    :param payloads: an address in ``data`` for each message; ``lengths`` has the bytes.
    :param keys: the same for keys, 0 for a message without one; empty, as
        ``key_lengths`` is, where no message has a key.
    """

    def __init__(
        self,
        data: object,
        payloads: Sequence[int],
        lengths: Sequence[int],
        keys: Sequence[int] = (),
        key_lengths: Sequence[int] = (),
    ) -> None:
        self.data, self.payloads, self.lengths = data, payloads, lengths
        self.keys, self.key_lengths = keys, key_lengths

    @classmethod
    def of(cls, data: bytes | bytearray, lengths: Sequence[int], start: int = 0) -> OutgoingBatch:
        """Messages that lie one behind the other, each payload before its key.

        :param lengths: bytes of a payload, bytes of its key (-1: no key), and so on for
            each message.
        :param start: where in ``data`` the first payload begins.
        """
        start += address(data)
        payload_lengths, key_lengths = lengths[0::2], lengths[1::2]
        without_key = key_lengths.count(-1)
        if without_key == len(key_lengths):
            return cls(data, list(accumulate(payload_lengths, initial=start))[:-1], payload_lengths)
        if without_key:
            lengths = [max(length, 0) for length in lengths]
        places = list(accumulate(lengths, initial=start))
        keys = places[1::2]
        if without_key:
            keys = [place if length >= 0 else 0 for place, length in zip(keys, key_lengths)]
        return cls(data, places[:-1:2], payload_lengths, keys, lengths[1::2])

    @classmethod
    def of_values(cls, payloads: Sequence[bytes], keys: Sequence[bytes | None]) -> OutgoingBatch:
        """Messages whose payloads and keys lie where they are."""
        places, lengths = [id(payload) + BYTES_AT for payload in payloads], list(map(len, payloads))
        if keys.count(None) == len(keys):
            return cls(payloads, places, lengths)
        key_places = [0 if key is None else id(key) + BYTES_AT for key in keys]
        key_lengths = [0 if key is None else len(key) for key in keys]
        return cls((payloads, keys), places, lengths, key_places, key_lengths)

    def __len__(self) -> int:
        return len(self.payloads)

    def behind(self, count: int) -> OutgoingBatch:
        """The messages without the first ``count``."""
        fields = (self.payloads, self.lengths, self.keys, self.key_lengths)
        return OutgoingBatch(self.data, *(field[count:] for field in fields)) if count else self

    def message(self, at: int) -> tuple[bytes, bytes | None]:
        """The payload and the key of the message numbered ``at``, from 0 on."""
        key = ctypes.string_at(self.keys[at], self.key_lengths[at]) if self.keys and self.keys[at] else None
        return ctypes.string_at(self.payloads[at], self.lengths[at]), key

    def messages(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The payload and the key of each."""
        payloads = map(ctypes.string_at, self.payloads, self.lengths)
        if not self.keys:
            return zip(payloads, repeat(None))
        keys = zip(self.keys, self.key_lengths)
        return zip(payloads, (ctypes.string_at(key, length) if key else None for key, length in keys))


def batches_of(rows: Sequence[tuple[str, ...]]) -> list[OutgoingBatch]:
    """The messages of rows ``(payload,)`` or ``(payload, key)``,
    up to 1000 of them in a batch.

    :param rows: their texts have one character for each byte, U+0000 to U+00FF.
    :raises UnicodeEncodeError: a character is beyond U+00FF.
    :raises TypeError: an element of a row is no str.
    :raises ValueError: a row is empty, or has more than two elements.
    """
    widths = set(map(len, rows))
    if widths - {1, 2}:
        raise ValueError("neither a payload nor a payload and a key")
    texts = list(chain.from_iterable(rows))
    lengths = list(map(len, texts))
    total = sum(lengths)
    if widths == {1}:
        lengths = list(chain.from_iterable(zip(lengths, repeat(-1))))
    elif len(widths) > 1:
        texts = [text for row in rows for text in (*row, "")[:2]]
        lengths = [length for row in rows for length in (len(row[0]), len(row[1]) if len(row) == 2 else -1)]
    # Together they are quicker; large ones are not copied once more for that.
    together = _TOGETHER if total < _LARGE * len(rows) else 1
    width = max(widths, default=1)
    return [
        OutgoingBatch.of(
            "".join(texts[width * at : width * (at + together)]).encode("latin-1"),
            lengths[2 * at : 2 * (at + together)],
        )
        for at in range(0, len(rows), together)
    ]
