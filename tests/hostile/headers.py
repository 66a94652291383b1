"""Bad headers: cut, with lengths that lie, too deep, too many, in the wrong order or encoding."""

import struct
import zlib

from pydicom import uid as uids

from tests.canaries.mint import Mint
from tests.factory import to_bytes
from tests.hostile.pieces import (
    DEFLATE_END,
    ITEM_END,
    PATIENT_NAME,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED,
    dataset_start,
    deflated,
    element,
    insert_before,
    item,
    place_of,
    replace_element,
    sound,
    sound_bytes,
    squeezed_zeros,
    tag_bytes,
    value_of,
    with_meta,
    with_transfer_syntax,
    without_pixels,
)

_SEQUENCE = 0x00082218  # Anatomic Region Sequence, which images keep
_ROWS = 0x00280010


# cut --------------------------------------------------------------------------


def cut_in_the_preamble(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:100]


def cut_in_the_prefix(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:130]


def cut_behind_the_prefix(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:132]


def cut_in_file_meta(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:190]


def cut_behind_file_meta(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[: dataset_start(content)]


def cut_in_an_element_header(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[: place_of(content, PATIENT_NAME) + 5]


def cut_in_a_value(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[: value_of(content, PATIENT_NAME)[1] - 3]


def cut_in_a_sequence(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[: place_of(content, _SEQUENCE) + 30]


def cut_between_two_elements(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[: place_of(content, 0x0020000D)]


def cut_before_pixel_data(mint: Mint, place: str) -> bytes:
    return without_pixels(sound_bytes(mint, place))


def cut_in_a_deflated_stream(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place, uids.DeflatedExplicitVRLittleEndian)[:-40]


# lengths that lie ---------------------------------------------------------------


def length_beyond_the_end(mint: Mint, place: str) -> bytes:
    content = without_pixels(sound_bytes(mint, place))
    start, _ = value_of(content, PATIENT_NAME)
    return content[: start - 2] + b"\xf0\xff" + content[start:]


def four_gigabytes_in_one_element(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x7FD10010, b"OB", b"", 0xFFFFFFF0))


def text_of_undefined_length(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40000010, b"UT", b"text", UNDEFINED))


def unknown_of_undefined_length_without_end(mint: Mint, place: str) -> bytes:
    content = without_pixels(sound_bytes(mint, place))
    return content + element(0x40010010, b"LO", b"ACME") + element(0x40011010, b"UN", b"", UNDEFINED) + item(b"", 8)


def item_longer_than_its_sequence(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", item(b"", 100)))


def sequence_longer_than_the_file(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", item(), 1 << 30))


def item_that_ends_inside_an_element(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    inner = element(0x00080104, b"LO", b"ABCD")
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", item(inner, len(inner) - 2)))


def odd_length(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40000010, b"LT", b"odd"))


def file_meta_shorter_than_it_says(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[:140] + struct.pack("<L", 1_000_000) + content[144:]


def file_meta_longer_than_it_says(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[:140] + struct.pack("<L", 4) + content[144:]


def file_meta_element_beyond_the_end(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    at = content.index(tag_bytes(0x00020010))
    return content[: at + 6] + b"\xfe\xff" + content[at + 8 :]


# too deep, too many, too large ------------------------------------------------------


def nested_openly(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    opening = element(_SEQUENCE, b"SQ", item(b"", UNDEFINED), UNDEFINED)
    closing = item(tag=ITEM_END) + item(tag=SEQUENCE_END)
    return insert_before(content, _SEQUENCE, opening * 300 + closing * 300)


def nested_with_lengths(mint: Mint, place: str) -> bytes:
    nested = b""
    for _ in range(300):
        nested = element(_SEQUENCE, b"SQ", item(nested))
    return insert_before(sound_bytes(mint, place), _SEQUENCE, nested)


def nested_as_unknown(mint: Mint, place: str) -> bytes:
    nested = b""
    for _ in range(300):
        nested = element(0x40010010, b"LO", b"ACME") + element(0x40011010, b"UN", item(nested))
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, nested)


def error_inside_thirty_sequences(mint: Mint, place: str) -> bytes:
    # pydicom takes minutes and gigabytes over it: each level repeats the text of the one below.
    nested = element(0x00080104, b"LO", b"x" * 8, 0xFFF0)
    for _ in range(30):
        nested = element(_SEQUENCE, b"SQ", item(nested))
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, nested)


def million_empty_items(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", item() * 1_000_000))


def million_open_items(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    items = (item(b"", UNDEFINED) + item(tag=ITEM_END)) * 1_000_000
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", items + item(tag=SEQUENCE_END), UNDEFINED))


def three_million_elements(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    one = item(b"".join(element(0x00080000 + number, b"SH", b"") for number in range(0x100, 0x4100)))
    return insert_before(content, PIXEL_DATA, element(0x40080050, b"SQ", one * 184))


def million_values(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return insert_before(content, PIXEL_DATA, element(0x40000010, b"UC", b"1\\" * 1_000_000))


def million_numbers(mint: Mint, place: str) -> bytes:
    """In an attribute that radiotherapy keeps, and only as text of the right grammar."""
    return to_bytes(sound(mint, place, GridFrameOffsetVector=["1"] * 8000))


def header_of_seventy_megabytes(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    block = element(0x7FD10010, b"LO", b"ACME") + element(0x7FD11010, b"OB", bytes(70 << 20))
    return insert_before(content, PIXEL_DATA, block)


def deflated_bomb(mint: Mint, place: str) -> bytes:
    """A gigabyte in a megabyte."""
    content = sound_bytes(mint, place)
    head = with_transfer_syntax(content, uids.DeflatedExplicitVRLittleEndian)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    dataset = squeezer.compress(content[dataset_start(content) :]) + squeezer.flush(zlib.Z_FULL_FLUSH)
    return head[: dataset_start(head)] + dataset + squeezed_zeros(1024) + DEFLATE_END


def deflated_just_within_the_limit(mint: Mint, place: str) -> bytes:
    """A header that says to have 100 megabytes before its pixels."""
    content = sound_bytes(mint, place)
    block = element(0x7FD10010, b"LO", b"ACME") + element(0x7FD11010, b"OB", bytes(100 << 20))
    return deflated(content, insert_before(content, PIXEL_DATA, block)[dataset_start(content) :])


def deflated_nonsense(mint: Mint, place: str) -> bytes:
    head = with_transfer_syntax(sound_bytes(mint, place), uids.DeflatedExplicitVRLittleEndian)
    return head[: dataset_start(head)] + b"\x07 this is no deflated stream " * 20


def bytes_behind_a_deflated_stream(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place, uids.DeflatedExplicitVRLittleEndian) + mint.text(place).encode()


# delimiters and order -----------------------------------------------------------------


def stray_item_end(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PATIENT_NAME, item(tag=ITEM_END))


def stray_sequence_end(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PATIENT_NAME, item(tag=SEQUENCE_END))


def stray_item(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PATIENT_NAME, item(b"12345678"))


def delimiter_with_a_length(mint: Mint, place: str) -> bytes:
    sequence = element(0x40080050, b"SQ", item() + item(b"ABCD", tag=SEQUENCE_END), UNDEFINED)
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, sequence)


def open_sequence_without_its_end(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, element(0x40080050, b"SQ", item(), UNDEFINED))


def element_twice(mint: Mint, place: str) -> bytes:
    second = element(PATIENT_NAME, b"PN", mint.text(f"{place}: second").encode())
    return insert_before(sound_bytes(mint, place), PATIENT_NAME, second)


def element_out_of_order(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, element(0x00080050, b"SH", b"AB"))


def item_out_of_order(mint: Mint, place: str) -> bytes:
    items = item(element(0x00080104, b"LO", b"AB") + element(0x00080100, b"SH", b"CD"))
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, element(0x40080050, b"SQ", items))


def file_meta_inside_the_dataset(mint: Mint, place: str) -> bytes:
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, element(0x00020010, b"UI", b"1.2."))


def element_of_group_ffff(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: last").encode()
    return sound_bytes(mint, place) + element(0xFFFFFFFF, b"LO", token)


def group_of_commands(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    command = element(0x00000002, b"UI", b"1.2.840.10008.1.1\0")
    return with_meta(content, command + content[dataset_start(content) :])


# encodings ------------------------------------------------------------------------------


def unknown_transfer_syntax(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), "1.2.840.10008.1.2.4.999")


def private_transfer_syntax(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), "1.2.840.113619.5.2")


def transfer_syntax_of_letters(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), "../../etc/passwd")


def explicit_that_says_implicit(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), uids.ImplicitVRLittleEndian)


def implicit_that_says_explicit(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place, uids.ImplicitVRLittleEndian), uids.ExplicitVRLittleEndian)


def little_endian_that_says_big(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), uids.ExplicitVRBigEndian)


def big_endian_that_says_little(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place, uids.ExplicitVRBigEndian), uids.ExplicitVRLittleEndian)


def plain_that_says_deflated(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), uids.DeflatedExplicitVRLittleEndian)


def without_transfer_syntax(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    at = content.index(tag_bytes(0x00020010))
    length = 8 + int(struct.unpack_from("<H", content, at + 6)[0])
    changed = content[:at] + content[at + length :]
    group_length = struct.unpack_from("<L", content, 140)[0] - length
    return changed[:140] + struct.pack("<L", group_length) + changed[144:]


def without_file_meta(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content[:132] + content[dataset_start(content) :]


def half_implicit_half_explicit(mint: Mint, place: str) -> bytes:
    content, implicit = sound_bytes(mint, place), sound_bytes(mint, place, uids.ImplicitVRLittleEndian)
    return content[: place_of(content, PATIENT_NAME)] + implicit[place_of(implicit, PATIENT_NAME) :]


# VRs and values -------------------------------------------------------------------------


def name_that_says_to_be_binary(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: name").encode()
    return replace_element(sound_bytes(mint, place), PATIENT_NAME, element(PATIENT_NAME, b"OB", token))


def vr_that_does_not_exist(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: name").encode()
    return replace_element(sound_bytes(mint, place), PATIENT_NAME, element(PATIENT_NAME, b"ZZ", token))


def vr_of_control_characters(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), PATIENT_NAME, element(PATIENT_NAME, b"\0\x1b", b"ABCD"))


def rows_as_text(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: rows").encode()
    return replace_element(sound_bytes(mint, place), _ROWS, element(_ROWS, b"LO", token))


def sequence_that_says_to_be_text(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: sequence").encode()
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, element(0x40080050, b"LO", token))


def text_that_says_to_be_a_sequence(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: name").encode()
    return replace_element(sound_bytes(mint, place), PATIENT_NAME, element(PATIENT_NAME, b"SQ", token))


def number_of_ten_thousand_digits(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00180050, element(0x00180050, b"DS", b"1" * 10_000))


def number_with_a_huge_exponent(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00180050, element(0x00180050, b"DS", b"1e999999"))


def number_that_is_none(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00180050, element(0x00180050, b"DS", b"nan "))


def unknown_character_set(mint: Mint, place: str) -> bytes:
    content = replace_element(sound_bytes(mint, place), 0x00080005, element(0x00080005, b"CS", b"ISO_IR 999"))
    return replace_element(content, PATIENT_NAME, element(PATIENT_NAME, b"PN", "Müller^Jörg ".encode("latin-1")))


def text_in_another_character_set(mint: Mint, place: str) -> bytes:
    content = replace_element(sound_bytes(mint, place), 0x00080005, element(0x00080005, b"CS", b"ISO_IR 192"))
    return replace_element(content, PATIENT_NAME, element(PATIENT_NAME, b"PN", b"\xc0\xaf\xf5\x80"))


def broken_escape_sequence(mint: Mint, place: str) -> bytes:
    sets = element(0x00080005, b"CS", b"\\ISO 2022 IR 149")
    content = replace_element(sound_bytes(mint, place), 0x00080005, sets)
    return replace_element(content, PATIENT_NAME, element(PATIENT_NAME, b"PN", b"\x1b$)C\xff\x1b\x1b$)"))


# what an instance must have ----------------------------------------------------------------


def without_sop_class(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080016, b"")


def unknown_sop_class(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080016, element(0x00080016, b"UI", b"1.2.3.4.5\0"))


def without_study(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x0020000D, b"")


def empty_instance_uid(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080018, element(0x00080018, b"UI", b""))


def uid_of_two_hundred_digits(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080018, element(0x00080018, b"UI", b"1." + b"2" * 198))


def uid_that_is_a_path(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080018, element(0x00080018, b"UI", b"../../../evil\0"))


def uid_of_two_values(mint: Mint, place: str) -> bytes:
    return replace_element(sound_bytes(mint, place), 0x00080018, element(0x00080018, b"UI", b"1.2.3\\1.2.4\0"))


# preambles and other files -------------------------------------------------------------------


def windows_program_as_preamble(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: preamble").encode()
    return (b"MZ\x90\0" + token).ljust(128, b"\0") + sound_bytes(mint, place)[128:]


def linux_program_as_preamble(mint: Mint, place: str) -> bytes:
    return b"\x7fELF\x02\x01\x01".ljust(128, b"\x90") + sound_bytes(mint, place)[128:]


def zip_as_preamble(mint: Mint, place: str) -> bytes:
    return b"PK\x03\x04".ljust(128, b"\0") + sound_bytes(mint, place)[128:]


def tiff_as_preamble(mint: Mint, place: str) -> bytes:
    return b"II*\0".ljust(128, b"\0") + sound_bytes(mint, place)[128:]


def preamble_alone(mint: Mint, place: str) -> bytes:
    return bytes(128) + b"DICM"


def empty_file(mint: Mint, place: str) -> bytes:
    return b""


def zeros(mint: Mint, place: str) -> bytes:
    return bytes(1 << 20)


def random_bytes(mint: Mint, place: str) -> bytes:
    return zlib.compress(mint.text(place).encode() * 9) * 50


def text_file(mint: Mint, place: str) -> bytes:
    return f"Letter about {mint.text(place)}".encode() * 20


def dataset_twice(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return content + content


def bytes_behind_the_pixels(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place) + mint.text(f"{place}: behind").encode()


def padding_behind_the_pixels(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place) + element(0xFFFCFFFC, b"OB", mint.text(f"{place}: padding").encode())
