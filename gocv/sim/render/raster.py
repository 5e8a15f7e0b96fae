"""Triangles that are already on the image plane, to pixels: VTK's z-buffer, off-screen.

The lens is applied to the vertices (`camera.project`, distortion included), so that what is drawn is where the camera
puts it, and nothing has to be warped afterwards. What is left for the graphics library is to fill triangles in
parallel projection. Depth is stored as `NEAR_M` over depth, which is linear across a triangle on the image plane.
"""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gocv.core import MissingDependencyError
from gocv.geometry import PinholeCamera
from gocv.sim.render.mesh import Mesh

NEAR_M = 0.05
"""What is nearer to the camera is not drawn."""
_FAR = 4


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """A mesh on the image plane.

    Attributes:
        xyq: (n, 3) float64: pixels x and y, and `NEAR_M` over depth.
        faces: (m, 3) int64; those that cannot be drawn are left out.
        extent: (4,) float64 xyxy px, of all that is in front of the camera, also outside the image; NaN where nothing
            is.
    """

    xyq: NDArray[np.float64]
    faces: NDArray[np.int64]
    extent: NDArray[np.float64]


def project(camera: PinholeCamera, vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> Projected:
    """Put (n, 3) vertices, in the store's frame, on the image plane."""
    pixels, depth = camera.project(vertices)
    seen = np.isfinite(pixels[:, 0]) & (depth > NEAR_M)
    extent = np.full(4, np.nan)
    if seen.any():
        extent = np.concatenate([pixels[seen].min(axis=0), pixels[seen].max(axis=0)])
    # Single precision would be spent on what is far outside the image, just before the plane of the lens.
    with np.errstate(invalid="ignore"):
        seen &= np.abs(pixels).max(axis=1) < _FAR * (camera.width_px + camera.height_px)
    xyq = np.concatenate([pixels, NEAR_M / np.where(seen, depth, 1.0)[:, None]], axis=1)
    xyq[~seen] = 0.0
    return Projected(xyq, faces if seen.all() else faces[seen[faces].all(axis=1)], extent)


class Rasteriser:
    """An off-screen window for meshes by name; each can be replaced, hidden and shown.

    Args:
        width_px: Of the image.
        height_px: Of the image.

    Raises:
        MissingDependencyError: The graphics library is not installed, or cannot draw on this machine.
    """

    def __init__(self, width_px: int, height_px: int) -> None:
        self._size = width_px, height_px
        self._vtk = _load()
        core = self._vtk["vtkRenderingCore"]
        self._window = core.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetMultiSamples(0)
        self._window.SetSize(width_px, height_px)
        self._renderer = core.vtkRenderer()
        self._renderer.SetBackground(0.0, 0.0, 0.0)
        self._window.AddRenderer(self._renderer)
        self._camera = self._renderer.GetActiveCamera()
        self._camera.SetParallelProjection(True)
        self._camera.SetParallelScale(height_px / 2)
        self._layers: dict[str, _Layer] = {}
        self._check()

    def put(self, name: str, projected: Projected, colours: NDArray[np.uint8]) -> None:
        """Draw this from now on, in the place of what had the name.

        Args:
            name: Of the layer.
            projected: What to draw.
            colours: (n, 3) of its vertices, as they shall be seen.
        """
        layer = self._layers.get(name)
        if layer is None:
            layer = self._layers[name] = _Layer(self._vtk)
            self._renderer.AddActor(layer.actor)
        layer.put(projected, colours, self._size[1])

    def remove(self, name: str) -> None:
        """Forget a layer."""
        self._renderer.RemoveActor(self._layers.pop(name).actor)

    def show(self, names: set[str]) -> None:
        """Show these layers and hide all others."""
        for name, layer in self._layers.items():
            layer.actor.SetVisibility(name in names)

    def draw(
        self, window: tuple[int, int, int, int], shift_px: tuple[float, float] = (0.0, 0.0)
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Draw what is shown.

        Args:
            window: Left, top, right, bottom of the part of the image that is wanted, right and bottom exclusive.
            shift_px: Sample this far to the right of, and below, the middle of each pixel.

        Returns:
            (h, w, 3) uint8 colours and (h, w) float32 depth, metres along the optical axis; black and inf where
            nothing is.
        """
        self._render(shift_px)
        left, top, right, bottom = window
        rows = self._size[1] - bottom, self._size[1] - top - 1
        rgb, z = self._vtk["vtkCommonCore"].vtkUnsignedCharArray(), self._vtk["vtkCommonCore"].vtkFloatArray()
        self._window.GetPixelData(left, rows[0], right - 1, rows[1], 0, rgb, 0)
        self._window.GetZbufferData(left, rows[0], right - 1, rows[1], z)
        to_numpy = self._vtk["util.numpy_support"].vtk_to_numpy
        shape = bottom - top, right - left
        inverse = 1.0 - to_numpy(z).reshape(shape)[::-1]
        with np.errstate(divide="ignore"):
            depth = np.where(inverse > 0, np.float32(NEAR_M) / inverse, np.float32(np.inf))
        return to_numpy(rgb).reshape(*shape, 3)[::-1].copy(), depth

    def close(self) -> None:
        """Give the window's memory back."""
        self._window.Finalize()

    def _render(self, shift_px: tuple[float, float]) -> None:
        x, y = self._size[0] / 2 + shift_px[0], self._size[1] / 2 - shift_px[1]
        self._camera.SetPosition(x, y, 2.0)
        self._camera.SetFocalPoint(x, y, 0.0)
        self._camera.SetClippingRange(1.0, 2.0)
        self._window.Render()

    def _check(self) -> None:
        """Draw a triangle over the whole image and see whether it is there."""
        far = 4.0 * max(self._size)
        corners = np.array([[-far, -far, 0.5], [far, -far, 0.5], [0.0, far, 0.5]])
        self.put("check", Projected(corners, np.array([[0, 1, 2]]), np.zeros(4)), np.full((3, 3), 200, np.uint8))
        colour, depth = self.draw((0, 0, 1, 1))
        self.remove("check")
        if colour[0, 0, 0] != 200 or not np.isclose(depth[0, 0], 2 * NEAR_M):
            raise MissingDependencyError(
                "the graphics library cannot draw off-screen here", expected="OpenGL 3.2, such as Mesa's llvmpipe"
            )


class _Layer:
    def __init__(self, vtk: dict[str, Any]) -> None:
        self._vtk = vtk
        self._data = vtk["vtkCommonDataModel"].vtkPolyData()
        self._faces: NDArray[np.int64] | None = None
        mapper = vtk["vtkRenderingCore"].vtkPolyDataMapper()
        mapper.SetInputData(self._data)
        self.actor = vtk["vtkRenderingCore"].vtkActor()
        self.actor.SetMapper(mapper)
        self.actor.GetProperty().SetLighting(False)

    def put(self, projected: Projected, colours: NDArray[np.uint8], height_px: int) -> None:
        # VTK's pixel (0, 0) is at the bottom left and its middle at (0.5, 0.5).
        xyz = projected.xyq * [1.0, -1.0, 1.0] + [0.5, height_px - 0.5, 0.0]
        support = self._vtk["util.numpy_support"]
        points = self._vtk["vtkCommonCore"].vtkPoints()
        points.SetData(support.numpy_to_vtk(xyz.astype(np.float32), deep=True))
        self._data.SetPoints(points)
        if projected.faces is not self._faces:
            self._faces = projected.faces
            polygons = self._vtk["vtkCommonDataModel"].vtkCellArray()
            starts = np.arange(0, 3 * len(self._faces) + 1, 3, dtype=np.int64)
            to_ids = support.numpy_to_vtkIdTypeArray
            polygons.SetData(to_ids(starts, deep=True), to_ids(self._faces.ravel(), deep=True))
            self._data.SetPolys(polygons)
        self._data.GetPointData().SetScalars(support.numpy_to_vtk(np.ascontiguousarray(colours), deep=True))


def project_mesh(camera: PinholeCamera, mesh: Mesh) -> Projected:
    """`project` of a mesh."""
    return project(camera, mesh.vertices, mesh.faces)


def _load() -> dict[str, Any]:
    """The parts of VTK, which comes with pyvista, that are needed, by name."""
    names = ("vtkCommonCore", "vtkCommonDataModel", "vtkRenderingCore", "vtkRenderingOpenGL2", "util.numpy_support")
    try:
        parts: dict[str, Any] = {name: importlib.import_module(f"vtkmodules.{name}") for name in names}
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("vtkmodules")
        problem = "is not installed" if missing else f"cannot be imported ({error})"
        raise MissingDependencyError(
            f"VTK is needed to draw pictures and {problem}", expected="pip install gocv[sim]"
        ) from error
    # Without a display VTK says on standard error that it falls back to EGL, which is what is wanted.
    parts["vtkCommonCore"].vtkLogger.SetStderrVerbosity(parts["vtkCommonCore"].vtkLogger.VERBOSITY_OFF)
    return parts
