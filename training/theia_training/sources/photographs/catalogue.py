"""Which packages hold photographs, which of their files are some, and under which licence.

Every pattern was checked by eye on contact sheets: paintings, drawings, renderings, abstract wallpapers,
maps, icons and puzzle pieces are left out. Packages are those of Debian 12.
"""

import fnmatch
from dataclasses import dataclass

from theia_core.errors import TheiaError
from theia_training.sources.photographs.debian import DebianPackage


@dataclass(frozen=True)
class PhotoPackage:
    """The photographs of one package.

    Attributes:
        package: the Debian package.
        short: what its photographs' names begin with.
        licence: of a file of which the package's copyright file says nothing else.
        include: patterns of paths; for files in an RCC container, of the path inside it.
        exclude: patterns of paths that are no photographs all the same.
        prefix: how an installed path becomes one of the source package: this beginning is replaced by that.
        cutouts: whether these are objects on a transparent background, which get a plain one.
        min_side_px: smaller pictures are left out.
    """

    package: DebianPackage
    short: str
    licence: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    prefix: tuple[str, str] = ("", "")
    cutouts: bool = False
    min_side_px: int = 160

    def __post_init__(self) -> None:
        """Refuse an entry that could never give a photograph."""
        if not self.include:
            raise TheiaError(f"the entry of {self.package.name} includes no path; name its photographs")

    def wants(self, path: str) -> bool:
        """Whether the file at `path` is one of the photographs."""
        return any(fnmatch.fnmatchcase(path, p) for p in self.include) and not any(
            fnmatch.fnmatchcase(path, p) for p in self.exclude
        )

    def source_path(self, path: str) -> str:
        """The path in the source package that its copyright file speaks of."""
        old, new = self.prefix
        return new + path[len(old) :] if path.startswith(old) else path


_GCOMPRIS = "/gcompris/src/activities"
_STAMPS = "usr/share/tuxpaint/stamps"
_PLASMA = "usr/share/wallpapers"

# What must be known of a package's statements, by package.
LICENCE_NOTES = {
    "gcompris-qt-data": "The copyright file of gcompris-qt-data numbers the fishes of `categorization` as an "
    "earlier release did; where its line does not fit a picture, the package's own GPL-3+ holds.",
}

TRAINING: tuple[PhotoPackage, ...] = (
    PhotoPackage(
        DebianPackage(
            "gcompris-qt-data",
            "3.1-2",
            "e9cf06ab2105529068df73085784e835d2ff03f870d2a8091f09125d40abac9f",
            "pool/main/g/gcompris-qt",
        ),
        "gcompris",
        "GPL-3+",
        include=(
            f"{_GCOMPRIS}/categorization/resource/images/*.webp",
            f"{_GCOMPRIS}/clickgame/resource/sea*.webp",
            f"{_GCOMPRIS}/details/resource/image/*_background.webp",
            f"{_GCOMPRIS}/erase/resource/*.webp",
            f"{_GCOMPRIS}/explore_*/resource/*.webp",
            f"{_GCOMPRIS}/louis-braille/resource/img/*.webp",
        ),
        exclude=(
            "*/alphabets/*",
            "*/numbers/*",
            "*Gogh*",
            "*/Eglise_dAuvers*",
            "*/PortraitOfPere*",
            "*/louis-braille/*/louis.webp",
            "*/louis-braille/*/night_printing.webp",
            "*/louis-braille/*/chart.webp",
        ),
        prefix=("/gcompris/", ""),
    ),
    PhotoPackage(
        DebianPackage(
            "lomiri-wallpapers-16.04",
            "20.04.0-2",
            "a99ff6a3bfe451e4cc0682ecb3cc82e71740626d59e4845ae34a0a0e45421eab",
            "pool/main/l/lomiri-wallpapers",
        ),
        "lomiri",
        "CC-BY-SA-4.0",
        include=("usr/share/backgrounds/*.jpg",),
        exclude=("*/umang_*", "*/analogpattern_*"),
        prefix=("usr/share/backgrounds/", "16.04/"),
    ),
    PhotoPackage(
        DebianPackage(
            "lomiri-wallpapers-20.04",
            "20.04.0-2",
            "d44e89b8473aafe64a5b678f014862dc31335aaaf18665c544d985d854f1a709",
            "pool/main/l/lomiri-wallpapers",
        ),
        "lomiri",
        "CC-BY-SA-3.0",
        include=("usr/share/backgrounds/Kleiber_*.jpg",),
        prefix=("usr/share/backgrounds/", "20.04/"),
    ),
    PhotoPackage(
        DebianPackage(
            "mate-backgrounds",
            "1.26.0-1",
            "7bf4c2209f34b4f61ba6d24c8b58c28b361e82e4b943aae6d42c030169af9e04",
            "pool/main/m/mate-backgrounds",
        ),
        "mate",
        "GPL-2+",
        include=("usr/share/backgrounds/mate/nature/*.jpg",),
        prefix=("usr/share/backgrounds/mate/", ""),
    ),
    PhotoPackage(
        DebianPackage(
            "palapeli-data",
            "4:22.12.3-1",
            "69a15dce2ac25ed8708ac518cd0cee5f4eb0c70ed15da2fdb8899a19ac0ee058",
            "pool/main/p/palapeli",
        ),
        "palapeli",
        "GPL-2+",
        include=("usr/share/palapeli/collection/*.jpg",),
    ),
    PhotoPackage(
        DebianPackage(
            "plasma-workspace-wallpapers",
            "4:5.27.5-2",
            "32cd18b71c8c938a18b3b351f217c02ac590e323caa3cf322fbb875ce8892f8b",
            "pool/main/p/plasma-workspace-wallpapers",
        ),
        "plasma",
        "GPL-2+",
        include=tuple(
            f"{_PLASMA}/{name}/contents/images/2560x1600.jpg"
            for name in (
                "BytheWater",
                "ColdRipple",
                "ColorfulCups",
                "DarkestHour",
                "EveningGlow",
                "FallenLeaf",
                "Grey",
                "Kite",
                "OneStandsOut",
                "Path",
                "summer_1am",
            )
        ),
    ),
    PhotoPackage(
        DebianPackage(
            "scratch",
            "1.4.0.6~dfsg1-6.1",
            "36c582eb93110f64f06c4e685c41e933ccba2fa68db12f79b10bfe840b21fc10",
            "pool/main/s/scratch",
        ),
        "scratch",
        "CC-BY-SA-3.0",
        include=("usr/share/scratch/Media/Backgrounds/*/*.jpg", "*/Backgrounds/Nature/flowers.gif"),
        exclude=tuple(
            f"*/Backgrounds/{name}"
            for name in (
                "Indoors/hall.jpg",
                "Indoors/party-room.jpg",
                "Indoors/room?.jpg",
                "Indoors/spotlight-stage.jpg",
                "Nature/woods-and-bench.jpg",
                "Outdoors/graffiti.jpg",
                "Outdoors/school2.jpg",
            )
        ),
        prefix=("usr/share/scratch/", ""),
    ),
    PhotoPackage(
        DebianPackage(
            "tuxpaint-stamps-default",
            "2022.06.04-1",
            "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
            "pool/main/t/tuxpaint-stamps",
        ),
        "stamps",
        "GPL-2",
        include=tuple(
            f"{_STAMPS}/{name}/*.png"
            for name in (
                "animals",
                "food",
                "hobbies",
                "household",
                "medical",
                "people/toys",
                "plants",
                "sports",
                "town/monuments",
                "vehicles",
            )
        ),
        exclude=(
            "*cartoon*",
            "*_mirror.png",
            "*_flip.png",
            "*/animals/fish/stripedfish.png",
            "*/animals/insects/bee.png",
            "*/animals/insects/fly.png",
            "*/animals/mammals/aquatic/whale.png",
            "*/animals/mammals/hedgehog.png",
            "*/food/pizza.png",
            "*/medical/tooth.png",
            "*/sports/rugby_goal_post*.png",
            "*/town/monuments/inukshuk-outline.png",
            "*/vehicles/emergency/sedan_police.png",
        ),
        cutouts=True,
        min_side_px=48,
    ),
)
