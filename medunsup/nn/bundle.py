"""A written MONAI bundle, run as MONAI runs it: its config is parsed, its network computes."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class BundleNetwork(nn.Module):
    """The network of a bundle, called through its own inferer."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        from monai.bundle import ConfigParser

        parser = ConfigParser()
        parser.read_config(folder / "configs" / "inference.json")
        parser.read_meta(folder / "configs" / "metadata.json")
        parser.update({"bundle_root": str(folder), "device": "$torch.device('cpu')"})
        self.network = parser.get_parsed_content("network")
        self.inferer: Any = parser.get_parsed_content("inferer")

    def forward(self, x: Tensor) -> Tensor:
        """Return what the bundle makes of a batch."""
        with torch.no_grad():
            found: Tensor = self.inferer(x, self.network)
        return found
