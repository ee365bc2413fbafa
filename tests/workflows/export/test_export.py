"""An exported encoder: MONAI's own network takes every weight, and computes the same features."""

import json

import numpy as np
import pytest
import torch
from helpers.pretraining import write_images
from monai.networks import nets
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import ResultThereError, UsageError
from medunsup.nn import AdaptationPlan
from medunsup.nn.monai_networks import KINDS, build, monai_network

TINY = {"unet": {"channels": 8}, "cnn": {"channels": 2, "levels": 2}}
SMALL = {
    "segresnet": ({"channels": 8}, 16),
    "swin": ({"width": 12, "blocks": 1, "window": 2}, 64),
    "unet": ({"channels": 8}, 32),
    "vit": ({"sides": 32, "width": 24, "heads": 3}, 32),
}


def pretrained(folder, encoder="unet"):
    images = write_images(folder / "images.npz")
    sizes = {"encoder": encoder, "encoder_parameters": TINY[encoder], "epochs": 1, "batch_size": 4}
    return medunsup.pretrain("autoencoder", images, folder / "encoder", parameters=sizes)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_network_of_monai_is_built_of_json_and_loads_strictly(name, dims):
    parameters, side = SMALL[name]
    plan = AdaptationPlan(encoder=name, parameters=parameters, dims=dims, patch=(side,) * dims)
    encoder = plan.build()
    plan = AdaptationPlan.of(encoder, patch=plan.patch)
    made = monai_network(encoder, plan, outputs=3)
    assert len(made.loaded.loaded) == len(encoder.state_dict())
    assert made.loaded.difference <= 1e-5
    other = build(made.name, json.loads(json.dumps(made.arguments)))
    other.load_state_dict(made.network.state_dict(), strict=True)
    image = torch.rand(1, 1, *[side] * dims, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        first, second = (one.eval()(image) for one in (made.network, other))
    first, second = (one[0] if isinstance(one, list) else one for one in (first, second))
    assert torch.equal(first, second)
    assert first.shape[1] == 3


def test_files_of_an_export_load_strictly_and_the_encoder_is_in_them(tmp_path):
    source = pretrained(tmp_path)
    made = medunsup.export(source.path, tmp_path / "out", classes=4)
    about = json.loads((made.path / "export.json").read_text())
    network = getattr(nets, about["Network"])(**about["Arguments"])
    network.load_state_dict(torch.load(made.path / "network.pth", weights_only=True), strict=True)
    state = network.state_dict()
    weights = source.files.arrays("encoder.safetensors")
    assert all(np.array_equal(state[name].numpy(), value) for name, value in weights.items())
    assert set(about["Pretrained"]) == set(weights)
    assert set(about["Pretrained"]) | set(about["Random"]) == set(state)
    plan = AdaptationPlan.parse(json.loads((made.path / "adaptation_plan.json").read_text()))
    assert plan == source.plan
    assert (plan.encoder, plan.patch, plan.channels) == ("unet", (16, 16), 1)


def test_the_same_encoder_is_exported_to_the_same_bytes(tmp_path):
    source = pretrained(tmp_path)
    first, second = (medunsup.export(source.path, tmp_path / name) for name in "ab")
    for file in first.path.iterdir():
        if file.is_file() and not file.name.startswith("."):
            assert file.read_bytes() == (second.path / file.name).read_bytes()


def test_an_encoder_folder_holds_its_adaptation_plan(tmp_path):
    source = pretrained(tmp_path)
    told = json.loads((source.path / "adaptation_plan.json").read_text())
    assert AdaptationPlan.parse(told) == source.plan
    assert source.plan.build().state_dict().keys() == source.network.state_dict().keys()


def test_an_encoder_that_monai_has_no_network_around_is_refused_and_those_named_that_go(tmp_path):
    source = pretrained(tmp_path, "cnn")
    with pytest.raises(UsageError, match=r"cnn. Encoders that go to MONAI: segresnet, swin, unet, vit"):
        medunsup.export(source.path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_vit_of_other_sizes_than_unetr_is_refused():
    plan = AdaptationPlan(
        encoder="vit", parameters={"sides": 32, "width": 24, "heads": 3, "layers": 2}, dims=2, patch=(32, 32)
    )
    with pytest.raises(UsageError, match=r"layers 2 \(not 12\)"):
        monai_network(plan.build(), plan, outputs=2)


def test_an_export_is_replaced_only_with_force(tmp_path):
    source = pretrained(tmp_path)
    medunsup.export(source.path, tmp_path / "out")
    with pytest.raises(ResultThereError, match="force=True"):
        medunsup.export(source.path, tmp_path / "out")
    assert medunsup.export(source.path, tmp_path / "out", force=True).network == "BasicUNet"


def test_the_command_line_exports_and_tells_wrong_use(tmp_path):
    source = pretrained(tmp_path)
    run = CliRunner().invoke
    done = run(app, ["export", str(source.path), "--to", "monai", "-o", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["network"], told["pretrained"]) == ("BasicUNet", 40)
    wrong = run(app, ["export", str(source.path), "--to", "keras", "-o", str(tmp_path / "other")])
    assert wrong.exit_code == 2
    assert "weights go to monai" in wrong.stderr
