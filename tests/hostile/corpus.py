"""All bad files, by what has to become of them: outcome and reason, as ``consign files`` lists them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pydicom.config import disable_value_validation

from tests.canaries.mint import Mint
from tests.hostile import containers, headers, pixels
from tests.hostile.containers import make_special_files
from tests.hostile.pieces import Maker

PREPARED = "prepared"

BAD_FILES: Mapping[str, tuple[Maker, ...]] = {
    # What is wrong with them does not come through, or harms nobody.
    PREPARED: (
        headers.deflated_just_within_the_limit,
        headers.bytes_behind_a_deflated_stream,
        headers.bytes_behind_the_pixels,
        headers.padding_behind_the_pixels,
        headers.dataset_twice,
        headers.element_of_group_ffff,
        headers.group_of_commands,
        headers.explicit_that_says_implicit,
        headers.implicit_that_says_explicit,
        headers.without_transfer_syntax,
        headers.without_file_meta,
        headers.file_meta_longer_than_it_says,
        headers.file_meta_shorter_than_it_says,
        headers.odd_length,
        headers.nested_as_unknown,
        headers.million_empty_items,
        headers.million_open_items,
        headers.million_numbers,
        headers.million_values,
        headers.name_that_says_to_be_binary,
        headers.sequence_that_says_to_be_text,
        headers.number_of_ten_thousand_digits,
        headers.number_that_is_none,
        headers.number_with_a_huge_exponent,
        headers.broken_escape_sequence,
        headers.text_in_another_character_set,
        headers.unknown_character_set,
        headers.uid_that_is_a_path,
        headers.windows_program_as_preamble,
        headers.linux_program_as_preamble,
        headers.tiff_as_preamble,
        headers.zip_as_preamble,
        pixels.pixels_longer_than_the_image,
        pixels.writing_above_the_stored_bits,
        pixels.jpeg_with_a_thumbnail_and_comments,
        pixels.jpeg_2000_with_a_comment,
        pixels.jpeg_2000_of_a_billion_tiles,
        pixels.fewer_frames_than_fragments,
        pixels.fragment_of_writing,
        pixels.hundred_thousand_empty_fragments,
        pixels.offsets_beyond_the_fragments,
        pixels.writing_in_the_offset_table,
    ),
    "not-selected": (headers.unknown_sop_class,),
    "skipped empty-file": (headers.empty_file,),
    "skipped not-dicom": (
        headers.cut_in_the_preamble,
        headers.cut_in_the_prefix,
        headers.text_file,
        headers.random_bytes,
        headers.zeros,
    ),
    "skipped dicomdir": (
        containers.dicomdir_that_points_to_itself,
        containers.dicomdir_that_points_outside,
        containers.dicomdir_of_a_thousand_folders,
        containers.dicomdir_that_was_cut,
        containers.dicomdir_of_nonsense,
    ),
    "unreadable no-dataset": (
        headers.cut_behind_the_prefix,
        headers.cut_behind_file_meta,
        headers.preamble_alone,
    ),
    "unreadable truncated-header": (
        headers.cut_in_file_meta,
        headers.cut_in_an_element_header,
        headers.cut_in_a_value,
        headers.cut_in_a_sequence,
        headers.cut_in_a_deflated_stream,
        headers.length_beyond_the_end,
        headers.four_gigabytes_in_one_element,
        headers.file_meta_element_beyond_the_end,
        headers.sequence_longer_than_the_file,
        headers.unknown_of_undefined_length_without_end,
    ),
    "unreadable missing-uid": (
        headers.cut_between_two_elements,
        headers.empty_instance_uid,
        headers.without_sop_class,
        headers.without_study,
    ),
    "unreadable bad-uid": (headers.uid_of_two_hundred_digits, headers.uid_of_two_values),
    "unreadable truncated-pixels": (
        pixels.cut_in_the_pixels,
        pixels.cut_by_one_byte,
        pixels.pixels_of_four_gigabytes,
    ),
    "unreadable bad-element": (
        headers.text_of_undefined_length,
        headers.vr_that_does_not_exist,
        headers.vr_of_control_characters,
        headers.big_endian_that_says_little,
        headers.little_endian_that_says_big,
        headers.half_implicit_half_explicit,
        headers.plain_that_says_deflated,
        headers.deflated_nonsense,
    ),
    "unreadable bad-sequence": (
        headers.stray_item,
        headers.stray_item_end,
        headers.stray_sequence_end,
        headers.delimiter_with_a_length,
        headers.open_sequence_without_its_end,
        headers.item_longer_than_its_sequence,
        headers.item_that_ends_inside_an_element,
        headers.text_that_says_to_be_a_sequence,
    ),
    "unreadable tags-not-rising": (
        headers.element_twice,
        headers.element_out_of_order,
        headers.item_out_of_order,
        headers.file_meta_inside_the_dataset,
        headers.error_inside_thirty_sequences,
        pixels.pixel_data_inside_a_sequence,
    ),
    "unreadable too-deep": (headers.nested_openly, headers.nested_with_lengths),
    "unreadable too-many-elements": (headers.three_million_elements,),
    "unreadable header-too-large": (headers.header_of_seventy_megabytes,),
    "unreadable inflates-too-far": (headers.deflated_bomb,),
    "unreadable unknown-transfer-syntax": (
        headers.unknown_transfer_syntax,
        headers.private_transfer_syntax,
        headers.transfer_syntax_of_letters,
    ),
    "held-back no-pixels": (headers.cut_before_pixel_data,),
    "held-back pixel-length": (
        headers.rows_as_text,
        pixels.pixels_too_short_for_the_image,
        pixels.pixels_of_odd_length,
        pixels.no_pixels_at_all,
        pixels.pixel_data_twice,
        pixels.image_of_no_rows,
        pixels.sixty_thousand_samples,
        pixels.seven_bits_allocated,
        pixels.more_bits_stored_than_allocated,
        pixels.high_bit_beyond_the_cell,
        pixels.billion_frames,
        pixels.minus_one_frames,
    ),
    "held-back frame-too-large": (
        pixels.image_of_65535_squared,
        pixels.rle_of_60000_squared,
        pixels.jpeg_of_60000_squared,
        pixels.jpeg_ls_of_60000_squared,
        pixels.jpeg_2000_of_60000_squared,
        pixels.htj2k_of_60000_squared,
        pixels.jpeg_2000_of_10000_squared,
    ),
    "held-back bad-codestream": (
        pixels.rle_with_offsets_beyond_the_end,
        pixels.rle_of_sixty_segments,
        pixels.rle_with_writing_behind_the_runs,
        pixels.jpeg_of_5000_squared,
        pixels.jpeg_larger_than_its_header,
        pixels.jpeg_cut_in_its_scan,
        pixels.jpeg_with_two_images,
        pixels.jpeg_of_nonsense,
        pixels.jpeg_segment_beyond_the_end,
        pixels.jpeg_2000_larger_than_its_header,
        pixels.jpeg_2000_of_16384_components,
        pixels.jpeg_2000_cut,
        pixels.jpeg_2000_with_an_endless_tile,
        pixels.jpeg_2000_that_is_a_jpeg,
        pixels.jpeg_that_says_rle,
    ),
    "held-back truncated-pixels": (
        pixels.cut_in_a_fragment,
        pixels.cut_before_the_last_delimiter,
        pixels.fragment_beyond_the_end,
    ),
    "held-back bad-fragments": (
        pixels.fragments_without_an_offset_table,
        pixels.something_else_between_the_fragments,
        pixels.more_frames_than_fragments,
        pixels.native_that_says_jpeg,
        pixels.jpeg_that_says_native,
    ),
    "held-back video": (pixels.video_of_nonsense,),
}

# Archives: the outcomes of all their members and their own, without doubles, in alphabetical order.
BAD_ARCHIVES: Mapping[str, tuple[Maker, ...]] = {
    "prepared, skipped archive, skipped member-path-escapes": (containers.zip_slip,),
    "skipped archive, skipped empty-file": (containers.zip_of_many_empty_members,),
    "skipped archive, skipped member-not-a-file": (containers.tar_of_links_and_devices,),
    "skipped archive, skipped member-path-escapes": (containers.tar_slip,),
    "skipped archive, unreadable archive-damaged": (
        containers.zip_bomb_that_hides_its_size,
        containers.zip_with_a_wrong_checksum,
        containers.gzip_that_was_cut,
    ),
    "skipped archive, unreadable archive-encrypted": (containers.zip_with_a_password,),
    "skipped archive, unreadable archive-ratio": (
        containers.gzip_bomb,
        containers.bzip2_bomb,
        containers.xz_bomb,
    ),
    "skipped archive, unreadable archive-too-deep": (containers.zip_in_zip_in_zip,),
    "skipped not-dicom, unreadable archive-ratio": (containers.zip_with_overlapping_members,),
    "unreadable archive-damaged": (
        containers.zip_that_was_cut,
        containers.zip_with_a_directory_beyond_the_end,
        containers.tar_that_was_cut,
        containers.tar_member_of_eight_exabytes,
    ),
    "unreadable archive-ratio": (containers.zip_bomb,),
}

# These take seconds each, which tests do not have: see ``benchmarks/hostile.py``.
HEAVY: frozenset[Callable[..., bytes]] = frozenset(
    (
        headers.three_million_elements,
        headers.million_open_items,
        headers.header_of_seventy_megabytes,
        headers.deflated_just_within_the_limit,
    )
)

EXPECTED: Mapping[Maker, str] = {
    make: outcome for table in (BAD_FILES, BAD_ARCHIVES) for outcome, makers in table.items() for make in makers
}


def write_bad_files(folder: Path, mint: Mint, *, heavy: bool) -> dict[str, str]:
    """Write each bad file into a folder of its own name; returns the outcome that each is to have.

    Pipes, links and the like lie in ``special``, by their names.
    """
    expected = {}
    for make, outcome in EXPECTED.items():
        if make in HEAVY and not heavy:
            continue
        name = make.__name__
        (folder / name).mkdir(parents=True)
        with disable_value_validation():
            content = make(mint, name)
        (folder / name / ("DICOMDIR" if name.startswith("dicomdir") else "IM1")).write_bytes(content)
        expected[name] = outcome
    special = make_special_files(folder / "special")
    return expected | {f"special/{name}": f"skipped {reason}" for name, reason in special.items()}
