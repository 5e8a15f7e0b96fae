"""`gocv calibrate`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from gocv.cli.app import app
from gocv.data.calibrations import read_calibration, write_calibration
from gocv.data.detections import DetectionTableWriter
from gocv.multicamera.calibration import Lens, floor_errors
from gocv.multicamera.calibration.poses import parameters_of
from gocv.sim.routes import Floor
from gocv.sim.stores import demo_layout
from gocv.sim.strollers import BoxFaults, boxes_seen, stroll

CAMERAS = demo_layout().cameras
POINTS = np.array(
    [
        [3, 2, 0],
        [2, 2.6, 0],
        [3.4, 2.9, 1.5],
        [2.6, 1.7, 0.9],
        [3.2, 2.4, 0.4],
        [2.4, 2.2, 1.2],
        [2.9, 2.9, 0],
        [2, 2, 0.6],
    ],
    float,
)


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["calibrate", *(str(one) for one in arguments)])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """Tables of tracks of two walkers, and where they walked."""
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(5)
    people = [stroll(Floor(demo_layout()), f"p{i}", h, 60.0, rng) for i, h in enumerate((1.80, 1.68))]
    time_s = np.arange(0, 60, 0.1)
    for name, camera in CAMERAS.items():
        table, _ = boxes_seen(camera, people, time_s, BoxFaults(), rng)
        with DetectionTableWriter(folder / f"tracks-{name}.parquet", classes=table.classes, tracks=True) as writer:
            for i in range(len(table)):
                writer.write(i, float(time_s[i]), table.detections(i), table.track_ids(i))
    return folder, np.concatenate([p.at(time_s, p.xy_m) for p in people])


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    write_calibration(tmp_path / "true.yaml", CAMERAS)
    return tmp_path / "true.yaml"


def test_walkers_are_enough_and_the_plan_is_drawn(tables, cameras: Path, tmp_path: Path) -> None:
    folder, xy_m = tables
    out, plan = tmp_path / "found.yaml", tmp_path / "plan.png"
    code, output = run("walkers", folder, "-o", out, "--lenses", cameras, "--plan", plan, "known_heights_m=[1.80,1.68]")
    assert code == 0, output
    assert all(f"camera-{i}" in output for i in (1, 2, 3, 4))
    assert "rms_px" in output
    errors = floor_errors(read_calibration(out), CAMERAS, xy_m)
    assert np.median(np.concatenate(list(errors.values()))) < 0.10
    with Image.open(plan) as picture:
        assert picture.size[0] > 800


def test_nothing_is_written_when_it_is_refused(tables, tmp_path: Path) -> None:
    code, output = run("walkers", tables[0], "-o", tmp_path / "found.yaml")
    assert code == 1
    assert "--lenses or --size" in output
    code, output = run("walkers", tmp_path, "-o", tmp_path / "found.yaml", "--size", "640x360")
    assert code == 1
    assert "no tables of tracks" in output
    assert not list(tmp_path.glob("*.yaml"))


def points_file(path: Path, wrong: bool = False) -> Path:
    lines = ["camera,u_px,v_px,x_m,y_m,z_m"]
    for name in ("camera-1", "camera-3"):
        pixels = CAMERAS[name].project(POINTS)[0] + np.random.default_rng(1).normal(0, 0.3, (len(POINTS), 2))
        for i, ((u, v), (x, y, z)) in enumerate(zip(pixels, POINTS, strict=True)):
            lines.append(f"{name},{u:.2f},{v:.2f},{x + 0.4 * (wrong and i == 2 and name == 'camera-3')},{y},{z}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_measured_points_give_poses(cameras: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.yaml"
    code, output = run("points", points_file(tmp_path / "p.csv"), "-o", out, "--lenses", cameras, "--json")
    assert code == 0, output
    rows = json.loads(output)["rows"]
    assert [row["camera"] for row in rows] == ["camera-1", "camera-3"]
    assert all(row["points"] == 8 and row["rms_px"] < 1 and 0 < row["sd_m"] < 0.2 for row in rows)
    for name, camera in read_calibration(out).items():
        np.testing.assert_allclose(camera.position_m, CAMERAS[name].position_m, atol=0.05)


def test_a_suspect_point_is_named(cameras: Path, tmp_path: Path) -> None:
    file = points_file(tmp_path / "p.csv", wrong=True)
    code, output = run("points", file, "-o", tmp_path / "found.yaml", "--lenses", cameras)
    assert code == 1
    assert "camera-3: point 3 of its rows" in output
    assert (tmp_path / "found.yaml").exists()


def test_too_few_points_name_the_camera_and_write_nothing(cameras: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("camera,u_px,v_px,x_m,y_m,z_m\ncamera-1,1,2,3,4,5\n")
    code, output = run("points", tmp_path / "p.csv", "-o", tmp_path / "found.yaml", "--lenses", cameras)
    assert code == 1
    assert "camera-1" in output
    assert "1 points do not fix a camera" in output
    assert not (tmp_path / "found.yaml").exists()


def test_the_plan_of_a_file_is_drawn(cameras: Path, tmp_path: Path) -> None:
    code, output = run("plan", cameras, "-o", tmp_path / "plan.png")
    assert code == 0, output
    assert (tmp_path / "plan.png").stat().st_size > 10_000


def test_a_calibration_is_converted(shared_data: Path, tmp_path: Path) -> None:
    out = tmp_path / "wildtrack.yaml"
    code, output = run("convert", shared_data / "wildtrack", "--format", "wildtrack", "-o", out)
    assert code == 0, output
    assert len(read_calibration(out)) == 7
    code, output = run("convert", shared_data / "wildtrack", "--format", "wildtrak", "-o", tmp_path / "no.yaml")
    assert code == 1
    assert "'wildtrack'" in output


def recording(folder: Path, calibrated: dict) -> Path:
    """A recording that holds cameras and nothing else."""
    import yaml

    from gocv.data.recording.calibration import calibration_of

    (folder / "store").mkdir(parents=True)
    (folder / "store/products.csv").write_text("product,name,weight_g,weight_sd_g,price\n")
    (folder / "store/plates.csv").write_text("gondola,shelf,plate,x_m,y_m,z_m,rx_rad,ry_rad,rz_rad,width_m,depth_m\n")
    (folder / "store/planogram.csv").write_text("product,gondola,shelf,plate\n")
    entries = [{"name": name, "calibration": calibration_of(camera)} for name, camera in calibrated.items()]
    content = {"version": 1, "name": "r", "clock": {"origin_unix_s": 0, "duration_s": 60}, "cameras": entries}
    (folder / "recording.yaml").write_text(yaml.safe_dump(content))
    return folder


def test_check_passes_what_is_right_and_names_the_camera_that_is_not(tables, tmp_path: Path) -> None:
    right = recording(tmp_path / "right", CAMERAS)
    code, output = run("check", right, "--tables", tables[0])
    assert code == 0, output
    parameters = parameters_of(CAMERAS["camera-2"])
    parameters[4] += np.radians(9.0)
    turned = {**CAMERAS, "camera-2": Lens.of(CAMERAS["camera-2"]).camera(parameters)}
    write_calibration(tmp_path / "turned.yaml", turned)
    code, output = run("check", right, "--tables", tables[0], "--cameras", tmp_path / "turned.yaml", "--json")
    assert code == 1
    suspects = {row["camera"]: row["suspect"] for row in json.loads(output)["rows"] if row["suspect"]}
    assert "camera-2" in suspects


def test_a_folder_without_pictures_of_boards_is_refused(tmp_path: Path) -> None:
    code, output = run("board", tmp_path, "--columns", 8, "--rows", 6, "--square-m", 0.03, "-o", tmp_path / "lens.yaml")
    assert code == 1
    assert "holds no pictures" in output
