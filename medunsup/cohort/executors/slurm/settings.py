"""What is asked of Slurm for each job."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from medunsup.core.config import Config

TIME = r"\d+|\d+:\d\d(:\d\d)?|\d+-\d+(:\d\d){0,2}"
SIZE = r"\d+[KMGT]?"
NAME = r"[\w.,@+-]+"


def _written(pattern: str, words: str) -> AfterValidator:
    """Refuse what Slurm would not take, in words."""

    def check(value: str) -> str:
        if re.fullmatch(pattern, value, re.ASCII) is None:
            raise ValueError(f"should be {words}")
        return value

    return AfterValidator(check)


class SlurmSettings(Config):
    """What is asked of Slurm for each job; what is left out is as the cluster has it."""

    time: Annotated[str, _written(TIME, "minutes, HH:MM:SS or D-HH:MM:SS, such as 00:10:00")] | None = Field(
        None, description="Time limit of one job: minutes, HH:MM:SS or D-HH:MM:SS"
    )
    mem: Annotated[str, _written(SIZE, "a number with K, M, G or T, such as 2G")] | None = Field(
        None, description="Memory of one job, such as 2G"
    )
    account: Annotated[str, _written(NAME, "one word")] | None = Field(
        None, description="Account that pays for the jobs"
    )
    partition: Annotated[str, _written(NAME, "one word")] | None = Field(
        None, description="Partition that the jobs run in"
    )
    cpus: int = Field(1, ge=1, le=1024, description="Cores of one job; libraries use as many threads")
    at_once: int | None = Field(
        None, ge=1, description="Most jobs at the same time; None leaves it to the cluster"
    )
