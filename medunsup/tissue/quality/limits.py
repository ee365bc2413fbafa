"""How far each measure may go, with the reason for each number, and the sentence said when it goes farther.

Chosen as round numbers between good scans and spoilt ones of the tuning set (docs/quality.md).
"""

from dataclasses import dataclass

from medunsup.core.hints import both
from medunsup.tissue.result import Verdict


@dataclass(frozen=True)
class Limit:
    """Beyond `check` a result needs a look, beyond `fail` it is not to be used (None: never for this alone).

    `sentence` may use {value} and the words found with the measures. `too_low` turns the limit round. `only`
    names the contrast it is known for. `registered`: it means something only where the template fits,
    `doubts_place` that beyond it the template lies elsewhere.
    """

    measure: str
    check: float
    fail: float | None
    sentence: str
    too_low: bool = False
    only: str | None = None
    registered: bool = False
    doubts_place: bool = False

    def judge(self, value: float) -> Verdict:
        """Say pass, check or fail for one value."""
        sign = -1 if self.too_low else 1
        if self.fail is not None and sign * value > sign * self.fail:
            return "fail"
        return "check" if sign * value > sign * self.check else "pass"


ATLAS = (
    Limit(
        # Registered well: every move loses 25 % and more, ghosts or not. 12 mm or 20 degrees off: 150 %
        "atlas_better_elsewhere_percent",
        20.0,
        60.0,
        "The template, on which the labels lean, seems to lie wrong on this scan: it would agree with the "
        "intensities {value:.0f} % better if it were moved by 12 mm or more, turned by 20 degrees or more or "
        "mirrored. A wrong orientation in the header, a large lesion or an unusual contrast look the same. "
        "Compare the outlines with the scan and check its orientation{or_give_mask}.",
        doubts_place=True,
    ),
    Limit(
        # Good T1w scans 0.10 (6 mm slices) to 0.42; a template scaled by 1.3 0.02 to 0.04.
        "atlas_agreement_nats",
        0.07,
        0.04,
        "The intensities hardly follow the template's tissues (agreement {value:.4f} nats; 0.10 and more is "
        "usual). A misregistered template, weak contrast, a large lesion or another body part look the "
        "same. Look at the outlines before using the volumes.",
        too_low=True,
        only="T1w",
        doubts_place=True,
    ),
    Limit(
        # A generous mask (dura and all) has 0.90, a mask 6 mm too wide 0.79 to 0.87.
        "atlas_overlap_dice",
        0.87,
        0.75,
        "Brain mask and template brain overlap by only {value:.2f} (usually 0.9 and more): one of them is "
        "wrong. Look at the mask's outline. {mend_mask} if it does not follow the brain.",
        too_low=True,
    ),
)

MASK = (
    Limit(
        # A mask taken from the scan itself has none; 6 mm too wide 20 %.
        "mask_empty_percent",
        3.0,
        10.0,
        "{value:.0f} % of the mask is empty background: the mask is larger than the brain in this scan, or "
        "belongs to another one. Give the mask that this scan was stripped with, or a tighter one.",
    ),
    Limit(
        # Whole brains end in 2 to 17 %, with 6 mm slices 21 %; the outer 15 % cut off leaves 24 to 70 %.
        "mask_flat_face_percent",
        23.0,
        50.0,
        "The mask ends at its {face} in a flat face, {value:.0f} % as wide as its largest section: it, or "
        "the field of view, is cut off there, and what lies beyond is not counted. {mend_mask} if the scan "
        "shows more of the brain.",
    ),
    Limit(
        # Good masks miss up to 13 % of one region (affine fit), without cerebellum 73 % and more.
        "region_missing_percent",
        15.0,
        30.0,
        "The mask leaves out {value:.0f} % of the {region} as the template expects it. Compare the outline "
        "with the scan there. {mend_mask} if brain is left out.",
        registered=True,
    ),
    Limit(
        # Up to 5 % where a scan was stripped a little wider than its mask.
        "left_out_percent",
        10.0,
        25.0,
        "This skull-stripped scan shows more than the mask takes in: {left_out} lies "
        "outside it, so {whose_mask}. Look at the mask's outline.",
    ),
    Limit(
        "atlas_in_view_percent",
        90.0,
        60.0,
        "Only {value:.0f} % of the brain lies in the field of view; the volumes are of that part alone.",
        too_low=True,
        registered=True,
    ),
    Limit(
        # A generous mask with dura has 3.6 %, one with a piece of neck 5 %, with neck and eyes 31 %.
        "mask_far_outside_percent",
        4.5,
        15.0,
        "{value:.0f} % of the mask lies more than 6 mm outside the brain as the template has it, as neck, "
        "eyes or scalp would. Look at the mask's outline. {mend_mask} if it reaches beyond the brain.",
        registered=True,
    ),
    Limit(
        # Good T1w masks up to 0.4 %; 6 mm too wide in a whole head 4 %.
        "boundary_bright_percent",
        1.5,
        8.0,
        "{value:.0f} % of the mask's boundary is brighter than any brain tissue. Fat and marrow, where a "
        "mask reaches into skull or scalp, look the same, and so do vessels or a lesion with contrast agent. "
        "Look at the mask's outline. {mend_mask} if it reaches beyond the brain.",
        only="T1w",
    ),
    Limit(
        # Tight manual masks have 20 to 30 %, wider ones 50 and more; the tight ones eroded by 4 mm 7 to 11 %.
        "boundary_fluid_percent",
        16.0,
        None,
        "The mask's boundary is tissue rather than fluid (fluid {value:.0f} %, usually 20 % and more): the "
        "mask may cut into the cortex all round. Compare its outline with the scan.",
        too_low=True,
        only="T1w",
    ),
    Limit(
        "mask_pieces_percent",
        2.0,
        10.0,
        "{value:.0f} % of the mask lies in pieces apart from the brain. {mend_mask} if they are no brain.",
    ),
    Limit(
        "mask_holes_percent",
        1.0,
        5.0,
        "The mask has holes, {value:.1f} % of its volume, which are not counted. {mend_mask} if they are "
        "brain.",
    ),
)

ARTEFACT = (
    Limit(
        # Good scans 3.9 to 8.6; ghosts of 0.7 13 and more, a head that jumped by 4 mm 9.5 and more.
        "ghosting_percent",
        9.1,
        20.0,
        "White matter is uneven over a few mm ({value:.0f} % of the contrast to grey, usually up to 9 %). "
        "Lesions of white matter, motion, ghosting and uneven brightness look the same. Look which it is: "
        "lesions are patches, often beside the ventricles; ghosting and motion make stripes and "
        "double edges.",
        only="T1w",
    ),
)

PATCHES = (
    Limit(
        # 20 heads without lesions up to 1.0; widespread lesions of white matter 3 to 4, gliomas 21 to 27.
        "grey_patch_ml",
        2.0,
        None,
        "A patch of {value:.0f} ml is as dark as grey matter where the template expects white matter "
        "({grey_lobe}, roughly). Lesions of white matter, a tumour and oedema look the same, and are counted "
        "as grey matter. Look which it is; none of the tissues describes a lesion.",
        only="T1w",
        registered=True,
    ),
    Limit(
        # 20 heads without agent up to 0.2; gliomas with contrast agent 1.0 to 22.
        "bright_patch_ml",
        0.5,
        None,
        "A patch of {value:.1f} ml is brighter than any tissue ({bright_lobe}, roughly). A lesion or vessels "
        "with contrast agent, blood and fat look the same. Look which it is; none of the tissues "
        "describes it.",
        only="T1w",
        registered=True,
    ),
)

WINDOW = (
    Limit(
        # Two manual scans: up to 20 % harmless; at 33 to 42 % GM 13 to 25 % short, WM 14 to 31 % over.
        "at_highest_percent",
        20.0,
        None,
        "{value:.0f} % of the brain has one intensity, the scan's brightest: white matter was cut off at the "
        "upper end, as an export in 8 bits with a narrow window does, or a scan of very few grey values. "
        "Bright grey matter then counts as white: at 33 to 42 % grey matter came out 13 to 25 % too small, "
        "white matter 14 to 31 % too large. Take the scan as the scanner stored it (DICOM, 12 or 16 bits).",
        only="T1w",
    ),
)
DARK_END = Limit(
    # Scans as they come 0 to 1 %.
    "at_lowest_percent",
    10.0,
    None,
    "{value:.0f} % of the brain has one intensity, the scan's darkest: fluid was cut off at the lower end, "
    "as by a narrow window or a threshold, or the mask holds air. The boundary of the darkest tissue may be "
    "wrong in either direction. Take the scan as the scanner stored it, and look at the mask's outline.",
)
EMPTY_IS_SAID = 3.0  # percent of the mask: from there on the mask itself is objected to

BIAS = Limit(
    # Good scans 4 to 26; fields of 2 to 3 left in on purpose 53 to 105.
    "bias_left_percent",
    35.0,
    None,
    "White matter is still {value:.0f} % brighter in one place than in another after the bias field was "
    "taken out (usually up to 25 %), and tissues are told apart by brightness. A bias field too strong or "
    "too local to be found, or wide lesions of white matter, look the same. Look at the labels where white "
    "matter is dark; if it is a bias field, correct it with the scanner's or another tool and segment again.",
    only="T1w",
    registered=True,
)

THICK_SLICES_ALLOW = 1.5  # partial volume along a thick axis makes white matter uneven in plane too

SIDES = Limit(
    # 92 scans without a large lesion have up to 4.6, 27 of them in slices of 6 mm up to 5.7; one tumour in
    # three contrasts 9.8 and more.
    "asymmetry_percent",
    7.0,
    None,
    "Left and right differ: {value:.0f} % of the brain holds other tissue than its mirror side (usually up "
    "to 5 %). A large lesion, which none of the tissues describes, uneven brightness and a natural "
    "asymmetry look the same. Look which it is; tissue volumes within a lesion mean nothing.",
    registered=True,
)

NOT_T1W = (
    "Volumes on {contrast} alone have not been validated (on FLAIR they differed from those on T1w of the "
    "same head by up to 40 %): compare them with one another, not with volumes on T1w."
)

WITH_AGENT = (
    "The scan was taken with a contrast agent, which makes vessels and lesions as bright as white matter or "
    "brighter: volumes on such scans have not been validated (of one head with and without agent, CSF "
    "differed by 21 %)."
)
NO_BONE = (
    "Fluid and bone look alike in this scan, as in an MP2RAGE UNI image, so the brain mask could not follow "
    "the fluid up to the skull: CSF and the mask may be too small. Look at the mask's outline; a mask from "
    f"another image of the same head (INV2, or another contrast) can be given with the option {both('mask')}."
)

VOLUME_ML = ((900.0, 2350.0), (600.0, 2600.0))
# Twelve good scans: GM, WM 8 % at most; CSF 9 to 19 %, the less of it there is (10 to 14 % of the mask).
GAP_PERCENT, GAP_MATTERS_PERCENT = 20.0, 15.0
SHARES_PERCENT = {"GM": (25.0, 75.0), "WM": (15.0, 55.0), "CSF": (2.0, 45.0)}

# Scaled intensity: darkest 0.1 % of the mask 0, brightest 1. WM less GM is 0.12 to 0.40 on good T1w scans
# and -0.06 to 0.01 on T2w and FLAIR; GM less CSF 0.12 to 0.48 on T1w and FLAIR, -0.1 to -0.2 on T2w.
WHITE_LESS_GREY = 0.05
FLUID_MARGIN = 0.03
