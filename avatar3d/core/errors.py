"""The error tree: what went wrong, how a script sees it, and what to do next.

Avatar3dError                     exit
├── UsageError                      2   the command line or a parameter is wrong
│   └── MissingExtraError           2   an optional package is absent
├── InputError                          the file you gave
│   ├── UnreadableError            10   missing, empty, cut, corrupt
│   ├── UnsupportedFormatError     11   a format this door does not open
│   ├── LimitError                 12   larger than the limits allow
│   ├── NoFaceError                13   no face in the picture
│   ├── SeveralFacesError          14   more than one face, none chosen
│   ├── FaceUnusableError          15   too small, turned, cropped, blurred, dark
│   └── AudioUnusableError         16
├── ModelError                          the parametric head
│   ├── ModelMissingError          20
│   ├── ModelUntrustedError        21   wrong hash, wrong shape, code inside
│   └── LicenceNotAcceptedError    22
├── OutputInvalidError             30   what we wrote does not pass our own check
├── DiskError                      40   full, read-only, no permission
├── InterruptedRunError            41   stopped by the user; nothing half-written
└── BridgeError                    50   the live bridge cannot bind or refused
(anything else is our own bug: exit 70, INTERNAL)
"""

from pathlib import Path
from typing import ClassVar

INTERNAL_EXIT_CODE = 70


class Avatar3dError(Exception):
    """Base of every error we raise on purpose.

    `id` is stable (scripts match on it), `message` says what was expected and what came,
    `hint` says what to do next, `file` names the culprit when there is one.
    """

    exit_code: ClassVar[int] = INTERNAL_EXIT_CODE
    default_id: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, hint: str = "", id: str | None = None, file: str | Path | None = None) -> None:
        self.id = id or self.default_id
        self.message = message
        self.hint = hint
        self.file = str(file) if file is not None else None
        super().__init__(f"{message} {hint}".strip())

    def as_json(self) -> dict[str, str | int | None]:
        """The object `--json` prints: code, id, message, hint, file."""
        return {
            "code": self.exit_code,
            "id": self.id,
            "message": self.message,
            "hint": self.hint,
            "file": self.file,
        }


class UsageError(Avatar3dError):
    exit_code = 2
    default_id = "USAGE"


class MissingExtraError(UsageError, ImportError):
    """An optional package was asked for by name and is absent."""

    default_id = "EXTRA_MISSING"

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package!r}, which is not installed.",
            hint=f'Install it with: pip install "avatar3d[{extra}]"',
        )


class InputError(Avatar3dError):
    exit_code = 10
    default_id = "INPUT_INVALID"


class UnreadableError(InputError):
    exit_code = 10
    default_id = "FILE_UNREADABLE"


class UnsupportedFormatError(InputError):
    exit_code = 11
    default_id = "FORMAT_UNSUPPORTED"


class LimitError(InputError):
    exit_code = 12
    default_id = "LIMIT_EXCEEDED"


class NoFaceError(InputError):
    exit_code = 13
    default_id = "FACE_NONE"


class SeveralFacesError(InputError):
    exit_code = 14
    default_id = "FACE_SEVERAL"


class FaceUnusableError(InputError):
    exit_code = 15
    default_id = "FACE_UNUSABLE"


class AudioUnusableError(InputError):
    exit_code = 16
    default_id = "AUDIO_UNUSABLE"


class ModelError(Avatar3dError):
    exit_code = 20
    default_id = "MODEL_INVALID"


class ModelMissingError(ModelError):
    exit_code = 20
    default_id = "MODEL_MISSING"


class ModelUntrustedError(ModelError):
    exit_code = 21
    default_id = "MODEL_UNTRUSTED"


class LicenceNotAcceptedError(ModelError):
    exit_code = 22
    default_id = "LICENCE_NOT_ACCEPTED"


class OutputInvalidError(Avatar3dError):
    exit_code = 30
    default_id = "OUTPUT_INVALID"


class DiskError(Avatar3dError):
    exit_code = 40
    default_id = "DISK"


class InterruptedRunError(Avatar3dError):
    exit_code = 41
    default_id = "INTERRUPTED"


class BridgeError(Avatar3dError):
    exit_code = 50
    default_id = "BRIDGE"
