"""Objects written as JSON: in a line, in a whole file, in an array, also where some of them are broken."""

import json
import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from kgmrca.corpora.lines import KEPT, too_long

__all__ = ["Element", "elements_of", "object_of"]

_BLOCK = 1 << 16
_AHEAD = 1 << 18  # how far an element is read on after a line on which the next one seems to begin
_WITHIN_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SIGN = re.compile(rb'["\[\]{},]')
_START = re.compile(rb"([ \t\r\n]*)\{")
_OPENER = {ord("}"): ord("{"), ord("]"): ord("[")}
_DEPTH = 100  # how many open brackets are looked through for the one that a bracket closes


class Element(NamedTuple):
    """An element of an array.

    Attributes:
        data: its bytes; only the first of them if it is too long.
        left_out: how many bytes of it were left out.
        offset: how many bytes of the file stand before it.
        value: the object, or why it cannot be used.
    """

    data: bytes
    left_out: int
    offset: int
    value: dict[str, Any] | str


def object_of(data: bytes) -> dict[str, Any] | str:
    """The object that is written as JSON, or why it cannot be used.

    >>> object_of(b'{"text": "Ada."}')
    {'text': 'Ada.'}
    >>> object_of(b'{"text": "Ada."')
    "not JSON: Expecting ',' delimiter (column 16)"
    """
    data = data.strip()
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_with_each_key_once)
    except UnicodeDecodeError as error:
        return f"not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start} of the record"
    except json.JSONDecodeError as error:
        line = "" if error.lineno == 1 else f"line {error.lineno}, "
        return f"not JSON: {error.msg} ({line}column {error.colno})"
    except (ValueError, RecursionError) as error:
        return f"not JSON that can be read: {error}"
    return value if isinstance(value, dict) else 'not a JSON object: expected {"text": ...}'


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _with_each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:100]!r} is there twice")
    return found


def elements_of(stream: IO[bytes], longest: int) -> Iterator[Element]:
    r"""The elements of an array, or the object that is the whole file.

    An element that is broken ends at the comma after it. Where a bracket or a quote is missing, so that no comma can be
    told to be that one, it ends before the next line that begins like its own, with as many blanks and a brace. Where
    there is no such line either, all the rest of the file belongs to it.

    >>> import io
    >>> array = b'[\n  {"n": 1},\n  {"n": "2},\n  {"n": 3}\n]'
    >>> [element.value if isinstance(element.value, dict) else "-" for element in elements_of(io.BytesIO(array), 100)]
    [{'n': 1}, '-', {'n': 3}]
    """
    array = _Array(stream, longest)
    start = array.next_sign()
    if start == b"[":
        yield from array.elements()
        if array.next_sign():
            yield array.rest("this stands after the end of the array")
    elif start == b"{":
        yield array.object()
        if array.next_sign():
            yield array.rest(
                "this stands after the object: if each line is one, give the file a name that ends in .jsonl"
            )
    else:
        yield array.rest("it has no array of objects and no object")


class _Array:
    """Reads what stands between the brackets of an array, or an object."""

    def __init__(self, stream: IO[bytes], longest: int) -> None:
        self._stream, self._longest = stream, longest
        self._data = bytearray()  # what was read and belongs to no earlier element
        self._offset = 0  # how many bytes stand before it

    def next_sign(self) -> bytes:
        """The next byte that is no blank, nothing at the end. The blanks are passed over."""
        while True:
            if self._offset == 0 and self._data.startswith(b"\xef\xbb\xbf"):
                self._drop(3)
            self._drop(len(self._data) - len(self._data.lstrip()))
            if len(self._data) >= 3 or not self._more():
                return bytes(self._data[:1])

    def object(self) -> Element:
        """The object that begins here."""
        return self._element(is_alone=True)[0]

    def elements(self) -> Iterator[Element]:
        """The elements of the array that begins here."""
        self._drop(1)
        sign, n_read = b",", 0
        while sign == b",":
            element, sign = self._element()
            n_read += 1
            if element.data.strip() or element.left_out:
                yield element
            elif not sign:
                yield element._replace(value="the file ends before its array does")
            elif sign == b"," or n_read > 1:
                yield element._replace(value="nothing stands before or after a comma here")

    def rest(self, reason: str) -> Element:
        """All that follows."""
        offset, data = self._offset, self._drop(len(self._data))
        size = len(data)
        while block := self._stream.read(_BLOCK):
            data = (data + block)[:KEPT]
            size += len(block)
        data = data[:KEPT]
        return Element(data, size - len(data), offset, f"{reason} ({size:,} bytes)")

    def _element(self, *, is_alone: bool = False) -> tuple[Element, bytes]:
        """The element that begins here, and what ends it: a comma, a bracket, or nothing where the file ends."""
        scan = _Scan(is_alone)
        check = _AHEAD
        while (end := scan.end(self._data)) is None:
            if len(self._data) > self._longest:
                return self._up_to_next_line() or self._long_element(scan)
            if len(self._data) > check:
                check += _AHEAD
                line = _next_line(self._data)
                if line and len(self._data) - line.start() > _AHEAD and (cut := self._up_to_next_line()):
                    return cut
            if not self._more():
                return self._up_to_next_line() or self._last_element()
        if end > self._longest:
            return self._up_to_next_line(end) or self._long_element(_Scan(is_alone))
        data = bytes(self._data[:end])
        value = object_of(data)
        if isinstance(value, str) and value.startswith("not JSON: ") and (cut := self._up_to_next_line(end)):
            return cut
        element = Element(data, 0, self._offset, value)
        self._drop(end)
        return element, self._drop(0 if is_alone else 1)

    def _up_to_next_line(self, end: int | None = None) -> tuple[Element, bytes] | None:
        """The element up to the next line that begins like its own, if there is one."""
        if not (line := _next_line(self._data, end)):
            return None
        offset, data = self._offset, self._drop(line.start())
        if (comma := line.end(1)) >= 0:
            self._drop(comma - len(data))
        value = object_of(data) if len(data) <= self._longest else too_long(self._longest)
        reason = value if isinstance(value, str) else "not JSON: no comma stands between it and the next"
        return Element(data[:KEPT], len(data[KEPT:]), offset, reason), b","

    def _long_element(self, scan: "_Scan") -> tuple[Element, bytes]:
        """The element, of which only the beginning is kept."""
        offset, kept = self._offset, bytes(self._data[: min(KEPT, self._longest)])
        while (end := scan.end(self._data)) is None:
            self._drop(scan.place)
            scan.place = 0
            if not self._more():
                end = len(self._data)
                break
        self._drop(end)
        element = Element(kept, self._offset - offset - len(kept), offset, too_long(self._longest))
        return element, self._drop(0 if scan.is_alone else 1)

    def _last_element(self) -> tuple[Element, bytes]:
        """All that is left, because nothing ends the element."""
        offset, data = self._offset, self._drop(len(self._data))
        value = object_of(data)
        if isinstance(value, str):
            return Element(data, 0, offset, f"{value}; the file ends within it ({len(data):,} bytes)"), b""
        # After what is complete comes an empty element, which says that the array is not.
        return Element(data, 0, offset, value), b","

    def _more(self) -> bool:
        block = self._stream.readline(_BLOCK)
        self._data += block
        return bool(block)

    def _drop(self, size: int) -> bytes:
        dropped = bytes(self._data[:size])
        del self._data[:size]
        self._offset += size
        return dropped


class _Scan:
    """Looks for the end of an element: a comma or bracket outside of its own brackets, or the end of an object."""

    def __init__(self, is_alone: bool) -> None:
        self.is_alone = is_alone
        self.place = 0  # what stands before it was looked at
        self._is_in_string = False
        self._brackets = bytearray()  # those that are open

    def end(self, data: bytearray) -> int | None:
        """Where the element ends; None if that is not in the data yet."""
        while True:
            if self._is_in_string:
                within = _WITHIN_STRING.match(data, self.place)
                self.place = within.end() if within else self.place
                if data[self.place : self.place + 1] != b'"':
                    return None
                self._is_in_string = False
                self.place += 1
            found = _SIGN.search(data, self.place)
            if not found:
                self.place = len(data)
                return None
            sign = data[found.start()]
            if not self._brackets and sign in b",]" and not self.is_alone:
                return found.start()
            self.place = found.end()
            if sign == ord('"'):
                self._is_in_string = True
            elif sign in b"[{":
                self._brackets.append(sign)
            elif sign in b"]}":
                opener = self._brackets.rfind(_OPENER[sign], max(0, len(self._brackets) - _DEPTH))
                if opener >= 0:  # otherwise it closes nothing, and the element is broken
                    del self._brackets[opener:]
                if self.is_alone and not self._brackets:
                    return self.place


def _next_line(data: bytearray, end: int | None = None) -> re.Match[bytes] | None:
    """The next line that begins like that of the element at the beginning, with perhaps a comma before its brace."""
    start = _START.match(data)
    if not start:
        return None
    blanks = re.split(rb"[\r\n]", start[1])
    indent = re.escape(blanks[-1]) if len(blanks) > 1 else b" ?"
    # Where the keys of an object stand right below its brace, so do objects within it, and no line tells them apart.
    if re.compile(rb"[ \t]*[\r\n]+" + indent + rb'"').match(data, start.end()):
        return None
    line = re.compile(rb"[\r\n]" + indent + rb"(,[ \t]*)?\{")
    return line.search(data, start.end(), len(data) if end is None else end)
