"""What becomes of an exception that nobody caught: its place in our code is told, its text never is.

Python prints a traceback with the exception's text, and that may quote a value of a patient.
"""

import sys
import threading
from collections.abc import Callable
from types import TracebackType

from app.errors import ConsignError
from app.gui.runner import as_consign_error


def keep_texts_in(tell: Callable[[ConsignError], None]) -> None:
    """Have every uncaught exception of this process, whichever its thread, told as a defect and printed as one line."""

    def take(error: BaseException | None) -> None:
        if error is None or isinstance(error, KeyboardInterrupt | SystemExit):
            return
        defect = as_consign_error(error)
        if sys.stderr is not None:  # a program without a console has none
            print(defect, file=sys.stderr)
        tell(defect)

    def take_uncaught(_: type[BaseException], error: BaseException, __: TracebackType | None) -> None:
        take(error)

    sys.excepthook = take_uncaught
    threading.excepthook = lambda arguments: take(arguments.exc_value)
    sys.unraisablehook = lambda arguments: take(arguments.exc_value)
