"""What is known of a scan before it is looked at, so that no sentence advises what was done already."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medunsup.core.hints import both
from medunsup.tissue.quality.findings import Findings


@dataclass(frozen=True)
class Known:
    """How a scan was taken: facts of the steps before, not to be guessed anew.

    `is_stripped` says that it came without its skull, `mask_given` that its brain mask came with it,
    `contrast_given` that its contrast was named by the user, `contrast_agent` that its name or header tells
    of one. `reaches_bone` is False where a mask that was found may leave fluid out. `before` holds what was
    found while reading. `at_ends` are what `window.piled_up` measures of the
    scan's own intensities.
    """

    is_stripped: bool = False
    mask_given: bool = False
    contrast_given: bool = False
    contrast_agent: bool = False
    reaches_bone: bool = True
    before: Findings | None = None
    at_ends: Mapping[str, float] = field(default_factory=dict)

    @property
    def words(self) -> dict[str, str]:
        """What is left to advise, for the sentences of `limits`."""
        given = self.mask_given
        return {
            "or_give_mask": "" if given else f", or give a brain mask with the option {both('mask')}",
            "mend_mask": "Correct the mask"
            if given
            else f"Give a corrected mask with the option {both('mask')}",
            "whose_mask": f"the mask {'may belong to another scan' if given else 'is too small'}",
            "name_contrast": (
                f"The contrast was named with {both('contrast')}: name another, or leave it out"
                if self.contrast_given
                else f"Name the contrast with the option {both('contrast')}"
            ),
        }
