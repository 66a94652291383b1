"""Whether the pixel element holds what the header promises, native or encapsulated."""

from app.bundle.verify_header import BITS_ALLOCATED, COLUMNS, FRAMES, PHOTOMETRIC, ROWS, SAMPLES, WalkedHeader
from app.bundle.verify_zip import ZipEntry, ZipReader


def native_pixel_bytes(header: WalkedHeader) -> set[int]:
    """What rows, columns, samples, frames and bits say (PS3.5 section 8.1.1), padded to even; empty where
    they say nothing.
    """
    samples, rows, columns, bits = (header.unsigned(tag) for tag in (SAMPLES, ROWS, COLUMNS, BITS_ALLOCATED))
    frames = header.text(FRAMES).strip() or "1"
    if samples is None or rows is None or columns is None or bits is None or not frames.isdecimal():
        return set()
    # Chrominance of every other pixel only (PS3.3 section C.7.6.3.1.2), though some writers send all of it.
    possible = {2, samples} if header.text(PHOTOMETRIC) == "YBR_FULL_422" else {samples}
    lengths = {(count * rows * columns * bits * int(frames) + 7) // 8 for count in possible}
    return {length + length % 2 for length in lengths}


def are_fragments_sound(reader: ZipReader, entry: ZipEntry, offset: int) -> bool:
    """Items of even length, then the delimiter, then the end of the file (PS3.5 Annex A.4)."""
    position = offset
    items = 0
    while position + 8 <= entry.size:
        head = reader.read_at(entry, position, 8)
        length = int.from_bytes(head[4:], "little")
        position += 8
        if head[:4] == b"\xfe\xff\xdd\xe0":
            return length == 0 and position == entry.size and items > 0
        if head[:4] != b"\xfe\xff\x00\xe0" or length % 2:
            return False
        items += 1
        position += length
    return False
