"""What the words of tables and figures mean, in everyday language: the one glossary of the app.

Keys are the names of measurements and of columns; tooltips of headings and docs/glossary.md are made from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.models.quality import LOOK_BELOW

GLOSSARY: Mapping[str, tuple[str, str]] = {
    "confidence": (
        "Confidence",
        "How well the outline is expected to agree with one that a person would draw: 1 is full agreement, "
        f"and below {LOOK_BELOW:g} somebody should look.",
    ),
    "look_at_this": (
        "Look at this",
        f"Its confidence is below {LOOK_BELOW:g}: compare the outline with the picture.",
    ),
    "own_settings": (
        "Own settings",
        "Somebody pressed “Use for this image”: it keeps that engine and those settings, not its project's.",
    ),
    "outline": (
        "Outline",
        "Whose the outline is: automatic of the engine, corrected by a person, or imported from a file.",
    ),
    "um_per_px": (
        "Pixel size",
        "How many micrometres a pixel is wide. Sizes in µm exist only where it is known.",
    ),
    "area": ("Area", "The surface inside the outline, without holes."),
    "perimeter": ("Perimeter", "The length of the outline."),
    "equivalent_diameter": ("Diameter (Ø)", "The diameter of a disc with the same area."),
    "circularity": (
        "Circularity",
        "1 for a disc; smaller the more the outline is drawn out or frayed.",
    ),
    "circularity_imagej": (
        "Circularity (ImageJ)",
        "As ImageJ computes it, to compare with papers: it reads about 0.9 for a smooth disc.",
    ),
    "roundness": ("Roundness", "1 for a disc; smaller the longer the body. A frayed rim hardly changes it."),
    "aspect_ratio": ("Aspect ratio", "Length by width: 1 for a disc, 2 for a body twice as long as wide."),
    "eccentricity": ("Eccentricity", "0 for a disc, close to 1 for a long body."),
    "solidity": (
        "Solidity",
        "1 for a body without dents; smaller the more of its hull is empty, as with buds or two that touch.",
    ),
    "extent": ("Extent", "How much of the smallest upright box around it the body fills."),
    "convexity": ("Convexity", "1 for a smooth outline; smaller the more it goes in and out."),
    "feret_max": ("Feret max", "The greatest width that a caliper would measure: its length."),
    "feret_min": ("Feret min", "The least width that a caliper would measure."),
    "volume_sphere": (
        "Volume (sphere)",
        "That of a sphere with the same diameter: depth is not seen.",
    ),
    "volume_ellipsoid": ("Volume (ellipsoid)", "That of an egg as long and as wide as the body."),
    "sphericity_2d": ("Sphericity (2D)", "The square root of circularity, which some papers report."),
    "intensity_mean": ("Mean intensity", "How bright the body is on average, in the file's own grey values."),
    "intensity_sd": ("Intensity SD", "How much brightness varies within the body."),
    "touches_border": (
        "At the edge",
        "The body reaches the edge of the image, so part of it may be missing and its size too small.",
    ),
    "n_holes": ("Holes", "Gaps inside the outline, which do not count as area."),
}
_SAME = {
    "largest_diameter_px": "equivalent_diameter",
    "largest_area_px": "area",
    "largest_circularity": "circularity",
}


def meaning(name: str) -> str:
    """Return what a column means, by its name in pixels or micrometres; empty where its title says all."""
    base = name
    for suffix in ("_um3", "_um2", "_um"):
        base = base.removesuffix(suffix)
    known = GLOSSARY.get(_SAME.get(base, base))
    return "" if known is None else known[1]


def document() -> str:
    """The text of docs/glossary.md."""
    rows = "".join(f"| {title} | {text} |\n" for title, text in GLOSSARY.values())
    return f"{_HEAD}{rows}"


_HEAD = """# Words

What the words of tables and figures mean. Each also stands where it is used: rest the pointer on a heading.
How each number is computed stands in [Columns](columns.md).
Made by `python -m core.models.glossary > docs/glossary.md`.

| word | what it means |
| --- | --- |
"""

if __name__ == "__main__":
    print(document(), end="")
