"""The result of `medunsup.segment`: a `TissueResult` that can save itself."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.identity import Identity
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.result import TissueResult
from medunsup.workflows.segment.save import save


@dataclass(frozen=True, repr=False)
class SegmentResult(TissueResult):
    """Everything that `segment` found, ready to be looked at or saved.

    All volumes share the RAS+ grid of `image`.

    Attributes
    ----------
    image : Volume
        The scan as it was loaded.
    corrected : Volume
        The scan with its bias field divided out.
    brain_mask : Volume
        Voxels that were segmented, bool.
    labels : Volume
        BIDS index of each voxel's tissue (GM 1, WM 2, CSF 3), 0 outside the mask.
    fractions : dict of str to Volume
        Partial volume fraction in [0, 1] of each tissue, by its abbreviation.
    uncertainty : Volume
        Normalised entropy of the tissues' probabilities, in [0, 1].
    tissues : tuple of TissueVolume
        Volumes of each tissue, from fractions and from labels.
    fit : Fit
        The fitted mixture.
    quality : Quality
        Verdict with its reasons and measures.
    record : Record
        All steps, with what each was given, found and warned of.
    parameters : dict
        All choices, with those of the method.
    identity : dict
        From which version, inputs and choices the result was made.
    command : str
        Command line that makes it.
    registration : Registration or None
        Registration of the template to the scan.
    is_stripped : bool
        Whether the scan came without its skull.

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.segment("scan.nii.gz")
    >>> result.quality.verdict in ("pass", "partial", "check", "fail")
    True
    """

    identity: Identity
    command: str
    registration: Registration | None = None
    is_stripped: bool = False

    def save(self, out: str | Path | None = None, *, force: bool = False) -> dict[str, Path]:
        """Write all maps, tables, sidecars and the report page; all of them or none.

        Parameters
        ----------
        out : str or Path, optional
            Folder. Without it the results go beside the scan, or to derivatives/medunsup of the BIDS data set
            that a scan named after BIDS lies in.
        force : bool, default False
            Replace a result that is there already.

        Returns
        -------
        dict of str to Path
            The files by kind: 'dseg', 'report', 'volumes', ...

        Raises
        ------
        ResultThereError
            If a result is there already and `force` is False.
        OutputError
            If another run writes there, or the folder is full or not writable.

        Examples
        --------
        >>> import medunsup
        >>> paths = medunsup.segment("scan.nii.gz").save("saved")
        >>> paths["dseg"].name
        'scan_dseg.nii.gz'
        """
        return save(self, None if out is None else Path(out), force=force)
