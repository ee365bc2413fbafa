"""A rough name for a place in the template's world: to find it on a picture, not to measure by."""

MIDLINE_MM = 5.0
Point = tuple[float, float, float]

# Where regions of an automated labelling of MNI space lie (Tzourio-Mazoyer et al., NeuroImage 2002), to about
# half a centimetre: distance from the midline, then y and z in mm.
CENTRES_MM: dict[str, tuple[Point, ...]] = {
    "frontal lobe": (
        (36, -20, 60), (50, 2, 28), (39, -6, 51), (18, 35, 42), (17, 47, -13), (33, 33, 35), (31, 50, -10),
        (48, 13, 19), (46, 30, 14), (36, 31, -12), (47, -6, 16), (5, 5, 61), (8, 15, -11), (5, 49, 31),
        (48, 24, 0), (5, 54, -7), (5, 37, -18), (4, 35, 14), (5, -8, 42), (8, -25, 70),
    ),
    "parietal lobe": (
        (44, -30, 54), (58, -14, 28), (42, -23, 49), (23, -60, 59), (43, -46, 47), (56, -34, 30),
        (44, -61, 36),
        (7, -56, 48), (5, -43, 25), (5, -32, 44),
    ),
    "temporal lobe": (
        (25, -21, -10), (21, -16, -21), (23, -1, -17), (31, -40, -20), (42, -19, 10),
        (53, -21, 7), (56, -34, -2),
        (55, -46, 10), (40, 15, -20), (36, 15, -34), (50, -28, -23), (50, -52, -16),
    ),
    "occipital lobe": (
        (7, -79, 6), (8, -92, 0), (6, -80, 27), (15, -68, -5), (17, -84, 28), (32, -81, 16), (36, -78, -8),
        (18, -88, -12),
    ),
    "insula": ((35, 7, 3), (39, -6, 6), (34, 20, -2)),
    "deep brain": ((11, 11, 9), (24, 4, 2), (18, 0, 0), (11, -18, 8), (28, -10, 2), (5, -6, -4), (3, -18, 3)),
    "cerebellum or brain stem": (
        (36, -67, -29), (29, -73, -38), (9, -37, -19), (15, -43, -17), (23, -59, -22), (32, -60, -45),
        (26, -55, -48), (11, -49, -46), (22, -34, -42), (1, -50, -6), (1, -67, -15),
        (1, -72, -25), (1, -60, -34),
        (0, -24, -32), (0, -24, -12), (0, -38, -52),
    ),
}  # fmt: skip


def lobe_at(point_mm: Point) -> str:
    """Name the lobe at a point (x, y, z) of the template's world in mm: that of the nearest centre.

    White matter gets the name of the nearest cortex; a centimetre or two off at the borders.
    """
    here = abs(point_mm[0]), point_mm[1], point_mm[2]
    return min(CENTRES_MM, key=lambda lobe: min(_squared_mm(here, centre) for centre in CENTRES_MM[lobe]))


def side_of(x_mm: float) -> str:
    """Say on which side of the template's midline a place lies."""
    return "midline" if abs(x_mm) < MIDLINE_MM else "left" if x_mm < 0 else "right"


def _squared_mm(one: Point, other: Point) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
