"""What visitors must know, if anything."""

from __future__ import annotations

import secrets
from pathlib import Path

from segmint.app.guard.login import Secret
from segmint.errors import InputError, shortened

_MOST = 4096


def secret_for(password_file: str | None, *, is_loopback: bool) -> Secret | None:
    """What a server asks its visitors for.

    Args:
        password_file: its first line is the password; None where there is none.
        is_loopback: only this machine reaches the server.

    Returns:
        The password; without one, where others reach the server, a token that is made up.

    Raises:
        InputError: when the file cannot be read, or its first line is empty.
    """
    if password_file is not None:
        return Secret(kind="password", value=_first_line(password_file))
    if is_loopback:
        return None
    return Secret(kind="token", value=secrets.token_urlsafe(24))


def _first_line(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(_MOST + 1)
        line = content.decode("utf-8").splitlines()[0].strip()
    except (OSError, ValueError, IndexError) as error:
        reason = _reason(error)
        raise InputError(
            f"--password-file {shortened(ascii(file))} cannot be used ({reason}), accepted is a "
            "text file whose first line is the password: give one"
        ) from error
    if not line or len(content) > _MOST:
        reason = "its first line is empty" if not line else f"it has more than {_MOST} bytes"
        raise InputError(
            f"--password-file {shortened(ascii(file))} cannot be used ({reason}), accepted is a "
            "text file whose first line is the password: give one"
        )
    return line


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is empty" if isinstance(error, IndexError) else "it is no text, or no name of a file"
