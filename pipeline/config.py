"""Typed, checked configuration. Hydra and OmegaConf come in here and go no further.

A command names a plain dataclass as its schema; what stands in configs/ and on the command line is
checked against it, and everything that is wrong is said in one line each, with exit status 2.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from hydra import compose, initialize_config_dir
from hydra import main as hydra_main
from hydra.core.config_store import ConfigStore
from hydra.errors import HydraException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pipeline.allocator import LARGEST, keep_freed_memory

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
Schema = TypeVar("Schema")


class SettingsError(ValueError):
    """Settings that cannot be used: one line for each thing that is wrong."""


class InputError(ValueError):
    """Something that the settings name is not there, or is not what it should be."""


def application(
    name: str, schema: type[Schema], task: Callable[[Schema], int], *, largest: int = LARGEST
) -> None:
    """Run a command: compose configs/NAME.yaml with the command line, check it, hand it to the task.

    ``largest``: bytes of the blocks that stay with the process when they are freed.

    Exits with the task's status; with 2, and a line for each problem, where the settings or the input
    are unusable.
    """
    _no_calls_home()
    keep_freed_memory(largest)
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)
    arguments = sys.argv[1:]
    if not any(argument.startswith("-") for argument in arguments):
        _or_exit(name, lambda: load(name, schema, arguments))

    def job(config: DictConfig) -> None:
        status = _or_exit(name, lambda: task(_checked(schema, config)))
        if status:
            sys.exit(status)

    hydra_main(version_base="1.3", config_path=str(CONFIGS), config_name=name)(job)()


def load(name: str, schema: type[Schema], overrides: Sequence[str] = ()) -> Schema:
    """configs/NAME.yaml with overrides as an instance of the schema. Raises SettingsError."""
    ConfigStore.instance().store(name=f"{name}_schema", node=schema)
    try:
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            config = compose(name, list(overrides))
    except OverrideParseException as error:
        raise SettingsError(f"{error.override}: {_one_line(error)}") from error
    except (HydraException, OmegaConfBaseException) as error:
        raise SettingsError(_one_line(error)) from error
    return _checked(schema, config)


def output_folder(name: str) -> Path:
    """The folder that a command leaves. Raises InputError where it is a file."""
    folder = Path(name)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"output={name}: is a file; expected a folder, or a name that is free")
    return folder


def dump(settings: object) -> str:
    """The settings as YAML, as a run keeps them in config.yaml."""
    return OmegaConf.to_yaml(OmegaConf.structured(settings))


def _checked(schema: type[Schema], config: DictConfig) -> Schema:
    problems = [f"{key}: unknown key" for key in _unknown(schema, config)]
    problems += [f"{key}: missing; write {key}=VALUE" for key in sorted(OmegaConf.missing_keys(config))]
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        return cast(Schema, OmegaConf.to_object(config))
    except (OmegaConfBaseException, ValueError) as error:
        raise SettingsError(_one_line(error)) from error


def _unknown(schema: type[Any], config: DictConfig, prefix: str = "") -> list[str]:
    """Keys that the dataclass of a node does not have: ``+typo=1`` composes without a word."""
    kind = OmegaConf.get_type(config) or schema
    if not dataclasses.is_dataclass(kind):
        return []  # a free map, such as weights by corpus name
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = [f"{prefix}{key!s}" for key in config if str(key) not in known]
    for key in known & {str(key) for key in config}:
        if not OmegaConf.is_missing(config, key) and isinstance(config[key], DictConfig):
            unknown += _unknown(object, config[key], f"{prefix}{key}.")
    return unknown


def _one_line(error: BaseException) -> str:
    cause = f" {error.__cause__}" if error.__cause__ else ""
    parts = [part.strip() for part in f"{error}{cause}".splitlines()]
    kept = [part for part in parts if part and not part.startswith(("reference_type", "object_type"))]
    return "; ".join(kept[:4])


Result = TypeVar("Result")


def _or_exit(name: str, action: Callable[[], Result]) -> Result:
    try:
        return action()
    except (SettingsError, InputError) as error:
        for line in str(error).splitlines():
            print(f"depesche-{name}: {line}", file=sys.stderr)
        sys.exit(2)


def _no_calls_home() -> None:
    """Nothing leaves the machine unless the user asks for it."""
    for key in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", "HF_HUB_DISABLE_PROGRESS_BARS"):
        os.environ.setdefault(key, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
