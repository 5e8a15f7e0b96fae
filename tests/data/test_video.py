"""Video: real timestamps, seeking, and what becomes of damaged files."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from gocv.core import DataError, Frame
from gocv.data.video import VideoReader, write_video

CODECS = [c for c in ("mpeg4", "libx264") if c in av.codecs_available]
SIZE = (48, 64)


def picture(number: int) -> np.ndarray:
    """A smooth grey picture that says which it is by its brightness."""
    return np.full((*SIZE, 3), 20 + 4 * number, np.uint8)


def make_video(
    path: Path, times_ms: Sequence[int], codec: str = "mpeg4", faststart: bool = False, noise: bool = False
) -> Path:
    """A video whose frames carry `times_ms`; a key frame every five."""
    rng = np.random.default_rng(0)
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = (*SIZE, "yuv420p", 5)
        # AVI counts time in frames and would fill every tick between two with an empty one.
        stream.codec_context.time_base = Fraction(1, 10 if path.suffix == ".avi" else 1000)
        for number, time_ms in enumerate(times_ms):
            image = rng.integers(0, 256, (*SIZE, 3), np.uint8) if noise else picture(number)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def times(frames: list[Frame]) -> list[float]:
    return [f.time_s for f in frames]


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_are_those_of_the_container_at_a_variable_rate(tmp_path: Path, codec: str, suffix: str) -> None:
    wanted = [0, 100, 200, 450, 460, 470, 900, 1000, 1100, 1200, 1300, 5000]
    reader = VideoReader(make_video(tmp_path / f"v{suffix}", wanted, codec), camera="7", time_offset_s=2.0)
    frames = list(reader)
    np.testing.assert_allclose(times(frames), 2.0 + np.array(wanted) / 1000, atol=1e-9)
    assert [f.index for f in frames] == list(range(len(wanted)))
    assert {f.camera for f in frames} == {"7"}
    assert all(f.image.shape == (*SIZE, 3) and f.image.dtype == np.uint8 for f in frames)
    for number, frame in enumerate(frames):
        assert abs(float(frame.image.mean()) - (20 + 4 * number)) < 3
    report = reader.report
    assert (report.frames, report.skipped, report.truncated, report.timestamps) == (12, 0, False, "container")
    assert report.complete
    assert not report.notes


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(("start_s", "end_s"), [(10.65, 11.3), (None, 10.4), (11.9, None), (0, 99), (10.7, 10.7)])
def test_a_span_is_what_a_whole_pass_would_have_given(
    tmp_path: Path, codec: str, start_s: float | None, end_s: float | None
) -> None:
    path = make_video(tmp_path / "v.mp4", list(range(0, 2000, 50)), codec)
    whole = list(VideoReader(path, camera="1", time_offset_s=10.0))
    low, high = -np.inf if start_s is None else start_s, np.inf if end_s is None else end_s
    wanted = [f for f in whole if low <= f.time_s < high]
    got = list(VideoReader(path, camera="1", time_offset_s=10.0, start_s=start_s, end_s=end_s))
    assert [(f.time_s, f.index) for f in got] == [(f.time_s, f.index) for f in wanted]
    assert all(np.array_equal(a.image, b.image) for a, b in zip(got, wanted, strict=True))


def test_a_late_start_is_sought(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_video(tmp_path / "v.mp4", list(range(0, 4000, 100)))
    decoded = []
    from gocv.data import video

    monkeypatch.setattr(video, "_decode", lambda *a, f=video._decode: (decoded.append(i.pts) or i for i in f(*a)))
    assert [f.index for f in VideoReader(path, camera="1", start_s=3.2)] == list(range(32, 40))
    assert len(decoded) <= 13


def test_every_pass_reads_anew_and_counts_anew(tmp_path: Path) -> None:
    reader = VideoReader(make_video(tmp_path / "v.mp4", [0, 100, 200]), camera="1")
    assert reader.report.frames == 0
    assert times(list(reader)) == times(list(reader))
    assert reader.report.frames == 3
    next(iter(reader))
    assert (reader.report.frames, reader.report.complete) == (1, False)


@pytest.mark.parametrize("suffix", [".ts", ".flv", ".mov", ".mpg"])
def test_time_starts_with_the_first_frame_whatever_the_container_counts_from(tmp_path: Path, suffix: str) -> None:
    codec = {".mpg": "mpeg2video", ".flv": "flv"}.get(suffix, "mpeg4")
    path = tmp_path / f"v{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt, stream.gop_size = (*SIZE, "yuv420p", 5)
        for number in range(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="rgb24")))
        container.mux(stream.encode(None))
    reader = VideoReader(path, camera="1", time_offset_s=3.0)
    np.testing.assert_allclose(times(list(reader)), 3 + np.arange(50) / 25, atol=2e-3)
    assert reader.report.notes == ()
    late = VideoReader(path, camera="1", time_offset_s=3.0, start_s=3.99)
    assert [f.index for f in late] == list(range(25, 50))


def test_given_timestamps_replace_those_of_the_container(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", list(range(0, 1000, 100)))
    stamps = np.array([0.0, 0.3, 0.3, 0.2, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    reader = VideoReader(path, camera="1", time_offset_s=1.0, timestamps=stamps)
    frames = list(reader)
    assert times(frames) == [1.0, 1.3, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    assert [f.index for f in frames] == [0, 1, 4, 5, 6, 7, 8, 9]
    report = reader.report
    assert (report.duplicate_timestamps, report.backward_timestamps, report.timestamps) == (1, 1, "given")
    assert not report.truncated
    late = list(VideoReader(path, camera="1", time_offset_s=1.0, timestamps=stamps, start_s=4.5))
    assert [(f.time_s, f.index) for f in late] == [(5.0, 7), (6.0, 8), (7.0, 9)]


@pytest.mark.parametrize("stamps", [np.arange(4.0), np.array([[0.0]]), np.array([0, 1, 2, 3, np.nan])])
def test_timestamps_that_do_not_fit_are_refused(tmp_path: Path, stamps: np.ndarray) -> None:
    with pytest.raises(DataError, match="timestamps") as caught:
        VideoReader(make_video(tmp_path / "v.mp4", [0, 1, 2, 3, 4]), camera="1", timestamps=stamps)
    assert "v.mp4" in str(caught.value)


def test_too_few_timestamps_show_while_reading_where_the_header_counts_no_frames(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mkv", [0, 100, 200])
    with pytest.raises(DataError, match="more frames than that"):
        list(VideoReader(path, camera="1", timestamps=np.array([0.0, 0.1])))


@pytest.mark.parametrize(("suffix", "faststart"), [(".mp4", True), (".mkv", False), (".avi", False)])
def test_a_truncated_file_gives_what_it_holds_and_says_so(tmp_path: Path, suffix: str, faststart: bool) -> None:
    path = make_video(tmp_path / f"v{suffix}", list(range(0, 6000, 100)), faststart=faststart, noise=True)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    reader = VideoReader(path, camera="1")
    frames = list(reader)
    assert 20 < len(frames) < 50
    np.testing.assert_allclose(times(frames), np.arange(len(frames)) / 10, atol=1e-9)
    assert reader.report.truncated
    assert any("promises" in note for note in reader.report.notes)


def test_an_mp4_cut_off_before_its_index_is_named_as_such(tmp_path: Path) -> None:
    path = make_video(tmp_path / "v.mp4", list(range(0, 3000, 100)))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match="cut off") as caught:
        VideoReader(path, camera="1")
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("codec", CODECS)
def test_damage_in_the_middle_costs_only_the_frames_it_hits(tmp_path: Path, codec: str) -> None:
    path = make_video(tmp_path / "v.mp4", list(range(0, 6000, 100)), codec, noise=True)
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(1)
    middle = data.find(b"mdat") + (len(data) - data.find(b"mdat")) // 2
    length = len(data) // 30
    data[middle : middle + length] = rng.integers(0, 256, length, np.uint8).tobytes()
    path.write_bytes(data)
    reader = VideoReader(path, camera="1")
    frames = list(reader)
    assert reader.report.skipped >= 1
    assert len(frames) + reader.report.skipped + reader.report.backward_timestamps == 60
    assert len(frames) > 45
    assert not reader.report.truncated
    # The frames that are left keep their own times and positions: none has slid into a lost one's place.
    np.testing.assert_allclose(times(frames), [f.index / 10 for f in frames], atol=1e-9)
    assert frames[-1].index == 59


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("text.mp4", b"hello, world\n" * 50, "not a video"),
        ("text.txt", b"hello, world\n" * 50, "no video"),
        ("empty.mp4", b"", "not a video"),
        ("missing.mp4", None, "no such video"),
    ],
)
def test_what_is_no_video_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem) as caught:
        VideoReader(tmp_path / name, camera="1")
    assert name in str(caught.value)


def test_a_sound_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for wrong in (path, tmp_path):
        with pytest.raises(DataError, match="video"):
            VideoReader(wrong, camera="1")


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_written_videos_read_back(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"out{suffix}"
    images = (np.full((*size, 3), 20 + 10 * i, np.uint8) for i in range(12))
    assert write_video(path, images, 12.5) == 12
    frames = list(VideoReader(path, camera="1"))
    np.testing.assert_allclose(times(frames), np.arange(12) / 12.5, atol=1e-3)
    assert frames[0].image.shape == (48, 64, 3)
    assert [round(float(f.image.mean()), -1) for f in frames] == [20 + 10 * i for i in range(12)]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".mp4", ".nonsense"])
def test_a_video_is_written_whole_or_not_at_all(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"what was there before")
    for images in ([], [picture(0), picture(1)[:10]]):
        with pytest.raises(DataError, match=path.name):
            write_video(path, iter(images), 10)
        assert path.read_bytes() == b"what was there before"
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(("camera", "count"), [("1", 338), ("3", 338), ("5", 339), ("7", 338)])
def test_the_store_clips_decode_whole(shared_data: Path, camera: str, count: int) -> None:
    path = shared_data / "nanostore" / "cps-test-01" / "video" / f"cam{camera}.mp4"
    reader = VideoReader(path, camera=camera, time_offset_s=100.0)
    stamps = [f.time_s for f in reader]
    np.testing.assert_allclose(stamps, 100 + np.arange(count) / 10, atol=1e-9)
    assert (reader.width, reader.height, reader.rate_hz) == (640, 360, 10.0)
    assert (reader.report.frames, reader.report.notes) == (count, ())


@pytest.mark.parametrize(
    ("name", "count", "source"),
    [
        ("clips/people-detection.264", 596, "rate"),
        ("clips/store-aisle-detection.gif", 67, "container"),
        ("pets09/S2L1-view001.avi", 795, "container"),
    ],
)
def test_other_kinds_of_real_video(shared_data: Path, name: str, count: int, source: str) -> None:
    reader = VideoReader(shared_data / name, camera="1")
    whole = [(f.time_s, f.index, int(f.image.sum())) for f in reader]
    assert (len(whole), reader.report.timestamps) == (count, source)
    assert bool(reader.report.notes) == (source == "rate")
    middle, end = whole[count // 2][0] - 1e-6, whole[count // 2 + 4][0] - 1e-6
    span = VideoReader(shared_data / name, camera="1", start_s=middle, end_s=end)
    assert [(f.time_s, f.index, int(f.image.sum())) for f in span] == whole[count // 2 : count // 2 + 4]
