"""The page of a pretraining: its verdict, its charts with how to read them, neighbours, maps; it is whole."""

import re
from dataclasses import replace

import numpy as np
import pytest

from medunsup.cohort.encoders.manifest import EncoderManifest, Network, Preprocessing
from medunsup.report.pretrain import words
from medunsup.report.pretrain.charts import LOSS_READ, MONITORS
from medunsup.report.pretrain.maps import colouring_of, feature_maps
from medunsup.report.pretrain.neighbours import neighbours
from medunsup.report.pretrain.page import PretrainPage, pretrain_page
from medunsup.report.pretrain.sample import ShownSample

N, GROUPS = 24, 3


def sample(**changes) -> ShownSample:
    """Three groups of features far apart, one item a subject; each group is a class."""
    rng = np.random.default_rng(0)
    group = np.arange(N) % GROUPS
    made = ShownSample(
        split="validation",
        features=(np.eye(GROUPS, 8)[group] + 0.05 * rng.normal(size=(N, 8))).astype(np.float32),
        pictures=[np.full((8, 8, 3), 10 * n, np.uint8) for n in range(N)],
        names=[f"sub-{n:02d}" for n in range(N)],
        places=[""] * N,
        subjects=np.arange(N),
        brightness=np.linspace(0, 1, N),
        labels=group.astype(np.int64),
        classes=("healthy", "<ill>", "other"),
    )
    return replace(made, **changes)


def page(shown: ShownSample | None = None, **changes) -> PretrainPage:
    """A run of four epochs that went well."""
    rows = [
        {"epoch": n, "nt_xent": None if n == 0 else 4 - n / 2, "validation": None if n == 0 else 4.1 - n / 2}
        | {"feature_std": 0.3, "feature_rank": 5.0 + n, "embedding_std": 0.8, "embedding_rank": 6.0 + n}
        | {"alignment": 0.8 / (n + 1), "uniformity": -1.0, "rankme": 5.0 + n, "zero_share": 0.0}
        | {"knn_accuracy": 0.5 + n / 10, "knn_k": 6}
        for n in range(5)
    ]
    about = EncoderManifest(
        method="simclr",
        parameters={"batch_size": 64, "learning_rate": 1e-3, "weight_decay": 0.05, "warmup": 0.1, "seed": 0},
        network=Network(name="cnn", dims=2, channels=1, n_features=128),
        preprocessing=Preprocessing(kind="images", shape=(1, 28, 28, 1), intensity="divided by 255"),
        scans={"train": 4708, "validation": N},
        left_out={"validation image that is a training image as well": 8},
        epochs=4,
    )
    made = PretrainPage(
        title="simclr of cnn",
        about=about,
        curve=rows,
        loss="nt_xent",
        guessing=4.84,
        collapse="",
        judged=3,
        kept=4,
        sample=shown or sample(),
    )
    return replace(made, **changes)


def with_about(made: PretrainPage, **changes) -> PretrainPage:
    return replace(made, about=made.about.model_copy(update=changes))


def visible(html: str) -> str:
    return " ".join(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", html, flags=re.S).split())


@pytest.mark.parametrize(
    ("said", "collapse", "judged", "tone", "title"),
    [
        ("", "", 20, "pass", "Healthy: no collapse seen"),
        ("", "", 1, "partial", "No collapse seen so far"),
        ("Since epoch 2: alike. Lower it.", "constant", 20, "fail", "Collapsed: constant embeddings"),
        ("Since epoch 2: new. Do it.", "a_new_one", 20, "fail", "Collapsed: a new one"),
        (
            "After epoch 9 the loss is no lower.",
            "",
            20,
            "check",
            "Nothing learned that a guess does not give",
        ),
    ],
)
def test_the_verdict_names_the_collapse_and_gives_the_knob(said, collapse, judged, tone, title):
    shown, verdict = words.verdict(said=said, collapse=collapse, judged=judged)
    assert (shown, verdict.title) == (tone, title)
    assert said in verdict.meaning


def test_the_verdict_is_the_first_thing_said():
    broken = with_about(page(collapse="dead_projector"), verdict="Since epoch 2: dead. Start anew.")
    text = visible(pretrain_page(broken))
    at = text.index("Collapsed: a dead projector")
    assert at < text.index("Since epoch 2: dead. Start anew.") < text.index("Loss in the last epoch")


def test_each_figure_of_the_log_is_drawn_with_its_legend_and_how_to_read_it():
    html = pretrain_page(page())
    text = visible(html)
    assert LOSS_READ in text
    names = page().curve[1]
    shown = [one for one in MONITORS if names.keys() & one.names.keys() and one.title[:5] != "Items"]
    assert len(shown) == 4
    for monitor in shown:
        assert monitor.title in text
        assert " ".join(monitor.reading.split()) in text.replace("’", "'")
    hidden = [one for one in MONITORS if one not in shown]
    assert not [one.title for one in hidden if f"<h3>{one.title}</h3>" in html]
    for legend in (
        "training",
        "validation",
        "guessing",
        "features (kept)",
        "embeddings (what the loss sees)",
    ):
        assert legend in text


def test_what_lies_far_above_the_loss_is_named_and_not_drawn():
    text = visible(pretrain_page(page(guessing=400.0)))
    assert "Far above, not drawn: guessing (400)." in text


def test_neighbour_accuracy_is_told_with_its_k_temperature_and_chance():
    html = pretrain_page(page())
    assert "Of 24 labelled items, k = 6, temperature 0.07." in visible(html)
    assert "commonest label: from 0.333 to 0.333" in html.lower()
    assert words.LABELS_SHOWN in visible(html)
    plain = visible(pretrain_page(page(sample(labels=None, classes=()))))
    assert "k-NN" not in plain.replace("k-NN accuracy 0", "")
    assert words.LABELS_SHOWN not in plain


def test_the_epoch_that_is_kept_is_marked_and_the_last_one_said():
    chosen = page(kept=2, judged=3)
    chosen = with_about(chosen, parameters=chosen.about.parameters | {"keep": "label_free"})
    text = visible(pretrain_page(chosen))
    assert "The vertical line marks epoch 2, whose weights are kept, as the score is highest there." in text
    assert "The last epoch has 9." in text
    assert "The weights after epoch 2 are kept." in text
    assert "epoch 4, whose weights are kept, the last one" in visible(pretrain_page(page()))


def test_neighbours_are_of_other_subjects_and_of_the_same_group():
    shown = sample(subjects=np.arange(N) // 2)
    rows = neighbours(shown)
    assert len(rows) == 6
    whose = {name: n // 2 for n, name in enumerate(shown.names)}
    assert len({whose[row.item.name] for row in rows}) == 6
    for row in rows:
        assert len(row.nearest) == 4
        assert whose[row.item.name] not in {whose[one.name] for one in row.nearest}
        assert {one.label for one in row.nearest} == {row.item.label}
        similarity = [one.similarity for one in row.nearest]
        assert similarity == sorted(similarity, reverse=True)


def test_a_single_subject_has_no_neighbours():
    assert neighbours(sample(subjects=np.zeros(N, int))) == ()


def test_groups_of_features_are_groups_in_both_maps():
    shown = sample()
    maps = feature_maps(shown, colouring_of(shown))
    assert [one.title for one in maps] == ["t-SNE", "Principal components"]
    for one in maps:
        places = np.array([point[:2] for point in one.points])
        assert ((places >= 0) & (places <= one.side)).all()
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(apart, np.inf)
        assert (shown.labels[apart.argmin(axis=1)] == shown.labels).all()


@pytest.mark.parametrize(("n", "titles"), [(2, []), (5, ["Principal components"])])
def test_few_items_have_no_map_or_principal_components_alone(n, titles):
    few = sample(features=sample().features[:n], names=["a"] * n, places=[""] * n, subjects=np.arange(n))
    few = replace(few, labels=None, brightness=few.brightness[:n], pictures=few.pictures[:n])
    assert [one.title for one in feature_maps(few, colouring_of(few))] == titles


def test_equal_or_broken_features_still_make_a_page():
    for features in (np.ones((N, 8)), np.zeros((N, 8)), np.full((N, 8), np.nan)):
        assert "<h1>" in pretrain_page(page(sample(features=features.astype(np.float32))))


def test_colours_tell_labels_else_few_subjects_else_heights_else_brightness():
    plain = sample(labels=None, classes=())
    assert colouring_of(sample()).words == "label"
    assert len(colouring_of(sample(labels=np.r_[[-1], np.ones(N - 1, int)])).legend) == 2
    assert colouring_of(replace(plain, subjects=np.arange(N) % 4)).words == "subject"
    assert colouring_of(replace(plain, heights_mm=np.arange(N, dtype=float))).words == "height of the slice"
    brightness = colouring_of(plain)
    assert (brightness.words, brightness.colours[0], brightness.colours[-1]) == (
        "mean intensity",
        brightness.legend[0][1],
        brightness.legend[1][1],
    )


def test_the_page_says_what_was_learned_from_and_how_it_was_made():
    text = visible(pretrain_page(page()))
    for said in (
        "4708 for training, 24 validation",
        "validation image that is a training image as well (8)",
        "Chen et al., A simple framework for contrastive learning",
        "with 64 items in a step",
        "24 items of the validation split",
    ):
        assert said in text


def test_a_single_epoch_and_what_is_not_known_make_a_page_too():
    first = page()
    short = replace(first, curve=first.curve[:2], kept=1, judged=0)
    short.curve[1]["alignment"] = float("nan")
    assert "No collapse seen so far" in pretrain_page(with_about(short, epochs=1))


def test_nothing_is_loaded_from_outside_and_names_are_escaped():
    html = pretrain_page(page(sample(names=["<script>alert(1)</script>"] * N)))
    assert "<script" not in html
    assert "<ill>" not in html
    assert "label &lt;ill&gt;" in html
    assert {url.partition(":")[0] for url in re.findall(r'(?:src|href)="([^"]+)"', html)} == {"data"}


def test_the_same_run_gives_the_same_page():
    assert pretrain_page(page()) == pretrain_page(page())
