"""A code and its ids as a sentence for people: what happened, and what to do next.

Codes are for logs, reports and machines; sentences are for the command line and the window. A sentence holds nothing
but the product's own words and the ids of the code, which are never a patient's.
"""

from collections.abc import Mapping

from app.errors import ConsignError
from app.project.decisions import DecisionsRefusedError
from app.text.findings import FINDINGS
from app.text.i18n import Translate, mark
from app.text.reasons import REASONS, SUSPICIONS

ERRORS: Mapping[str, str] = {
    # command line
    "bad-site-id": mark("The site id must be 1 to 16 letters, digits or hyphens. Choose another one."),
    "bad-workers": mark("Give --workers as serial, auto, a number from 1 to 61, or dask://HOST:PORT."),
    "no-screen": mark(
        "There is no screen here to open the window on. The command line (consign --help) does the same job."
    ),
    "dask-not-installed": mark("Dask is not installed. Install the extra consign[dask], or use other --workers."),
    "dask-not-reached": mark("The Dask scheduler does not answer. Check that it runs and that the address is right."),
    "dask-without-workers": mark("The Dask cluster has no workers (left). Start some, and run the same command again."),
    "workers-do-not-start": mark(
        "A worker process can't be started. Free some memory or give fewer --workers, and run the same command again."
    ),
    "defect": mark(
        "The program failed ({kind} at {place}) and did not finish. Report this line; it holds nothing of a patient."
    ),
    "source-gone": mark(
        "Source number {number} can't be reached any more, or it is empty now. Connect its drive again, and do the "
        "same again: nothing is lost."
    ),
    "scan-not-finished": mark(
        "The last scan did not come to its end. Start it again (page Find, or: consign scan); it goes on from there."
    ),
    "source-not-found": mark("Source number {number} can't be found or opened. Check its path and your rights."),
    # project
    "folder-not-empty": mark("The folder for the new project is not empty. Choose a new or an empty one."),
    "not-a-project": mark(
        "This folder is not a Consign project. Choose another one, or make one (first page, or: consign new)."
    ),
    "project-has-another-site": mark(
        "The project was made for another site id. Give that one, or choose another project folder."
    ),
    "project-has-another-protocol": mark(
        "The project was made with another protocol. Leave --protocol out, or choose another project folder."
    ),
    "project-in-use": mark("Another Consign is working on this project. Wait for it to end, or close it."),
    "no-room": mark(
        "The disk of the project, or the one that was written to, is full. Make room, and do the same again: nothing "
        "is lost."
    ),
    "no-right": mark(
        "The system refused to open or to write a file of the project. Check your rights, and whether another program "
        "holds it; then do the same again: nothing is lost."
    ),
    "no-drive": mark(
        "A file or folder of the project can't be reached. Connect its drive again, and do the same again: nothing is "
        "lost."
    ),
    "project-toml-damaged": mark("The project's project.toml is damaged. Restore it from a backup."),
    "project-is-newer": mark(
        "The project was made by a newer Consign (database version {version}). Install the newer one."
    ),
    "database-damaged": mark(
        "The project's catalogue is damaged. Restore catalog.sqlite from a backup: it holds the patients' codes."
    ),
    "demo-not-written": mark("The demo can't be written into your documents. Make room there, or check your rights."),
    "secret-damaged": mark("The project's secret.key is missing or damaged. Restore it from a backup."),
    "crosswalk-damaged": mark(
        "The crosswalk can't be read with the project's secret.key. Restore both from the same backup."
    ),
    "protocol-changed": mark(
        "The project's protocol.toml was changed after the project was made. Put the original back, or make a new "
        "project with the new protocol."
    ),
    "selection-json-damaged": mark(
        "decisions/selection.json is damaged. Select again (page Find, or: consign select), to write it anew."
    ),
    "decisions-damaged": mark(
        "decisions/{file} can't be understood at line {line}. Correct that line, or restore the file from a backup."
    ),
    # protocol and query
    "protocol-not-found": mark("The protocol file does not exist. Check its path."),
    "protocol-unreadable": mark("The protocol file can't be opened. Check your rights on it."),
    "protocol-too-large": mark("The protocol file has more than {limit_bytes} bytes. Check that it is the right file."),
    "protocol-not-utf8": mark("The protocol file is not UTF-8 text. Save it as UTF-8."),
    "protocol-not-toml": mark("The protocol file is not valid TOML. Correct it at the place shown."),
    "protocol-too-deep": mark("The protocol's tables are nested deeper than {limit} levels. Make them flatter."),
    "protocol-unknown-key": mark("The protocol has no key {key}. Correct its spelling or remove it."),
    "protocol-key-missing": mark("The protocol lacks the key {key}. Add it."),
    "protocol-contradiction": mark("In the protocol, {key} and {other} contradict each other. Remove one of them."),
    "protocol-unknown-attribute": mark(
        "The protocol's {key} is no attribute of the DICOM standard that a rule can change. Correct it."
    ),
    "protocol-unknown-action": mark("The protocol's {key} names an unknown action. Use one of: {expected}."),
    "protocol-bad-value": mark("The value of {key} in the protocol does not fit. Give {expected}."),
    "query-unknown-keyword": mark("{keyword} is neither a DICOM keyword nor a fact that can be asked for. Correct it."),
    "query-wrong-operator": mark("{keyword} can't be compared with {operator}. Use one of: {expected}."),
    "query-wrong-value": mark("The value for {keyword} does not fit. Give {expected}."),
    "query-too-deep": mark("The query is nested deeper than {limit} levels. Make it simpler."),
    "query-too-large": mark("The query has more than {limit} parts. Make it shorter, or use --list."),
    "where-too-long": mark("The query is longer than {limit} characters. Make it shorter, or use --list."),
    "where-not-understood": mark(
        'The query can\'t be understood at column {column}. Write it like: Modality == "CT" and SliceThickness <= 1.0'
    ),
    # lists
    "list-not-found": mark("The list does not exist. Check its path."),
    "list-unreadable": mark("The list can't be opened or is not UTF-8 text. Check your rights, or save it as UTF-8."),
    "list-too-large": mark("The list is larger than {limit_bytes} bytes. Split it."),
    "list-not-a-table": mark("The list is no table. Save it as CSV or XLSX with a line of column names."),
    "list-without-column": mark("The list has none of the columns that can select: {expected}. Add one."),
    "list-column-twice": mark("The list has two columns for the same thing. Remove one of them."),
    "list-number-too-long": mark(
        "Row {row} of the list has a number of more than 15 digits, which spreadsheets round. Make the column text and "
        "fill it in anew."
    ),
    "list-empty": mark("The list names nothing. Check that its columns are filled."),
    "bad-hand-reason": mark("Say in one line of at most 200 characters why you decide by hand."),
    # order of the steps
    "nothing-selected": mark(
        "No instance is selected. Search and select first, or ask for others (page Find, or: consign scan, then "
        "consign select)."
    ),
    "no-such-instance": mark("This image is no longer in the project. Go back to the list and choose another one."),
    "not-prepared": mark(
        "Selected instances that are not prepared: {count}. Prepare them (page De-identify, or: consign prepare)."
    ),
    "prepared-with-other-decisions": mark(
        "Images or safe words were decided on after the last preparation. Prepare again (page De-identify, or: "
        "consign prepare)."
    ),
    "nothing-to-release": mark(
        "Nothing can leave: no instance is prepared. Look at the reasons why they were held back or not selected."
    ),
    "nothing-to-export": mark(
        "There is nothing to export. Prepare (page De-identify, or: consign prepare), and look at what was held back."
    ),
    # review
    "csv-not-readable": mark("The CSV can't be opened. Check its path and your rights."),
    "csv-not-written": mark("The CSV can't be written. Check the folder, and close the file in other programs."),
    "csv-not-utf8": mark('The CSV is not UTF-8 text. In Excel, save it as "CSV UTF-8".'),
    "csv-column-missing": mark("The CSV lacks the column {column}. Keep the columns of the file that Consign wrote."),
    "csv-column-twice": mark("The CSV has a column twice. Keep the columns of the file that Consign wrote."),
    "decisions-refused": mark(
        "Rows of the CSV that are not understood: {count}, the first at line {line}; nothing was taken. Correct them "
        "and try again."
    ),
    # reports and data set
    "reports-not-readable": mark("The table of reports can't be opened. Check its path and your rights."),
    "reports-not-utf8": mark('The table of reports is not UTF-8 text. In Excel, save it as "CSV UTF-8".'),
    "reports-not-a-table": mark("The table of reports can't be read at line {line}. Save it as CSV."),
    "reports-without-column": mark(
        "The table of reports needs the columns AccessionNumber and Text; there is none for {expected}. Rename it."
    ),
    "reports-without-accession": mark("The report at line {line} has no accession number. Add it or remove the line."),
    "no-report-terms": mark(
        "The protocol names no terms to look for in reports. Ask its organisers for [[reports.terms]]."
    ),
    "unknown-hit": mark(
        "Hit number {number} of those that you named is not in these reports. Search again and copy it from there."
    ),
    "bad-note": mark("A note must be one line of at most 200 characters. Shorten it."),
    "finding-action-impossible": mark(
        "That can't be decided on such a finding. Choose one of the ways that it offers."
    ),
    "attribute-without-steps": mark("Only age, size and weight can be told in steps. Remove the attribute instead."),
    "unknown-attribute": mark("There is no such attribute in the DICOM standard. Correct its keyword."),
    "unknown-finding": mark("There is no such finding on the data set. Run the check again and use what it shows."),
    "dataset-not-checked": mark(
        "The data set as a whole was not checked as it is now. Check it (page Sign off and export, or: "
        "consign dataset)."
    ),
    "dataset-undecided": mark(
        "Findings on the data set as a whole that wait for a decision: {count} (page Sign off and export, or: "
        "consign dataset)."
    ),
    # sign-off
    "unknown-role": mark("The protocol asks for no such role. Sign as one of: {roles}."),
    "bad-signer-name": mark("The name to sign with must be one line of at most 64 characters. Give another one."),
    "same-person": mark(
        "The same person already signed as {roles}. Each role needs somebody else: have another person sign."
    ),
    "images-checked-otherwise": mark(
        "The images were looked through by other detectors than this Consign has. Look through them again (page Review "
        "images, or: consign images PROJECT --detect)."
    ),
    "script-not-readable": mark("The script can't be read as text in UTF-8. Check its path and save it so."),
    "detector-unavailable": mark(
        "The text detector {label} that the protocol asks for can't run here. Reinstall Consign, or install it."
    ),
    "detector-unknown": mark("There is no text detector called {label}. Use ppocr, glyphs or tesseract."),
    "values-undecided": mark(
        "Values that contain a part of a known identity and wait for a decision: {count}. Run consign values, decide "
        "on them, and take the decisions back with --decide."
    ),
    "approvals-missing": mark("The release waits for the signature of: {roles}. Sign with: consign approve."),
    "approvals-stale": mark(
        "Something changed since the release was signed. Look again; these have to sign anew: {roles}."
    ),
    # bundle
    "nothing-exported": mark("Nothing was exported yet, so there is nothing to verify. Export first."),
    "out-not-a-folder": mark("The place for the bundle is a file. Give a folder."),
    "out-has-foreign-files": mark(
        "The folder for the bundle holds files of a bundle that this project did not write. Give another folder."
    ),
    "out-not-writable": mark("The folder for the bundle can't be written. Check disk and rights, then try again."),
    "disk-full": mark(
        "The disk is too full: {needed_mb} MB are needed and {free_mb} MB are free. Make room and run the same again."
    ),
    "part-lost": mark("A worker died while it built part {part}. Run the same command again."),
    "verification-failed": mark(
        "Part {part} did not pass its own verification (findings: {findings}), so it was removed. Nothing of it left. "
        "Report this as a defect."
    ),
    "released-for-another-patient": mark(
        "Instance {instance} came out with another patient's code, so the export stopped. Report this as a defect."
    ),
    "released-twice": mark("Two instances came out under one UID, so the export stopped. Report this as a defect."),
}

ROWS: Mapping[str, str] = {
    "row-unknown-group": mark("The protocol has no such group. Use one of its groups, or leave the cell empty."),
    "row-label-not-allowed": mark("The protocol does not allow this value of a label. Correct it, or leave it empty."),
    "row-too-long": mark("The row has more cells than there are columns. Remove the cells on the right."),
    "row-unknown-kind": mark("The kind is not one of value, range, word, tag. Put the original kind back."),
    "row-without-path": mark("The path is empty. Put the original path back."),
    "row-value-and-kind-differ": mark(
        "A value needs its text, and a range or a tag has none. Put the original kind and value back."
    ),
    "row-not-a-word": mark("This is not a single word of at most 64 characters. Put the original word back."),
    "row-unknown-decision": mark(
        "The decision is not known. Use keep, drop, replace or drop-tag for a value, keep or drop-tag for a range, "
        "keep or drop for a word."
    ),
    "row-unknown-suspicion": mark("The suspicion was changed. Put the original cell back."),
    "row-replacement-unused": mark("There is a replacement, but the decision is not replace. Change one of them."),
    "row-not-in-dump": mark(
        "No such value would leave; a spreadsheet may have changed it. Put the original path and value back."
    ),
    "row-contradicts-another": mark("An earlier row decides otherwise on the same. Make them agree."),
    "replacement-blank": mark("The replacement is empty or has spaces at its ends. Type it without them."),
    "replacement-not-plain": mark(
        "The replacement has other characters than plain ASCII, or a backslash. Use plain ones."
    ),
    "replacement-too-long": mark("The replacement is too long for its attribute. Shorten it."),
    "replacement-not-a-code-string": mark(
        "This attribute takes capital letters, digits, spaces and underscores only. Write the replacement so."
    ),
    "replacement-not-possible": mark("Values of this attribute can't be replaced. Drop the value or the tag instead."),
    "replacement-looks-identifying": mark(
        "The replacement itself looks like a date, a number or an address. Use plain words."
    ),
    "row-without-uid": mark("The UID is empty. Put the original UID back."),
    "row-unknown-decision-image": mark("The decision on an image must be release, mask or exclude. Use one of them."),
    "image-found-differs": mark(
        "Other text was found in this image since the file was written. Write the file anew and look again."
    ),
    "image-not-in-project": mark("No image or series of this project has this UID. Put the original UID back."),
}

NOTES: Mapping[str, str] = {
    "approval-line-damaged": mark(
        "Line {line} of decisions/approvals.jsonl is damaged and counts as no signature. Sign again if one is missing."
    ),
    "dicomdir-missing-files": mark(
        "Files that a DICOMDIR lists and that are not there: {files}. Check that the medium was copied whole."
    ),
    "held-back-in-export": mark("Instances held back during the export: {count}. {reason}."),
    "images-not-checked": mark("Images that could not be looked through for text and stay here: {count}."),
    "leftover-removed": mark("{file} of an interrupted export was removed."),
    "stale-part-removed": mark("{file} of an earlier export no longer fits what is released and was removed."),
    "selection-engines-disagree": mark(
        "Instances left out because two checks of the query disagreed: {instances}. Report this as a defect."
    ),
    "verification-finding": mark("Part {part}: {finding} {entry} {path}"),
    "worker-lost-file": mark("Instance {instance} crashed or hung its worker and was set aside."),
}

# Ids that say where, in the order in which they are added to a sentence that does not name them itself.
_PLACES = (mark("line {line}"), mark("column {column}"), mark("at {key}"), mark("more in {report}"))


def sentence_for(code: str, ids: Mapping[str, str | int], translate: Translate = str) -> str:
    """The sentence of an error, note, reason, row's problem or finding; in English unless ``translate`` is given."""
    template = _TEMPLATES.get(code)
    if template is None:  # a code of a newer part, such as a bundle's; never an exception while telling of one
        return " ".join([code, *(f"{key}={value}" for key, value in ids.items())])
    told = {key: _told(key, value, translate) for key, value in ids.items()}
    sentence = translate(template).format_map(_Fields(told)).rstrip()
    if ids.get("suggestion"):
        sentence += " " + translate(mark("Did you mean {suggestion}?")).format_map(told)
    places = [
        translate(place).format_map(told)
        for place in _PLACES
        if (name := place[place.index("{") + 1 : -1]) in ids and "{" + name + "}" not in template
    ]
    return f"{sentence} ({', '.join(places)})" if places else sentence


def sentences_for(error: ConsignError, translate: Translate = str) -> list[str]:
    """The sentence of an error, and one for each row of a refused CSV that is not understood."""
    sentences = [sentence_for(error.code, error.ids, translate)]
    if isinstance(error, DecisionsRefusedError):
        sentences.extend(
            translate(mark("Line {line}: {problem}")).format(
                line=problem.line, problem=sentence_for(problem.code, {}, translate)
            )
            for problem in error.problems
        )
    return sentences


def _told(key: str, value: str | int, translate: Translate) -> str:
    """An id as people read it: a code among the ids becomes its sentence."""
    if key in {"reason", "finding"} and value in _TEMPLATES:
        return translate(_TEMPLATES[str(value)]).rstrip(".")
    return str(value)


class _Fields(dict[str, str]):
    """An id that is missing leaves its name: a message is no place to fail."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


_TEMPLATES: Mapping[str, str] = {**FINDINGS, **REASONS, **SUSPICIONS, **ROWS, **NOTES, **ERRORS}
