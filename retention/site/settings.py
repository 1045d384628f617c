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

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from retention.model.errors import SettingsError
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.presets import preset_or_template
from retention.model.localtime import format_duration
from retention.model.values import DAY, MINUTE, SECOND, Micros
from retention.site import source
from retention.site.address import (
    DEFAULT_CONFIG,
    DEFAULT_SOCKET,
    DEFAULT_SPOOL,
    DEFAULT_ZONE,
    NO_CONTACT,
)
from retention.site.source import Problem
from retention.site.value_types import (
    AbsolutePath,
    Address,
    CameraNames,
    Controller,
    Count,
    Day,
    Days,
    Groups,
    Hours,
    Line,
    Origin,
    RootName,
    Share,
    Site,
    YesOrNo,
    Zone,
    freeze,
    span,
)


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
    timezone: Zone = DEFAULT_ZONE
    state_directory: AbsolutePath = Path("/var/lib/cctv-retention")
    socket: AbsolutePath = DEFAULT_SOCKET
    spool: AbsolutePath = DEFAULT_SPOOL
    log_origin: Origin | None = None
    log_directory: AbsolutePath | None = None
    log_copy: AbsolutePath | None = None
    cameras: AbsolutePath | None = None
    controller: Controller | None = None
    monitored_hours: Hours | None = None
    published_list: Address | None = None
    published_list_day: Day | None = None
    clock_synchronised: Literal["auto", "required", "ignored"] = "auto"
    retention: RetentionSettings = RetentionSettings()
    root: tuple[RootSettings, ...] = ()
    camera: Annotated[
        Mapping[str, CameraSettings], AfterValidator(freeze), PlainSerializer(dict)
    ] = Field(default_factory=lambda: freeze({}))
    access: AccessSettings = AccessSettings()

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *_: Any, **sources: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what `load` read: the usual sources let misspelt names pass."""
        return (sources["init_settings"],)

    @property
    def published_log(self) -> Path:
        """Where the audit log is published."""
        return self.log_directory or self.state_directory / "log"

    @property
    def own_controller(self) -> str:
        """Whose cameras are, of which nothing else is said."""
        return self.controller or self.site

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the effective values: the same for the same effect."""
        values = self.model_dump(mode="json")
        values["root"].sort(key=lambda root: root["name"])
        text = json.dumps(
            values, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the file at `path`, overridden by the environment.

    Without a path, `DEFAULT_CONFIG`; without an environment, that of the process.
    Raises `SettingsError`: a line for each problem, all that can be found at once.
    """
    path = path or DEFAULT_CONFIG
    values = source.read_file(path)
    names, faults = source.add_variables(
        Settings, values, os.environ if environment is None else environment
    )
    problems = [
        # Names that BaseSettings would take for instructions to itself.
        Problem((key,), values.pop(key), "is not a setting: remove it")
        for key in [key for key in values if key.startswith("_")]
    ]
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += source.explain(Settings, error)
    else:
        problems += _contradictions(settings)
    faults += [source.sentence(one, path, values, names) for one in problems]
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
        for key, value, text in (
            *_of_root(root),
            *_beside_root(root, settings, number),
        ):
            yield Problem(("root", number, key), value, text)
    for camera, own in settings.camera.items():
        if own.days == settings.retention.days:
            yield Problem(
                ("camera", camera, "days"),
                own.days,
                "is what [retention] days says already and changes nothing: remove it",
            )
    if settings.published_list_day and not settings.published_list:
        yield Problem(
            ("published_list_day",),
            settings.published_list_day,
            "is the day of a list of which nothing says where it is: write "
            "published_list as well, or remove it",
        )
    two_people = settings.retention.release_requires_two_people
    if two_people and not settings.access.supervisors:
        yield Problem(
            ("access", "supervisors"),
            [],
            "names no group, so no hold could ever be released: name one",
        )


_OfRoot = Iterator[tuple[str, Any, str]]  # key, value, what is wrong with it


def _of_root(root: RootSettings) -> _OfRoot:
    preset, longest = preset_or_template(root.layout), format_duration(root.max_length)
    if not root.timezone:
        yield (
            "timezone", {},
            f'is missing, and "{root.layout}" does not say it: write the zone of the '
            'times in file names, "UTC" where the recorder writes UTC',
        )  # fmt: skip
    elif preset.zone and root.timezone != preset.zone:
        yield (
            "timezone", root.timezone,
            f'is not the zone of "{root.layout}", whose times are always in '
            f"{preset.zone}: remove it",
        )  # fmt: skip
    else:
        try:
            compile_layout(preset.template, root.timezone)
        except SettingsError as error:
            yield "layout", root.layout, _predicate(error, preset.template)
    if root.stable_after > root.max_length:
        yield (
            "stable_after", format_duration(root.stable_after),
            f"is longer than max_length ({longest}): shorten it, or correct max_length",
        )  # fmt: skip
    if root.recorder_keeps is not None and root.recorder_keeps < root.max_length:
        yield (
            "recorder_keeps", format_duration(root.recorder_keeps),
            f"is shorter than one recording ({longest}): write what the recorder is set "
            "to, or correct max_length",
        )  # fmt: skip


def _beside_root(root: RootSettings, settings: Settings, number: int) -> _OfRoot:
    state = settings.state_directory
    if _nested(root.path, state):
        text = f"and state_directory ({state}) lie one in the other: move one of them"
        yield "path", str(root.path), text
    for other in settings.root[:number]:
        if other.name.casefold() == root.name.casefold():
            text = "is the name of an earlier [[root]]: write another"
            yield "name", root.name, text
        if _nested(root.path, other.path):
            yield (
                "path", str(root.path),
                f'and the path of [[root]] "{other.name}" ({other.path}) are the same '
                "or lie one in the other: keep one of them",
            )  # fmt: skip


def _nested(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents
