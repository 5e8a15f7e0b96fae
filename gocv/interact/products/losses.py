"""What a network for products is told while it learns."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gocv.core import MissingDependencyError
from gocv.data.config import Model

try:
    from pytorch_metric_learning.losses import SupConLoss
except ImportError as error:
    raise MissingDependencyError("training needs pytorch-metric-learning: pip install 'gocv[train]'") from error


class ProductLossSettings(Model):
    """Weights and shapes of the losses.

    Attributes:
        scale: By which cosines with the products' proxies are multiplied before the softmax.
        margin: Taken from the cosine of the right one (Wang et al., "CosFace", CVPR 2018, arXiv:1801.09414, eq. 4).
        smoothing: Of the labels (Szegedy et al. 2016, arXiv:1512.00567, §7).
        contrastive: Weight of supervised contrast (Khosla et al. 2020, arXiv:2004.11362, eq. 2).
        temperature: Its tau.
    """

    scale: float = Field(default=16.0, gt=0)
    margin: float = Field(default=0.15, ge=0)
    smoothing: float = Field(default=0.05, ge=0, lt=1)
    contrastive: float = Field(default=0.5, ge=0)
    temperature: float = Field(default=0.1, gt=0)


class ProductLoss(nn.Module):
    """A proxy for each product, and contrast within the batch.

    Args:
        settings: Weights.
        products: That are learnt.
        length: Of the vectors.
    """

    def __init__(self, settings: ProductLossSettings, products: int, length: int) -> None:
        super().__init__()
        self.settings = settings
        self.proxies = nn.Parameter(F.normalize(torch.randn(products, length), dim=1))
        self._contrast = SupConLoss(temperature=settings.temperature)

    def forward(self, vectors: Tensor, product: Tensor) -> dict[str, Tensor]:
        """Each loss times its weight, of (n, D) vectors of length 1 and (n,) int64 products."""
        s = self.settings
        cosine = vectors @ F.normalize(self.proxies, dim=1).T
        logits = s.scale * (cosine - s.margin * F.one_hot(product, cosine.shape[1]))
        found = {"proxy": F.cross_entropy(logits, product, label_smoothing=s.smoothing)}
        if s.contrastive:
            found["contrast"] = s.contrastive * self._contrast(vectors, product)
        return found
