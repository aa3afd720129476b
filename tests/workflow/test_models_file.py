"""Models, sizes and ratios are added in models.yaml and nowhere else."""

from __future__ import annotations

from chargen.emulator import launch
from chargen.pictures.formats import verify_file
from conftest import ROOT, Project

NEW_MODEL = """image_models:
  gemini-9-image:
    state: current
    sizes:
      768: {usd: 0.5, tokens: 700}
    ratios: wide
    references: 3
    quota: image
"""


def test_a_new_model_size_and_ratio_need_no_code(project: Project) -> None:
    """What only a models.yaml of one's own knows is planned, sent, answered, placed and counted like anything else."""
    models = (ROOT / "config" / "models.yaml").read_text("utf-8")
    models = models.replace("image_models:\n", NEW_MODEL, 1).replace(
        "ratio_sets:\n", 'ratio_sets:\n  wide: ["7:3"]\n', 1
    )
    (project.folder / "models.yaml").write_text(models)
    project.entity(
        "characters/tobi-ferrow",
        """
        name: Tobi Ferrow
        scenes:
          - {id: far-view, prompt: Tobi on the pier., model: gemini-9-image, image_size: 768, aspect_ratio: 7:3}
        """,
    )
    project.config |= {
        "only": "character/tobi-ferrow/*",
        "base_url": "",
        "emulator": {"job_s": 0, "idle_exit_s": 60},
        "models_file": "models.yaml",
    }
    try:
        project.run()
    finally:
        launch.stop(project.folder / "state" / "emulator-server")

    (task,) = project.report()["tasks"]
    assert ("applied", "768", [], 0.25) == (task["outcome"], task["image_size"], task["notes"], task["cost_usd"])
    info = verify_file(next(project.library.glob("*/tobi-ferrow/images/far-view.*")))
    assert (1176, 504) == (info.width, info.height)
