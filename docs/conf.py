"""The site: `sphinx-build docs site`; what is generated from the code is written to docs/generated first."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
os.environ.setdefault("MPLBACKEND", "Agg")

from site_gallery import EXAMPLES, in_order  # noqa: E402
from site_pages import is_left_out, lead_inside, write_pages  # noqa: E402

from medunsup import __version__  # noqa: E402

project, author, version, release = "medunsup", "The medunsup developers", __version__, __version__
project_copyright = f"2026, {author}"
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["static", "**/sg_execution_times.rst"]
smartquotes = False  # options begin with two hyphens
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header", "config.cache", "toc.empty_glob"]
pygments_style = "tango"

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections say the types
autodoc_default_options = {"members": True, "exclude-members": "Config, model_config, model_post_init"}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": [str(EXAMPLES)],
    "gallery_dirs": ["gallery"],
    "filename_pattern": "/plot_",
    "ignore_pattern": "made_up",
    "within_subsection_order": in_order,
    "parallel": 2,
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
    "matplotlib_animations": False,
    "capture_repr": ("_repr_html_", "__repr__"),
    "plot_gallery": os.environ.get("MEDUNSUP_GALLERY", "1") == "1",
}

html_theme = "pydata_sphinx_theme"
html_title = f"medunsup {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sourcelink = html_copy_source = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "logo": {"text": "medunsup"},
}


def setup(app) -> None:
    """Write the pages of commands, methods and names before Sphinx looks for documents."""
    app.connect("config-inited", lambda app, config: write_pages(HERE / "generated"), priority=1)
    app.connect("source-read", lead_inside)
    app.connect("autodoc-skip-member", is_left_out)
