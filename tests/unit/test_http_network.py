"""Proxies and certificates of the machine: what goes through them, and what is said when they do not work."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest

from chargen.base import http
from chargen.base.capabilities import capabilities
from chargen.base.errors import ChargenError
from chargen.providers.base import RemoteError
from chargen.providers.gemini.checks import asker
from chargen.providers.gemini.client import Remote
from chargen.records import settings as config
from web import Asked, Given, site, socks

KEY = "AIza-the-key-of-this-test"
VARIABLES = [name for base in ("http", "https", "all", "no") for name in (f"{base}_proxy", f"{base}_proxy".upper())]
PASSWORD = "s3cret%40word"


@pytest.fixture(autouse=True)
def no_network_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own settings are left out."""
    for name in (*VARIABLES, "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


def everything(api: Remote, folder: Path) -> None:
    """Send one request of each kind through both clients."""
    file = folder / "requests.jsonl"
    file.write_bytes(b'{"key": "k", "request": {"contents": [{"parts": [{"text": "an oak"}]}]}}\n')
    stored = api.upload(file, "requests", "application/jsonl")
    job = api.create("gemini-3-pro-image", stored.name, "chargen-x-1")
    assert [job] == [item.name for item in api.jobs()]
    api.delete_file(stored.name)


def test_loopback_needs_no_proxy(emulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy is set, no request to this machine goes there: neither ours nor google-genai's."""
    with site(lambda asked: Given(403)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
        for name in ("127.0.0.1", "localhost", "127.1"):
            emulator.reset()
            everything(Remote(emulator.url.replace("127.0.0.1", name), KEY, 20, 20), tmp_path)
        answer = asker(emulator.url, KEY)("models/gemini-3-pro-image")

    assert [] == proxy.asked
    assert 200 == answer.status


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1", True), ("127.255.0.9", True), ("127.1", True), ("localhost", True), ("LocalHost.", True),
        ("api.localhost", True), ("::1", True), ("[::1]", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", True),
        ("localhost.example.org", False), ("128.0.0.1", False), ("generativelanguage.googleapis.com", False),
        ("10.0.0.1", False), ("::2", False), ("127.0.0.1.example.org", False), ("", False),
    ],
)  # fmt: skip
def test_which_names_are_this_machine(host: str, here: bool) -> None:
    """All of 127.0.0.0/8, ::1 and localhost are; what only begins or ends like them is not."""
    assert here == http.is_this_machine(host)


@pytest.mark.parametrize(
    ("no_proxy", "url", "direct"),
    [
        ("*", "https://api.example.org", True),
        ("example.org", "https://api.example.org", True),
        (".example.org", "https://api.example.org", True),
        ("*.example.org", "https://api.example.org", True),
        ("a.org, Example.ORG", "https://api.example.org", True),
        ("example.org:443", "https://api.example.org", True),
        ("example.org:444", "https://api.example.org", False),
        ("ample.org", "https://api.example.org", False),
        ("", "https://api.example.org", False),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("10.1.2.3:443", "https://10.1.2.3", True),
        ("10.0.0.0/33", "https://10.1.2.3", False),
        ("2.3", "https://10.1.2.3", False),
        ("fd00::/8", "https://[fd00::1]", True),
        ("[fd00::1]:443", "https://[fd00::1]", True),
        ("fd00::1", "https://[fd00::1]", True),
        ("fd00::2", "https://[fd00::1]", False),
    ],
)
def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, direct: bool) -> None:
    """Names with all below them, addresses, networks and ports, as curl and others read NO_PROXY."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert direct == (http.proxy_for(url) is None)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1 (HTTPS_PROXY)"),
        ({"https_proxy": "p:1"}, "http://p:1 (https_proxy)"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({"ALL_PROXY": "socks5://p:1"}, "socks5://p:1 (ALL_PROXY)"),
        ({"ALL_PROXY": "socks://p:1/"}, "socks5://p:1 (ALL_PROXY)"),
        ({"ALL_PROXY": "http://p:1", "HTTPS_PROXY": "http://q"}, "http://q (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": f"http://me:{PASSWORD}@p:1"}, "http://p:1 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_the_proxy_in_force_and_its_variable(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str | None
) -> None:
    """The variable of the scheme counts before ALL_PROXY; the user's name and password are never shown."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    found = http.proxy_for("https://api.example.org")

    assert expected == (str(found) if found else None)


def test_requests_go_through_the_proxy_and_its_errors_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the proxy is used, by google-genai too; where it fails, the error says which proxy and variable."""
    with site(lambda asked: Given(407 if asked.method == "CONNECT" else 200)) as proxy:
        named = proxy.url.replace("://", f"://me:{PASSWORD}@")
        monkeypatch.setenv("HTTPS_PROXY", named)
        monkeypatch.setenv("HTTP_PROXY", named)
        api = Remote("https://api.example.org", KEY, 20, 20)
        troubles = []
        for ask in (lambda: list(api.jobs()), lambda: api.create("m", "files/1", "d"), lambda: api.delete_job("b/1")):
            with pytest.raises(RemoteError) as caught:
                ask()
            troubles.append(caught.value)
        list(Remote("http://api.example.org", KEY, 20, 20).jobs())
        said = asker("https://api.example.org", KEY)("models/x").message

    assert 4 * ["CONNECT"] == [asked.method for asked in proxy.asked if asked.path == "api.example.org:443"]
    assert ["http://api.example.org/v1beta/batches?pageSize=100"] == [a.path for a in proxy.asked if a.method == "GET"]
    assert {"proxy-authorization"} <= set(proxy.asked[0].headers)
    for text in (*map(str, troubles), said):
        assert f"through the proxy {proxy.url} (HTTPS_PROXY)" in text
        assert "407" in text and "me:" not in text and "s3cret" not in text
    assert all(trouble.unsent and not trouble.unclear for trouble in troubles)


def test_a_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong port of the proxy looks like a dead network otherwise."""
    monkeypatch.setenv("ALL_PROXY", "127.0.0.1:1")

    with pytest.raises(RemoteError, match=r"through the proxy http://127\.0\.0\.1:1 \(ALL_PROXY\)") as caught:
        Remote("http://api.example.org", KEY, 20, 20).job("batches/1")

    assert caught.value.unsent


def test_socks_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy carries requests, and looks up the names."""
    seen: list[str] = []
    with site(lambda asked: Given()) as server, socks(server.url, seen) as address:
        monkeypatch.setenv("ALL_PROXY", f"socks5h://{address}")
        list(Remote("http://api.example.org:8080", KEY, 20, 20).jobs())

    assert ["api.example.org:8080"] == seen
    assert ["/v1beta/batches?pageSize=100"] == [asked.path for asked in server.asked]


def test_socks_without_its_package_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install is said."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(http.BadNetworkSettings, match=r"ALL_PROXY.*socksio.*pip install"):
        list(Remote("http://api.example.org", KEY, 20, 20).jobs())


@pytest.mark.parametrize(
    "proxy",
    [
        "http://",
        "http://proxy:99999",
        f"http://me:{PASSWORD}@proxy:port",
        "ftp://proxy:1",
        "socks4://proxy",
        "http://[::1",
        "a b",
    ],
)
@pytest.mark.parametrize("create", [False, True])
def test_a_bad_proxy_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch, proxy: str, create: bool) -> None:
    """The variable is named, what it holds is not: a password may be in it. google-genai says the same."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    api = Remote("https://api.example.org", KEY, 20, 20)

    with pytest.raises(http.BadNetworkSettings) as caught:
        api.create("m", "files/1", "d") if create else api.job("batches/1")

    assert str(caught.value).startswith("HTTPS_PROXY ")
    assert "s3cret" not in str(caught.value)
    assert str(caught.value) == asker("https://api.example.org", KEY)("models/x").message


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_bad_certificate_path_is_an_error_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, create: bool
) -> None:
    """A path that is missing or holds something else is named with its variable."""
    bad = tmp_path / "certificates"
    if variable == "SSL_CERT_FILE" and create:
        bad.write_text("no certificates\n")
    monkeypatch.setenv(variable, str(bad))
    api = Remote("https://api.example.org", KEY, 20, 20)

    with pytest.raises(http.BadNetworkSettings, match=f"{variable}: .*certificates cannot be used"):
        api.create("m", "files/1", "d") if create else api.job("batches/1")


def test_certificates_of_a_company_are_taken_from_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SSL_CERT_FILE counts for both clients; without it, the error says what to do."""
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def answer(asked: Asked) -> Given:
        return Given(body=b'{"name": "batches/1"}')

    with site(answer, tls=context) as server:
        with pytest.raises(RemoteError, match="set SSL_CERT_FILE to a file") as caught:
            Remote(server.url, KEY, 20, 20).job("batches/1")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        api = Remote(server.url, KEY, 20, 20)
        names = {api.job("batches/1").name, api.create("m", "files/1", "d")}

    assert caught.value.unsent
    assert {"batches/1"} == names


@pytest.mark.parametrize(
    "url", ["http://host:99999", "http://host:port", "host:8080", "https://", "ftp://host", "http://a b"]
)
def test_a_bad_base_url_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """An address that is none is refused while the configuration is read, by the name of the variable."""
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", url)

    with pytest.raises(ChargenError, match=r"GOOGLE_GEMINI_BASE_URL: .* is not the address of a server"):
        config._base_url("", capabilities("gemini"))


def test_variables_of_google_genai_are_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own variable that asks for another client ends in words, before anything is sent."""
    monkeypatch.setenv("GOOGLE_GENAI_HTTP_CLIENT", "httpx")
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.setattr("google.genai._api_client.httpx", None)

    with pytest.raises(ChargenError, match=r"google-genai cannot be used: .*GOOGLE_GENAI_HTTP_CLIENT"):
        Remote("http://127.0.0.1:1", KEY, 20, 20).create("m", "files/1", "d")


def certificate(folder: Path) -> Path:
    """Write a certificate for 127.0.0.1 that vouches for itself, with its key, and return the file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a company")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "company.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
