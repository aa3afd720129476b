"""google-genai's own tests of batches, files, pictures and tokens, as they ship in the installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from chargen.emulator import launch
from clients import Outcome, Table

pytestmark = pytest.mark.soak
MODELS = (
    "compute_tokens count_tokens edit_image embed_content generate_content_image_generation "
    "generate_content_media_resolution generate_content_part generate_images get list recontext_image segment_image"
)
SHARED = "compute_tokens count_tokens edit_image embed generate_images list recontext_image segment_image"
SUITES = (
    "tests/batches",
    "tests/files",
    "tests/shared/batches",
    "tests/shared/files",
    *(f"tests/models/test_{name}.py" for name in MODELS.split()),
    *(f"tests/shared/models/test_{name}.py" for name in SHARED.split()),
)
PICTURES = (
    "a-man-and-a-dog.png",
    "bridge1.png",
    "checkerboard.png",
    "dog.jpg",
    "google.jpg",
    "google.png",
    "google_homepage.png",
    "man.jpg",
    "segmentation_scribble.jpg",
    "skateboard_stop_sign.jpg",
)
# Not run: they go to addresses of Google's that they name.
ELSEWHERE = {
    "models/test_count_tokens::test_count_tokens_vertex_custom_url": "goes to an address of Google's that it names",
    "models/test_count_tokens::test_count_tokens_mldev_custom_url": "goes to an address of Google's that it names",
    "models/test_generate_content_media_resolution::test_low_media_resolution": (
        "goes to an address of Google's that it names"
    ),
}
# What does not pass, and why; each of them must still fail, so that the reasons stay true.
_TUNED = "tuned models are not emulated (501)"
_REGISTER = "registering cloud-storage files is not emulated (501)"
_MOCK = "the test's own mock of the transport fails; no server is asked"
LEFT_OUT = {
    "files/test_download::test_name_transform_name": "the client reads names in https addresses only",
    "files/test_register::test_async_multiple_uris": _MOCK,
    "files/test_register::test_async_quota_project": _MOCK,
    "files/test_register::test_async_single": _MOCK,
    "files/test_register::test_async_token_refresh": _MOCK,
    "files/test_register_table::test_async": _REGISTER,
    "files/test_register_table::test_register": _REGISTER,
    "models/test_generate_content_part::test_empty_part": "the API was recorded refusing an empty text",
    "models/test_generate_content_part::test_from_function_call_response": "asks for what a real model would say",
    "models/test_generate_content_part::test_image_base64_stream_async": "streaming is not emulated (501)",
    "models/test_get::test_async_get_tuned_model": _TUNED,
    "models/test_get::test_get_mldev_tuned_model": _TUNED,
    "models/test_list::test_tuned_models": _TUNED,
    "models/test_list::test_tuned_models_async_pager": _TUNED,
    "models/test_list::test_tuned_models_with_filter": _TUNED,
}


def _suite(folder: Path) -> Path:
    """A copy of the package with stand-ins for the media files that its tests read and that do not ship with it."""
    spec = find_spec("google.genai")
    if spec is None or spec.origin is None:
        pytest.fail("google-genai is not installed")
    source = Path(spec.origin).parent
    if not (source / "tests" / "batches").is_dir():
        pytest.fail("this google-genai ships without its tests")
    if find_spec("pytest_asyncio") is None or find_spec("aiohttp") is None:
        pytest.fail("pytest-asyncio and aiohttp are needed: install chargen with the extra `soak`")
    copy = folder / "genai"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    data = copy / "tests" / "data"
    data.mkdir(exist_ok=True)
    for name in PICTURES:
        Image.new("RGB", (64, 32), "teal").save(data / name)
    for name in ("story.pdf", "story.txt", "animal.mp4", "pixel.m4a", "voice_sample.wav"):
        (data / name).write_bytes(b"stand-in")
    return copy


def _run(suite: Path, url: str) -> tuple[str, list[str], list[str]]:
    """What pytest printed, and which tests passed and failed, as ``files/test_get::test_name``."""
    environment = {
        **os.environ,
        "GOOGLE_API_KEY": "conformance",
        "GOOGLE_GEMINI_BASE_URL": url,
        "GOOGLE_GENAI_RUN_GEMINI_ONLY_IN_API_MODE": "1",
        "GOOGLE_GENAI_REPLAYS_DIRECTORY": str(suite.parent / "replays"),
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONSAFEPATH": "1",  # the package has a types.py that must not hide the standard library's
    }
    report = suite.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-p", "suite_plugin", "-p", "no:cacheprovider", "--mode", "api"]
    command += ["-q", "-rfE", "--tb=short", "-W", "ignore", f"--junitxml={report}"]
    command += [f"--deselect=tests/{name.replace('::', '.py::')}" for name in ELSEWHERE]
    command += SUITES
    run = subprocess.run(command, cwd=suite, env=environment, capture_output=True, text=True, check=False)
    passed, failed = [], []
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = case.get("classname", "").split("tests.", 1)[-1].replace(".", "/")
        test = f"{name}::{case.get('name', '').split('[')[0]}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(test)
        elif case.find("skipped") is None:
            passed.append(test)
    return run.stdout + run.stderr, passed, sorted(set(failed))


def test_google_genai_suite(tmp_path: Path, table: Table) -> None:
    """Every test of the suites that is not left out with a reason passes; every one that is still fails."""
    suite = _suite(tmp_path)
    state = tmp_path / "state"
    options = ["--also-serve", "gemini-2.5-flash", "--also-serve", "gemini-2.5-flash-image", "--strictness", "loose"]
    url = launch.ensure(state, [*options, "--job-polls", "1", "--idle-exit", "300"])
    try:
        output, passed, failed = _run(suite, url)
    finally:
        launch.stop(state)

    assert sorted(LEFT_OUT) == failed, output
    runs = "its own tests of batches, files, pictures, tokens and models (`--mode api`)"
    table.add(Outcome("google-genai", version("google-genai"), runs, len(passed), LEFT_OUT | ELSEWHERE, "loose"))
