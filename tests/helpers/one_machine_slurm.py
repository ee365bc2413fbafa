"""A real Slurm of one machine for tests: munge, slurmctld and slurmd on loopback, accounting off.

It needs root and Debian's `slurm-wlm` and `munge`, and lives in a folder of its own; its daemons are ended by
their numbers. Where it cannot run, `why_not` says why.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
START_S = 30.0
CONFIG = """
ClusterName=medunsup
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
InactiveLimit=0
KillWait=2
MinJobAge=300
OverTimeLimit=0
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=1:00:00 State=UP
"""


def why_not() -> str:
    """Say why no Slurm can be started here; nothing if it can."""
    lacking = [name for name in PROGRAMS if _program(name) is None]
    if lacking:
        return f"{', '.join(lacking)} not there: install slurm-wlm and munge"
    return "" if os.geteuid() == 0 else "only root can start Slurm's daemons"


@contextmanager
def running(folder: Path) -> Iterator[Mapping[str, str]]:
    """Start Slurm in `folder` and yield the variables that its commands need; end it afterwards."""
    daemons: list[subprocess.Popen[bytes]] = []
    with suppress(PermissionError):
        folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    host = socket.gethostname().split(".")[0]
    config = folder / "slurm.conf"
    config.write_text(
        CONFIG.format(
            host=host, folder=folder, ports=_free_ports(), cpus=os.cpu_count(), memory=_megabytes() // 2
        )
    )
    variables = {"SLURM_CONF": str(config)}
    try:
        _start_munge(folder, daemons)
        _start("slurmctld", ["-D", "-i", "-f", str(config)], variables, folder, daemons)
        _start("slurmd", ["-D", "-N", host, "-f", str(config)], variables, folder, daemons)
        _wait_until_idle(variables, folder)
        yield variables
    finally:
        _end_jobs(variables)
        for daemon in reversed(daemons):
            daemon.terminate()
        for daemon in daemons:
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _end_jobs(variables: Mapping[str, str]) -> None:
    """End what is still at work, which would outlive the daemons."""
    environment = {**os.environ, **variables}
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(["scancel", "--user=root"], env=environment, capture_output=True, timeout=10)
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            left = subprocess.run(["squeue", "-h"], env=environment, capture_output=True, timeout=10)
            if left.returncode or not left.stdout.strip():
                return
            time.sleep(0.2)


def _start_munge(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> None:
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    seed, log, pid = (folder / f"munge.{end}" for end in ("seed", "log", "pid"))
    words = ["--foreground", "--force", "--socket", str(folder / "munge.socket"), "--key-file", str(key)]
    words += ["--seed-file", str(seed), "--log-file", str(log), "--pid-file", str(pid)]
    _start("munged", words, {}, folder, daemons)
    _wait_for(lambda: (folder / "munge.socket").exists(), folder)


def _start(
    name: str,
    words: list[str],
    variables: Mapping[str, str],
    folder: Path,
    daemons: list[subprocess.Popen[bytes]],
) -> None:
    program = _program(name)
    assert program is not None
    with (folder / f"{name}.out").open("wb") as out:
        daemons.append(
            subprocess.Popen(
                [program, *words], env={**os.environ, **variables}, stdout=out, stderr=out, cwd=folder
            )
        )


def _wait_until_idle(variables: Mapping[str, str], folder: Path) -> None:
    def is_idle() -> bool:
        done = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env={**os.environ, **variables}, capture_output=True, text=True
        )
        return "idle" in done.stdout.split()

    _wait_for(is_idle, folder)


def _wait_for(is_so, folder: Path) -> None:
    ends = time.monotonic() + START_S
    while not is_so():
        if time.monotonic() > ends:
            logs = [f"{path.name}: {path.read_text(errors='replace')[-600:]}" for path in _logs(folder)]
            raise RuntimeError("Slurm did not start.\n" + "\n".join(logs))
        time.sleep(0.1)


def _logs(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("*.out")), *sorted(folder.glob("*.log"))]


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


def _free_ports() -> list[int]:
    """Find two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in (one, other)]


def _megabytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
