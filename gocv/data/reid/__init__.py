"""Person re-identification data: pictures of people with their numbers and cameras, in training, query and gallery."""

from gocv.data.reid.folders import read_cuhk03, read_dukemtmc, read_folder, read_market1501
from gocv.data.reid.msmt17 import read_msmt17
from gocv.data.reid.pictures import ReidDataset, ReidPictures
from gocv.data.reid.protocol import read_protocol
from gocv.data.reid.published import check_published, unmatched_queries
from gocv.data.reid.read import read_reid

__all__ = [
    "ReidDataset",
    "ReidPictures",
    "check_published",
    "read_cuhk03",
    "read_dukemtmc",
    "read_folder",
    "read_market1501",
    "read_msmt17",
    "read_protocol",
    "read_reid",
    "unmatched_queries",
]
