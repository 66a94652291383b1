"""Seekable read-only files over a part of another one: as it lies there, or inflated while it is read.

``zipfile`` and ``gzip`` go back to the start for each step backwards. Here zlib's state is kept every few
megabytes, so that any place of a large compressed archive is near, nothing is extracted, and memory stays
small.
"""

import bz2
import io
import lzma
import os
import zlib
from abc import abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO, Protocol

from app.errors import Reason, UnreadableError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

INPUT_BYTES = 64 << 10
# At most so much is inflated before the limits are asked: a few kilobytes of bzip2 can hold gigabytes.
STEP_BYTES = 1 << 20
CHECKPOINT_BYTES = 4 << 20
# A checkpoint costs about 50 KB (zlib's window and tables). When there are too many, every second one is
# dropped.
CHECKPOINTS = 128
# xz asks for its dictionary's size in memory; level 9, the largest preset, needs 65 MiB.
XZ_MEMORY_BYTES = 128 << 20


class Codec(StrEnum):
    """How a stream is compressed."""

    DEFLATE = "deflate"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"


@dataclass(frozen=True, slots=True)
class InflationLimits:
    """How far a compressed stream may grow: a deflate bomb makes a gigabyte from a megabyte.

    Attributes
    ----------
    ratio
        Inflated by compressed bytes; asked beyond ``ratio_from_bytes`` only, as small files may well be all
        zeros.
    size_bytes
        Of the inflated stream.
    """

    ratio: int = 200
    ratio_from_bytes: int = 10 << 20
    size_bytes: int = 1 << 40


class _Decoder(Protocol):
    @property
    def eof(self) -> bool:
        """Whether the stream is complete."""

    def decode(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        """At most ``limit`` bytes, and the input that is left over."""

    def copy(self) -> "_Decoder | None":
        """An independent copy, where the library can make one."""


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._state = zlib.decompressobj(wbits)

    @property
    def eof(self) -> bool:
        return self._state.eof

    def decode(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        output = self._state.decompress(data, limit)
        return output, self._state.unused_data if self._state.eof else self._state.unconsumed_tail

    def copy(self) -> "_Zlib":
        copied = _Zlib.__new__(_Zlib)
        copied._state = self._state.copy()
        return copied


class _Blockwise:
    """bzip2 and xz: their objects keep left-over input to themselves and can't be copied."""

    def __init__(self, state: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._state = state

    @property
    def eof(self) -> bool:
        return self._state.eof

    def decode(self, data: bytes, limit: int) -> tuple[bytes, bytes]:
        output = self._state.decompress(data, limit)
        return output, self._state.unused_data if self._state.eof else b""

    def copy(self) -> None:
        return None


MAGIC = {Codec.GZIP: b"\x1f\x8b\x08", Codec.BZIP2: b"BZh", Codec.XZ: b"\xfd7zXZ\0"}


def _new_decoder(codec: Codec) -> _Decoder:
    if codec is Codec.DEFLATE:
        return _Zlib(-zlib.MAX_WBITS)
    if codec is Codec.GZIP:
        return _Zlib(16 + zlib.MAX_WBITS)
    if codec is Codec.BZIP2:
        return _Blockwise(bz2.BZ2Decompressor())
    return _Blockwise(lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES))


class _View(io.RawIOBase):
    """Position and seeking, which cost nothing until the next read."""

    _position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence)
        position = offset + (self._end() if origin is None else origin)
        if position < 0:
            raise OSError("seek before the start")
        self._position = position
        return position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        chunk = self._read_at(self._position, len(target))
        target[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)

    @abstractmethod
    def _end(self) -> int: ...

    @abstractmethod
    def _read_at(self, position: int, count: int) -> bytes:
        """At most ``count`` bytes, at least one; none at the end."""


class _Slice(_View):
    def __init__(self, base: BinaryIO, start: int, length: int, crc: int | None) -> None:
        self._base, self._start, self._length = base, start, length
        self._expected_crc = crc
        self._crc, self._crc_upto = 0, 0

    def _end(self) -> int:
        return self._length

    def _read_at(self, position: int, count: int) -> bytes:
        count = min(count, self._length - position)
        if count <= 0:
            return b""
        self._base.seek(self._start + position)
        chunk = self._base.read(count)
        if len(chunk) < count:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        if self._expected_crc is not None and position == self._crc_upto:
            self._crc, self._crc_upto = zlib.crc32(chunk, self._crc), position + count
            if self._crc_upto == self._length and self._crc != self._expected_crc:
                raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        return chunk


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """``decoder`` has read the base up to ``base_position`` and written ``position`` bytes with checksum
    ``crc``.
    """

    position: int
    base_position: int
    crc: int
    decoder: _Decoder | None  # None: a new one


class _Inflated(_View):
    def __init__(
        self,
        base: BinaryIO,
        codec: Codec,
        limits: InflationLimits,
        *,
        start: int,
        length: int | None,
        size: int | None,
        crc: int | None,
    ) -> None:
        self._base, self._codec, self._limits = base, codec, limits
        self._start = start
        self._base_end = None if length is None else start + length
        self._size: int | None = None
        self._declared_size, self._expected_crc = size, crc
        self._checkpoints = [_Checkpoint(0, start, 0, None)]
        self._spacing = CHECKPOINT_BYTES
        self._return_to(self._checkpoints[0])

    def _return_to(self, checkpoint: _Checkpoint) -> None:
        decoder = checkpoint.decoder.copy() if checkpoint.decoder is not None else None
        self._decoder = decoder or _new_decoder(self._codec)
        self._made, self._crc = checkpoint.position, checkpoint.crc
        self._base_position, self._pending = checkpoint.base_position, b""

    def _end(self) -> int:
        if self._declared_size is not None:
            return self._declared_size
        while self._size is None:
            self._produce(STEP_BYTES)
        return self._size

    def _read_at(self, position: int, count: int) -> bytes:
        if count <= 0 or (self._size is not None and position >= self._size):
            return b""
        if position < self._made or position - self._made > 2 * self._spacing:
            nearest = max((c for c in self._checkpoints if c.position <= position), key=lambda c: c.position)
            if position < self._made or nearest.position > self._made:
                self._return_to(nearest)
        while self._made < position:
            if not self._produce(position - self._made):
                return b""
        return self._produce(count)

    def _produce(self, limit: int) -> bytes:
        """The next bytes, at least one; none at the end of the stream."""
        while True:
            chunk = self._decode(min(limit, STEP_BYTES))
            if chunk:
                break
            if self._decoder.eof:
                if not self._begin_next_stream():
                    self._finish()
                    return b""
            elif not self._pending:
                self._pending = self._read_base()
                if not self._pending:
                    raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        self._made += len(chunk)
        if self._expected_crc is not None:
            self._crc = zlib.crc32(chunk, self._crc)
        self._check_growth()
        self._keep_checkpoint()
        return chunk

    def _decode(self, limit: int) -> bytes:
        if self._decoder.eof:
            return b""
        try:
            chunk, self._pending = self._decoder.decode(self._pending, limit)
        except (
            zlib.error,
            lzma.LZMAError,
            OSError,
            EOFError,
            ValueError,
        ):  # OSError: how bz2 says "invalid data"
            raise UnreadableError(Reason.ARCHIVE_DAMAGED) from None
        return chunk

    def _read_base(self) -> bytes:
        count = INPUT_BYTES
        if self._base_end is not None:
            count = min(count, self._base_end - self._base_position)
        self._base.seek(self._base_position)
        chunk = self._base.read(count)
        self._base_position += len(chunk)
        return chunk

    def _begin_next_stream(self) -> bool:
        """gzip, bzip2 and xz files may be joined end to end; anything else behind a stream is padding."""
        if self._codec is Codec.DEFLATE:
            return False
        if len(self._pending) < INPUT_BYTES:
            self._pending += self._read_base()
        if self._codec is Codec.XZ:
            self._pending = self._pending.lstrip(b"\0")
        if not self._pending.startswith(MAGIC[self._codec]):
            return False
        self._decoder = _new_decoder(self._codec)
        return True

    def _finish(self) -> None:
        if self._expected_crc is not None and self._crc != self._expected_crc:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        if self._declared_size is not None and self._made != self._declared_size:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        self._size = self._made

    def _check_growth(self) -> None:
        if self._made > self._limits.size_bytes:
            raise UnreadableError(Reason.ARCHIVE_TOO_LARGE)
        # What bzip2 and xz hold back counts as read; that is less than one input buffer.
        consumed = self._base_position - len(self._pending) - self._start
        if self._made > self._limits.ratio_from_bytes and self._made > self._limits.ratio * consumed:
            raise UnreadableError(Reason.ARCHIVE_RATIO)
        if self._declared_size is not None and self._made > self._declared_size:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        if self._made == self._declared_size and self._expected_crc not in (None, self._crc):
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)

    def _keep_checkpoint(self) -> None:
        if self._made < self._checkpoints[-1].position + self._spacing:
            return
        decoder = self._decoder.copy()
        if decoder is None:
            return
        base_position = self._base_position - len(self._pending)
        self._checkpoints.append(_Checkpoint(self._made, base_position, self._crc, decoder))
        if len(self._checkpoints) > CHECKPOINTS:
            self._checkpoints = self._checkpoints[::2]
            self._spacing *= 2


def open_slice(base: BinaryIO, start: int, length: int, crc: int | None = None) -> BinaryIO:
    """``length`` bytes of ``base`` from ``start``; ``base`` stays open and in the caller's hands.

    Reading raises UnreadableError(ARCHIVE_DAMAGED) where ``base`` ends before, or where all was read in order
    and does not have the CRC-32 ``crc``.
    """
    return io.BufferedReader(_Slice(base, start, length, crc))


def open_inflated(
    base: BinaryIO,
    codec: Codec,
    *,
    start: int = 0,
    length: int | None = None,
    size: int | None = None,
    crc: int | None = None,
    limits: InflationLimits,
) -> BinaryIO:
    """What the compressed stream at ``start`` of ``base`` holds; ``base`` stays open and in the caller's
    hands.

    ``length`` is that of the compressed bytes, ``size`` that of the inflated ones, None where it is not
    known. Reading (and seeking from the end, where ``size`` is None) raises UnreadableError with
    ARCHIVE_DAMAGED, ARCHIVE_RATIO or ARCHIVE_TOO_LARGE.
    """
    return io.BufferedReader(
        _Inflated(base, codec, limits, start=start, length=length, size=size, crc=crc), INPUT_BYTES
    )
