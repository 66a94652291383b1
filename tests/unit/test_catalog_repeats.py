"""What is worked out once for a series is what each of its headers says."""

import io
from collections.abc import Iterable
from random import Random

from app.catalog.attributes import queryable_attributes, to_json
from app.catalog.repeats import Repeats
from app.dicom.identity import collect_identities
from app.dicom.reading import read_header
from app.dicom.runs import HeaderMemory
from app.errors import UnreadableError
from tests.factory import ct_series, enhanced_mr, make_study, to_bytes
from tests.real_data import iterate_real_files, needs_real_files


def count_equal(contents: Iterable[bytes]) -> int:
    repeats, memory = Repeats(), HeaderMemory()
    compared = 0
    for content in contents:
        try:
            plain = read_header(io.BytesIO(content))
        except UnreadableError:
            continue
        text = to_json(queryable_attributes(plain))
        identities = frozenset((kind.value, text) for kind, text in collect_identities(plain))
        header = read_header(io.BytesIO(content), memory=memory)
        assert repeats.attributes(header) == repeats.attributes(plain) == text
        assert repeats.identities(header) == repeats.identities(plain) == identities
        compared += 1
    return compared


def test_series_with_changes_and_damage_say_what_they_say() -> None:
    random = Random(6)
    whole = []
    for seed in (1, 2):
        study = make_study(seed)
        whole += [to_bytes(one) for one in ct_series(study, slices=5, rows=4, columns=4)]
        whole.append(to_bytes(enhanced_mr(study, frames=2, rows=4, columns=4)))
    contents = [*whole, *whole]
    for _ in range(300):
        content = bytearray(random.choice(whole))
        place = random.randrange(300, 2500)
        content[place : place + 2] = random.choice((random.randbytes(2), b"12", b"ZZ"))
        contents.append(bytes(content))
    assert count_equal(contents) > 100


@needs_real_files
def test_real_files_say_what_they_say() -> None:
    small = [path.read_bytes() for path in iterate_real_files() if path.stat().st_size < 60_000]
    assert count_equal(content for content in small for _ in range(3)) > 200
