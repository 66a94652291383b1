"""What the checks say of the public files: all of it, looked at one by one."""

import json
from pathlib import Path

from app.catalog.step import scan
from app.checks.step import check
from app.jobs.executors import SerialExecutor
from app.project.folder import Project, create_project
from app.project.series_findings import CheckedSeries, load_checked_series
from app.protocol.checks import BodyPart, Phase
from tests.real_data import REAL_FILES, needs_real_files

# The first file of each series -> what is said of it. Single slices of a study are true gaps: most were left out.
EXPECTED = {
    "burned_in/MultiframeTest.dcm": {"secondary-capture"},
    "burned_in/mg_synthetic_henry_nicole.dcm": {"secondary-capture"},
    "burned_in/ot_john_doe_us_jpeg.dcm": {"secondary-capture"},
    "burned_in/sc_pm5644_testcard.dcm": {"derived", "secondary-capture"},
    "burned_in/sc_text_red_green_blue.dcm": {"secondary-capture"},
    "charsets/chrArab.dcm": {"secondary-capture"},
    "charsets/chrGB2312.dcm": {"secondary-capture"},
    "charsets/chrGreek.dcm": {"secondary-capture"},
    "charsets/chrH31.dcm": {"secondary-capture"},
    "charsets/chrHbrw.dcm": {"secondary-capture"},
    "charsets/chrRuss.dcm": {"secondary-capture"},
    "charsets/chrX2.dcm": {"secondary-capture"},
    "dicomdir_3patients/77654033/CT2/17106": {"missing-slices"},  # slices 18 and 180 to 182
    "dicomdir_3patients/98892001/CT2N/6293": {"localizer"},
    "dicomdir_3patients/98892003/MR1/15820": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR1/4919": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR1/5641": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR2/15970": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR2/4950": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR2/6273": {"localizer-by-name"},
    "dicomdir_3patients/98892003/MR700/4467": {"derived", "secondary"},  # projections of an angiography
    "modalities/ct_philips_surview_localizer.dcm": {"localizer"},
    "modalities/emr_j2k_19frames.dcm": {"derived"},
    "modalities/nm_13frames_noext": {"derived"},
    "modalities/pm_float_pixel_data.dcm": {"derived"},
    "odd/JPEG2000-embedded-sequence-delimiter.dcm": {"derived", "secondary-capture"},
    "series_missing_slice/adb1_1.dcm": {"localizer-by-name"},  # the missing slice is in zips/abd1.zip
    "study_localizer_contrast/C3N-00953/1000.dcm": {"localizer"},
    "study_localizer_contrast/C3N-00953/1001.dcm": {"missing-slices"},
    "study_localizer_contrast/C3N-00953/1006.dcm": {"missing-slices"},
    "study_localizer_contrast/TCGA-G4-6304/1000.dcm": {"localizer"},
    "study_localizer_contrast/TCGA-G4-6304/1004.dcm": {"missing-slices"},
    "study_localizer_contrast/TCGA-G4-6304/1009.dcm": {"secondary-capture", "truncated-pixels"},
    "transfer_syntax/MR2_J2KI.dcm": {"derived"},
    "transfer_syntax/SC_rgb_jpeg_dcmtk.dcm": {"derived", "secondary-capture"},
    "transfer_syntax/ect_jpeg_extended_fragmented_no_bot.dcm": {"derived"},
    "transfer_syntax/image_dfl.dcm": {"secondary-capture"},
    "transfer_syntax/siemens_mosaic/1.dcm": {"duplicate-slices"},  # one image in eight transfer syntaxes
    "vendor_private/mr_ge_mister_mr_p229.dcm": {"localizer-by-name"},
    "vendor_private/mr_siemens_overlay_p9.dcm": {"derived", "secondary"},
    "zips/dupe-positions.zip": {"duplicate-slices", "missing-slices"},
}

pytestmark = needs_real_files


def check_files(root: Path, source: Path) -> dict[str, CheckedSeries]:
    """What is said of each series, by the path of its first file below the public files."""
    create_project(root / "project", "SITE", None)
    with Project(root / "project") as project:
        list(scan(project, [source], SerialExecutor()))
        list(check(project))
        checked = load_checked_series(project.store)
        rows = project.store.execute(
            "SELECT i.series_id, min(f.original_locator) FROM instances AS i JOIN files AS f ON f.id = i.file_id "
            "WHERE i.reason IS NULL GROUP BY 1"
        )
        root = REAL_FILES.resolve()
        return {str(Path(json.loads(text)[0]).relative_to(root)): checked[series] for series, text in rows}


def codes(series: CheckedSeries) -> set[str]:
    return {finding.code for finding in series.findings}


def test_all_that_is_said_of_the_public_files_is_true(tmp_path: Path) -> None:
    checked = check_files(tmp_path, REAL_FILES)

    assert {path: codes(series) for path, series in checked.items() if series.findings} == EXPECTED
    before, after = (checked[f"study_localizer_contrast/C3N-00953/{name}.dcm"] for name in (1001, 1006))
    assert (before.phase, after.phase) == (Phase.NONE, Phase.VENOUS)
    assert checked["study_localizer_contrast/TCGA-G4-6304/1004.dcm"].phase is Phase.NONE
    assert before.body_parts == after.body_parts == (BodyPart.ABDOMEN,)
    assert checked["vendor_private/mr_siemens_overlay_p9.dcm"].phase is Phase.ENHANCED
    assert checked["modalities/emr_j2k_19frames.dcm"].body_parts == (BodyPart.LOWER_LIMB,)
    assert checked["transfer_syntax/mr_siemens_bigendian_andrews_robert.dcm"].body_parts == (BodyPart.HEAD,)
    assert checked["modalities/mg_overlay_out_of_bounds.dcm"].body_parts == (BodyPart.BREAST,)


def test_slice_that_was_left_out_of_a_survey_is_missed(tmp_path: Path) -> None:
    (series,) = check_files(tmp_path, REAL_FILES / "series_missing_slice").values()

    # Slice 6 of 8 is the first of its stack, so that no gap shows, but its number does.
    (finding,) = [one for one in series.findings if one.code == "missing-numbers"]
    assert finding.original_fields == {"slices": 1, "number": 6}
