"""Synthetic examinations of invented people: datasets of every kind that the tests and the demo need.

Everything follows from a seed. With ``canaries=True`` every identifying text is a token (``ZZCANARY`` and six
characters) that no file has by chance, so that a test can search for it in whatever a run leaves behind.
"""

from tests.factory.derived import (
    encapsulated_pdf,
    key_objects,
    rt_dose,
    rt_structure_set,
    segmentation,
    structured_report,
)
from tests.factory.enhanced import enhanced_mr
from tests.factory.export import PacsExport, save, to_bytes, write_pacs_export, zip_bytes
from tests.factory.identities import CANARY_PREFIX, Identity, Study, canary_token, make_study
from tests.factory.images import cr_image, ct_series, dose_page, dx_image, mr_series, pet_series, us_cine
from tests.factory.instances import code, make_instance, make_series, reference
from tests.factory.pixels import (
    burn_text,
    compress,
    compress_jpeg,
    draw_body,
    encode_jpeg,
    encode_jpeg2000,
    set_pixels,
)

__all__ = [
    "CANARY_PREFIX",
    "Identity",
    "PacsExport",
    "Study",
    "burn_text",
    "canary_token",
    "code",
    "compress",
    "compress_jpeg",
    "cr_image",
    "ct_series",
    "dose_page",
    "draw_body",
    "dx_image",
    "encapsulated_pdf",
    "encode_jpeg",
    "encode_jpeg2000",
    "enhanced_mr",
    "key_objects",
    "make_instance",
    "make_series",
    "make_study",
    "mr_series",
    "pet_series",
    "reference",
    "rt_dose",
    "rt_structure_set",
    "save",
    "segmentation",
    "set_pixels",
    "structured_report",
    "to_bytes",
    "us_cine",
    "write_pacs_export",
    "zip_bytes",
]
