"""Every link of the built site leads to a place that is there, and no page loads anything from elsewhere.

python docs/extensions/check_site.py site
"""

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
NOT_LOADED = {"canonical", "prev", "next", "index", "search", "author"}  # kinds of <link> that are only named


class Page(HTMLParser):
    """Links and places of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, bool]] = []
        self.places: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag leads to and what it is called."""
        given = dict(attrs)
        self.places |= {value for name in ("id", "name") if (value := given.get(name))}
        named = tag == "link" and given.get("rel") in NOT_LOADED
        for name in ("href", "src"):
            if given.get(name):
                self.links.append((str(given[name]), (tag, name) in LOADED and not named))


@cache
def read(path: Path) -> Page:
    """Parse a page."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def faults(site: Path) -> list[str]:
    """Say of each link that leads nowhere, and of each thing loaded from elsewhere, where it stands."""
    found = []
    pages = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    for path in pages:
        for link, is_loaded in dict.fromkeys(read(path).links):
            parts, where = urlsplit(link), path.relative_to(site)
            if parts.scheme or parts.netloc:
                found += [f"{where} loads {link}"] if is_loaded and parts.scheme != "data" else []
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{where}: {link} is not there")
            elif parts.fragment and target.suffix == ".html" and not is_place(target, parts.fragment):
                found.append(f"{where}: {link} names no place there")
    return found


def is_place(target: Path, fragment: str) -> bool:
    """Tell whether a page has a place of this name; places that scripts make cannot be seen."""
    return unquote(fragment) in read(target).places or fragment == "top"


if __name__ == "__main__":
    wrong = faults(Path(sys.argv[1]).resolve())
    sys.exit("\n".join(wrong) if wrong else 0)
