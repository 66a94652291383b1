"""The canary corpus: an export in which every place that could carry personal data carries its own token.

Made by machine from PS3.15 Table E.1-1, so that no attribute is forgotten. Whatever a run leaves behind is
then searched with ``find_tokens``; a hit names the place where the leak began.
"""

from tests.canaries.corpus import CanarySet, value_text, write_canary_export
from tests.canaries.search import find_tokens

__all__ = ["CanarySet", "find_tokens", "value_text", "write_canary_export"]
