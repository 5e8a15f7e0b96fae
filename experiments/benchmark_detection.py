"""How quick detectors are, and where the time goes: `python experiments/benchmark_detection.py -d NAME… --json FILE`.

`speed`: frames of a real clip at several sizes are decoded and looked at, in batches, with each runtime and number of
threads; networks that take any size also at several sizes of their input. `frames_per_s` is by the clock,
`frames_per_s_per_core` by processor time, which others on the machine disturb less. Steps are milliseconds of the clock
a frame: decode, prepare (resize, pad, to floats), network, boxes (read out, suppress).

`store`: the four clips of cps-test-01, 10 frames a second each, in order of time on all cores named, as they are and
with skipping; and the same store empty (the median of each clip's frames, with noise). `times_real_time` is
seconds of footage by seconds of the clock.

Detectors that take a `device` are also run on a GPU where torch finds one.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import gocv.detect.onnx
from gocv.bench.detect import make_detector
from gocv.bench.result import BenchmarkResult, command_line, environment
from gocv.bench.timing import spread
from gocv.core import Detector, Frame, MissingDependencyError
from gocv.data.video import VideoReader, write_video
from gocv.detect import OnnxDetector
from gocv.detect.pacing import together
from gocv.detect.skipping import SkippingDetector
from gocv.viz.style import PALETTE, new_figure, save

CAMERAS, RATE_HZ = "1357", 10.0
SIZES = {"640x360": (640, 360), "1280x720": (1280, 720), "1920x1080": (1920, 1080)}
STEPS = ("decode", "prepare", "network", "boxes")


class Clock:
    """Adds up seconds that steps take.

    Attributes:
        spent: By step.
    """

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def timed(self, step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time added to the step."""

        def measured(*args: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*args, **more)
            finally:
                self.spent[step] = self.spent.get(step, 0.0) + time.perf_counter() - start

        return measured


def processor_s() -> float:
    """Seconds of processor time of all threads so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def enlarged(clip: Path, size: tuple[int, int], frames: int, folder: Path) -> Path:
    """The first frames of a clip in another size."""
    first = itertools.islice(VideoReader(clip, camera="1"), frames)
    images = (np.asarray(Image.fromarray(f.image).resize(size, Image.Resampling.BILINEAR)) for f in first)
    path = folder / f"{size[0]}.mp4"
    write_video(path, images, RATE_HZ)
    return path


def one_pass(detector: Detector, clip: Path, batch: int, clock: Clock) -> tuple[int, float, float]:
    """Frames of the clip, seconds of the clock, seconds of processor time."""
    start, used, count = time.perf_counter(), processor_s(), 0
    frames = iter(VideoReader(clip, camera="1"))
    decode = clock.timed("decode", lambda: list(itertools.islice(frames, batch)))
    detect = clock.timed("detect", detector.detect)
    while given := decode():
        detect(given)
        count += len(given)
    return count, time.perf_counter() - start, processor_s() - used


def measured(detector: Detector, clip: Path, batch: int, repeats: int) -> dict[str, Any]:
    """Figures of a detector on a clip, the first pass left out."""
    passes = []
    for _ in range(repeats + 1):
        clock = Clock()
        network, prepare = getattr(detector, "_network", None), gocv.detect.onnx.prepare
        if isinstance(detector, OnnxDetector):
            detector._network.run = clock.timed("network", type(network).run.__get__(network))  # type: ignore[method-assign]
            gocv.detect.onnx.prepare = clock.timed("prepare", prepare)
        try:
            count, wall_s, used_s = one_pass(detector, clip, batch, clock)
        finally:
            gocv.detect.onnx.prepare = prepare
        inside = clock.spent.get("prepare", 0.0) + clock.spent.get("network", 0.0)
        clock.spent["boxes"] = clock.spent["detect"] - inside if inside else 0.0
        passes.append((count, wall_s, used_s, dict(clock.spent)))
    passes = passes[1:]
    figures: dict[str, Any] = {"frames": passes[0][0]}
    figures |= spread("frames_per_s", [count / wall for count, wall, _, _ in passes])
    figures |= spread("frames_per_s_per_core", [count / used for count, _, used, _ in passes])
    steps = STEPS if "network" in passes[0][3] else ("decode", "detect")
    for step in steps:
        figures |= spread(f"{step}_ms", [1000 * spent[step] / count for count, _, _, spent in passes])
    return figures


def inputs(detector: Detector, widths: Sequence[int]) -> Iterator[tuple[str, Detector]]:
    """The detector with its own size of input, and with others where its network takes any."""
    if not isinstance(detector, OnnxDetector):
        yield "own", detector
        return
    own = detector.config.input
    yield f"{own.width}x{own.height}", detector
    if None not in detector._network.inputs[0].shape[2:]:
        return
    for width in widths:
        height = round(width * own.height / own.width / 32) * 32
        if width != own.width:
            changed = own.model_copy(update={"width": width, "height": height})
            detector.config = detector.config.model_copy(update={"input": changed})
            yield f"{width}x{height}", detector


def variants(given: argparse.Namespace) -> Iterator[tuple[dict[str, Any], Detector]]:
    """Detectors with each runtime and number of threads that they have, and on a GPU."""
    for name in given.detector:
        for runtime, threads in itertools.product(given.runtime, given.threads):
            about = {"method": Path(name).stem, "runtime": runtime, "threads": threads}
            try:
                detector = make_detector(name, given.weights, runtime=runtime, threads=threads)
            except MissingDependencyError as error:
                print(f"{about}: left out: {error}")
                continue
            if not isinstance(detector, OnnxDetector):
                import torch

                torch.set_num_threads(threads)
                about["runtime"] = "torch"
            yield about, detector
            if not isinstance(detector, OnnxDetector) and torch.cuda.is_available() and hasattr(detector, "_device"):
                detector._device = torch.device("cuda")
                detector._network.to("cuda")
                yield {**about, "runtime": torch.cuda.get_device_name()}, detector
                break
            if not isinstance(detector, OnnxDetector) and runtime == given.runtime[-1]:
                break


def speed(given: argparse.Namespace, clip: Path, folder: Path) -> Iterator[dict[str, Any]]:
    clips = {name: enlarged(clip, SIZES[name], given.frames, folder) for name in given.sizes}
    for about, detector in variants(given):
        for resolution, changed in inputs(detector, given.inputs):
            for size, batch in itertools.product(clips, given.batches):
                if batch != given.batches[0] and size != given.sizes[0]:
                    continue  # the size of frames matters before the network alone
                figures = measured(changed, clips[size], batch, given.repeats)
                row = {**about, "part": "speed", "input": resolution, "frame": size, "batch": batch, **figures}
                print(row)
                yield row


def emptied(clip: Path, camera: str, seconds: float, folder: Path) -> Path:
    """The clip without the shopper: the median of its frames, with noise of a standard deviation of 2 grey levels."""
    images = [frame.image for frame in itertools.islice(VideoReader(clip, camera=camera), 0, None, 10)]
    store = np.median(images, axis=0).astype(np.float32)
    rng = np.random.default_rng(int(camera))
    noisy = (np.clip(store + rng.normal(0, 2, store.shape), 0, 255) for _ in range(int(seconds * RATE_HZ)))
    path = folder / f"empty{camera}.mp4"
    write_video(path, (image.astype(np.uint8) for image in noisy), RATE_HZ)
    return path


def store(given: argparse.Namespace, clips: Path, folder: Path) -> Iterator[dict[str, Any]]:
    visit = {camera: clips / f"cam{camera}.mp4" for camera in CAMERAS}
    empty = {camera: emptied(clip, camera, given.empty, folder) for camera, clip in visit.items()}
    for about, detector in variants(given):
        if about["threads"] != max(given.threads) or about["runtime"] not in (given.store_runtime, "torch"):
            continue
        for scene, videos in (("visit", visit), ("empty", empty)):
            for skipping in (False, True):
                shown = SkippingDetector(detector) if skipping else detector
                row = {**about, "part": "store", "scene": scene, "skipping": skipping, **in_real_time(shown, videos)}
                print(row)
                yield row


def in_real_time(detector: Detector, videos: dict[str, Path]) -> dict[str, Any]:
    """All cameras in order of time, once through."""
    readers: list[Iterator[Frame]] = [iter(VideoReader(video, camera=name)) for name, video in videos.items()]
    start, used, count, last_s = time.perf_counter(), processor_s(), 0, 0.0
    people = 0
    for batch in together(readers, len(videos)):
        people += sum(len(found) > 0 for found in detector.detect(batch))
        count, last_s = count + len(batch), batch[-1].time_s
    wall_s, used_s = time.perf_counter() - start, processor_s() - used
    footage_s = last_s + 1 / RATE_HZ
    looks = detector.looks if isinstance(detector, SkippingDetector) else count
    return {
        "footage_s": footage_s,
        "frames": count,
        "looks": looks,
        "frames_with_people": people,
        "times_real_time": footage_s / wall_s,
        "processor_s_per_footage_s": used_s / footage_s,
    }


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Where a frame's time goes, and how many cameras a store's two cores keep up with."""
    timed = [r for r in rows if r["part"] == "speed" and "network_ms" in r]
    figure = new_figure(1300, 160 + 22 * max(8, len(timed)))
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    names = [
        f"{r['method']} {r['input']}, {r['runtime']} ×{r['threads']}, {r['frame']}, by {r['batch']}" for r in timed
    ]
    start = np.zeros(len(timed))
    for step, colour in zip(STEPS, PALETTE, strict=False):
        values = np.array([r[f"{step}_ms"] for r in timed])
        left.barh(range(len(timed)), values, left=start, color=colour, label=step)
        start += values
    left.set_yticks(range(len(timed)), names, fontsize=7)
    left.invert_yaxis()
    left.set(xlabel="milliseconds a frame", title="Where the time goes")
    left.legend()
    real = [r for r in rows if r["part"] == "store"]
    labels = [f"{r['method']}, {r['runtime']}\n{r['scene']}{', skipping' if r['skipping'] else ''}" for r in real]
    colours = [PALETTE[2] if r["skipping"] else PALETTE[0] for r in real]
    right.barh(range(len(real)), [r["times_real_time"] for r in real], color=colours)
    right.set_yticks(range(len(real)), labels, fontsize=7)
    right.invert_yaxis()
    right.axvline(1, color="black", linewidth=1)
    right.set(xlabel="times real time", title="Four cameras at 10 frames/s")
    figure.tight_layout()
    save(figure, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--detector", action="append", required=True, help="as for gocv bench detect")
    parser.add_argument("--weights", type=Path, action="append", default=[], help="as for gocv bench detect")
    parser.add_argument("--root", type=Path, default=Path("../shared/data"), help="where the data sets are")
    parser.add_argument("--runtime", nargs="+", default=["onnxruntime", "openvino"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 8])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--inputs", type=int, nargs="+", default=[320, 416, 544, 640], help="widths of the input")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--empty", type=float, default=60.0, help="seconds of the empty store")
    parser.add_argument("--store-runtime", default="openvino", help="that the four cameras are looked at with")
    parser.add_argument("--no-store", action="store_true", help="leave out the four cameras")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    clips = given.root / "nanostore" / "cps-test-01" / "video"
    with tempfile.TemporaryDirectory() as folder:
        rows = list(speed(given, clips / f"cam{CAMERAS[0]}.mp4", Path(folder)))
        if not given.no_store:
            rows += store(given, clips, Path(folder))
    if given.json is not None:
        notes = [f"{os.getloadavg()[1]:.1f} processes ran on average over five minutes, these among them"]
        BenchmarkResult("detection speed", rows, environment(), command_line(), notes).write(given.json)
    if given.picture is not None:
        draw(rows, given.picture)


if __name__ == "__main__":
    main()
