"""Multi-object tracking data: the text files and folders of MOTChallenge, and what else holds true tracks."""

from gocv.data.mot.cvml import read_cvml
from gocv.data.mot.folder import MotFolder, mot_folders, write_seqinfo
from gocv.data.mot.images import ImageFolder
from gocv.data.mot.rows import MotRows, as_detections
from gocv.data.mot.text import read_mot, write_annotations, write_detections, write_mot

__all__ = [
    "ImageFolder",
    "MotFolder",
    "MotRows",
    "as_detections",
    "mot_folders",
    "read_cvml",
    "read_mot",
    "write_annotations",
    "write_detections",
    "write_mot",
    "write_seqinfo",
]
