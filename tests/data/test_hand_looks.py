from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gocv.core import DataError, HandLooks
from gocv.data.hand_looks import HandLooksWriter, read_hand_looks


def looks(time_s: list[float], names: list[int], camera: str = "one", length: int = 3) -> HandLooks:
    n = len(time_s)
    vector = np.zeros((n, length))
    vector[:, 0] = 1
    return HandLooks(
        ("ann", "bob"),
        (camera,),
        time_s=np.array(time_s),
        shopper=np.array(names),
        hand=np.arange(n) % 2,
        camera=np.zeros(n),
        side_px=np.full(n, 30.0),
        holds=np.linspace(0, 1, n),
        vector=vector,
    )


def write(path: Path, *parts: HandLooks) -> Path:
    with HandLooksWriter(path) as writer:
        for part in parts:
            writer.write(part)
    return path


def test_what_is_written_is_read_again_in_order_of_time(tmp_path: Path) -> None:
    one = write(tmp_path / "one.parquet", looks([1.0, 1.0], [0, 1]), looks([3.0], [1]))
    two = write(tmp_path / "two.parquet", looks([2.0], [0], "two"))
    found = read_hand_looks({"one": one, "two": two}, ("bob", "ann"))
    assert found.time_s.tolist() == [1.0, 1.0, 2.0, 3.0]
    assert [found.shoppers[i] for i in found.shopper] == ["ann", "bob", "ann", "bob"]
    assert found.cameras == ("one", "two")
    assert found.camera.tolist() == [0, 0, 1, 0]
    assert found.holds.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert found.vector.shape == (4, 3)


def test_shoppers_who_are_not_asked_for_are_left_out(tmp_path: Path) -> None:
    one = write(tmp_path / "one.parquet", looks([1.0, 2.0], [0, 1]))
    found = read_hand_looks({"one": one}, ("bob",))
    assert found.time_s.tolist() == [2.0]


def test_nobody_seen_is_a_table_without_rows(tmp_path: Path) -> None:
    one = write(tmp_path / "one.parquet")
    assert len(read_hand_looks({"one": one}, ("ann",))) == 0
    assert len(read_hand_looks({}, ("ann",))) == 0


def test_vectors_of_two_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="4 values"):
        write(tmp_path / "one.parquet", looks([1.0], [0]), looks([2.0], [0], length=4))
    assert not (tmp_path / "one.parquet").exists()
    one = write(tmp_path / "one.parquet", looks([1.0], [0]))
    two = write(tmp_path / "two.parquet", looks([1.0], [0], length=4))
    with pytest.raises(DataError, match="one encoder"):
        read_hand_looks({"one": one, "two": two}, ("ann",))


@pytest.mark.parametrize(("key", "value"), [("hand", 2), ("holds", 1.5), ("time_s", float("nan"))])
def test_what_cannot_be_is_refused_with_its_row(tmp_path: Path, key: str, value: float) -> None:
    path = write(tmp_path / "one.parquet", looks([1.0, 2.0], [0, 1]))
    table = pq.read_table(path)
    column = table[key].to_pylist()
    column[1] = value
    at = table.schema.get_field_index(key)
    pq.write_table(table.set_column(at, table.schema.field(at), pa.array(column, table.schema.field(at).type)), path)
    with pytest.raises(DataError) as caught:
        read_hand_looks({"one": path}, ("ann", "bob"))
    assert (caught.value.key, caught.value.row) == (key, 2)
