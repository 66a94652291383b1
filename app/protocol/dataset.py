"""What a protocol says of the data set as a whole: whose it is, who may use it, what is checked before it leaves.

The describing keys are the baseline metadata of a catalogue of imaging data sets (Kohli, Summers, Geis: Medical image
data and datasets in the era of machine learning, J Digit Imaging 2017) and the FAIR principles, as far as a file can
carry them.
"""

from typing import Annotated

from pydantic import Field

from app.protocol.table import Line, Table

Text = Annotated[str, Field(min_length=1, max_length=4000)]
Address = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$", max_length=500)]


class DatasetChecks(Table):
    """What is looked for in the data set before anybody signs."""

    smallest_group: int = Field(
        default=1,
        ge=1,
        le=1000,
        description="k: patients that share age, sex and so on at least; below, somebody decides. 1: no check",
    )
    leakage: float = Field(
        default=0.75,
        gt=0.5,
        le=1,
        description="warn where one attribute alone tells the label with this balanced accuracy, 0.5 to 1",
    )
    rare_value: int = Field(default=3, ge=1, le=1000, description="values of fewer patients than this are listed")
    faces: bool = Field(default=True, description="volumes that show a face need a decision")


class DatasetTable(Table):
    """Describes the data set for those who find it, and says what is checked before it leaves."""

    version: Line | None = Field(default=None, description="of the data set")
    identifier: Line | None = Field(default=None, description="a persistent one, such as a DOI")
    address: Address | None = Field(default=None, description="where the data set is found")
    owner: Line | None = Field(default=None, description="who owns it")
    responsible: Line | None = Field(default=None, description="who answers for it")
    licence: Address | None = Field(default=None, description="address of the licence")
    access: Text | None = Field(default=None, description="who gets access, and how")
    allowed_use: Text | None = Field(default=None, description="what it may be used for")
    annotations: Text | None = Field(default=None, description="what is annotated, by whom")
    ground_truth: Text | None = Field(default=None, description="where the labels come from")
    case_mix: Text | None = Field(default=None, description="how cases and controls were chosen")
    citation: Text | None = Field(default=None, description="how to cite it")
    keywords: tuple[Line, ...] = Field(default=(), max_length=50, strict=False)
    checks: DatasetChecks = DatasetChecks()
