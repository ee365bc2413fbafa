"""The geometry of a NIfTI header, kept so that results can be given the very same."""

from dataclasses import dataclass, field
from typing import Any, Self

import nibabel as nib

from medunsup.io.nifti.units import unit_of

# Free text (descrip, db_name, aux_file, intent_name) and extensions may name the patient: never copied.
FIELDS = (
    "pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d",
    "qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z",
)  # fmt: skip


@dataclass(frozen=True)
class NiftiSpace:
    """Both coordinate systems of a NIfTI file, their codes and unit, as they are stored; nothing else."""

    version: int
    unit: str
    fields: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, header: Any) -> Self:
        """Take the geometry out of a nibabel NIfTI header."""
        fields = {name: header[name].copy() for name in FIELDS}
        fields["pixdim"][4:] = 0
        return cls(2 if isinstance(header, nib.Nifti2Header) else 1, unit_of(header).name, fields)

    def new_header(self, shape: tuple[int, ...]) -> Any:
        """Return a fresh little-endian header with this geometry for an array of `shape`."""
        header = (nib.Nifti2Header if self.version == 2 else nib.Nifti1Header)(endianness="<")
        header.set_data_shape(shape)
        for name, value in self.fields.items():
            header[name] = value
        header.set_xyzt_units(self.unit if self.unit != "unknown" else "mm", "unknown")
        return header
