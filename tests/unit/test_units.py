import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.dicom.codes import is_known_code
from app.dicom.units import is_unit


@pytest.mark.parametrize(
    "code",
    "ml/100ml/s ml/100ml/min 1/min /min ml/min/100g ml/[100]g/min 10*-6.mm2/s 10-6.mm2/s 10^-3.mm2/s {SUVbw}g/ml "
    "g/ml{SUVlbm(Janma)} ml/ml kBq kg/m2 mGy.cm J/cm2 s-1 kg nm [hnsf'U] um2/ms".split(),
)
def test_unit_that_parametric_maps_carry_is_known(code: str) -> None:
    assert is_unit(code)
    assert is_known_code(code)


@pytest.mark.parametrize(
    "text",
    "SMITH 12345 1959 19590312 PID1 10 1000000 JD JD/AB g.SMITH m12345 {SMITH}g / 10.12.59 1/2/1959 12/3 10/10/10 "
    "MR-4711 {SUVbw} a1/d2/m3/s4 g/ml/g/ml/g 10g5 HU Ng g\\g A.N.N.A T.W.K".split(),
)
def test_what_is_no_unit_is_unknown(text: str) -> None:
    assert not is_unit(text)


@given(st.text(alphabet="0123456789./-", min_size=1, max_size=16))
def test_figures_alone_are_no_unit(text: str) -> None:
    assert not is_unit(text)
