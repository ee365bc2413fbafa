"""What results show in a notebook: small, whole, and never a way for words of a file to become markup."""

import re
from dataclasses import is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from helpers.anomaly_results import found_on_the_left
from helpers.classified import classified_images
from helpers.evaluated import evaluation
from helpers.feature_tables import groups
from helpers.phantom import save
from helpers.pretraining import write_images

import medunsup
from medunsup.cohort.batch import Outcome
from medunsup.core.shown import Shown
from medunsup.report.notebook.card import Card, draw
from medunsup.report.notebook.cards import CARDS

NASTY = '<script>alert("&")</script>'
VOID = {"img", "circle", "br"}


class Balance(HTMLParser):
    """Tags that are open, and all that were seen."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag, attrs) -> None:
        self.seen.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def checked(html: str) -> str:
    """The card, if it is whole, small, loads nothing and runs nothing."""
    balance = Balance()
    balance.feed(html)
    assert balance.open == []
    assert "script" not in balance.seen
    assert len(html) < 120_000
    assert not re.search(r"""(src|href)=["'](?!data:)""", html)
    assert "url(" not in html
    return html


def test_every_public_result_shows_itself():
    results = [getattr(medunsup, name) for name in medunsup.__all__ if name != "errors"]
    shown = {one.__name__ for one in results if isinstance(one, type) and issubclass(one, Shown)}
    assert shown | {"TissueResult"} == set(CARDS) | {"SegmentResult"}
    left_out = {
        name for name in medunsup.__all__ if re.search(r"(Result|Folder|Prediction|Bundle|Cluster)s?$", name)
    }
    assert left_out <= shown


def test_no_public_result_prints_all_its_arrays():
    results = [getattr(medunsup, name) for name in medunsup.__all__ if name != "errors"]
    shown = [one for one in results if isinstance(one, type) and issubclass(one, Shown)]
    assert not [one.__name__ for one in shown if is_dataclass(one) and one.__dataclass_params__.repr]


def test_words_of_a_file_never_become_markup():
    html = draw(
        Card(
            NASTY, NASTY, NASTY, "bad", facts={NASTY: NASTY}, head=[NASTY], rows=[[NASTY]], sentences=[NASTY]
        )
    )
    checked(html)
    assert html.count("&lt;script&gt;") == 8


def test_a_long_table_is_cut_and_says_so():
    html = checked(draw(Card("Rows", rows=[[n] for n in range(500)])))
    assert html.count("<tr>") == 12
    assert "488 more" in html


def test_segmentation_shows_verdict_volumes_and_picture(make_result):
    result = make_result()
    html = checked(result._repr_html_())
    assert "data:image/jpeg" in html
    for one in result.tissues:
        assert one.label.name in html
    assert result.quality.reasons == () or result.quality.reasons[0][:20] in html
    assert len(html) < 40_000


def test_anomalies_show_findings_and_a_flagged_scan_no_p_value(small_brain):
    result = found_on_the_left(small_brain)
    html = checked(result._repr_html_())
    assert "p-value" in html
    assert result.findings[0].place in html
    flagged = replace(result, flags=(medunsup.anomaly.Flag("pattern", f"It is odd {NASTY}."),))
    html = checked(flagged._repr_html_())
    assert "p-value</td>" not in html
    assert "It is odd" in html


@pytest.mark.parametrize("kind", ["image", "label", "probability", "mask", "score"])
def test_volumes_of_every_kind_are_drawn(kind):
    data = np.random.default_rng(0).random((12, 14, 16))
    voxels = {"mask": data > 0.5, "label": (data * 3).astype(np.uint8)}.get(kind, data.astype(np.float32))
    html = checked(medunsup.Volume(voxels, np.eye(4), kind)._repr_html_())
    assert "12 × 14 × 16" in html
    assert "data:image/jpeg" in html


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((8, 8, 8), np.float32),
        np.full((8, 8, 8), np.nan, np.float32),
        np.zeros((0, 4, 4), np.float32),
        np.ones((1, 20, 20), np.float32),
        np.array([np.inf, -np.inf] * 32, np.float32).reshape(4, 4, 4),
    ],
    ids=["zeros", "nan", "no voxels", "one slice", "infinite"],
)
def test_odd_volumes_break_no_notebook(data):
    checked(medunsup.Volume(data, np.eye(4))._repr_html_())


def test_the_picture_of_left_and_right_is_radiological():
    from medunsup.report.notebook.pictures import mosaic

    data = np.zeros((20, 20, 20), np.float32)
    data[:10] = 1.0  # the patient's left, since the first axis runs to the right
    volume = medunsup.Volume(data, np.eye(4))
    html = str(mosaic(volume, np.ones(data.shape, bool)))
    from base64 import b64decode
    from io import BytesIO

    from PIL import Image

    pixels = np.asarray(Image.open(BytesIO(b64decode(re.search(r"base64,([^\"]+)", html)[1]))).convert("L"))
    axial = pixels[:, :170].astype(float)
    assert axial[:, 100:160].mean() > 200 > 50 > axial[:, 10:70].mean()


def test_tables_clusters_and_maps_show_numbers():
    table = groups(60)
    assert "60 rows" in checked(table._repr_html_())
    found = medunsup.cluster(table, method="kmeans", k=2, seeds=2, umap=False)
    html = checked(found._repr_html_())
    assert found.verdict[:30] in html
    assert html.count("<circle") == 60
    assert repr(found) == f"<ClusterResult: 60 rows; kmeans; {found.verdict}>"
    reduced = medunsup.reduce(table, method="pca")
    assert repr(reduced).startswith("<ReductionResult: 60 rows; pca; trustworthiness 0.")
    assert "trustworthiness" in checked(reduced._repr_html_())


def test_evaluation_shows_model_and_baselines():
    found = evaluation([0.5] * 7, [0.3] * 7)
    html = checked(found._repr_html_())
    assert all(one.name in html for one in found.figures.methods)


def test_calibration_says_what_it_supports():
    maps = np.random.default_rng(0).gamma(2, size=(9, 6, 6, 6)).astype(np.float32)
    made = medunsup.calibrate(maps, np.ones(maps.shape, bool), maps.mean(axis=(1, 2, 3)), voxel_mm3=8.0)
    assert "0.1" in checked(made._repr_html_())


def test_a_bundled_model_says_what_it_knows():
    html = checked(medunsup.read_model("t1w_2mm_atlas")._repr_html_())
    assert "healthy_atlas" in html
    assert "44 scans" in html


def test_cohorts_show_failed_scans_first():
    scans = (Outcome(Path("fine.nii.gz"), "done"), Outcome(Path("cut.nii.gz"), "error", error="It is cut."))
    html = checked(medunsup.CohortResult(scans)._repr_html_())
    assert "1 without a result" in html
    assert html.index("cut.nii.gz") < html.index("fine.nii.gz")


def test_files_that_an_archive_did_not_take_come_first():
    from medunsup.workflows.send.result import SentFile

    files = (
        SentFile(Path("a.dcm"), "MR Image", "accepted"),
        SentFile(Path("b.dcm"), "MR Image", "refused", NASTY),
    )
    html = checked(medunsup.SendResult("127.0.0.1:4242", files)._repr_html_())
    assert "1 not taken" in html
    assert html.index("b.dcm") < html.index("a.dcm")


@pytest.mark.slow
def test_folders_predictions_and_probes_show_themselves(tmp_path, finetuned, patient):
    assert "fine-tuned network" in checked(finetuned._repr_html_())
    assert "nobody has checked it" in checked(medunsup.predict(finetuned, patient)._repr_html_())
    folder = classified_images(tmp_path)
    images = next(tmp_path.glob("*.npz"))
    assert "images" in checked(medunsup.predict(folder, images)._repr_html_())
    sizes = {"epochs": 1, "batch_size": 4}
    data = write_images(tmp_path / "images.npz")
    made = medunsup.pretrain("autoencoder", data, tmp_path / "pretrained", parameters=sizes)
    assert "autoencoder" in checked(made._repr_html_())
    assert "segment" in checked(
        medunsup.export(finetuned.path, tmp_path / "bundle", to="bundle")._repr_html_()
    )


def test_clusters_of_voxels_show_their_volumes(small_brain, tmp_path):
    scan, mask = tmp_path / "scan.nii.gz", tmp_path / "brain.nii.gz"
    save(small_brain.image("T1w"), scan)
    save(small_brain.mask, mask, dtype=np.uint8)
    found = medunsup.cluster_patches(scan, k=3, mask=mask)
    html = checked(found._repr_html_())
    assert all(f"{one.ml:.1f} ml" in html for one in found.clusters)
    assert "3 clusters of voxels by minibatch_kmeans" in repr(found)
    assert len(repr(found)) < 200
