"""What a network is told while it learns."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from gocv.core import MissingDependencyError
from gocv.data.config import Model
from gocv.reid.model import Learned

try:
    from pytorch_metric_learning import distances, losses, miners, reducers
except ImportError as error:
    raise MissingDependencyError("training needs pytorch-metric-learning: pip install 'gocv[train]'") from error


class LossSettings(Model):
    """Weights of the losses; what has weight 0 is not computed.

    Attributes:
        identity: Cross-entropy over the people of the training set, on the vector after the neck.
        smoothing: Of its labels (Szegedy et al. 2016, arXiv:1512.00567, §7).
        triplet: Triplets with the farthest of the same and the nearest of another person, Euclidean, on the vector
            before the neck (Hermans et al. 2017, arXiv:1703.07737, eq. 5).
        margin: Of the triplets; None for the soft margin, log(1 + exp(x)) (their §2).
        circle: Sun et al., "Circle Loss", 2020 (arXiv:2002.10857, eq. 6), on the vector after the neck.
        circle_margin: Their m.
        circle_scale: Their gamma.
        center: Half the squared distance to the person's centre, before the neck (Wen et al., ECCV 2016, eq. 2).
        contrastive: Supervised contrastive (Khosla et al. 2020, arXiv:2004.11362, eq. 2), on the vector after the neck.
        temperature: Its tau.
        teacher: One minus the cosine of the teacher's vector and a linear map of ours, which is learnt along (Romero
            et al., "FitNets", 2015 (arXiv:1412.6550), §2.2, with cosine for the distance).
        relations: Mean squared difference of the cosines of all pairs in the batch, the teacher's and ours (Tung and
            Mori, "Similarity-Preserving Knowledge Distillation", 2019, arXiv:1907.09682).
    """

    identity: float = Field(default=1.0, ge=0)
    smoothing: float = Field(default=0.1, ge=0, lt=1)
    triplet: float = Field(default=1.0, ge=0)
    margin: float | None = Field(default=0.3, gt=0)
    circle: float = Field(default=0.0, ge=0)
    circle_margin: float = Field(default=0.25, gt=0)
    circle_scale: float = Field(default=64.0, gt=0)
    center: float = Field(default=0.0, ge=0)
    contrastive: float = Field(default=0.0, ge=0)
    temperature: float = Field(default=0.1, gt=0)
    teacher: float = Field(default=0.0, ge=0)
    relations: float = Field(default=0.0, ge=0)

    @property
    def needs_teacher(self) -> bool:
        """Whether there must be a teacher's vectors."""
        return self.teacher > 0 or self.relations > 0


class ReidLoss(nn.Module):
    """The losses that have a weight.

    Args:
        settings: The weights.
        people: Of the training set.
        length: Of the network's vector.
        teacher: Length of the teacher's vectors; 0 where there is none.
    """

    def __init__(self, settings: LossSettings, people: int, length: int, teacher: int = 0) -> None:
        super().__init__()
        self.settings = s = settings
        self._hardest = miners.BatchHardMiner(distance=distances.LpDistance(normalize_embeddings=False))
        self._triplet = losses.TripletMarginLoss(
            margin=s.margin or 0.0,
            smooth_loss=s.margin is None,
            distance=distances.LpDistance(normalize_embeddings=False),
            reducer=reducers.MeanReducer(),
        )
        self._circle = losses.CircleLoss(m=s.circle_margin, gamma=s.circle_scale)
        self._contrastive = losses.SupConLoss(temperature=s.temperature)
        self.centers = nn.Parameter(torch.zeros(people, length)) if s.center else None
        self.to_teacher = nn.Linear(length, teacher, bias=False) if s.teacher else None

    def forward(self, learned: Learned, person: Tensor, teacher: Tensor | None = None) -> dict[str, Tensor]:
        """Each loss times its weight; 0 where no row has what it needs.

        Args:
            learned: What the network gave for n crops.
            person: (n,) int64; negative where the person is not known.
            teacher: (n, E) float; rows of NaN where there is no vector.
        """
        s, known = self.settings, person >= 0
        before, vector, who = learned.before[known].float(), learned.vector[known].float(), person[known]
        found = {}
        if s.identity:
            found["identity"] = s.identity * _mean(
                F.cross_entropy(learned.logits[known].float(), who, label_smoothing=s.smoothing, reduction="none")
            )
        if s.triplet:
            found["triplet"] = s.triplet * self._from_triplets(before, who)
        if s.circle:
            found["circle"] = s.circle * self._circle(vector, who)
        if s.center:
            found["center"] = s.center * self._from_center(before, who)
        if s.contrastive:
            found["contrastive"] = s.contrastive * self._contrastive(vector, who)
        if s.needs_teacher and teacher is not None:
            found |= self._taught(learned.vector.float(), teacher)
        return found

    def _from_triplets(self, before: Tensor, who: Tensor) -> Tensor:
        if not len(who):
            return before.sum()
        found: Tensor = self._triplet(before, who, self._hardest(before, who))
        return found

    def _from_center(self, before: Tensor, who: Tensor) -> Tensor:
        """The vectors are drawn to the centres by this loss, and the centres to the vectors whatever its weight is."""
        assert self.centers is not None
        center = self.centers[who]
        drawn = _mean((before - center.detach()).pow(2).sum(1)) / 2
        follow = _mean((before.detach() - center).pow(2).sum(1)) / 2
        return drawn + (follow - follow.detach()) / self.settings.center

    def _taught(self, vector: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        s, told = self.settings, torch.isfinite(teacher).all(1)
        ours, theirs = vector[told], F.normalize(teacher[told], dim=1)
        found = {}
        if self.to_teacher is not None:
            found["teacher"] = s.teacher * _mean(1 - F.cosine_similarity(self.to_teacher(ours), theirs))
        if s.relations:
            own = F.normalize(ours, dim=1)
            found["relations"] = s.relations * _mean((own @ own.T - theirs @ theirs.T).pow(2))
        return found


def _mean(values: Tensor) -> Tensor:
    """The mean, and 0 of nothing."""
    return values.sum() / max(values.numel(), 1)
