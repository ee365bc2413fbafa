"""A rough name for a place in the template's world: to find it on a picture, not to measure by."""

Point = tuple[float, float, float]


def lobe_at(point_mm: Point) -> str:
    """Name the lobe at a point (x, y, z) of the template's world in mm, with its side.

    Cut by planes through landmarks of MNI152, a centimetre or two off at the borders.
    """
    x, y, z = point_mm
    side = "left" if x < -5 else "right" if x > 5 else "midline"
    return f"{side} {_lobe(abs(x), y, z)}"


def _lobe(x: float, y: float, z: float) -> str:
    if (z < -12 and y < -28) or (x < 15 and z < -12 and y < -10):
        return "cerebellum or brain stem"
    if z < 2 and x > 20 and -60 < y < 22:
        return "temporal lobe"
    if x < 34 and -36 < y < 24 and -12 < z < 26:
        return "deep brain (basal ganglia, thalamus, ventricles)"
    if y < -72 or (y < -60 and z < 20):
        return "occipital lobe"
    # The central sulcus runs forward on its way down from the top.
    return "frontal lobe" if y > -0.5 * z else "parietal lobe"
