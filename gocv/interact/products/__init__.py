"""Which product is in a picture: vectors, and a gallery of pictures of each product.

What learns needs torch and stands in the modules `training`, `model`, `losses`, `pictures` and `export`.
"""

from gocv.interact.products.config import ProductModelConfig
from gocv.interact.products.encoder import ProductEncoder
from gocv.interact.products.gallery import ProductGallery, ProductMatches, gallery_of
from gocv.interact.products.likelihood import ProductLikelihood, Trial, fit_likelihood

__all__ = [
    "ProductEncoder",
    "ProductGallery",
    "ProductLikelihood",
    "ProductMatches",
    "ProductModelConfig",
    "Trial",
    "fit_likelihood",
    "gallery_of",
]
