"""Licences of single files from Debian's machine-readable copyright files (the format called DEP-5)."""

import fnmatch
import re
from typing import NamedTuple


class FileLicence(NamedTuple):
    """What a copyright file says of one file: licence's short name, holders and where it came from."""

    licence: str
    holders: str
    comment: str


class CopyrightFile:
    """The "Files" paragraphs of a copyright file; the last one that matches a file holds for it."""

    def __init__(self, text: str) -> None:
        """Parse; paragraphs without a "Files" field are passed over."""
        self._rules: list[tuple[re.Pattern[str], FileLicence]] = []
        for paragraph in re.split(r"\n\s*\n", text):
            fields = _fields(paragraph)
            if "files" not in fields:
                continue
            licence = FileLicence(
                fields.get("license", "").split("\n")[0].strip(),
                " ".join(fields.get("copyright", "").split()),
                " ".join(fields.get("comment", "").split()),
            )
            for pattern in fields["files"].split():
                self._rules.append((re.compile(fnmatch.translate(_stem(pattern))), licence))

    def of(self, path: str) -> FileLicence | None:
        """What is said of the file at `path` of the source package; its suffix does not count.

        Builds convert pictures (gcompris' JPEG and PNG files are packed as WebP), so stems are compared.
        """
        found = None
        for pattern, licence in self._rules:
            if pattern.match(_stem(path)):
                found = licence
        return found


def _stem(path: str) -> str:
    return re.sub(r"\.(jpe?g|png|webp|gif|svg)$", "", path, flags=re.IGNORECASE)


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.split("\n"):
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
