"""Bytes of an import file → its numbered lines of text (R26): streamed, bounded, plain about its faults.

Knows nothing of CSV or JSON. A row of either stands on one line, so that a forgotten quote spoils one row
and not the rest of the file.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import Final

from domain.intake_problem import UnreadableFile

LONGEST_LINE_BYTES: Final = 64 * 1024
MOST_LINES: Final = 1_000_000

_SAVE_AS_UTF8: Final = "Save or export it as UTF-8 (in Excel: 'CSV UTF-8')."
_NOT_TEXT: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32 text"),
    (codecs.BOM_UTF32_BE, "UTF-32 text"),
    (codecs.BOM_UTF16_LE, "UTF-16 text (Windows calls it 'Unicode')"),
    (codecs.BOM_UTF16_BE, "UTF-16 text"),
    (b"PK\x03\x04", "an Excel workbook or a zip archive"),
    (b"\x1f\x8b", "compressed"),
)


def lines(chunks: Iterable[bytes]) -> Iterator[tuple[int, str]]:
    """Give each line that is not blank, without its line end, and its number, the first being 1.

    Chunks may be cut anywhere. A UTF-8 byte-order mark and Windows line ends are accepted. Raises
    ``UnreadableFile`` for what is not UTF-8 text, for a line of more than ``LONGEST_LINE_BYTES``, for more
    than ``MOST_LINES`` and when all lines are blank.
    """
    offset = 0
    empty = True
    for number, raw in enumerate(_split(chunks), start=1):
        if number > MOST_LINES:
            what = f"the file has more than {MOST_LINES:,} lines"
            raise UnreadableFile(number, what, "Split it into several files.")
        text = _decoded(raw, number, offset)
        offset += len(raw) + 1
        if text and not text.isspace():
            empty = False
            yield number, text
    if empty:
        raise UnreadableFile(None, "the file is empty", "Write at least one row.")


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    number = 1
    begun = b""
    for chunk in chunks:
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            _refuse_longer(len(begun) + end - start, number)
            yield begun + chunk[start:end] if begun else chunk[start:end]
            begun, start, number = b"", end + 1, number + 1
        # Before it is copied: a chunk may be 5 MB of one line.
        _refuse_longer(len(begun) + len(chunk) - start, number)
        begun += chunk[start:]
    if begun:
        yield begun


def _refuse_longer(length: int, number: int) -> None:
    if length > LONGEST_LINE_BYTES:
        raise UnreadableFile(
            number,
            f"the line is longer than {LONGEST_LINE_BYTES // 1024} KB",
            "Write one row a line, with the line ends of Unix or Windows.",
        )


def _decoded(raw: bytes, number: int, offset: int) -> str:
    if number == 1:
        for mark, kind in _NOT_TEXT:
            if raw.startswith(mark):
                raise UnreadableFile(1, f"the file is {kind}, not UTF-8 text", _SAVE_AS_UTF8)
    if b"\0" in raw:
        where = offset + raw.index(b"\0")
        what = f"there is a NUL at byte offset {where}: this is not UTF-8 text, perhaps it is UTF-16"
        raise UnreadableFile(number, what, _SAVE_AS_UTF8)
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        what = f"the byte 0x{raw[error.start]:02X} at byte offset {offset + error.start} is not UTF-8"
        raise UnreadableFile(number, what, _SAVE_AS_UTF8) from None
    return (text.removeprefix("\ufeff") if number == 1 else text).removesuffix("\r")
