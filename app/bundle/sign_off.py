"""Who approved a release, as the bundle tells it."""

from dataclasses import dataclass

NO_PERSON_REVIEWED = "NO PERSON REVIEWED THIS. It was exported unattended, by the rules alone."


@dataclass(frozen=True, slots=True)
class Signature:
    """One approval: a role of the protocol, the name that the person gave, and the day or time, ISO 8601."""

    role: str
    name: str
    signed: str


@dataclass(frozen=True, slots=True)
class SignOffRecord:
    """The approvals of a release. ``digest`` is of what the signers saw; ``unattended``: no person reviewed
    it.
    """

    signatures: tuple[Signature, ...]
    unattended: bool
    digest: str

    @property
    def statement(self) -> str:
        """One sentence for people."""
        if self.unattended:
            return NO_PERSON_REVIEWED
        if not self.signatures:
            return "The protocol asks for no signature; the release was exported by a person."
        return "Approved by " + ", ".join(f"{one.name} ({one.role})" for one in self.signatures) + "."
