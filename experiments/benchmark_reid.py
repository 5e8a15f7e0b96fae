"""Re-identification scores at the size of Market-1501, ours beside torchreid's: `python experiments/benchmark_reid.py`.

3,368 queries and 15,913 gallery rows of 2,048 numbers, made up by the `bench_reid.py` in the folder `--peers`.
torchreid's ranking is taken from a copy of its repository below `--originals`, in Python and, where it has been built
there, Cython.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.metrics.reid import ReidScores, distances, evaluate_reid, rank_queries, rerank

Scores = dict[str, float]
Array = np.ndarray


def module(path: Path, name: str) -> ModuleType | None:
    """A module from its file; None where there is none."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        return None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def ours(scores: ReidScores) -> Scores:
    return {"rank_1": float(scores.cmc[0]), "map": scores.mean_average_precision}


def theirs(found: Any) -> Scores:
    return {"rank_1": float(np.asarray(found[0])[0]), "map": float(np.mean(found[1]))}


def timed(method: str, what: str, threads: int, repeats: int, work: Callable[[], Scores]) -> dict[str, Any]:
    """A row: the median of the runs after one that does not count, and the most memory that this one took."""
    with threadpool_limits(threads):
        tracemalloc.start()
        work()
        grown, times = tracemalloc.get_traced_memory()[1] / 2**20, []
        tracemalloc.stop()
        for _ in range(repeats):
            start = time.perf_counter()
            scores = work()
            times.append(time.perf_counter() - start)
    quarter = statistics.quantiles(times, n=4) if len(times) > 1 else [times[0]] * 3
    row = {
        "method": method,
        "what": what,
        "threads": threads,
        "seconds": statistics.median(times),
        "seconds_iqr": quarter[2] - quarter[0],
        "peak_mb_over_inputs": grown,
        **scores,
    }
    print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}, flush=True)
    return row


def from_vectors(query: Array, gallery: Array, ids: Sequence[Array], repeats: int) -> Iterator[dict[str, Any]]:
    """The whole way, and the one thing that it cannot do without."""
    for kind in ("euclidean", "cosine"):
        yield timed(
            "gocv",
            f"vectors to scores, {kind}",
            1,
            repeats,
            lambda kind=kind: ours(evaluate_reid(query, gallery, *ids, distance=kind)),
        )
    yield timed("numpy", "the matrix product alone", 1, repeats, lambda: {"rows": float(len(query @ gallery.T))})


def ranking(query: Array, gallery: Array, ids: Sequence[Array], repeats: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Distances given."""
    apart = distances(query, gallery, "euclidean")
    yield timed("gocv", "ranking", 1, repeats, lambda: ours(ReidScores.of(rank_queries(apart, *ids))))
    compiled = next(iter((folder / "rank_cylib").glob("rank_cy.*.so")), folder / "none")
    cython, plain = module(compiled, "rank_cy"), module(folder / "rank.py", "torchreid_rank")
    if cython is not None:
        whole = [np.asarray(part, np.int64) for part in ids]
        yield timed("torchreid, Cython", "ranking", 1, repeats, lambda: theirs(cython.evaluate_cy(apart, *whole, 50)))
    if plain is not None:
        yield timed("torchreid, Python", "ranking", 1, 1, lambda: theirs(plain.eval_market1501(apart, *ids, 50)))


def reranked(query: Array, gallery: Array, ids: Sequence[Array]) -> Scores:
    return ours(ReidScores.of(rank_queries(rerank(query, gallery), *ids)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, default=Path("../shared/peers"), help="folder of the peers' scripts")
    parser.add_argument("--originals", type=Path, default=Path("../peers"), help="copies of repositories")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sys.path.insert(0, str(asked.peers))
    import bench_reid

    query, gallery, *ids = bench_reid.data()
    rows = [
        *from_vectors(query, gallery, ids, asked.repeats),
        *ranking(query, gallery, ids, asked.repeats, asked.originals / "deep-person-reid" / "torchreid" / "metrics"),
        timed("gocv", "re-ranking and ranking", 2, 3, lambda: reranked(query, gallery, ids)),
    ]
    if asked.json is not None:
        BenchmarkResult("reid", rows, environment(3), command_line()).write(asked.json)


if __name__ == "__main__":
    main()
