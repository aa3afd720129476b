"""The behaviours as tables of Markdown, between two marks in a page."""

from __future__ import annotations

from pathlib import Path

from conformance.document import Behaviour, Collection

BEGIN = "<!-- behaviours: written by `python -m conformance --write-table`; edit conformance/behaviours instead -->"
END = "<!-- end of behaviours -->"
_LIVE = {"free": "free", "if_taken": "free if refused", "paid": "costs", "unknown": "price unknown"}


def page(collection: Collection) -> str:
    """The generated part of a page, both marks included."""
    seen = sum(item.seen_live for item in collection.behaviours)
    kinds = ", ".join(f"{count} {kind}" for kind, count in collection.per_kind().items())
    judges = collection.per_judge()
    lines = [
        BEGIN,
        "",
        f"{len(collection.behaviours)} behaviours. Sources: {kinds} (one behaviour may have several). The emulator is "
        f"asked about {judges['emulator']}, recordings about {judges['recording']}; the real API can be asked about "
        f"{judges['live']}, and {seen} were ever seen there.",
        "",
    ]
    for group in collection.groups().values():
        lines += [
            f"### {group[0].title}",
            "",
            "| what the API does | sources | live | last seen live |",
            "|---|---|---|---|",
        ]
        lines += [_row(collection, item) for item in group]
        lines.append("")
    return "\n".join([*lines, END])


def _row(collection: Collection, item: Behaviour) -> str:
    links = []
    for name in item.sources:
        source = collection.sources[name]
        text = f"{source.kind} {source.date}"
        links.append(f"[{text}]({source.link})" if source.link.startswith("http") else f"{text} (`{source.link}`)")
    live = _LIVE[item.cost.kind] if "live" in item.judges else "cannot be asked"
    emulated = "" if "emulator" in item.judges else " *Not emulated.*"
    says = " ".join(item.says.split()).replace("|", "\\|")
    return f"| {says}{emulated} | {', '.join(links)} | {live} | {item.last_seen_live} |"


def with_table(text: str, collection: Collection) -> str:
    """*text* with what stands between the marks replaced. Raises ValueError when the marks are not there."""
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"must hold the lines {BEGIN} and {END}")
    return text[:begin] + page(collection) + text[end + len(END) :]


def write(file: Path, collection: Collection) -> bool:
    """Bring the table in *file* up to date; whether it changed."""
    text = file.read_text(encoding="utf-8")
    new = with_table(text, collection)
    if new != text:
        file.write_text(new, encoding="utf-8")
    return new != text
