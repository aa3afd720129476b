"""`doctor` and `init`: a first hour that goes well, and words for what does not."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace

import pytest

import builders
from chargen.base.capabilities import capabilities
from chargen.base.errors import ChargenError
from chargen.library.load import load_library
from chargen.operations.generate.plan import make_plan
from chargen.providers.gemini.checks import Answer, check_privacy, clock, questions
from chargen.records import settings as config
from chargen.records.setting_groups import ModelChoice
from chargen.records.state import RunFiles, State
from chargen.screens import doctor, init
from chargen.screens.checks import machine
from chargen.screens.checks.findings import Finding
from chargen.screens.checks.library import check_library
from chargen.screens.checks.machine import check_library_lock, check_locks
from chargen.screens.checks.models import check_models, models_in_use
from chargen.screens.checks.setup import check_key, check_profile
from chargen.screens.screen import Screen, plain

SECRET = "AIza-very-secret"


GEMINI = capabilities("gemini")


def ask_about(settings, ask):
    """What the API is asked about the models of *settings*."""
    return questions(settings, models_in_use(settings), "http://api", ask)


@pytest.fixture
def settings(tmp_path):
    return builders.settings(tmp_path)


def levels(findings):
    return [finding.level for finding in findings]


def test_a_new_library_has_no_problem_and_wants_pictures(settings, tmp_path):
    """What init makes is read without an error or warning, and plans at once."""
    init.make(tmp_path / "story", tmp_path)

    library = load_library(tmp_path / "story")
    plan = make_plan(settings)

    assert ((), ()) == (library.problems, library.broken)
    assert {"character/ada-thornfield", "location/lantern-quay", "chapter/ch01-first-light"} == set(library.entities)
    assert ([], 4) == (plan.problems, plan.counts().to_make)


def test_init_never_overwrites(tmp_path):
    """A library that is there and a .env that is there keep every byte; a second call changes nothing."""
    (tmp_path / "story" / "characters").mkdir(parents=True)
    (tmp_path / ".env").write_text("GEMINI_API_KEY=mine\n")

    made = init.make(tmp_path / "story", tmp_path)

    assert (True, True, ()) == (made.was_there, made.env_was_there, made.made)
    assert [".env", "characters", "story"] == sorted(path.name for path in tmp_path.rglob("*"))
    assert "GEMINI_API_KEY=mine\n" == (tmp_path / ".env").read_text()


def test_the_env_file_is_private_and_holds_no_key(tmp_path):
    """Only its owner can read it, and nothing in it counts as a key."""
    init.make(tmp_path / "story", tmp_path)

    assert 0o600 == (tmp_path / ".env").stat().st_mode & 0o777
    assert ["ok"] == levels(check_key(builders.settings(tmp_path), {}))


def test_init_refuses_examples_files_and_the_working_directory(tmp_path):
    """It says where a library may be."""
    (tmp_path / "file").write_text("x")
    for library in (tmp_path / "file", tmp_path):
        with pytest.raises(ChargenError, match="my-story"):
            init.make(library, tmp_path)
    example = builders.settings(tmp_path, library=str(config.schema.ROOT / "examples" / "saltmere"))
    with pytest.raises(ChargenError, match="my-story"):
        init.run(example, State.of(example), RunFiles(tmp_path), Screen(False, io.StringIO()))


def test_the_next_steps_are_told(settings, tmp_path):
    """The commands carry the library's name, quoted for the shell."""
    given = ("library=my story",)
    named = replace(settings, library=str(tmp_path / "my story"), given=given)
    made = init.make(tmp_path / "my story", tmp_path)

    lines = [plain(line) for line in init.lines(made, named, 80)]

    assert "    snakemake -n generate_all --config library='my story'" in lines


def test_the_key_is_named_by_its_variable_and_never_shown(tmp_path):
    """Which variable and from where; the environment goes before .env, and what differs is warned of."""
    (tmp_path / ".env").write_text("GOOGLE_API_KEY=another-secret\n")
    (tmp_path / ".env").chmod(0o644)

    findings = list(check_key(builders.settings(tmp_path, provider="gemini"), {"GEMINI_API_KEY": SECRET}))

    text = " ".join(f"{finding.says} {finding.advice}" for finding in findings)
    assert ["ok", "warning", "warning"] == levels(findings)
    assert "GEMINI_API_KEY from the environment" == findings[0].says
    assert "secret" not in text


@pytest.mark.parametrize(("provider", "level"), [("gemini", "error"), ("emulator", "ok")])
def test_no_key_is_an_error_only_where_one_is_needed(tmp_path, provider, level):
    """The emulator needs none."""
    assert [level] == levels(check_key(builders.settings(tmp_path, provider=provider), {}))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200), [("ok", "api")]),
        (Answer(0, "ConnectError"), [("error", "api")]),
        (Answer(400, "API key not valid"), [("error", "api")]),
        (Answer(503, "overloaded"), [("warning", "api")]),
        (Answer(404, "no such model"), [("ok", "api"), ("error", "models"), ("error", "models")]),
    ],
)
def test_what_the_api_says_is_told_in_words(settings, answer, expected):
    """Accepted, not reachable, refused, in trouble, or without the model: each with what to do."""
    models = {"generate": settings.models["generate"]}
    findings = list(ask_about(replace(settings, models=models), lambda path: answer))

    assert expected == [(finding.level, finding.about) for finding in findings]
    assert all(finding.advice for finding in findings if finding.level == "error")


@pytest.mark.parametrize(("seconds", "level"), [(5, "ok"), (-90, "warning"), (3600, "error")])
def test_a_wrong_clock_is_found(seconds, level):
    """Measured against the server's Date header."""
    now = dt.datetime(2026, 11, 21, 18, 0, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=seconds)

    assert [level] == levels(clock("Sat, 21 Nov 2026 18:00:00 GMT", now))
    assert [] == list(clock("", now))


def test_retired_and_deprecated_models_are_found(settings):
    """A model that was shut down is an error with its successor; one that will be within 60 days is a warning."""
    chosen = {
        "generate": ModelChoice("gemini-3.1-flash-image", "", 1.0),
        "enhance": ModelChoice("gemini-3-pro-image-preview", "", 1.0),
    }

    def found(today):
        findings = check_models(replace(settings, models=chosen), dt.date.fromisoformat(today))
        return [finding for finding in findings if finding.about == "models"]

    assert ["error", "error"] == levels(found("2026-10-29"))
    assert ["warning", "error"] == levels(found("2026-10-28"))
    assert "is shut down on 2026-10-29, in 1 day" in found("2026-10-28")[0].says
    assert "in 60 days" in found("2026-08-30")[0].says
    assert "is deprecated" in found("2026-08-29")[0].says
    assert "use gemini-nano-banana-2.1 instead" == found("2026-10-28")[0].advice
    assert "gemini-3-pro-image" in found("2026-10-28")[1].says


def test_each_model_in_use_is_asked_about_and_compared(settings, tmp_path):
    """Those configured, their fallbacks and those of scenes; limits that differ from the models file are named."""
    scene = "name: Oda\nscenes:\n  - {id: a, prompt: A., model: gemini-3.1-flash-lite-image}\n"
    (tmp_path / "story" / "characters" / "oda").mkdir(parents=True)
    (tmp_path / "story" / "characters" / "oda" / "imagery.yaml").write_text(scene)
    asked = []
    bodies = {
        "gemini-3-pro-image": {"inputTokenLimit": 131072, "outputTokenLimit": 32768},
        "gemini-nano-banana-2.1": {"inputTokenLimit": 8192},
        "gemini-3.8-flash": {"supportedGenerationMethods": ["generateContent"]},
        "gemini-3.1-flash-lite-image": {"inputTokenLimit": 65536, "outputTokenLimit": "odd"},
    }

    def ask(path):
        asked.append(path.removeprefix("models/"))
        return Answer(200, body=bodies.get(asked[-1], {}))

    findings = [finding for finding in ask_about(settings, ask) if finding.about == "models"]
    said = [f"{finding.level}: {finding.says}" for finding in findings]

    assert {*bodies, "gemini-3.5-flash-lite"} == set(asked)
    assert any("error: gemini-3.8-flash: the API does not accept batches" in line for line in said)
    assert any("the API takes 131,072 tokens in" in line and "says 65,536" in line for line in said)
    assert any("takes 8,192 tokens in, chargen may need 17,180" in line for line in said)
    assert "ok: gemini-3.1-flash-lite-image: available, 65,536 tokens in" in said


def test_settings_that_a_model_does_not_take_are_named(settings):
    """They are not sent, so they cost nothing and change nothing; the default temperature is nobody's wish."""
    chosen = {
        "generate": ModelChoice("gemini-3-pro-image", "", 0.7, thinking_level="low"),
        "analyze": ModelChoice("gemini-3.8-flash", "", 0.2, thinking_level="low", media_resolution="low"),
    }

    found = [f for f in check_models(replace(settings, models=chosen)) if f.level == "warning"]

    assert 2 == len(found)
    assert (
        "models.generate.temperature: 0.7 is not sent, because gemini-3-pro-image does not accept it" == found[0].says
    )
    assert "models.generate.thinking_level: low is not sent, because gemini-3-pro-image takes none" == found[1].says


def test_what_is_kept_where_is_said(tmp_path):
    """Google's logs, its server and this machine, each with how long; asking Google to store is worth a warning."""
    usual = list(check_privacy(builders.settings(tmp_path, provider="gemini")))
    asked = list(check_privacy(builders.settings(tmp_path, provider="gemini", store_requests=True)))
    free = list(check_privacy(builders.settings(tmp_path)))

    assert [["ok", "ok"], ["warning", "ok"], ["ok"]] == [levels(found) for found in (usual, asked, free)]
    assert "up to 55 days" in asked[0].says
    assert "48 hours at most" in usual[1].says and "30 days" in usual[1].says


def test_the_library_is_examined(settings, tmp_path):
    """A missing folder, a broken entity, and pictures that Git LFS has not fetched."""
    missing = list(check_library(settings))
    init.make(tmp_path / "story", tmp_path)
    (tmp_path / "story/locations/lantern-quay/imagery.yaml").write_text("scenes: [\n")
    images = tmp_path / "story/characters/ada-thornfield/images"
    images.mkdir()
    (images / "portrait.jpg").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")

    found = list(check_library(settings))

    assert ["error"] == levels(missing)
    assert "snakemake init" in missing[0].advice
    assert "error" in levels(found)
    assert [finding.says for finding in found if "Git LFS" in finding.says] == [
        "1 picture not downloaded by Git LFS, like characters/ada-thornfield/images/portrait.jpg"
    ]


def test_an_overridden_profile_is_named():
    """Settings of the default profile that are not used are listed; otherwise nothing is."""
    assert ["ok"] == levels(check_profile([]))
    assert ["warning"] == levels(check_profile(["nolock"]))


def test_each_check_is_in_the_docs():
    """docs/operating.md lists every check of doctor with what it looks at, in order."""
    page = (config.schema.ROOT / "docs" / "operating.md").read_text("utf-8")
    table = page.partition("| check | what it checks |\n|---|---|\n")[2].partition("\n\n")[0]

    assert [f"| {check.name} | {check.looks_at} |" for check in doctor.CHECKS] == table.splitlines()


def test_errors_end_with_status_one(settings, tmp_path, monkeypatch):
    """Without an error the status is 0, warnings or not."""
    monkeypatch.setattr(doctor, "look", lambda *_: iter([Finding("warning", "a", "b", "c")]))
    good = doctor.run(settings, State.of(settings), RunFiles(tmp_path), Screen(False, io.StringIO()))
    monkeypatch.setattr(doctor, "look", lambda *_: iter([Finding("error", "a", "b", "c")]))
    bad = doctor.run(settings, State.of(settings), RunFiles(tmp_path), Screen(False, io.StringIO()))

    assert (0, 1) == (good, bad)


def test_network_drive_is_warned_of(tmp_path):
    """The file system of the nearest mount point counts, not that of its parents."""
    mounted = {"/": "nfs4", str(tmp_path): "ext4", str(tmp_path / "story"): "cifs"}
    (tmp_path / "story").mkdir()

    assert [] == levels(machine.drive("state", tmp_path, mounted))
    (found,) = machine.drive("library", tmp_path / "story", mounted)
    assert ("warning", True) == (found.level, "network drive (cifs)" in found.says)


def test_disk_that_does_not_tell_upper_from_lower_case_is_named(tmp_path):
    """Said without alarm; here a link stands in for such a disk."""
    (tmp_path / "story").mkdir()
    (tmp_path / "STORY").symlink_to(tmp_path / "story")

    (found,) = machine.drive("library", tmp_path / "story", {})

    assert ("ok", "the library's disk ignores upper and lower case") == (found.level, found.says)


def test_drive_without_locks_is_an_error(settings, monkeypatch):
    """Where no lock can be taken, doctor says so and what to do."""

    def refuse(*args, **more):
        raise OSError(37, "No locks available")

    monkeypatch.setattr("chargen.base.durable.lock", refuse)

    (found,) = check_locks(State.of(settings))

    assert ("error", True) == (found.level, "No locks available" in found.says)


def test_a_library_that_this_user_cannot_lock_is_said(tmp_path, monkeypatch):
    """The lock file belongs to another user: doctor names it; it makes none."""
    without = list(check_library_lock(tmp_path))
    (tmp_path / ".chargen.lock").touch()
    monkeypatch.setattr(machine.os, "access", lambda path, mode: False)
    (found,) = check_library_lock(tmp_path)

    assert [] == without
    assert ("warning", True) == (found.level, f"{tmp_path / '.chargen.lock'} cannot be locked" in found.says)


def test_key_beside_the_snakefile_counts_where_the_folder_has_no_file(settings, tmp_path, monkeypatch):
    """The working directory's .env goes first, whole: two accounts side by side stay apart."""
    checkout, home = tmp_path / "checkout", tmp_path / "home"
    for folder in (checkout, home):
        folder.mkdir()
    for name in GEMINI.key_variables:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("chargen.base.schemas.ROOT", checkout)
    (checkout / ".env").write_text("GEMINI_API_KEY=of-the-checkout\n")

    assert "of-the-checkout" == config.api_key(GEMINI, home)
    (home / ".env").write_text("GOOGLE_API_KEY=of-the-folder\n")
    assert "of-the-folder" == config.api_key(GEMINI, home)
    (home / ".env").write_text("# none\n")
    with pytest.raises(ChargenError, match="no API key"):
        config.api_key(GEMINI, home)
