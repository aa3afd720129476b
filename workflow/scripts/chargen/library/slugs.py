"""Names that identify: folder names, scene ids, and ids made from titles."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

from chargen.library.folders import is_utf8, same_name

MAX_ID = 80
MAX_FOREIGN_ID = 160
MAX_FOLDER = 100
MAX_COMPARED = 2000
"""Names that something misspelt is compared with: more take too long."""

_RUN = re.compile(r"[^a-z0-9]+")
_ID = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{MAX_ID - 1}}}")
_FOREIGN_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_FOREIGN_ID - 1}}}")
_VARIATION_END = re.compile(r"_c\d+\Z")
_FORBIDDEN = frozenset('/\\@*?[]{}<>:|"')


def slug(text: str) -> str:
    """*text* without accents, in lower case, every run of other signs than ``a-z0-9`` one dash, none at the ends."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return _RUN.sub("-", bare.lower()).strip("-")


def id_fault(scene_id: str) -> str:
    """What is wrong with an id in our own format; ``""`` if nothing is."""
    if _VARIATION_END.search(scene_id):
        return "an id must not end in _c and a number, which marks variations"
    if not _ID.fullmatch(scene_id):
        return f"an id is 1 to {MAX_ID} of a-z, 0-9, '.', '_' and '-', and starts with a letter or digit"
    return ""


def foreign_id(written: str) -> str:
    """The scene id for an id of a file that was not written for us: itself if it is safe, else its slug."""
    if _FOREIGN_ID.fullmatch(written) and not _VARIATION_END.search(written):
        return written
    return slug(written)[:MAX_FOREIGN_ID].rstrip("-")


def title_id(title: str) -> str:
    """The id of a scene that has only a title; ``""`` if no letter or digit of it is usable."""
    return slug(title)[:MAX_ID].rstrip("-")


def folder_fault(name: str) -> str:
    """Why a folder cannot be an entity; ``""`` if it can. Any script's letters will do, hidden signs will not."""
    if not is_utf8(name):
        return "its name is not UTF-8"
    if name.startswith("."):
        return "its name starts with a dot"
    if len(name) > MAX_FOLDER or len(name.encode(errors="replace")) > 2 * MAX_FOLDER:
        return f"its name is longer than {MAX_FOLDER} characters"
    if name != name.strip():
        return "its name starts or ends with a space"
    if any(unicodedata.category(sign)[0] == "C" or unicodedata.category(sign) in {"Zl", "Zp"} for sign in name):
        return "its name contains control or invisible characters"
    if bad := sorted(_FORBIDDEN.intersection(name)):
        return f"its name contains {' '.join(bad)}"
    return ""


def is_slug_like(text: str) -> bool:
    """Whether *text* could name an entity rather than describe people in words."""
    return bool(text) and not any(sign.isspace() for sign in text) and "/" not in text and not folder_fault(text)


def match_zone(written: str, zones: list[str] | tuple[str, ...]) -> str:
    """The zone id that *written* names: itself, or the only id that ends in ``-written``; ``""`` if there is none."""
    if written in zones:
        return written
    if not written.isascii():
        written = next((zone for zone in zones if same_name(zone) == same_name(written)), written)
        if written in zones:
            return written
    ends = [zone for zone in zones if written and zone.endswith(f"-{written}")]
    return ends[0] if len(ends) == 1 else ""


def nearest(written: str, names: Iterable[str]) -> str:
    """The one of *names* that was probably meant: in other letter case, else the most similar one; ``""`` for none."""
    known = list(names)
    folded = same_name(written).casefold()
    same = next((name for name in known if same_name(name).casefold() == folded), "")
    if same or len(known) > MAX_COMPARED:
        return same
    return next(iter(difflib.get_close_matches(written, known, 1)), "")
