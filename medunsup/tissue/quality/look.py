"""The checks in a reader's order: subject, template, mask, contrast, symmetry, ghosts, volumes."""

from collections.abc import Mapping

import numpy as np

from medunsup.core.hints import both
from medunsup.core.volume import Volume
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.quality import intensities, outline, place
from medunsup.tissue.quality.findings import Findings
from medunsup.tissue.quality.intensities import THICK_MM
from medunsup.tissue.quality.known import Known
from medunsup.tissue.quality.limits import (
    ARTEFACT,
    ATLAS,
    BIAS,
    DARK_END,
    EMPTY_IS_SAID,
    FLUID_MARGIN,
    GAP_MATTERS_PERCENT,
    GAP_PERCENT,
    MASK,
    NO_BONE,
    NOT_T1W,
    PATCHES,
    SHARES_PERCENT,
    SIDES,
    THICK_SLICES_ALLOW,
    VOLUME_ML,
    WHITE_LESS_GREY,
    WINDOW,
    WITH_AGENT,
)
from medunsup.tissue.quality.patches import of_patches
from medunsup.tissue.quality.sample import Sample, draw
from medunsup.tissue.quality.symmetry import of_symmetry
from medunsup.tissue.quality.thick import of_slices
from medunsup.tissue.result import TissueVolume

Tissues = tuple[float, float, float]


def look(
    findings: Findings,
    data: TissueInput,
    fitted: TissueMethod,
    volumes: tuple[TissueVolume, ...],
    registration: Registration,
    scan: Volume | None,
    origin: tuple[int, int, int],
    known: Known,
) -> None:
    """Make all checks that this scan allows; measures and objections go into `findings`."""
    check_subject(findings, data, scan, known)
    sample = draw(data, fitted, registration, scan, origin, is_stripped=known.is_stripped)
    _measure_outline(findings, sample, is_stripped=known.is_stripped)
    is_registered = check_place(findings, data, sample, registration)
    tissues = _tissues(fitted, sample)
    check_mask(findings, data, sample, tissues, is_registered=is_registered)
    check_contrast(findings, data, sample, is_registered=is_registered)
    check_window(findings, data, known)
    if is_registered and data.contrasts[0] == "T1w":
        check_patches(findings, data, fitted, registration, scan, origin)
    check_symmetry(findings, sample, is_registered=is_registered)
    is_even = check_bias(findings, data, sample, is_registered=is_registered)
    check_artefacts(findings, data, fitted, tissues, is_even=is_even)
    check_volumes(findings, data, volumes, whole=sample.atlas is not None)
    if slices := of_slices(data, scan):
        findings.object("partial", slices)
    findings.note(_of_fit(fitted))


def check_subject(findings: Findings, data: TissueInput, scan: Volume | None, known: Known) -> None:
    """Check that the scan shows a head, in a contrast whose volumes are known to be right."""
    part = None if scan is None else scan.body_part
    if part not in (None, "head"):
        findings.object(
            "fail", f"The scanner says this is the {part}, not the head. Give a scan of the head."
        )
    if "T1w" not in data.contrasts:
        findings.object("partial", NOT_T1W.format(contrast=" and ".join(data.contrasts)))
    if known.contrast_agent:
        findings.object("partial", WITH_AGENT)
    if not known.reaches_bone and data.contrasts[0] == "T1w":  # on FLAIR they always look alike
        findings.object("check", NO_BONE)


def _measure_outline(findings: Findings, sample: Sample, *, is_stripped: bool) -> None:
    """Measure the mask, and name its flattest face and the region it leaves out most."""
    measures, face = outline.of_shape(sample)
    findings.note(measures)
    findings.words |= face
    if is_stripped:  # in a whole head much lies outside the mask, whatever its air is
        measures, left_out = outline.of_background(sample)
        findings.note(measures)
        findings.words |= left_out
    if sample.atlas is not None:
        measures, region = outline.of_overlap(sample, sample.atlas)
        findings.note(measures)
        findings.words |= region


def check_place(findings: Findings, data: TissueInput, sample: Sample, registration: Registration) -> bool:
    """Check where the template lies; return whether what leans on it may be trusted."""
    findings.note({"registration_metric_nats": registration.metric})
    if sample.atlas is None:
        findings.unchecked.append(
            "where the template lies, what the mask leaves out, the order of the tissues"
        )
        return False
    if not registration.fits:
        findings.object(
            "fail",
            "The template does not fit this scan, so tissues were told apart by intensity alone or against a "
            "wrong map. Check that the scan shows a whole head, right side up"
            f"{findings.words['or_give_mask']}.",
        )
    findings.note(place.agreement(sample, sample.atlas))
    beyond = [limit for limit in ATLAS if limit.only in (None, data.contrasts[0]) and findings.hold_to(limit)]
    is_registered = registration.fits and not any(limit.doubts_place for limit in beyond)
    if not is_registered:
        findings.unchecked.append(
            "what the mask leaves out, the order of the tissues, left against right (the template's place is "
            "in doubt)"
        )
    return is_registered


def check_mask(
    findings: Findings,
    data: TissueInput,
    sample: Sample,
    tissues: Tissues | None,
    *,
    is_registered: bool,
) -> None:
    """Check that the mask holds the whole brain and nothing else."""
    if tissues is not None:
        findings.note(outline.of_boundary(sample, *tissues))
    for limit in MASK:
        if limit.only in (None, data.contrasts[0]) and (is_registered or not limit.registered):
            findings.hold_to(limit)
    if data.contrasts[0] != "T1w":
        findings.unchecked.append("fat or bare cortex at the mask's boundary (known for T1w only)")


def check_contrast(findings: Findings, data: TissueInput, sample: Sample, *, is_registered: bool) -> None:
    """Check of every channel that the tissues are as bright as its contrast's name says."""
    if sample.atlas is None:
        return
    for n, (name, values) in enumerate(zip(data.contrasts, sample.values, strict=True)):
        found = intensities.medians(values, sample, sample.atlas)
        if found is None:
            findings.unchecked.append(f"the order of the tissues on {name}")
            continue
        gm, wm, csf = found
        if n == 0:
            findings.note({"wm_less_gm": wm - gm, "gm_less_csf": gm - csf})
        problem = _wrong_order(name, wm - gm, gm - csf)
        if problem and is_registered:
            findings.object("fail", _of_other_contrast(name, problem, findings.words, is_further=n > 0))


def check_patches(
    findings: Findings,
    data: TissueInput,
    fitted: TissueMethod,
    registration: Registration,
    scan: Volume | None,
    origin: tuple[int, int, int],
) -> None:
    """Check for patches that no tissue describes, as lesions are."""
    if scan is None:
        return
    affine = scan.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ origin
    measures, words = of_patches(data, fitted, registration, affine)
    findings.note(measures)
    findings.words |= words
    for limit in PATCHES:
        findings.hold_to(limit, allowance=_allowance(data))


def check_window(findings: Findings, data: TissueInput, known: Known) -> None:
    """Check that the scan's own intensities were not cut off at an end, which hides a boundary of tissues."""
    findings.note(dict(known.at_ends))
    for limit in WINDOW:
        if limit.only in (None, data.contrasts[0]):
            findings.hold_to(limit)
    if findings.measures.get("mask_empty_percent", 0.0) <= EMPTY_IS_SAID:  # else the mask was objected to
        findings.hold_to(DARK_END)


def check_symmetry(findings: Findings, sample: Sample, *, is_registered: bool) -> None:
    """Check that left and right hold the same tissues, as far as the template's middle is known."""
    if sample.atlas is not None and is_registered:
        findings.note(of_symmetry(sample, sample.atlas))
        findings.hold_to(SIDES)


def check_bias(findings: Findings, data: TissueInput, sample: Sample, *, is_registered: bool) -> bool:
    """Check that white matter of a T1w scan is of one intensity from end to end; return whether it is."""
    if data.contrasts[0] != "T1w":
        findings.unchecked.append("bias that is left (known for T1w only)")
    elif sample.atlas is not None and is_registered:
        findings.note(intensities.bias_left(sample.values[0], sample, sample.atlas))
        return not findings.hold_to(BIAS)
    return True


def check_artefacts(
    findings: Findings, data: TissueInput, fitted: TissueMethod, tissues: Tissues | None, *, is_even: bool
) -> None:
    """Check white matter for ghosts, where it is known and the scan's bias is taken out of it."""
    names = [label.abbreviation for label in data.labels]
    if "WM" not in names or tissues is None or fitted.bias_field_ is None:
        findings.unchecked.append("ghosts and motion (they need GM, WM, CSF and a bias field)")
        return
    gm, wm, _ = tissues
    findings.note(intensities.ghosting(data, fitted, names.index("WM"), abs(wm - gm)))
    if data.contrasts[0] != "T1w":
        findings.unchecked.append("ghosts and motion (known for T1w only)")
        return
    if not is_even:
        findings.unchecked.append("ghosts and motion (the bias that is left hides them)")
        return
    for limit in ARTEFACT:
        findings.hold_to(limit, allowance=_allowance(data))


def _allowance(data: TissueInput) -> float:
    return THICK_SLICES_ALLOW if max(data.spacing_mm) > THICK_MM else 1.0


def check_volumes(
    findings: Findings, data: TissueInput, volumes: tuple[TissueVolume, ...], *, whole: bool
) -> None:
    """Check that the volumes are those of a human head."""
    brain_mask_ml = float(np.count_nonzero(data.mask) * np.prod(data.spacing_mm)) / 1000
    by_name = {item.label.abbreviation: item for item in volumes}
    shares = {name: 100 * item.fraction_of_brain_mask for name, item in by_name.items()}
    findings.note({"brain_mask_ml": brain_mask_ml})
    (low, high), (lowest, highest) = VOLUME_ML
    if whole and not low <= brain_mask_ml <= high:
        findings.object(
            "check" if lowest <= brain_mask_ml <= highest else "fail",
            f"The mask measures {brain_mask_ml:.0f} ml; {low:.0f} to {high:.0f} ml is usual. Check the "
            "mask and the voxel size in the header.",
        )
    if not shares.keys() >= SHARES_PERCENT.keys():
        findings.unchecked.append(f"the tissues' shares ({len(shares)} unnamed classes)")
        return
    for name, (least, most) in SHARES_PERCENT.items():
        findings.note({f"{name.lower()}_percent": shares[name]})
        if whole and not least <= shares[name] <= most:
            findings.object(
                "check",
                f"{name} fills {shares[name]:.0f} % of the mask; {least:.0f} to {most:.0f} % is usual. Look "
                "at the labels: tissues may be mixed up, or the mask too wide.",
            )
        # Without a T1w no volume is vouched for, and good FLAIR scans gape as well.
        if shares[name] >= GAP_MATTERS_PERCENT and "T1w" in data.contrasts:
            _check_gap(findings, by_name[name])


def _check_gap(findings: Findings, tissue: TissueVolume) -> None:
    """Check that summed fractions and counted labels tell one volume."""
    fractions, labels = tissue.from_fractions_mm3, tissue.from_labels_mm3
    if abs(labels - fractions) > GAP_PERCENT / 100 * fractions:
        findings.object(
            "check",
            f"{tissue.label.abbreviation} measures {fractions / 1000:.0f} ml by fractions and "
            f"{labels / 1000:.0f} ml by counted labels: too many voxels are shared for either to be trusted. "
            "Look at the labels; thick slices, blur or weak contrast do this.",
        )


def _tissues(fitted: TissueMethod, sample: Sample) -> Tissues | None:
    """Intensity of GM, WM and CSF: the fitted means, or medians where the template is sure."""
    means = {component.label: component.mean[0] for component in fitted.components_}
    if means.keys() >= {"GM", "WM", "CSF"}:
        return means["GM"], means["WM"], means["CSF"]
    return None if sample.atlas is None else intensities.medians(sample.values[0], sample, sample.atlas)


def _wrong_order(contrast: str, wm_less_gm: float, gm_less_csf: float) -> str | None:
    """Say which two tissues contradict the contrast's name, if any."""
    if contrast == "T1w" and wm_less_gm < WHITE_LESS_GREY:
        return "white matter is not brighter than grey"
    if contrast != "T1w" and wm_less_gm > WHITE_LESS_GREY:
        return "white matter is brighter than grey"
    if contrast in ("T1w", "FLAIR") and gm_less_csf < -FLUID_MARGIN:
        return "fluid is brighter than grey matter"
    if contrast == "T2w" and gm_less_csf > FLUID_MARGIN:
        return "fluid is darker than grey matter"
    return None


def _of_other_contrast(name: str, problem: str, words: Mapping[str, str], *, is_further: bool) -> str:
    """Say which file is not of the contrast it is taken as, and where its contrast is named."""
    if is_further:
        return (
            f"The file given as {name} beside the scan is no {name}: {problem} in it. It is another "
            f"contrast, or inverted. Name its contrast where it is given, "
            f"{both('with_contrasts', {'NAME': 'FILE'})}, or leave it out."
        )
    return (
        f"The scan is taken as {name}, but {problem}: it is another contrast, or inverted. "
        f"{words['name_contrast']}."
    )


def _of_fit(fitted: TissueMethod) -> dict[str, float]:
    """How sure the fit is; no limits, for comparing the scans of a group."""
    return {"log_likelihood": float(fitted.log_likelihood_[-1]), "converged": float(fitted.converged_)}
