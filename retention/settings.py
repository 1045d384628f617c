"""What a site can set: read once, checked, and frozen.

A value that can't be obeyed, or that would change nothing, is an error: what
stands in the file is what happens.  `config/retention.toml` explains each key.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from retention import settings_source
from retention.errors import SettingsError
from retention.layouts.layout import compile_layout
from retention.layouts.presets import preset_or_template
from retention.localtime import format_duration
from retention.model import DAY, MINUTE, SECOND, Micros
from retention.settings_source import Problem
from retention.settings_values import (
    AbsolutePath,
    CameraNames,
    Count,
    Days,
    Groups,
    Line,
    RootName,
    Share,
    Site,
    YesOrNo,
    Zone,
    freeze,
    span,
)

DEFAULT_PATH = Path("/etc/cctv-retention/retention.toml")
NO_CONTACT = "whoever looks after this computer"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RetentionSettings(_Table):
    """How long footage is kept, and how carefully it is deleted (micros)."""

    days: Days = 28
    cycle: Annotated[Micros, span("1s", "1h")] = MINUTE
    scan: Annotated[Micros, span("1s", "1h")] = 30 * SECOND
    reconcile: Annotated[Micros, span("1m", "7d")] = DAY
    cooling_off: Annotated[Micros, span("0s", "365d")] = 7 * DAY
    review_after: Annotated[Micros, span("1h", "365d")] = 90 * DAY
    # Not 15 minutes: the zone check tells multiples of 30 minutes apart by it.
    clock_tolerance: Annotated[Micros, span("1s", "14m")] = 5 * MINUTE
    deletion_limit: Share = 0.02
    deletion_floor: Count = 100
    release_requires_two_people: YesOrNo = True
    require_login_uid: YesOrNo = True


def _check_layout(text: str) -> str:
    try:
        preset_or_template(text)
    except SettingsError as error:
        raise ValueError(_predicate(error, text)) from None
    return text


def _predicate(error: SettingsError, layout: str) -> str:
    return str(error).removeprefix(f'The layout "{layout}" ').rstrip(".")


def _of_preset(name: str) -> Any:
    """Return the field whose default is what the root's layout says of `name`."""

    def default(data: dict[str, Any]) -> Any:
        # Without a layout, which is an error of its own, any value does.
        preset = preset_or_template(data.get("layout", "mediamtx"))
        return getattr(preset, name) or ""

    return Field(default_factory=default)


class RootSettings(_Table):
    """One directory tree that a recorder writes to.

    `timezone` is that of the recorder's file names.  `recorder_keeps` is the
    age at which the recorder itself deletes, None where nobody said.
    """

    name: RootName
    path: AbsolutePath
    layout: Annotated[Line, AfterValidator(_check_layout)]
    timezone: Zone = _of_preset("zone")
    stable_after: Annotated[Micros, span("1s", "24h")] = _of_preset("stable_after")
    max_length: Annotated[Micros, span("1s", "24h")] = _of_preset("max_length")
    recorder_keeps: Annotated[Micros, span("1s", "3650d")] | None = None
    cameras: CameraNames = Field(default_factory=lambda: freeze({}))


class CameraSettings(_Table):
    """What differs from the site for one camera."""

    days: Days


class AccessSettings(_Table):
    """The Unix groups whose members have each role."""

    operators: Groups = ("cctv-operators",)
    supervisors: Groups = ("cctv-supervisors",)
    auditors: Groups = ("cctv-auditors",)
    administrators: Groups = ("cctv-admins",)


class Settings(BaseSettings):
    """Everything a site can set; durations are microseconds.

    `clock_synchronised` says what the kernel's word on synchronisation is
    worth: "auto" believes it where there is one, "required" deletes nothing
    without it, "ignored" never asks for it.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", validate_default=False
    )

    site: Site
    contact: Line = NO_CONTACT
    timezone: Zone = "Europe/London"
    state_directory: AbsolutePath = Path("/var/lib/cctv-retention")
    socket: AbsolutePath = Path("/run/cctv-retention/api.sock")
    spool: AbsolutePath = Path("/var/spool/cctv-retention")
    log_directory: AbsolutePath | None = None
    log_copy: AbsolutePath | None = None
    cameras: AbsolutePath | None = None
    clock_synchronised: Literal["auto", "required", "ignored"] = "auto"
    retention: RetentionSettings = RetentionSettings()
    root: tuple[RootSettings, ...] = ()
    camera: Annotated[Mapping[str, CameraSettings], AfterValidator(freeze)] = Field(
        default_factory=lambda: freeze({})
    )
    access: AccessSettings = AccessSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` read: the usual sources let misspelt names pass."""
        return (init_settings,)

    @property
    def published_log(self) -> Path:
        """Where the audit log is published."""
        return self.log_directory or self.state_directory / "log"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the effective values: the same for the same effect."""
        values = _plain(self)
        values["root"].sort(key=lambda root: root["name"])
        text = json.dumps(
            values, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _plain(inner) for name, inner in value}
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the file at `path`, overridden by the environment.

    Without a path, `DEFAULT_PATH`; without an environment, that of the process.
    Raises `SettingsError`: a line for each problem, all that can be found at once.
    """
    path = path or DEFAULT_PATH
    written = settings_source.read_file(path)
    variables, names, faults = settings_source.from_environment(
        Settings, os.environ if environment is None else environment
    )
    values = settings_source.merge(written, variables)
    problems = [
        # Names that BaseSettings would take for instructions to itself.
        Problem((key,), values.pop(key), "is not a setting: remove it")
        for key in [key for key in values if key.startswith("_")]
    ]
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += settings_source.explain(Settings, error)
    else:
        problems += _contradictions(settings)
    faults += settings_source.sentences(problems, path, values, names)
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _contradictions(settings: Settings) -> Iterator[Problem]:
    """Yield what no value shows by itself."""
    if not settings.root:
        yield Problem(
            ("root",), {}, "is missing, so nothing would be deleted: add a [[root]]"
        )
    for number, root in enumerate(settings.root):
        yield from _of_root(number, root)
        yield from _between_roots(number, settings)
    for camera, own in settings.camera.items():
        if own.days == settings.retention.days:
            yield Problem(
                ("camera", camera, "days"),
                own.days,
                "is what [retention] days says already and changes nothing: remove it",
            )
    two_people = settings.retention.release_requires_two_people
    if two_people and not settings.access.supervisors:
        yield Problem(
            ("access", "supervisors"),
            [],
            "names no group, so no hold could ever be released: name one",
        )


def _of_root(number: int, root: RootSettings) -> Iterator[Problem]:
    def problem(key: str, value: Any, text: str) -> Problem:
        return Problem(("root", number, key), value, text)

    preset = preset_or_template(root.layout)
    if not root.timezone:
        yield problem(
            "timezone",
            {},
            f'is missing, and "{root.layout}" does not say it: write the zone of the '
            'times in file names, "UTC" where the recorder writes UTC',
        )
    elif preset.zone and root.timezone != preset.zone:
        yield problem(
            "timezone",
            root.timezone,
            f'is not the zone of "{root.layout}", whose times are always in '
            f"{preset.zone}: remove it",
        )
    else:
        try:
            compile_layout(preset.template, root.timezone)
        except SettingsError as error:
            yield problem("layout", root.layout, _predicate(error, preset.template))
    if root.stable_after > root.max_length:
        yield problem(
            "stable_after",
            format_duration(root.stable_after),
            f"is longer than max_length ({format_duration(root.max_length)}): "
            "shorten it, or correct max_length",
        )
    if root.recorder_keeps is not None and root.recorder_keeps < root.max_length:
        yield problem(
            "recorder_keeps",
            format_duration(root.recorder_keeps),
            f"is shorter than one recording ({format_duration(root.max_length)}): "
            "write what the recorder is set to, or correct max_length",
        )


def _between_roots(number: int, settings: Settings) -> Iterator[Problem]:
    root = settings.root[number]
    state = settings.state_directory
    if _nested(root.path, state):
        yield Problem(
            ("root", number, "path"),
            str(root.path),
            f"and state_directory ({state}) lie one in the other: move one of them",
        )
    for other in settings.root[:number]:
        if other.name.casefold() == root.name.casefold():
            yield Problem(
                ("root", number, "name"),
                root.name,
                "is the name of an earlier [[root]]: write another",
            )
        if _nested(root.path, other.path):
            yield Problem(
                ("root", number, "path"),
                str(root.path),
                f'and the path of [[root]] "{other.name}" ({other.path}) are the same '
                "or lie one in the other: keep one of them",
            )


def _nested(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def warnings(settings: Settings) -> list[str]:
    """Return, for `check`, what is allowed but should be known: a sentence each."""
    found = [text for root in settings.root for text in _doubts_of(root, settings)]
    if settings.contact == NO_CONTACT:
        found.append("contact is not set: write whom to call when something is wrong.")
    if not settings.retention.release_requires_two_people:
        found.append(
            "release_requires_two_people is false, so one person alone can let "
            "evidence go: set it to true where there are two."
        )
    if not settings.retention.require_login_uid:
        found.append(
            "require_login_uid is false, so one person with two accounts can pass for "
            "two people: set it to true unless logins here have no login uid."
        )
    if settings.clock_synchronised == "ignored":
        found.append(
            'clock_synchronised is "ignored", so a wrong clock shows only by its '
            'jumps: set it to "auto" if this machine keeps time from the network.'
        )
    if settings.retention.release_requires_two_people:  # else one person is meant
        found += _shared_groups(settings.access)
    return found


def _doubts_of(root: RootSettings, settings: Settings) -> Iterator[str]:
    where = f'[[root]] "{root.name}"'
    days = max(
        settings.retention.days, *(own.days for own in settings.camera.values()), 0
    )
    needed = days * DAY + settings.retention.cooling_off
    if root.recorder_keeps is None:
        yield (
            f"{where} recorder_keeps is not set, so nobody can be told when the "
            "recorder would delete held footage itself: write what it is set to."
        )
    elif root.recorder_keeps <= needed:
        yield (
            f"{where} recorder_keeps ({format_duration(root.recorder_keeps)}) is not "
            f"longer than the longest retention period and cooling_off together "
            f"({format_duration(needed)}), so the recorder deletes footage before this "
            "program may: let the recorder keep it longer."
        )


def _shared_groups(access: AccessSettings) -> Iterator[str]:
    """Yield the groups that would give one person two roles that exclude each other."""
    for role, others in (
        ("administrators", ("operators", "supervisors")),
        ("auditors", ("operators", "supervisors", "administrators")),
    ):
        for other in others:
            for group in set(getattr(access, role)) & set(getattr(access, other)):
                yield (
                    f'[access] gives the group "{group}" the roles {role} and {other}, '
                    "which are meant to watch each other: use a group for each."
                )
