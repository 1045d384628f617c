"""What this process tells the journal of the machine: one JSON object a line on standard
error.  Events are constant words, data goes in keys.  The audit log never passes through
here."""

import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

_LEVELS = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


log: structlog.stdlib.BoundLogger = structlog.get_logger()


def configure(environment: Mapping[str, str] = os.environ) -> None:
    """Log to standard error from now on; the journal gets its level prefixes.

    The journal adds the time, so that the clock is not read for it here.
    """
    in_journal = "JOURNAL_STREAM" in environment
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False),
            *((_with_prefix,) if in_journal else ()),
        ],
        # Standard error as it is by then: a test's own is gone when the test is.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _with_prefix(_: Any, level: str, line: str | MutableMapping[str, Any]) -> str:
    """As `sd-daemon.h` has it: <3> error, <4> warning, <6> information."""
    return f"<{_LEVELS.get(level, 6)}>{line}"
