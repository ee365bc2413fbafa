"""`medunsup predict`: a fine-tuned network labels new scans."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared import executor_options, model_options, options
from medunsup.cli.shared.options import option
from medunsup.cli.shared.predict_printing import print_result
from medunsup.cli.shared.printing import print_forecast
from medunsup.cli.shared.progress import display
from medunsup.cli.shared.settings import check_outputs
from medunsup.cli.shared.verb import verb

Network = Annotated[Path, typer.Argument(metavar="NETWORK", help="What `medunsup finetune` made.")]
Probabilities = Annotated[
    bool, option("Run", "--probabilities", help="Write a map of each label's probability as well.")
]
WithPrepared = Annotated[
    bool,
    option("Run", "--prepared", help="Write the scan as the network saw it, as a MONAI bundle takes it."),
]


@verb()
def predict(
    network: Network,
    scans: options.Scans,
    out: options.Out = None,
    *,
    reading: options.Reading,
    probabilities: Probabilities = False,
    prepared: WithPrepared = False,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    where: executor_options.Where,
    telling: options.Telling,
) -> int:
    """Label scans or images with a fine-tuned network.

    Writes label maps in native space and volumes, or the probability of each class, and pages. No expert
    has checked the results. A network that was fine-tuned on images takes .npz files.
    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.predict.cohort import foresee, make_requests, run_requests
    from medunsup.workflows.predict.request import open_network

    opened = open_network(network)
    requests = make_requests(
        scans,
        opened,
        out,
        reading.mask,
        probabilities=probabilities,
        prepared=prepared,
        cache=cache,
        **reading.choices,
    )
    names = [request.scan.path for request in requests]
    check_outputs(names, out)
    executor = where.chosen(jobs)
    if dry_run:
        return print_forecast(foresee(requests, opened, executor, force=force), telling.as_json)
    with display(names, telling.quiet) as shown:
        result = run_requests(
            requests,
            opened,
            executor=executor,
            force=force,
            progress=shown.step,
            finished=shown.finished,
        )
    return print_result(result, telling)
