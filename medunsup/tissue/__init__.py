"""Tissue segmentation: mixtures and their parts (priors, bias field, random field, partial volume).

Each method is public here under the name of its class: `from medunsup.tissue import GMM`.
"""

from medunsup.core.lazy import attach

_HOMES = {
    "Component": "medunsup.tissue.base",
    "Fit": "medunsup.tissue.result",
    "Fitted": "medunsup.tissue.textbook",
    "Label": "medunsup.core.labels",
    "Quality": "medunsup.tissue.result",
    "TISSUES": "medunsup.core.labels",
    "TextbookConfig": "medunsup.tissue.textbook",
    "TextbookMethod": "medunsup.tissue.textbook",
    "TissueInput": "medunsup.tissue.base",
    "TissueMethod": "medunsup.tissue.base",
    "TissueResult": "medunsup.tissue.result",
    "TissueVolume": "medunsup.tissue.result",
}

__getattr__, __dir__ = attach(__name__, _HOMES, areas=("tissue",))
