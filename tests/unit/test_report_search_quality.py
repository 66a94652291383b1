"""Sixty sentences, written after the rules were committed and not changed since; nor were the rules for their sake.

The same hand wrote both, so the figures are better than on a site's own reports. What the person would call the case is
in the first column; the last test states what the rules make of it.
"""

from collections import Counter

from app.protocol.reports import ReportTerm
from app.reports.context import HitContext
from app.reports.search import find_hits

TERMS = (
    ReportTerm(name="embolism", phrases=("pulmonary embol*", "PE", "pulmonary thromboembol*")),
    ReportTerm(name="pneumothorax", phrases=("pneumothora*",)),
    ReportTerm(name="haemorrhage", phrases=("haemorrhag*", "hemorrhag*", "bleed")),
    ReportTerm(name="fracture", phrases=("fractur*",)),
    ReportTerm(name="nodule", phrases=("nodul*",)),
    ReportTerm(name="infarct", phrases=("infarct*",)),
    ReportTerm(name="pneumonia", phrases=("pneumonia",)),
    ReportTerm(name="metastasis", phrases=("metastas*", "metastatic")),
)

SENTENCES = """\
affirmed|Filling defects in both lower lobe arteries, in keeping with acute pulmonary embolism.
affirmed|Large right tension pneumothorax with mediastinal shift to the left.
affirmed|There is an acute haemorrhage in the left basal ganglia measuring 32 x 21 mm.
affirmed|Comminuted fracture of the distal radius with dorsal angulation.
affirmed|A solid nodule of 9 mm in the left lower lobe has grown since the study of 2023.
affirmed|Diffusion restriction in the territory of the right middle cerebral artery consistent with acute infarct.
affirmed|Consolidation in the right lower lobe, compatible with pneumonia.
affirmed|Multiple new liver metastases.
affirmed|Segmental PE on the right, without right heart strain.
affirmed|Unchanged small apical pneumothorax; the chest drain is in place.
affirmed|Nondisplaced fracture of the left sixth rib, but no pneumothorax seen on this projection
affirmed|The known lacunar infarct in the left thalamus is unchanged.
affirmed|Chronic pulmonary embolism with webs in the right interlobar artery.
affirmed|Interval increase in size of the spiculated nodule in the right upper lobe.
affirmed|Osteolytic metastasis in the body of L3 with loss of height.
affirmed|Not only a subdural but also a subarachnoid haemorrhage is present.
affirmed|Pathological fracture through the lytic lesion of the femoral neck.
affirmed|In comparison with the prior examination, the haemorrhage is larger.
affirmed|IMPRESSION: Saddle pulmonary embolus.
affirmed|Calcified nodule in the right apex, no follow-up needed.
affirmed|Two-level vertebral fractures, T12 and L1, of recent age.
affirmed|Findings confirm pneumonia of the lingula.
affirmed|Old infarct in the left occipital lobe.
affirmed|Diffuse metastatic disease of the skeleton is again demonstrated.
negated|No acute intracranial haemorrhage.
negated|The pulmonary arteries are well opacified, without evidence of embolism or PE.
negated|No pneumothorax after removal of the drain.
negated|There is neither a fracture nor a dislocation.
negated|The study is negative for pulmonary embolism.
negated|Lungs are clear; no nodules, no effusion, no pneumonia.
negated|No CT evidence of acute infarct.
negated|Fracture is not seen in any of the three views.
negated|Pulmonary embolism was ruled out with certainty.
negated|The liver is free of metastases.
negated|Intracranial bleed: none.
negated|No convincing sign of a metastasis in the imaged skeleton.
negated|I see no fracture of the scaphoid.
negated|Absence of haemorrhage on the susceptibility weighted images.
uncertain|Ill-defined opacity in the left base which may represent pneumonia.
uncertain|Questionable nondisplaced fracture of the triquetrum.
uncertain|A small subsegmental PE can not be excluded because of motion.
uncertain|Suspicious for metastasis; biopsy is advised.
uncertain|Atelectasis versus pneumonia in the right lower lobe.
uncertain|CLINICAL QUESTION: haemorrhage?
uncertain|INDICATION: Sudden dyspnoea, exclude PE.
uncertain|Hypodensity in the cerebellum, probably a subacute infarct.
uncertain|If symptoms persist, a scan in ten days should be made to look for an occult fracture.
uncertain|The appearance raises the possibility of a metastatic deposit.
historical|History of pulmonary embolism in 2018 under anticoagulation.
historical|Status post fracture of the right clavicle as a child.
historical|The pneumothorax has completely resolved.
historical|The previously treated pneumonia has left no trace.
historical|The nodule described in 2021 is no longer visible.
historical|CLINICAL HISTORY: Stroke with left sided infarct, five years ago.
historical|Resolution of the haemorrhage in the right frontal lobe.
historical|Patient suffered a fracture of the hip last year and now has back pain.
family|Family history of cerebral haemorrhage.
family|Her mother died of a pulmonary embolism.
family|The brother of the patient has metastatic melanoma.
family|A sister with recurrent pneumothorax.
"""


def judged() -> list[tuple[str, str, str]]:
    """Expected context, context by the rules, sentence; the first hit of a sentence is the one that is meant."""
    rows = []
    for line in SENTENCES.splitlines():
        expected, _, text = line.partition("|")
        first = next(find_hits("A1", text, TERMS), None)
        rows.append((expected, first.context.value if first else "none", text))
    return rows


def precision_and_recall(context: HitContext) -> tuple[float, float]:
    """Of the hits that the rules call ``context``, and of those that are."""
    rows = judged()
    called = sum(found == context for _, found, _ in rows)
    are = sum(expected == context for expected, _, _ in rows)
    both = sum(expected == found == context for expected, found, _ in rows)
    return both / called, both / are


def test_there_are_sixty_sentences_of_every_kind() -> None:
    counts = Counter(expected for expected, _, _ in judged())
    assert sum(counts.values()) == 60
    assert set(counts) == {context.value for context in HitContext}


def test_the_hits_that_a_person_is_offered_first_are_the_cases() -> None:
    precision, recall = precision_and_recall(HitContext.AFFIRMED)
    assert precision == 24 / 25
    assert recall == 1


def test_what_is_missed_is_what_the_rules_say_they_miss() -> None:
    missed = [(expected, found, text) for expected, found, text in judged() if expected != found]
    assert missed == [
        ("historical", "affirmed", "Patient suffered a fracture of the hip last year and now has back pain.")
    ]
