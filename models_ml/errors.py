"""The errors that are shown to people as they are, without a traceback."""


class ForetellError(Exception):
    """Something the user can mend: the message names the offending value and the fix."""


class HeldBack(ForetellError):
    """A gate kept new scores from readers: what was published before stays. Exit code 3."""
