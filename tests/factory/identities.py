"""Who the synthetic patients are, and their visits: invented people, or people made of canary tokens."""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

import numpy as np

CANARY_PREFIX = "ZZCANARY"

GIVEN_NAMES = ("Maren", "Tobias", "Jorinde", "Ilka", "Anselm", "Renée", "Osvaldo", "Kasimir", "Thea")
FAMILY_NAMES = ("Lindqvist", "Okonkwo", "Haverkamp", "Szabó", "Brandstätter", "Quintanilla", "Marchetti")
CITIES = ("Ebersfurt", "Port Alder", "Nieuwmeer", "Valdoria")
STREETS = ("Lindenallee", "Harbour Row", "Kanaalstraat", "Via dei Tigli")


def canary_token(place: str) -> str:
    """The token of a place, the same for the same text: 14 characters of A-Z and 2-7, short enough for CS."""
    digest = hashlib.sha256(place.encode()).digest()
    return CANARY_PREFIX + "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31] for byte in digest[:6])


@dataclass(frozen=True, slots=True)
class Identity:
    """All that says who somebody is; dates as DICOM writes them."""

    patient_name: str
    patient_id: str
    birth_date: str
    sex: str
    age_years: int
    weight_kg: float
    size_m: float
    address: str
    telephone: str
    comments: str
    referring_physician: str
    performing_physician: str
    operator: str
    institution: str
    institution_address: str
    department: str
    station: str
    device_serial_number: str

    @property
    def texts(self) -> frozenset[str]:
        """What must never be found outside the hospital."""
        return frozenset(
            {
                self.patient_name,
                self.patient_id,
                self.address,
                self.telephone,
                self.comments,
                self.referring_physician,
                self.performing_physician,
                self.operator,
                self.institution,
                self.institution_address,
                self.department,
                self.station,
                self.device_serial_number,
            }
        )


def invented_identity(random: Random) -> Identity:
    """A plausible person who does not exist."""
    name = f"{random.choice(FAMILY_NAMES)}^{random.choice(GIVEN_NAMES)}"
    age_years = random.randint(19, 88)
    birth = date(2023, 1, 1) - timedelta(days=age_years * 365 + random.randint(10, 300))
    city = random.choice(CITIES)
    return Identity(
        patient_name=name,
        patient_id=f"{random.choice('KMRZ')}{random.randint(10**6, 10**7 - 1)}",
        birth_date=f"{birth:%Y%m%d}",
        sex=random.choice("FM"),
        age_years=age_years,
        weight_kg=float(random.randint(48, 104)),
        size_m=random.randint(152, 194) / 100,
        address=f"{random.choice(STREETS)} {random.randint(1, 190)}, {city}",
        telephone=f"+99 555 {random.randint(10**6, 10**7 - 1)}",
        comments=f"Brought in by sister, works at {city} town hall",
        referring_physician=f"{random.choice(FAMILY_NAMES)}^{random.choice(GIVEN_NAMES)}^^Dr.",
        performing_physician=f"{random.choice(FAMILY_NAMES)}^{random.choice(GIVEN_NAMES)}^^Prof.",
        operator=f"{random.choice(FAMILY_NAMES)}^{random.choice(GIVEN_NAMES)}",
        institution=f"St. Elmo's Hospital {city}",
        institution_address=f"{random.choice(STREETS)} 1, {city}",
        department="Radiology North",
        station=f"{city[:4].upper()}-{random.randint(1, 9)}",
        device_serial_number=str(random.randint(10**6, 10**7 - 1)),
    )


def canary_identity(place: str, random: Random) -> Identity:
    """A person all of whose texts are tokens of ``place``."""

    def token(name: str) -> str:
        return canary_token(f"{place}.{name}")

    return Identity(
        patient_name=f"{token('family name')}^{token('given name')}",
        patient_id=token("patient id"),
        birth_date=f"{date(1931, 5, 17) + timedelta(days=random.randint(0, 9000)):%Y%m%d}",
        sex="O",
        age_years=57,
        weight_kg=71.5,
        size_m=1.73,
        address=token("address"),
        telephone=token("telephone"),
        comments=token("patient comments"),
        referring_physician=token("referring physician"),
        performing_physician=token("performing physician"),
        operator=token("operator"),
        institution=token("institution"),
        institution_address=token("institution address"),
        department=token("department"),
        station=token("station"),
        device_serial_number=token("device serial number"),
    )


@dataclass(frozen=True, slots=True)
class Study:
    """One visit of one person, and the source of everything random about it."""

    identity: Identity
    random: Random = field(repr=False)
    uid: str
    frame_of_reference_uid: str
    study_id: str
    accession_number: str
    day: str
    time: str
    description: str

    def new_uid(self) -> str:
        """A UID that nobody else has, from the study's own randomness."""
        return random_uid(self.random)

    def noise(self) -> np.random.Generator:
        """A source of pixel noise that follows from the study's seed."""
        return np.random.default_rng(self.random.getrandbits(64))


def random_uid(random: Random) -> str:
    return f"1.2.826.0.1.3680043.8.498.{random.getrandbits(100)}"


def make_study(seed: int, *, canaries: bool = False, description: str = "", identity: Identity | None = None) -> Study:
    """A study that follows from ``seed``; give ``identity`` for another visit of the same person."""
    random = Random(seed)
    person = canary_identity(f"study {seed}", random) if canaries else invented_identity(random)
    day = date(2023, 1, 9) + timedelta(days=random.randint(0, 600))
    return Study(
        identity=identity or person,
        random=random,
        uid=random_uid(random),
        frame_of_reference_uid=random_uid(random),
        study_id=canary_token(f"study {seed}.id") if canaries else str(random.randint(1000, 99999)),
        accession_number=canary_token(f"study {seed}.accession") if canaries else f"A{random.randint(10**7, 10**8)}",
        day=f"{day:%Y%m%d}",
        time=f"{random.randint(7, 18):02}{random.randint(0, 59):02}{random.randint(0, 59):02}",
        description=canary_token(f"study {seed}.description") if canaries else description,
    )
