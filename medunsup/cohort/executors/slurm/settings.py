"""What is asked of Slurm for each job."""

from pydantic import Field

from medunsup.core.config import Config

TIME = r"\d+|\d+:\d\d(:\d\d)?|\d+-\d+(:\d\d){0,2}"
NAME = r"[\w.,@+-]+"


class SlurmSettings(Config):
    """What is asked of Slurm for each job; what is left out is as the cluster has it."""

    time: str | None = Field(
        None, pattern=f"^({TIME})$", description="Time limit of one job: minutes, HH:MM:SS or D-HH:MM:SS"
    )
    mem: str | None = Field(None, pattern=r"^\d+[KMGT]?$", description="Memory of one job, such as 2G")
    account: str | None = Field(None, pattern=f"^{NAME}$", description="Account that pays for the jobs")
    partition: str | None = Field(None, pattern=f"^{NAME}$", description="Partition that the jobs run in")
    cpus: int = Field(1, ge=1, le=1024, description="Cores of one job; libraries use as many threads")
    at_once: int | None = Field(
        None, ge=1, description="Most jobs at the same time; None leaves it to the cluster"
    )
