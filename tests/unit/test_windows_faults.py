"""What Windows says of drives, shares and full disks, told as something that people can act on."""

import errno

import pytest

from app.project.faults import fault_of


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (55, "no-drive"),  # the network resource is no longer available
        (121, "no-drive"),  # the semaphore timeout of a stick that was pulled out
        (433, "no-drive"),  # no such device, of the same since Windows 10
        (1231, "no-drive"),  # the network can't be reached
        (1295, "no-room"),  # the quota is used up
        (303, "no-right"),  # it is on its way to be deleted
        (1224, "no-right"),  # a program has it mapped
        (1326, "no-right"),  # wrong name or password
    ],
)
def test_system_error_of_windows_is_no_defect_of_ours(number: int, code: str) -> None:
    error = OSError(errno.EINVAL, "ZZCANARY", "/ZZCANARY")  # as Python maps all of these
    error.winerror = number  # type: ignore[attr-defined]
    fault = fault_of(error)
    assert fault is not None
    assert (fault.code, "ZZCANARY" in str(fault)) == (code, False)
