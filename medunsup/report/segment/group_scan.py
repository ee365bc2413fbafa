"""What the page of all scans shows of each one that was segmented."""

from dataclasses import dataclass

from medunsup.tissue.result import Quality


@dataclass(frozen=True)
class GroupScan:
    """One scan of the group: `name` begins its results' names, `file` is the scan's own.

    `contrast` is what it was taken as, with those given beside it; empty in results that do not say.
    `page` is the address of its report from the group page, `thumbnail` the data address of a picture; either
    may be empty.
    """

    name: str
    file: str
    contrast: str
    quality: Quality
    volumes_mm3: dict[str, float]
    mask_mm3: float
    page: str
    thumbnail: str

    @property
    def shares(self) -> dict[str, float]:
        """Each tissue's share of the brain mask's volume."""
        whole = self.mask_mm3 or 1.0
        return {name: volume / whole for name, volume in self.volumes_mm3.items()}
