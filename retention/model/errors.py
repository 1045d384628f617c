"""What can go wrong, as a person should read it, and the exit status it gives.

Every error that reaches a user is a `RetentionError` whose text is one clear
sentence: what is wrong, where, and what to do.  Nothing here has state.
"""

LONGEST, _END = 4_000, 1_000
"""Characters that an error says, and of these at its end, where it says what to do."""


def bounded(text: str) -> str:
    """Without its middle, where what somebody typed makes it too long to be read."""
    if len(text) <= LONGEST:
        return text
    left = len(text) - LONGEST
    return f"{text[: LONGEST - _END]} ... ({left:,} more) ... {text[-_END:]}"


class RetentionError(Exception):
    """Refused or failed; nothing was lost.  Exit status 1."""

    exit_status = 1

    def __str__(self) -> str:
        return bounded(super().__str__())


class UsageError(RetentionError):
    """The command line or a value on it is wrong.  Exit status 2."""

    exit_status = 2


class SettingsError(RetentionError):
    """The configuration can't be used; names file, key, value and remedy."""


class CatalogueError(RetentionError):
    """The catalogue is missing, damaged, newer than the program, or in use."""


class TooLongError(CatalogueError):
    """A reading took longer than one may, and was ended; nothing is wrong with it."""


class MismatchError(CatalogueError):
    """Rows of the catalogue protect footage less than its log says."""


class RootUnavailableError(RetentionError):
    """A footage root is not there, not the one it was, or can't be trusted.

    Nothing in it may be deleted or called lost while this is so.
    """


class NotPermittedError(RetentionError):
    """The caller's role does not allow this.  Exit status 4."""

    exit_status = 4


class VerificationError(RetentionError):
    """The audit log is not what was written.  Exit status 5."""

    exit_status = 5


class WithheldError(VerificationError):
    """It is not in a copy of the log that was made for the public.  Exit status 1."""

    exit_status = 1


class PublicationError(RetentionError):
    """The audit log can't be published, or must not be; what was to be done stands."""


class AlteredError(PublicationError):
    """What is published is not what the catalogue has: one of the two was altered."""


class GuardError(RetentionError):
    """A guard holds (design: in doubt delete nothing).  Exit status 6."""

    exit_status = 6


class AttentionError(RetentionError):
    """Something needs a person, though nothing is stopped or broken.  Exit status 8."""

    exit_status = 8


class StaleError(RetentionError):
    """Rows moved between reading and writing; nothing was changed, try again."""


class UnreachableError(RetentionError):
    """The service can't be asked, or did not answer in time.  Exit status 3.

    `running` is False where nothing listens: then nothing is being deleted by this
    program.  None where that is not known.
    """

    exit_status = 3

    def __init__(self, text: str, running: bool | None = None) -> None:
        super().__init__(text)
        self.running = running


class BusyError(UnreachableError):
    """The service has too many requests at hand, and did nothing: try again."""


_KINDS: dict[str, type[RetentionError]] = {
    "usage": UsageError,
    "settings": SettingsError,
    "catalogue": CatalogueError,
    "root_unavailable": RootUnavailableError,
    "not_permitted": NotPermittedError,
    "verification": VerificationError,
    "publication": PublicationError,
    "guard": GuardError,
    "stale": StaleError,
    "busy": BusyError,
}
"""The names that errors have outside this process, in the local API."""


def kind_of(error: RetentionError) -> str:
    """The name of an error's class in the API; "refused" where it has none."""
    return next(
        (name for name, kind in _KINDS.items() if isinstance(error, kind)), "refused"
    )


def of_kind(kind: str, message: str) -> RetentionError:
    """The error that the API told of."""
    return _KINDS.get(kind, RetentionError)(message)


# -- what to do, where many errors call for the same --------------------------------------

NOTED = (
    "first keep what `retention hold list` shows, and `retention audit list` after the "
    "last signed entry, which `retention status` names, as far as they answer: these may "
    "be in no other place, as are reasons and references"
)


def put_back(
    copy: str = "its newest copy alone", log: str = "leave `log` as it is"
) -> str:
    """How a catalogue is put back from a copy, for the middle of a sentence: followed to
    the letter it loses nothing that is in no other place, and leaves no stale log of
    SQLite's.  `copy` is what is put back, `log` what becomes of the published log.
    """
    return (
        f"{NOTED}; stop the service; move `catalogue.sqlite` away with its `-wal` and "
        f"`-shm`, and keep them for the auditor; put back {copy}; {log}; start the "
        "service: the log gives back what that copy lacks; compare the holds with those "
        "that you kept, and place again what is missing"
    )
