"""Trunks: what they give, what is in them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gocv.core import ConfigError
from gocv.reid.backbones import OSNet, make_backbone
from gocv.reid.backbones.resnet import _InstanceBatch
from gocv.reid.config import ReidModelConfig
from gocv.reid.model import ReidModel

pytestmark = pytest.mark.usefixtures("_one_thread")


@pytest.mark.parametrize(
    ("name", "last_stride", "shape"),
    [
        ("osnet_x0_25", 1, (128, 4, 2)),
        ("osnet_x0_25", 2, (128, 4, 2)),
        ("osnet_x1_0", 1, (512, 4, 2)),
        ("resnet50", 1, (2048, 4, 2)),
        ("resnet50", 2, (2048, 2, 1)),
        ("resnet50_ibn", 1, (2048, 4, 2)),
        ("resnet50_ibn", 2, (2048, 2, 1)),
        ("mobilenet_v2", 1, (1280, 4, 2)),
        ("mobilenet_v2", 2, (1280, 2, 1)),
        ("mobilenet_v3_small", 1, (576, 4, 2)),
        ("mobilenet_v3_small", 2, (576, 2, 1)),
        ("mobilenet_v3_large", 1, (960, 4, 2)),
        ("mobilenet_v3_large", 2, (960, 2, 1)),
        ("timm:test_resnet", 1, (96, 2, 1)),
        ("timm:test_efficientnet", 1, (256, 2, 1)),
        ("timm:test_vit", 1, (64, 8, 1)),  # 4 x 2 patches in a row
        ("timm:test_vit3", 1, (96, 8, 1)),  # made for 160 x 160
        ("timm:swin_tiny_patch4_window7_224", 1, (768, 2, 1)),  # gives its map with the channels last
    ],
)
def test_maps(name: str, last_stride: int, shape: tuple[int, ...]) -> None:
    trunk = make_backbone(name, last_stride=last_stride, size_px=(64, 32)).eval()
    with torch.inference_mode():
        found = trunk(torch.rand(2, 3, 64, 32))
    assert found.shape == (2, *shape)
    assert trunk.channels == shape[0]
    assert found.std() > 0


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("osnet_x025", {}, "no trunk 'osnet_x025'.*expected 'osnet_x0_25'"),
        ("resnet_50", {}, "expected 'resnet50'"),
        ("zzz", {}, "expected one of .*'timm:NAME'"),
        ("timm:test_resnt", {}, "timm has no 'test_resnt'.*expected 'test_resnet'"),
        ("resnet50", {"last_stride": 3}, "'last_stride': is 3.*1 or 2"),
        ("osnet_x1_0", {"pretrained": True}, "OSNet has no weights to fetch"),
    ],
)
def test_what_is_not_there_is_refused(name: str, settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_backbone(name, **settings)


@pytest.mark.parametrize(
    ("name", "parameters", "millions"), [("osnet_x1_0", 2_169_508, 2.2), ("osnet_x0_25", 201_864, 0.2)]
)
def test_osnet_has_as_many_parameters_as_its_authors(name: str, parameters: int, millions: float) -> None:
    """The vector of 512 is counted, the classifier is not; millions as published."""
    model = ReidModel(ReidModelConfig(backbone=name, vector=512, neck="bn_relu"))
    found = sum(p.numel() for p in model.parameters())
    assert (found, round(found / 1e6, 1)) == (parameters, millions)


def test_osnet_sums_streams_of_one_to_four_small_convolutions_behind_one_gate() -> None:
    """Equation 3 of arXiv:1905.00953, step by step."""
    torch.manual_seed(0)
    block = OSNet(0.25).conv2[0].eval()
    x = torch.rand(2, 16, 6, 4)
    with torch.inference_mode():
        inner = torch.relu(block.conv1.bn(block.conv1.conv(x)))
        total = torch.zeros(())
        for name, count in zip("abcd", (1, 2, 3, 4), strict=True):
            stream, small = inner, getattr(block, f"conv2{name}")
            for one in [small] if count == 1 else list(small):
                stream = torch.relu(one.bn(one.conv2(one.conv1(stream))))
            squeezed = torch.relu(block.gate.fc1(stream.mean(dim=(2, 3), keepdim=True)))
            total = total + stream * torch.sigmoid(block.gate.fc2(squeezed))
        last = block.conv3.bn(block.conv3.conv(total)) + block.downsample.bn(block.downsample.conv(x))
        torch.testing.assert_close(block(x), torch.relu(last))


def test_instance_normalisation_is_where_ibn_a_has_it() -> None:
    plain, ibn = make_backbone("resnet50"), make_backbone("resnet50_ibn")
    found = {name for name, part in ibn.named_modules() if isinstance(part, nn.InstanceNorm2d)}
    blocks = {"layer1": 3, "layer2": 4, "layer3": 6}
    assert found == {f"{layer}.{n}.bn1.instance" for layer, count in blocks.items() for n in range(count)}
    assert sum(p.numel() for p in ibn.parameters()) == sum(p.numel() for p in plain.parameters())


def test_half_of_the_channels_is_normalised_by_picture_and_half_as_before() -> None:
    before = nn.BatchNorm2d(6).eval()
    for value in (before.weight.data, before.bias.data, before.running_mean, before.running_var):
        value.uniform_(0.5, 2.0)
    x = torch.rand(3, 6, 5, 4)
    with torch.inference_mode():
        found, wanted = _InstanceBatch(before).eval()(x), before(x)
    torch.testing.assert_close(found[:, 3:], wanted[:, 3:])
    torch.testing.assert_close(found[:, :3].mean((2, 3)), torch.zeros(3, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[:, :3].var((2, 3), correction=0), torch.ones(3, 3), atol=1e-3, rtol=0)


@pytest.mark.parametrize("neck", ["bn", "bn_relu", "none"])
@pytest.mark.parametrize("pooling", ["mean", "gem"])
@pytest.mark.parametrize("vector", [None, 24])
def test_network_from_map_to_vector(neck: str, pooling: str, vector: int | None) -> None:
    config = ReidModelConfig(height_px=64, width_px=32, neck=neck, pooling=pooling, vector=vector)
    model, crops = ReidModel(config, people=5).eval(), torch.rand(3, 3, 64, 32)
    with torch.inference_mode():
        found, learned, trunk = model(crops), model.learn(crops), model.backbone(crops)
        pooled = trunk.mean((2, 3)) if pooling == "mean" else trunk.clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
        before = pooled if vector is None else model.reduce(pooled)
    torch.testing.assert_close(learned.before, before)
    torch.testing.assert_close(found, nn.functional.normalize(learned.vector))
    torch.testing.assert_close(learned.logits, learned.vector @ model.classifier.weight.detach().T)
    assert found.shape == (3, vector or 128)
    assert (learned.vector == learned.before).all() == (neck == "none")
    shift = [name for name, p in model.neck.named_parameters() if p.requires_grad and name.endswith("bias")]
    assert len(shift) == (neck == "bn_relu")
    if neck == "bn_relu":
        assert (learned.vector >= 0).all()


def test_without_people_there_are_no_logits() -> None:
    model = ReidModel(ReidModelConfig(height_px=64, width_px=32)).eval()
    assert model.learn(torch.rand(2, 3, 64, 32)).logits.shape == (2, 0)
    assert not [key for key in model.state_dict() if "classifier" in key]
