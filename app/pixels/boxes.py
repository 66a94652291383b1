"""A rectangle of stored pixels."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of the stored matrix, half-open, in pixels.

    ``frame`` counts from 0; None means every frame.
    """

    top: int
    left: int
    bottom: int
    right: int
    frame: int | None = None

    def __post_init__(self) -> None:
        if not (
            0 <= self.top < self.bottom and 0 <= self.left < self.right and (self.frame is None or self.frame >= 0)
        ):
            raise ValueError("a box has a positive size and lies in the matrix")

    def clipped(self, rows: int, columns: int) -> "Box | None":
        """The part inside a matrix of this size; None where there is none."""
        if self.top >= rows or self.left >= columns:
            return None
        return Box(self.top, self.left, min(self.bottom, rows), min(self.right, columns), self.frame)

    def covers(self, other: "Box") -> bool:
        """Whether every pixel of ``other`` lies in this box, on each of its frames."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and self.bottom >= other.bottom
            and self.right >= other.right
            and self.frame in (None, other.frame)
        )
