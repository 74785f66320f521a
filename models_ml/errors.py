"""The one error that is shown to people as it is, without a traceback."""


class ForetellError(Exception):
    """Something the user can mend: the message names the offending value and the fix."""
