"""Bad media and archives, and what is no file at all."""

import bz2
import gzip
import io
import lzma
import os
import socket
import struct
import sys
import tarfile
from pathlib import Path

from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset

from tests.canaries.mint import Mint
from tests.factory import to_bytes, zip_bytes
from tests.hostile.pieces import DEFLATE_END, element, sound_bytes, squeezed_zeros

# zip -------------------------------------------------------------------------------


def zip_slip(mint: Mint, place: str) -> bytes:
    """Members that lead outside, beside one that does not."""
    names = ("fine.dcm", "../../evil.dcm", "/etc/evil.dcm", "C:\\evil.dcm", "a/../../evil.dcm", "..\\..\\evil.dcm")
    members = {name: sound_bytes(mint, f"{place} {name}") for name in names}
    return zip_bytes(members)


def zip_bomb(mint: Mint, place: str) -> bytes:
    """A gigabyte in a megabyte."""
    squeezed = squeezed_zeros(1024) + DEFLATE_END
    sizes = struct.pack("<LLL", 0, len(squeezed), 1 << 30)
    local = b"PK\3\4" + struct.pack("<5H", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", 4, 0) + b"bomb"
    entry = b"PK\1\2" + struct.pack("<6H", 20, 20, 0, 8, 0, 33) + sizes
    entry += struct.pack("<5HLL", 4, 0, 0, 0, 0, 0, 0) + b"bomb"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(entry), len(local) + len(squeezed), 0)
    return local + squeezed + entry + end


def zip_bomb_that_hides_its_size(mint: Mint, place: str) -> bytes:
    content = bytearray(zip_bomb(mint, place))
    for at, offset in ((0, 22), (content.rindex(b"PK\1\2"), 24)):
        struct.pack_into("<L", content, at + offset, 1000)
    return bytes(content)


def zip_with_overlapping_members(mint: Mint, place: str) -> bytes:
    """A thousand entries of the directory that all mean the same bytes."""
    content = zip_bytes({"m": bytes(200_000)})
    directory = content.index(b"PK\1\2")
    entry = content[directory : content.index(b"PK\5\6")]
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(entry) * 1000, directory, 0)
    return content[:directory] + entry * 1000 + end


def zip_in_zip_in_zip(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    for level in range(6):
        content = zip_bytes({f"level{level}.zip" if level else "IM1": content})
    return content


def zip_with_a_password(mint: Mint, place: str) -> bytes:
    content = bytearray(zip_bytes({"IM1": sound_bytes(mint, place)}))
    content[6] |= 1
    content[content.rindex(b"PK\1\2") + 8] |= 1
    return bytes(content)


def zip_that_was_cut(mint: Mint, place: str) -> bytes:
    return zip_bytes({"IM1": sound_bytes(mint, place)})[:-300]


def zip_with_a_wrong_checksum(mint: Mint, place: str) -> bytes:
    content = bytearray(zip_bytes({"IM1": sound_bytes(mint, place)}))
    content[1500] ^= 1
    return bytes(content)


def zip_with_a_directory_beyond_the_end(mint: Mint, place: str) -> bytes:
    content = bytearray(zip_bytes({"IM1": sound_bytes(mint, place)}))
    struct.pack_into("<L", content, len(content) - 6, 0xFFFFFFF0)
    return bytes(content)


def zip_of_many_empty_members(mint: Mint, place: str) -> bytes:
    return zip_bytes({f"{number}": b"" for number in range(3000)})


# tar and compressed files --------------------------------------------------------------


def _tar(*infos: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for info in infos:
            archive.addfile(info, io.BytesIO(bytes(info.size)) if info.isreg() else None)
    return buffer.getvalue()


def tar_of_links_and_devices(mint: Mint, place: str) -> bytes:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    infos = []
    for number, kind in enumerate(kinds):
        info = tarfile.TarInfo(f"m{number}")
        info.type, info.linkname = kind, "/etc/passwd"
        infos.append(info)
    return _tar(*infos)


def tar_slip(mint: Mint, place: str) -> bytes:
    return _tar(tarfile.TarInfo("../../evil.dcm"), tarfile.TarInfo("/etc/evil.dcm"))


def tar_member_of_eight_exabytes(mint: Mint, place: str) -> bytes:
    content = bytearray(_tar(tarfile.TarInfo("m")))
    content[124:136] = b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7
    content[148:156] = b" " * 8
    content[148:156] = b"%06o\0 " % sum(content[:512])
    return bytes(content)


def tar_that_was_cut(mint: Mint, place: str) -> bytes:
    info = tarfile.TarInfo("m")
    info.size = 5000
    return _tar(info)[:3000]


def gzip_bomb(mint: Mint, place: str) -> bytes:
    return gzip.compress(bytes(1 << 20), 9, mtime=0) * 1024


def bzip2_bomb(mint: Mint, place: str) -> bytes:
    return bz2.compress(bytes(1 << 20), 9) * 256


def xz_bomb(mint: Mint, place: str) -> bytes:
    return lzma.compress(bytes(1 << 20)) * 512


def gzip_that_was_cut(mint: Mint, place: str) -> bytes:
    return gzip.compress(sound_bytes(mint, place), mtime=0)[:-50]


# DICOMDIR ----------------------------------------------------------------------------------

_SEQUENCE_AT = 0x00041220


def _dicomdir(records: list[Dataset]) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = uids.MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = uids.UID("1.2.3.4")
    dataset.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 400
    dataset.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 400
    dataset.FileSetConsistencyFlag = 0
    dataset.DirectoryRecordSequence = records
    return dataset


def _record(mint: Mint, place: str, *file_id: str, offset: int = 400) -> Dataset:
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = offset
    record.RecordInUseFlag, record.DirectoryRecordType = 0xFFFF, "IMAGE"
    record.ReferencedFileID = list(file_id)
    record.PatientName = mint.text(place)
    return record


def dicomdir_that_points_to_itself(mint: Mint, place: str) -> bytes:
    """Each record is the next of itself: pydicom's FileSet never ends over it."""
    return to_bytes(_dicomdir([_record(mint, place, "DICOMDIR", offset=offset) for offset in (400, 400, 0)]))


def dicomdir_that_points_outside(mint: Mint, place: str) -> bytes:
    return to_bytes(
        _dicomdir([_record(mint, place, "..", "..", "ETC", "PASSWD"), _record(mint, place, "/ETC", "PASSWD")])
    )


def dicomdir_of_a_thousand_folders(mint: Mint, place: str) -> bytes:
    return to_bytes(_dicomdir([_record(mint, place, *["A"] * 1000)]))


def dicomdir_that_was_cut(mint: Mint, place: str) -> bytes:
    return dicomdir_that_points_outside(mint, place)[:-60]


def dicomdir_of_nonsense(mint: Mint, place: str) -> bytes:
    head = dicomdir_that_points_outside(mint, place)[:300]
    return head + element(_SEQUENCE_AT, b"SQ", mint.text(place).encode())


# what is no file ------------------------------------------------------------------------------


def make_special_files(folder: Path) -> dict[str, str]:
    """Pipe, socket, device and links in ``folder``, where the system has them; each with its reason.

    The device needs root, and is left out without.
    """
    folder.mkdir(parents=True)
    if sys.platform == "win32":
        return {}
    made = {"pipe": "not-a-regular-file", "socket": "not-a-regular-file"}
    os.mkfifo(folder / "pipe")
    before = Path.cwd()
    try:
        os.chdir(folder)  # the address of a socket has room for 107 bytes
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket")
    finally:
        os.chdir(before)
    if os.geteuid() == 0:
        os.mknod(folder / "device", 0o020666, os.makedev(1, 5))  # /dev/zero, which never ends
        made["device"] = "not-a-regular-file"
    (folder / "loop one").symlink_to("loop two")
    (folder / "loop two").symlink_to("loop one")
    (folder / "loop of folders").symlink_to(folder)
    (folder / "outside").symlink_to("/etc/passwd")
    return made | dict.fromkeys(("loop one", "loop two", "loop of folders", "outside"), "link")
