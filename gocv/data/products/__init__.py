"""Pictures of products: of catalogues, in hands, on shelves."""

from gocv.data.products.gaze import read_gaze
from gocv.data.products.grocerystore import read_grocerystore
from gocv.data.products.pictures import UNKNOWN, ProductDataset, ProductPictures, middle_crop
from gocv.data.products.shelves import read_catalogue, read_shelf_labels, read_shelves

__all__ = [
    "UNKNOWN",
    "ProductDataset",
    "ProductPictures",
    "middle_crop",
    "read_catalogue",
    "read_gaze",
    "read_grocerystore",
    "read_shelf_labels",
    "read_shelves",
]
