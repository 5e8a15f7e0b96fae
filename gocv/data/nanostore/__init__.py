"""Readers of the AutoCheckout competition's data (CPS-IoT Week 2020; AiFi NanoStore) in all its forms.

`datasets/nanostore.md` says what it is and where to get it.
"""

from gocv.data.nanostore.archive import archive_namespaces, is_archive, read_archive
from gocv.data.nanostore.catalogue import Barcodes, read_planogram, read_product_table, read_products
from gocv.data.nanostore.convert import convert_nanostore
from gocv.data.nanostore.document import Document
from gocv.data.nanostore.documents import read_documents
from gocv.data.nanostore.labels import LabelledEvent, Labels, read_labels
from gocv.data.nanostore.layout import read_layout
from gocv.data.nanostore.plates import PlateMessage, read_plate_message, stream_samples
from gocv.data.nanostore.targets import Sightings
from gocv.data.nanostore.truth import truth_of

__all__ = [
    "Barcodes",
    "Document",
    "LabelledEvent",
    "Labels",
    "PlateMessage",
    "Sightings",
    "archive_namespaces",
    "convert_nanostore",
    "is_archive",
    "read_archive",
    "read_documents",
    "read_labels",
    "read_layout",
    "read_planogram",
    "read_plate_message",
    "read_product_table",
    "read_products",
    "stream_samples",
    "truth_of",
]
