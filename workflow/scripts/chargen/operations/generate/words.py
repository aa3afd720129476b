"""The plan of the pictures of scenes as text."""

from __future__ import annotations

from collections.abc import Iterator

from chargen.operations.words import about, done_of, entities_in, lines_of_paid, money, plural, to_paste
from chargen.planning.scene_plans import ScenePlan
from chargen.records.settings import Settings


def headline(plan: ScenePlan) -> str:
    """Return the one line: how many images, for whom, in how many batches, done, in flight, and about what cost."""
    counts = plan.counts()
    if not counts.to_make:
        return f"0 images to make, {done_of(plan)}, of {counts.wanted} wanted"
    making = {task.wish.target.rsplit("/", 1)[0] for task in plan.tasks}
    making |= {item.item.scene.entity for item in plan.deferred}
    batches = f" in {plural(len(plan.batches), 'batch', 'batches')}" if plan.batches else ""
    images = plural(counts.to_make, "image", "images")
    return f"{images} for {entities_in(making)}{batches}, {done_of(plan)}, {about(plan)}"


def standing_lines(plan: ScenePlan, settings: Settings) -> Iterator[str]:
    """Yield what else should be known of where the pictures stand, with the commands that order them."""
    counts = plan.counts()
    if plan.deferred:
        wait = "waits" if len(plan.deferred) == 1 else "wait"
        yield f"  {len(plan.deferred)} of them {wait} for a picture of this run and will be sent in a later wave"
    if counts.adopted:
        yield f"  {counts.adopted} of the done pictures adopted: made without chargen"
    yield from lines_of_paid(plan)
    if cuts := plan.cut_counts():
        what = ", ".join(f"{part} in {number:,}" for part, number in cuts.items())
        yield f"  cut to fit, in how many prompts: {what}"
    if counts.stale:
        price = sum(stale.cost_usd for stale in plan.stale)
        why = "style, references or model changed"
        yield f"  {counts.stale} out of date (stale): {why}; to order them, about {money(price)}:"
        yield to_paste(settings, "scenes=*", "state=stale")
    if recomposed := counts.recomposed:
        price = sum(item.cost_usd for item in plan.recomposed)
        why = "their prompts change, but only with this version (recomposed)"
        yield f"  {recomposed} are up to date: {why}; to order them, about {money(price)}:"
        yield to_paste(settings, "scenes=*", "state=recomposed")
    if counts.missing:
        yield f"  {counts.missing} missing: the file is gone; to order them again, about {money(plan.missing_usd)}:"
        yield to_paste(settings, "scenes=*", "state=missing")
    if counts.failed:
        yield f"  {counts.failed} failed: edit their prompts, or order them again as they are:"
        yield to_paste(settings, "scenes=*", "state=failed")
    if counts.blocked:
        yield f"  {counts.blocked} cannot be sent, see the errors"
