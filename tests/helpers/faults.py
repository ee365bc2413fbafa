"""What goes wrong with scans, made on purpose: each function spoils one thing and says how much."""

from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration

SIDES = {"left": (0, False), "right": (0, True), "back": (1, False), "front": (1, True)}
SIDES |= {"bottom": (2, False), "top": (2, True)}


def cut(mask: Volume, side: str, share: float = 0.15) -> Volume:
    """The mask without the outermost `share` of its extent on one side."""
    axis, at_end = SIDES[side]
    used = np.flatnonzero(mask.data.any(axis=tuple({0, 1, 2} - {axis})))
    n = round(share * (used[-1] - used[0] + 1))
    gone = slice(used[-1] + 1 - n, None) if at_end else slice(None, used[0] + n)
    data = mask.data.copy()
    data[(slice(None),) * axis + (gone,)] = False
    return mask.like(data)


def without_cerebellum(mask: Volume, registration: Registration) -> Volume:
    """The mask without what the template calls cerebellum (below the tentorium, behind the brain stem)."""
    index = np.argwhere(mask.data)
    to_template = np.linalg.inv(registration.template_to_scan) @ mask.affine
    y, z = (index @ to_template[1:3, :3].T + to_template[1:3, 3]).T
    is_cerebellum = (y < -36) & (z < np.minimum(-10, -10 + (y + 36) * 0.35))
    data = mask.data.copy()
    data[tuple(index[is_cerebellum].T)] = False
    return mask.like(data)


def eroded(mask: Volume, depth_mm: float = 4.0) -> Volume:
    """The mask without its outermost `depth_mm`."""
    return mask.like(ndimage.distance_transform_edt(mask.data, sampling=mask.spacing_mm) > depth_mm)


def dilated(mask: Volume, reach_mm: float = 8.0) -> Volume:
    """The mask with everything around it up to `reach_mm`."""
    return mask.like(ndimage.distance_transform_edt(~mask.data, sampling=mask.spacing_mm) <= reach_mm)


def boxed(mask: Volume) -> Volume:
    """The smallest box around the mask."""
    data = np.zeros_like(mask.data)
    data[ndimage.find_objects(mask.data.astype(np.uint8))[0]] = True
    return mask.like(data)


def with_neck_and_eyes(mask: Volume, image: Volume, depth_mm: float = 50.0) -> Volume:
    """The mask with what lies below it in the head, face and eyes included, down to `depth_mm` lower."""
    head = ndimage.binary_fill_holes(image.data > 0.15 * np.percentile(image.data[mask.data], 95))
    used = np.flatnonzero(mask.data.any(axis=(0, 1)))
    middle = round(used[0] + 0.3 * (used[-1] - used[0]))
    lowest = max(used[0] - round(depth_mm / mask.spacing_mm[2]), 0)
    data = mask.data.copy()
    data[:, :, lowest:middle] |= head[:, :, lowest:middle]
    return mask.like(data)


def inverted(image: Volume, mask: Volume) -> Volume:
    """Bright made dark within the mask, 0 around it."""
    low, high = np.percentile(image.data[mask.data], (0.1, 99.9))
    return image.like(np.where(mask.data, np.clip(high - image.data, 0.02 * (high - low), None), 0))


def stripped(image: Volume, mask: Volume) -> Volume:
    """The scan with zeros outside the mask."""
    return image.like(np.where(mask.data, image.data, np.float32(0)))


def misregistered(registration: Registration, **how: float | str) -> Registration:
    """The template put elsewhere: `shift_mm` or `turn_deg` on one `axis`, `scale`, or `mirror`."""
    center = load_template().center_mm
    axis = int(how.get("axis", 0))
    change = np.eye(4)
    if "turn_deg" in how:
        change[:3, :3] = Rotation.from_rotvec(np.radians(how["turn_deg"]) * np.eye(3)[axis]).as_matrix()
    change[:3, :3] *= float(how.get("scale", 1.0))
    if how.get("mirror"):
        change[axis, axis] *= -1
    change[:3, 3] = center - change[:3, :3] @ center
    change[axis, 3] += float(how.get("shift_mm", 0.0))
    return replace(registration, template_to_scan=registration.template_to_scan @ change)


def ghosted(image: Volume, strength: float, *, axis: int = 1, every: int = 4) -> Volume:
    """Ghosts along the phase axis, as breathing or pulsation make them.

    All but each `every`th line of k-space lose `strength` of their signal; the central 2 % keep theirs.
    """
    n_lines = image.shape[axis]
    line = np.arange(n_lines) - n_lines // 2
    gain = np.where((line % every == 0) | (abs(line) <= max(1, round(0.01 * n_lines))), 1.0, 1.0 - strength)
    spectrum = np.fft.fftshift(np.fft.fft(image.data, axis=axis), axes=axis)
    spectrum *= gain.reshape([-1 if n == axis else 1 for n in range(3)])
    return image.like(
        np.abs(np.fft.ifft(np.fft.ifftshift(spectrum, axes=axis), axis=axis)).astype(np.float32)
    )


def moved(image: Volume, sd_mm: float, *, axis: int = 1, moves: int = 6, seed: int = 0) -> Volume:
    """A head that jumped `moves` times, `sd_mm` in each direction, while lines along `axis` were taken."""
    rng = np.random.default_rng(seed)
    n_lines = image.shape[axis]
    jumps = np.sort(rng.choice(n_lines, moves, replace=False))
    pose = np.searchsorted(jumps, np.arange(n_lines), side="right")
    shift_mm = rng.normal(0, sd_mm, (moves + 1, 3))
    shift_mm -= shift_mm[pose[n_lines // 2]]
    turns = np.float32(0)
    for n, (size, spacing) in enumerate(zip(image.shape, image.spacing_mm, strict=True)):
        frequency = np.fft.fftshift(np.fft.fftfreq(size)).astype(np.float32)
        along = frequency.reshape([-1 if m == n else 1 for m in range(3)])
        steps = (shift_mm[pose, n] / spacing).astype(np.float32)
        turns = turns + along * steps.reshape([-1 if m == axis else 1 for m in range(3)])
    spectrum = np.fft.fftshift(np.fft.fftn(image.data)) * np.exp(-2j * np.pi * turns)
    return image.like(np.abs(np.fft.ifftn(np.fft.ifftshift(spectrum))).astype(np.float32))
