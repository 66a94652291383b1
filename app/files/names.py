"""Names of archive members, judged as every operating system would read them."""


def escapes(name: str) -> bool:
    """Whether a member's name points outside the archive: absolute, with a drive, or going up.

    Nothing is ever extracted; a member with such a name was made to harm, and is listed and left alone.
    """
    parts = name.replace("\\", "/").split("/")
    return parts[0] == "" or ".." in parts or parts[0][1:2] == ":"
