"""A rough name for a place in the template's world: to find it on a picture, not to measure by."""

MIDLINE_MM = 5.0
Point = tuple[float, float, float]


def lobe_at(point_mm: Point) -> str:
    """Name the lobe at a point (x, y, z) of the template's world in mm.

    Cut by planes through landmarks of MNI152, a centimetre or two off at the borders.
    """
    x, y, z = abs(point_mm[0]), point_mm[1], point_mm[2]
    if (z < -12 and y < -28) or (x < 15 and z < -12 and y < -10):
        return "cerebellum or brain stem"
    if x < 34 and -36 < y < 24 and -8 < z < 26:
        return "deep brain"
    if z < 2 and x > 20 and -60 < y < 22:
        return "temporal lobe"
    if y < -72 or (y < -60 and z < 20):
        return "occipital lobe"
    # The central sulcus runs forward on its way down from the top.
    return "frontal lobe" if y > -0.5 * z else "parietal lobe"


def side_of(x_mm: float) -> str:
    """Say on which side of the template's midline a place lies."""
    return "midline" if abs(x_mm) < MIDLINE_MM else "left" if x_mm < 0 else "right"
