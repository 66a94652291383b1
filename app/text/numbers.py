"""Counts in digits, in groups as each language has them; in the window Qt does it."""

# A no-break space for French: the narrow one of Qt is in no code page of a Windows terminal.
_BETWEEN_GROUPS = {"de": ".", "es": ".", "fr": "\xa0", "pt_BR": "."}


def count_text(count: int, language: str) -> str:
    """A count as people of a language (one of ``i18n.LANGUAGES``) write it, such as 12.345; English by default."""
    if language == "es" and abs(count) < 10_000:  # Spanish writes four digits without a gap
        return str(count)
    return f"{count:,}".replace(",", _BETWEEN_GROUPS.get(language, ","))
