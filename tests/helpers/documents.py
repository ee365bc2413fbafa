"""What users read: README, CONTRIBUTING, docs/ with its folders, and the examples of the gallery."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = ("generated", "gallery")  # what a build of the site leaves in docs/


def documents() -> list[Path]:
    """Every Markdown page that is written by hand."""
    docs = ROOT / "docs"
    pages = [page for page in docs.rglob("*.md") if page.relative_to(docs).parts[0] not in MADE]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(pages)]
