"""Trunks by name: a picture in, a map of features out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torchvision import models

from gocv.core import ConfigError, MissingDependencyError, nearest
from gocv.reid.backbones.osnet import OSNet
from gocv.reid.backbones.resnet import ResNet50

__all__ = ["OSNet", "ResNet50", "make_backbone"]


def make_backbone(
    name: str, *, last_stride: int = 1, pretrained: bool = False, size_px: tuple[int, int] | None = None
) -> nn.Module:
    """A trunk; its `channels` are those of the map that it gives.

    Args:
        name: "resnet50", "resnet50_ibn", "osnet_x0_25", "osnet_x1_0", "mobilenet_v2", "mobilenet_v3_small",
            "mobilenet_v3_large", or "timm:NAME" for any model of timm that gives maps.
        last_stride: Stride of the last stage, 1 or 2, of ResNet-50 and MobileNet; the others have their own.
        pretrained: Whether torchvision or timm fetches its ImageNet weights; there are none for OSNet.
        size_px: Height and width of the pictures, for those of timm that are made for one size, as most transformers
            are; None leaves them theirs.

    Raises:
        ConfigError: There is no such trunk, it has no such weights, or the stride is neither 1 nor 2.
        MissingDependencyError: timm is asked for and not installed.
    """
    if last_stride not in (1, 2):
        raise ConfigError(f"is {last_stride}", key="last_stride", expected="1 or 2")
    if name.startswith("timm:"):
        return _Timm(name.removeprefix("timm:"), pretrained, size_px)
    makers: dict[str, Callable[[], nn.Module]] = {
        "resnet50": lambda: ResNet50(last_stride=last_stride, pretrained=pretrained),
        "resnet50_ibn": lambda: ResNet50(last_stride=last_stride, ibn=True, pretrained=pretrained),
        "osnet_x0_25": lambda: _untrained(OSNet(0.25), pretrained),
        "osnet_x1_0": lambda: _untrained(OSNet(1.0), pretrained),
        "mobilenet_v2": lambda: _MobileNet("mobilenet_v2", last_stride, pretrained),
        "mobilenet_v3_small": lambda: _MobileNet("mobilenet_v3_small", last_stride, pretrained),
        "mobilenet_v3_large": lambda: _MobileNet("mobilenet_v3_large", last_stride, pretrained),
    }
    if name not in makers:
        raise ConfigError(f"there is no trunk '{name}'", key="backbone", expected=nearest(name, [*makers, "timm:NAME"]))
    return makers[name]()


def _untrained(net: nn.Module, pretrained: bool) -> nn.Module:
    if pretrained:
        raise ConfigError("OSNet has no weights to fetch", key="pretrained", expected="false, or weights: FILE")
    return net


class _MobileNet(nn.Sequential):
    """The features of one of torchvision's MobileNets, under the names that they have there."""

    def __init__(self, name: str, last_stride: int, pretrained: bool) -> None:
        net = models.get_model(name, weights="DEFAULT" if pretrained else None)
        super().__init__(*net.features)
        strided = [m for m in self.modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
        strided[-1].stride = (last_stride, last_stride)
        self.channels = next(m for m in reversed(list(self.modules())) if isinstance(m, nn.Conv2d)).out_channels


class _Timm(nn.Module):
    """A model of timm without its head."""

    net: Any

    def __init__(self, name: str, pretrained: bool, size_px: tuple[int, int] | None) -> None:
        super().__init__()
        try:
            import timm
        except ImportError as error:
            raise MissingDependencyError("timm is not installed: pip install 'gocv[train]'") from error
        known = timm.list_models()
        if name.split(".")[0] not in known:
            raise ConfigError(f"timm has no '{name}'", key="backbone", expected=nearest(name, known))
        given: dict[str, Any] = {"pretrained": pretrained, "num_classes": 0, "global_pool": ""}
        try:
            net: Any = timm.create_model(name, img_size=size_px, **given)
        except TypeError as error:  # it takes pictures of any size
            if "img_size" not in str(error):
                raise
            net = timm.create_model(name, **given)
        self.net, self.channels = net, int(net.num_features)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, h, w) to (n, channels, h', w')."""
        found: Tensor = self.net.forward_features(x)
        if found.ndim == 3:  # tokens of a transformer, those of no place first
            found = found[:, getattr(self.net, "num_prefix_tokens", 0) :].transpose(1, 2)[..., None]
        return found.permute(0, 3, 1, 2) if found.shape[1] != self.channels else found
