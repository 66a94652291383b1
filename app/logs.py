"""Logging: ours is codes and ids; other libraries' is silenced, because it quotes values."""

import logging
import warnings


def quieten_libraries() -> None:
    """Stop pydicom and bagit from telling values of patients on stderr or in a log."""
    warnings.simplefilter("ignore")
    for name in ("pydicom", "bagit"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
