"""`gocv calibrate`: where cameras are and how they see, in four ways, drawn and checked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gocv.cli.console import REFUSED, print_json, print_rows, refusing
from gocv.cli.options import Config, Json, Overrides, RecordingPath

if TYPE_CHECKING:
    from gocv.geometry import PinholeCamera
    from gocv.multicamera.calibration import CameraReport, Lens
    from gocv.multicamera.views import CameraView

calibrate_app = typer.Typer(help="Find where cameras are and how they see; draw and check it.", no_args_is_help=True)

Out = Annotated[Path, typer.Option("-o", "--output", help="YAML of cameras to write.")]
Lenses = Annotated[Path | None, typer.Option("--lenses", help="cameras.yaml whose intrinsics are known.")]
Size = Annotated[str | None, typer.Option("--size", help="Size of the pictures of cameras without, such as 1280x720.")]
Tables = Annotated[Path | None, typer.Option("--tables", help="Folder of tables of tracks, such as a run's.")]


@calibrate_app.command("convert")
def convert_command(
    source: Annotated[Path, typer.Argument(help="File or folder of a data set's calibration.")],
    kind: Annotated[str, typer.Option("--format", help="wildtrack, tsai, nanostore, campus, shelf, …")],
    output: Out,
    as_json: Json = False,
) -> None:
    """Write the calibration of a public data set as cameras.yaml."""
    from gocv.data.calibrations import read_calibration, write_calibration

    with refusing(source):
        cameras = read_calibration(source, kind)
        write_calibration(output, cameras)
    _show("cameras", _places(cameras), output, as_json)


@calibrate_app.command("board")
def board_command(
    pictures: Annotated[Path, typer.Argument(help="Folder of pictures of a chessboard by one camera.")],
    columns: Annotated[int, typer.Option(help="Inner corners along: one less than squares.")],
    rows: Annotated[int, typer.Option(help="Inner corners across.")],
    square_m: Annotated[float, typer.Option(help="Side of a square.")],
    output: Out,
    camera: Annotated[str, typer.Option(help="Name to write it under.")] = "camera-1",
    as_json: Json = False,
) -> None:
    """Find a lens from pictures of a chessboard; where the camera hangs is left at nought.

    Give the file to 'points' or 'walkers' as --lenses. A camera.yaml that is there keeps its other cameras.
    """
    import numpy as np

    from gocv.core import DataError
    from gocv.data.calibrations import read_calibration, write_calibration
    from gocv.data.pictures import SUFFIXES, read_picture
    from gocv.multicamera.calibration.board import calibrate_board

    with refusing(pictures):
        files = sorted(f for f in pictures.glob("*") if f.suffix.lower() in SUFFIXES)
        if not files:
            raise DataError("holds no pictures", file=pictures, expected=", ".join(sorted(SUFFIXES)))
        found = calibrate_board({f.name: read_picture(f) for f in files}, (columns, rows), square_m)
        cameras = read_calibration(output) if output.exists() else {}
        start = found.lens.start()
        cameras[camera] = found.lens.camera(np.array([*start, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        write_calibration(output, cameras)
    table = [
        {"picture": p.name, "rms_px": _number(p.rms_px), "left out because": p.problem or None} for p in found.pictures
    ]
    notes = [*found.notes, f"reprojection error {found.rms_px:.3f} px; corners cover {found.covered:.0%} of the image"]
    _show("chessboard", table, output, as_json, notes)


@calibrate_app.command("points")
def points_command(
    points: Annotated[Path, typer.Argument(help="CSV: camera,u_px,v_px,x_m,y_m,z_m.")],
    output: Out,
    lenses: Lenses = None,
    size: Size = None,
    noise_px: Annotated[float, typer.Option(min=0.01, help="How well points are found in pictures.")] = 1.0,
    as_json: Json = False,
) -> None:
    """Find where cameras hang from points of the store that were measured.

    Four points a camera with --lenses, five without. Exit status 1 if a point is suspect; the cameras are written.
    """
    import numpy as np

    from gocv.data.calibrations import write_calibration
    from gocv.data.tables import read_csv
    from gocv.multicamera.calibration import calibrate_points

    columns = ("camera", "u_px", "v_px", "x_m", "y_m", "z_m")
    found, table, doubtful = {}, [], []
    with refusing(points):
        by_camera: dict[str, list[list[float]]] = {}
        for row in read_csv(points, columns):
            by_camera.setdefault(row.text("camera"), []).append([row.finite(name) for name in columns[1:]])
        known = _lenses(list(by_camera), lenses, size, {})
        for name, lens in zip(by_camera, known, strict=True):
            values = np.array(by_camera[name])
            with refusing_camera(name):
                one = calibrate_points(lens, values[:, :2], values[:, 2:], noise_px=noise_px)
            found[name] = one.camera
            sd = float(np.sqrt(np.trace(one.position_covariance_m2)))
            turn = float(np.degrees(np.sqrt(np.trace(one.rotation_covariance_rad2))))
            table.append(
                {**_place(name, one.camera), "points": len(values), "rms_px": one.rms_px, "sd_m": sd, "sd_deg": turn}
            )
            doubtful += [
                f"{name}: point {index + 1} of its rows is {one.residual_px[index]:.1f} px off: suspect"
                for index in np.flatnonzero(one.suspect)
            ]
        write_calibration(output, found)
    _show("cameras from points", table, output, as_json, doubtful)
    if doubtful:
        raise typer.Exit(REFUSED)


@calibrate_app.command("walkers")
def walkers_command(
    source: Annotated[Path, typer.Argument(help="Recording, or folder of tables of tracks (NAME.parquet).")],
    output: Out,
    overrides: Overrides = None,
    config: Config = None,
    lenses: Lenses = None,
    size: Size = None,
    tables: Tables = None,
    plan: Annotated[Path | None, typer.Option(help="Also draw the floor plan.")] = None,
    as_json: Json = False,
) -> None:
    """Find where all cameras hang from people who walk about, without any board.

    The boxes need track numbers of each camera's own tracker (a run's tracks-NAME.parquet has them). Settings:
    known_heights_m=[1.82,1.68], height_m=1.72, camera_heights_m={camera-1: 2.7}. Exit status 1 if a camera is suspect.
    """
    from gocv.data.calibrations import write_calibration
    from gocv.data.config import load
    from gocv.multicamera.calibration import WalkerSettings, calibrate_walkers
    from gocv.viz import draw_floor_plan

    with refusing(source):
        settings = load(WalkerSettings, config, overrides or [])
        views = _views(source, tables)
        sizes = {view.camera: view.calibration for view in views if view.calibration is not None}
        found = calibrate_walkers(views, _lenses([v.camera for v in views], lenses, size, sizes), settings)
        write_calibration(output, found.cameras)
        if plan is not None:
            suspects = {r.camera: r.suspect for r in found.reports}
            draw_floor_plan(
                plan, cameras=found.cameras, walked_m=found.walked_m, suspects=suspects, title="Calibrated from walkers"
            )
    places = {row["camera"]: row for row in _places(found.cameras)}
    table = [{**places[r.camera], **_report(r)} for r in found.reports]
    _show("cameras from walkers", table, output, as_json, found.notes)
    if any(r.suspect for r in found.reports):
        raise typer.Exit(REFUSED)


@calibrate_app.command("plan")
def plan_command(
    cameras: Annotated[Path, typer.Argument(metavar="CAMERAS", help="cameras.yaml.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Picture to write.")],
    recording: Annotated[Path | None, typer.Option(help="Recording whose zones and fixtures are drawn.")] = None,
    far_m: Annotated[float | None, typer.Option(min=0.5, help="Where views end.")] = None,
    as_json: Json = False,
) -> None:
    """Draw where cameras hang and what of the floor each sees."""
    from gocv.data.calibrations import read_calibration
    from gocv.data.recording import Recording
    from gocv.viz import draw_floor_plan

    with refusing(cameras):
        found = read_calibration(cameras)
        store = None if recording is None else Recording.open(recording).store
        draw_floor_plan(output, cameras=found, store=store, far_m=far_m, title=f"Cameras of {cameras.stem}")
    _show("cameras", _places(found), output, as_json)


@calibrate_app.command("check")
def check_command(
    recording: RecordingPath,
    overrides: Overrides = None,
    config: Config = None,
    cameras: Annotated[Path | None, typer.Option(help="cameras.yaml to check in place of the recording's.")] = None,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """Hold a calibration against the people who were tracked: reprojection error and suspect cameras.

    Exit status 1 if a camera is suspect.
    """
    from gocv.data.calibrations import read_calibration
    from gocv.data.config import load
    from gocv.multicamera.calibration import WalkerSettings, check_cameras

    with refusing(recording):
        settings = load(WalkerSettings, config, overrides or [])
        views = _views(recording, tables)
        if cameras is not None:
            known = read_calibration(cameras)
            views = [dataclasses.replace(view, calibration=known.get(view.camera)) for view in views]
        reports = check_cameras(views, settings)
    _show("calibration held against tracks", [{"camera": r.camera, **_report(r)} for r in reports], None, as_json)
    if any(r.suspect for r in reports):
        raise typer.Exit(REFUSED)


class refusing_camera:
    """Errors within name the camera."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from gocv.core import GocvError

        if isinstance(error, GocvError):
            raise error.within(key=self._name) from error


def _views(source: Path, tables: Path | None) -> list[CameraView]:
    """What each camera of a recording, or each table of a folder, saw; names in order of the alphabet."""
    from gocv.core import DataError
    from gocv.data.detections import read_detections
    from gocv.data.recording import Recording
    from gocv.multicamera.views import CameraView

    calibrations: dict[str, Any] = {}
    files: dict[str, Path] = {}
    if (source / "recording.yaml").is_file():
        opened = Recording.open(source)
        calibrations = {camera.name: camera.calibration for camera in opened.cameras}
        files = {camera.name: camera.detections for camera in opened.cameras if camera.detections}
    elif tables is None:
        tables = source
    if tables is not None:
        tracks = sorted(tables.glob("tracks-*.parquet"))
        files = {f.stem.removeprefix("tracks-"): f for f in tracks or sorted(tables.glob("*.parquet"))}
    if calibrations:
        files = {name: file for name, file in files.items() if name in calibrations}
    if not files:
        raise DataError("no tables of tracks", file=tables or source, expected="NAME.parquet of each camera")
    people = ("person",)
    return [CameraView(name, calibrations.get(name), read_detections(file, people)) for name, file in files.items()]


def _lenses(
    names: Sequence[str], file: Path | None, size: str | None, calibrated: Mapping[str, PinholeCamera]
) -> list[Lens]:
    """What is known of each camera's lens: by the file, or nothing but the size of its picture."""
    from gocv.core import ConfigError
    from gocv.data.calibrations import read_calibration
    from gocv.multicamera.calibration import Lens

    known = {} if file is None else read_calibration(file)
    found = []
    for name in names:
        if name in known:
            found.append(Lens.of(known[name]))
        elif name in calibrated:
            found.append(Lens(calibrated[name].width_px, calibrated[name].height_px))
        elif size is not None:
            width, _, height = size.partition("x")
            if not (width.isdigit() and height.isdigit() and int(width) > 0 and int(height) > 0):
                raise ConfigError(f"is {size!r}", key="size", expected="WIDTHxHEIGHT, such as 1280x720")
            found.append(Lens(int(width), int(height)))
        else:
            raise ConfigError(
                f"nothing is known of the pictures of '{name}'", key="size", expected="--lenses or --size"
            )
    return found


def _places(cameras: Mapping[str, PinholeCamera]) -> list[dict[str, Any]]:
    return [_place(name, camera) for name, camera in cameras.items()]


def _place(name: str, camera: PinholeCamera) -> dict[str, Any]:
    x, y, z = camera.position_m.tolist()
    down = math.degrees(math.asin(max(-1.0, min(1.0, -float(camera.camera_T_world[2, 2])))))
    return {"camera": name, "x_m": x, "y_m": y, "z_m": z, "tilt_deg": down, "focal_px": float(camera.matrix[1, 1])}


def _report(report: CameraReport) -> dict[str, Any]:
    return {
        "boxes": report.boxes,
        "rms_px": _number(report.rms_px),
        "rms_share": _number(report.rms_share),
        "apart_m": _number(report.apart_m),
        "sd": {name: value for name, value in report.sd.items() if value},
        "suspect": report.suspect or None,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _show(
    title: str, table: Sequence[Mapping[str, Any]], output: Path | None, as_json: bool, notes: Sequence[str] = ()
) -> None:
    if as_json:
        print_json({"rows": list(table), "notes": list(notes), "wrote": None if output is None else str(output)})
        return
    print_rows(title, [{key: value for key, value in row.items() if key != "sd"} for row in table])
    for note in notes:
        typer.echo(f"note: {note}")
    if output is not None:
        typer.echo(f"wrote {output}")
