"""Configs are frozen pydantic models; an unknown key is an error that names the nearest one."""

from collections.abc import Mapping
from difflib import get_close_matches
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from medunsup.core.errors import UsageError
from medunsup.core.field_docs import parameters_section
from medunsup.core.renamed import by_new_names

# The complaints of pydantic that a key's type and bounds explain.
TYPE_AND_BOUNDS = ("literal", "greater_than_equal", "less_than_equal", "int_", "float_", "bool_")


class Config(BaseModel):
    """Base of every method's parameters: typed, bounded, immutable.

    Its own docstring says what it is for; the section "Parameters" is added from the fields' descriptions.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    renamed: ClassVar[Mapping[str, str]] = {}  # new names of keys by their old ones, which are still taken

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """List the fields, inherited ones among them, in the docstring."""
        cls.__doc__ = "\n\n".join(
            filter(None, (cleandoc(cls.__doc__ or ""), parameters_section(cls.model_fields)))
        )

    @classmethod
    def parse(cls, values: dict[str, Any], where: str = "the configuration") -> Self:
        """Build from plain values.

        Raises UsageError that names the key, what is wrong with it, and the nearest known key.
        """
        try:
            return cls.model_validate(by_new_names(values, cls.renamed, where))
        except ValidationError as error:
            by_key: dict[Any, list[Any]] = {}
            for item in error.errors():
                by_key.setdefault(item["loc"][:1], []).append(item)
            raise UsageError("; ".join(_explain(cls, where, items) for items in by_key.values())) from error


def _explain(cls: type[Config], where: str, items: list[Any]) -> str:
    """Say in one sentence what is wrong with one key; a key of several types has one complaint for each."""
    key = ".".join(str(part) for part in items[0]["loc"][: 1 if len(items) > 1 else None])
    if items[0]["type"] == "extra_forbidden":
        near = get_close_matches(key, list(cls.model_fields), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(cls.model_fields)}."
        return f"{where}: unknown key {key!r}; {hint}"
    said = [item["msg"].removeprefix("Input ").removeprefix("Value error, ") for item in items]
    wanted = _wanted(cls, items) or " or ".join(said)
    return f"{where}: {key}: {wanted}, got {items[0]['input']!r}"


def _wanted(cls: type[Config], items: list[Any]) -> str:
    """Say what a key takes, such as "should be 'auto' or a number from 2 to 12"; empty if that is not all."""
    if not all(item["type"].startswith(TYPE_AND_BOUNDS) for item in items):
        return ""  # a check of the config's own says more
    schema = cls.model_json_schema()["properties"].get(items[0]["loc"][0], {})
    types = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    choices = [word for one in types for word in _choices(one)]
    first, last = ", ".join(choices[:-1]), choices[-1]
    return "" if "" in choices else f"should be {first}{' or ' * bool(first)}{last}"


def _choices(schema: dict[str, Any]) -> list[str]:
    """Put one type of a JSON schema into words; an empty one for what words do not tell."""
    words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if words:
        return [repr(word) for word in words]
    named = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    kind = named.get(schema.get("type", ""), "")
    least, most = schema.get("minimum"), schema.get("maximum")
    if not kind or "exclusiveMinimum" in schema or "exclusiveMaximum" in schema:
        return [""]
    if least is not None and most is not None:
        return [f"{kind} from {least:g} to {most:g}"]
    if least is not None:
        return [f"{kind} of {least:g} or more"]
    return [kind if most is None else f"{kind} of {most:g} or less"]


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping; raises UsageError naming the file if it is anything else."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except (ValueError, yaml.YAMLError) as error:
        why = " ".join(str(error).split())
        raise UsageError(
            f"{path}: cannot be read as YAML ({why}). Give a text file of key: value."
        ) from error
    if not isinstance(values, dict):
        raise UsageError(f"{path}: expected a mapping of keys to values.")
    return values


def presets(area: str) -> dict[str, Path]:
    """Presets that come with the package, such as configs/segment/fast.yaml, by name."""
    return {file.stem: file for file in sorted((_presets_folder() / area).glob("*.yaml"))}


def preset(area: str, name: str) -> dict[str, Any]:
    """Read a preset by name, or any YAML file by path.

    Raises UsageError naming the nearest preset, or the file that cannot be read.
    """
    known = presets(area)
    if name in known:
        return read_yaml(known[name])
    if name.endswith((".yaml", ".yml")):
        return read_yaml(Path(name))
    near = get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}; or give a .yaml file."
    raise UsageError(f"There is no {area} preset {name!r}. {hint}")


def _presets_folder() -> Path:
    """Find configs/: inside an installed package, beside it in a source tree."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"
