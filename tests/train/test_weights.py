"""State dicts of others: read without running what is in them, and fitted to a trunk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from gocv.core import DataError
from gocv.reid.backbones import make_backbone
from gocv.train.weights import load_trunk, read_state


def vectors(trunk: nn.Module) -> Tensor:
    with torch.inference_mode():
        return trunk(torch.rand((3, 3, 64, 32), generator=torch.Generator().manual_seed(0)))


class TestTrunk:
    def test_by_name_whatever_the_order(self, tmp_path: Path) -> None:
        one, other = make_backbone("osnet_x0_25").eval(), make_backbone("osnet_x0_25").eval()
        shuffled = dict(reversed({**one.state_dict(), "head.weight": torch.zeros(4)}.items()))
        torch.save(shuffled, tmp_path / "trunk.pt")
        load_trunk(other, tmp_path / "trunk.pt")
        assert torch.equal(vectors(other), vectors(one))

    def test_by_order_whatever_the_names(self, tmp_path: Path) -> None:
        one, other = make_backbone("mobilenet_v2").eval(), make_backbone("mobilenet_v2").eval()
        renamed = {f"theirs.{n}": value for n, value in enumerate(one.state_dict().values())}
        torch.save({**renamed, "theirs.classifier": torch.zeros(10, 1280)}, tmp_path / "trunk.pt")
        load_trunk(other, tmp_path / "trunk.pt")
        assert torch.equal(vectors(other), vectors(one))

    @pytest.mark.parametrize("own_names", [True, False])
    def test_other_shapes_are_refused(self, tmp_path: Path, own_names: bool) -> None:
        state = make_backbone("osnet_x1_0").state_dict()
        torch.save(state if own_names else {f"net.{key}": v for key, v in state.items()}, tmp_path / "trunk.pt")
        trunk = make_backbone("osnet_x0_25")
        before = {key: value.clone() for key, value in trunk.state_dict().items()}
        with pytest.raises(DataError, match="has not the weights of this trunk"):
            load_trunk(trunk, tmp_path / "trunk.pt")
        assert all(torch.equal(value, before[key]) for key, value in trunk.state_dict().items())

    def test_too_few_weights_are_refused(self, tmp_path: Path) -> None:
        state = dict(list(make_backbone("mobilenet_v2").state_dict().items())[:-1])
        torch.save(state, tmp_path / "trunk.pt")
        with pytest.raises(DataError, match="has not the weights of this trunk"):
            load_trunk(make_backbone("mobilenet_v2"), tmp_path / "trunk.pt")


class Harmful:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


class TestState:
    def test_code_in_a_file_does_not_run(self, tmp_path: Path) -> None:
        torch.save({"a": torch.zeros(1), "b": Harmful(tmp_path / "harm")}, tmp_path / "net.pt")
        with pytest.raises(DataError, match="cannot be read"):
            read_state(tmp_path / "net.pt")
        assert not (tmp_path / "harm").exists()
        torch.load(tmp_path / "net.pt", weights_only=False)
        assert (tmp_path / "harm").exists()  # it would have

    @pytest.mark.parametrize("content", [[1, 2], {}, {"epoch": 3}, {"state_dict": {}}, torch.zeros(2)])
    def test_no_weights(self, tmp_path: Path, content: object) -> None:
        torch.save(content, tmp_path / "net.pt")
        with pytest.raises(DataError, match="holds no weights"):
            read_state(tmp_path / "net.pt")

    @pytest.mark.parametrize("name", ["net.pt", "net.safetensors"])
    def test_no_such_file_or_another(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(DataError, match="is not there"):
            read_state(tmp_path / name)
        for content in (b"", b"weights", b"\x00" * 99):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(DataError, match="cannot be read"):
                read_state(tmp_path / name)
