"""What the emulator reads in a request, in either spelling, and what it refuses, in the recorded words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chargen.emulator import catalogue, errors, requests
from chargen.emulator.errors import ApiError

MODELS = catalogue.load()
IMAGE = MODELS.models["gemini-3.1-flash-lite-image"]


def _sample_folder() -> Path:
    folder = os.environ.get("CHARGEN_SAMPLES")
    if not folder:
        pytest.skip("CHARGEN_SAMPLES does not name the folder of recorded replies")
    return Path(folder)


def _sample(path: str) -> Any:
    return json.loads((_sample_folder() / path).read_text(encoding="utf-8"))


def _request(**generation: Any) -> dict[str, Any]:
    return {"contents": [{"parts": [{"text": "x"}]}], "generation_config": generation}


def _error(raw: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        requests.check_fields(raw)
        requests.check(requests.read(raw), IMAGE)
    return caught.value


def test_both_spellings() -> None:
    """snake_case and camelCase say the same; schemas keep the spelling of their own members."""
    snake = _request(image_config={"aspect_ratio": "16:9", "image_size": "1K"}, response_schema={"my_key": {}})
    camel = {
        "contents": snake["contents"],
        "generationConfig": {
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"},
            "responseSchema": {"my_key": {}},
        },
    }

    assert requests.read(snake) == requests.read(camel)
    assert requests.read(snake).schema == {"my_key": {}}


@pytest.mark.parametrize(
    "uri",
    ["files/abc", "http://127.0.0.1:1/v1beta/files/abc", "https://example.org/v1beta/files/abc:download?alt=media"],
)
def test_file_id_of(uri: str) -> None:
    """A file is recognised by its name or by any address that ends in it."""
    assert requests.file_id_of(uri) == "abc"


def test_misplaced_image_options_are_ignored() -> None:
    """Image options outside of image_config are neither refused nor followed."""
    assert requests.read(_request(aspect_ratio="16:9")).aspect_ratio == ""


@pytest.mark.parametrize(
    ("sample", "raw"),
    [
        ("400_no_contents", {"contents": []}),
        ("400_empty_parts", {"contents": [{"parts": [{"text": ""}]}]}),
        ("400_candidate_count", _request(candidate_count=2)),
        ("400_unknown_field", _request(negativePrompt="dull")),
        ("400_aspect_ratio_enum", _request(image_config={"aspect_ratio": "7:9"})),
        ("400_aspect_ratio_model", _request(image_config={"aspect_ratio": "1:4"})),
        ("400_image_size_8K", _request(image_config={"image_size": "8K"})),
        ("400_image_size_model", _request(image_config={"image_size": "2K"})),
    ],
)
def test_refused_in_recorded_words(sample: str, raw: Any) -> None:
    """A wrong request is refused with the status and message that the API was recorded with."""
    expected = _sample(f"errors/{sample}.json")["error"]

    error = _error(raw).body()["error"]

    assert expected == {name: error[name] for name in expected}  # what was published is cut off after the status


@pytest.mark.parametrize(
    ("sample", "error"),
    [
        ("403_no_key", errors.no_key()),
        ("403_file_missing_or_expired", errors.no_such_file("in1")),
        ("400_file_id_40_chars", errors.file_id_too_long("GetFileRequest")),
        ("404_model", errors.no_such_model("gemini-9-ultra-image", "v1beta", "generateContent")),
        ("404_model_v1", errors.no_such_model("gemini-3-flash-preview", "v1", "generateContent")),
        ("503_unavailable", errors.scripted(503)),
    ],
)
def test_errors_in_recorded_words(sample: str, error: ApiError) -> None:
    """Errors about keys, files and models have the recorded status, message and details."""
    assert _sample(f"errors/{sample}.json") == error.body()


def test_wrong_key_in_full() -> None:
    """A wrong key is answered with the service in ErrorInfo and the message once more in the caller's language."""
    yaml = pytest.importorskip("yaml")
    folder = _sample_folder()
    text = (folder / "errors/ruby_llm_400_api_key.yml").read_text(encoding="utf-8")
    (exchange,) = yaml.safe_load(text)["http_interactions"]

    assert json.loads(exchange["response"]["body"]["string"]) == errors.bad_key().body()


def test_unknown_field_in_full() -> None:
    """Each unknown field is named with its place, in the message and as a field violation."""
    error = errors.unknown_fields([("generation_config", "negativePrompt"), ("", "config")]).body()["error"]

    assert error["message"].splitlines() == [
        "Invalid JSON payload received. Unknown name \"negativePrompt\" at 'generation_config': Cannot find field.",
        'Invalid JSON payload received. Unknown name "config": Cannot find field.',
    ]
    (detail,) = error["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert [item.get("field") for item in detail["fieldViolations"]] == ["generation_config", None]


def test_quota_in_full() -> None:
    """A 429 has the help link, the metric and quota exceeded, and whole seconds to wait."""
    error = errors.quota("GenerateRequestsPerMinutePerProjectPerModel", 500, "m", 34.286, "generate_requests").body()

    assert error["error"]["message"].endswith("limit: 500, model: m\nPlease retry in 34.286s.")
    help_entry, failure, retry = error["error"]["details"]
    assert help_entry["links"][0]["description"] == "Learn more about Gemini API quotas"
    (violation,) = failure["violations"]
    assert violation["quotaMetric"] == "generativelanguage.googleapis.com/generate_requests"
    assert violation["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel"
    assert retry["retryDelay"] == "34s"


def test_retired_model_names_its_successor() -> None:
    """A model that is gone answers 404 and says what to use; the words begin as recorded."""
    expected = _sample("errors/404_model_retired.json")["error"]["message"].rstrip("…")

    with pytest.raises(ApiError) as caught:
        MODELS.serving("gemini-2.5-flash", "v1beta", "generateContent")

    assert caught.value.message.startswith(expected)


@pytest.mark.parametrize(
    ("delay", "sample"), [(34.0, "429_rpm_with_retryinfo"), (None, "429_credits_depleted_no_details")]
)
def test_429_with_and_without_delay(delay: float | None, sample: str) -> None:
    """A rate limit carries its delay in the details; used-up credits come without details."""
    expected = _sample(f"errors/{sample}.json")["error"]

    error = errors.scripted(429, retry_delay_s=delay).body()["error"]

    assert expected.keys() == error.keys()
    kinds = {item["@type"] for item in error.get("details", [])}
    assert {item["@type"] for item in expected.get("details", [])} <= kinds  # the published one lacks the help link
    if delay:
        assert error["details"][-1]["retryDelay"] == "34s"


def test_preview_models_are_missing_in_v1() -> None:
    """The stable version of the API does not know preview models."""
    assert MODELS.serving("gemini-3.1-pro-preview", "v1beta", "generateContent").id == "gemini-3.1-pro-preview"
    with pytest.raises(ApiError):
        MODELS.serving("gemini-3.1-pro-preview", "v1", "generateContent")


def test_without_a_models_file(tmp_path: Path) -> None:
    """Without config/models.yaml a few models are served all the same."""
    assert "gemini-nano-banana-2.1" in catalogue.load(tmp_path / "absent.yaml").models
