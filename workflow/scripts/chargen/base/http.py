"""Builds all HTTP clients: ours, and the one for google-genai.

What holds for every request of theirs:

- The API key goes to the scheme, host and port that the client was built for, and to no other.
- A redirect is followed for questions (GET) alone, to the same scheme, host and port, `MAX_REDIRECTS` times at most.
  What changes something on the server is never sent once more because of a redirect: a second create would be paid.
- Another host is only spoken to where the API named it as the place of an upload: without the key, and by https.
- This machine is reached directly, whatever proxy is set; elsewhere the usual variables count (HTTP_PROXY,
  HTTPS_PROXY, ALL_PROXY, NO_PROXY, or the system's settings on macOS and Windows), SOCKS among them.
- Certificates are checked against the system's, or those of SSL_CERT_FILE or SSL_CERT_DIR.

Slow to import (a tenth of a second): import it where it is used.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import threading
import urllib.request
from typing import TYPE_CHECKING

import httpx2

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.hosts import address, is_this_machine
from chargen.base.output import EMULATOR_KEY, keep_secret, redacted

if TYPE_CHECKING:
    from google.genai import types

KEY_HEADER = "x-goog-api-key"
MAX_REDIRECTS = 5
LONGEST_WORDS = 500
"""Characters of an error of the network that are shown."""
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")

Origin = tuple[str, str, int | None]


class BadNetworkSettings(ChargenError):
    """A proxy, a certificate or an address that this machine was given cannot be used."""


class Refused(httpx2.HTTPError):
    """An answer pointed to a place where the request must not go. ``status`` is the answer's, 0 before any."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@frozen
class Proxy:
    """A proxy as the machine names it; ``url`` may hold a password and is for connecting alone."""

    url: str
    shown: str
    source: str

    def __str__(self) -> str:
        return f"{self.shown} ({self.source})"


def client(base_url: str, key: str, timeout_s: float, headers: dict[str, str] | None = None) -> httpx2.Client:
    """Return a client for the API at *base_url*; *headers* go with every request, the key among them if it is wanted
    there. Raises BadNetworkSettings for an address that is none. This process does not print *key* from then on."""
    if key != EMULATOR_KEY:
        keep_secret(key)
    return httpx2.Client(
        transport=_Gate(_origin(_parsed(base_url)), key),
        headers=headers,
        timeout=timeout_s,
        follow_redirects=True,
        max_redirects=MAX_REDIRECTS,
        event_hooks={"response": [_judge_redirect]},
        trust_env=False,
    )


def sdk_options(base_url: str, api_version: str, key: str, timeout_s: float) -> types.HttpOptions:
    """Return the options that make google-genai use our client, and read no settings of the machine by itself."""
    from google.genai import types

    unused = httpx2.AsyncClient(transport=httpx2.MockTransport(_no_answer), trust_env=False)
    return types.HttpOptions(
        base_url=base_url,
        api_version=api_version,
        timeout=int(timeout_s * 1000),
        httpx_client=client(base_url, key, timeout_s),
        httpx_async_client=unused,
        async_client_args={"ssl": _no_certificates()},
    )


def in_words(error: Exception) -> str:
    """Return what went wrong on the way, with the proxy that was on it; the key and passwords are not in it."""
    if isinstance(error, Refused | ChargenError):
        return str(error)
    words = redacted(str(error))[:LONGEST_WORDS]
    text = f"{type(error).__name__}: {words}" if words else type(error).__name__
    if isinstance(error, httpx2.TooManyRedirects):
        text = f"more than {MAX_REDIRECTS} redirects"
    if "CERTIFICATE_VERIFY_FAILED" in text:
        text += "; if a company proxy inspects secure connections, set SSL_CERT_FILE to a file with its certificate"
    return text + (by_way_of(error) if isinstance(error, httpx2.RequestError) else "")


def by_way_of(what: httpx2.RequestError | httpx2.Response) -> str:
    """Return through which proxy an error or an answer came, as the end of a message; empty without a proxy."""
    try:
        proxy = proxy_for(what.request.url)
    except (RuntimeError, ChargenError):  # without its request
        return ""
    return f", through the proxy {proxy}" if proxy else ""


def never_sent(error: Exception) -> bool:
    """Whether no connection to the server was made, so that it certainly did not hear of the request."""
    return isinstance(
        error, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError | httpx2.UnsupportedProtocol
    )


def proxy_for(url: httpx2.URL | str) -> Proxy | None:
    """Return the proxy by which this machine wants *url* to be reached, None if directly.

    Raises BadNetworkSettings, naming the variable, for a proxy that cannot be used.
    """
    url = httpx2.URL(url)
    if is_this_machine(url.host):
        return None
    known = urllib.request.getproxies()
    kind = url.scheme if known.get(url.scheme) else "all"
    written = (known.get(kind) or "").strip()
    if not written or _is_excepted(url, known):
        return None
    return _checked_proxy(written, _source(kind))


class _Gate(httpx2.BaseTransport):
    """Sends requests to allowed addresses only, through the machine's proxy if there is one. Thread-safe."""

    def __init__(self, home: Origin, key: str) -> None:
        self._home = home
        self._key = key
        self._lock = threading.Lock()
        self._ways: dict[tuple[str, bool], httpx2.HTTPTransport] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self._check(request)
        return self._way(request.url).handle_request(request)

    def close(self) -> None:
        for way in self._ways.values():
            way.close()

    def _check(self, request: httpx2.Request) -> None:
        target = _origin(request.url)
        if target == self._home:
            return
        where = _named(target)
        written = [str(request.url), *request.headers.values()]
        if KEY_HEADER in request.headers or (self._key and any(self._key in text for text in written)):
            raise Refused(f"no request to {where}: the API key is only for {_named(self._home)}")
        safe = target[0] == "https" or (is_this_machine(target[1]) and is_this_machine(self._home[1]))
        if not safe:
            raise Refused(f"no request to {where}, named by {_named(self._home)}: the connection is not secure")

    def _way(self, url: httpx2.URL) -> httpx2.HTTPTransport:
        proxy = proxy_for(url)
        secure = url.scheme == "https"
        which = (proxy.url if proxy else "", secure)
        with self._lock:
            if which not in self._ways:
                self._ways[which] = _connecting(proxy, secure)
            return self._ways[which]


def _connecting(proxy: Proxy | None, secure: bool) -> httpx2.HTTPTransport:
    needs_certificates = secure or (proxy is not None and proxy.url.startswith("https:"))
    context = _certificates() if needs_certificates else _no_certificates()
    through = (
        httpx2.Proxy(proxy.url, ssl_context=context if proxy.url.startswith("https:") else None) if proxy else None
    )
    try:
        return httpx2.HTTPTransport(verify=context, trust_env=False, proxy=through)
    except ImportError:
        raise BadNetworkSettings(
            f"{proxy}: a SOCKS proxy needs the package socksio: pip install 'httpx2[socks]', or use an HTTP proxy"
        ) from None


def _judge_redirect(response: httpx2.Response) -> None:
    """Raise Refused for a redirect that is not to be followed; called before a client follows one."""
    if not response.has_redirect_location:
        return
    request, written = response.request, response.headers["location"]
    try:
        target = request.url.join(written)
    except (httpx2.InvalidURL, UnicodeError):
        raise Refused(
            f"answered with a redirect to an invalid address: {written[:200]}", response.status_code
        ) from None
    elsewhere = _origin(target) != _origin(request.url)
    if not elsewhere and request.method in ("GET", "HEAD"):
        return
    place = _named(_origin(target)) + ("" if elsewhere else target.path)
    why = (
        f"the API key is only for {_named(_origin(request.url))}. The login page of a network may redirect like this; "
        "if that address is the API's, set base_url to it"
        if elsewhere
        else f"a repeated {request.method} could act twice. Set base_url to the final address"
    )
    raise Refused(
        f"answered {response.status_code}, a redirect to {place}, which is not followed: {why}", response.status_code
    )


def _certificates() -> ssl.SSLContext:
    """Return what secure connections are checked with; raises BadNetworkSettings naming a variable that is wrong."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = os.environ.get(name, "")
        if not path:
            continue
        try:
            if name == "SSL_CERT_FILE":
                return ssl.create_default_context(cafile=path)
            if not os.path.isdir(path):  # noqa: PTH112  (OpenSSL takes a folder that is not there for an empty one)
                raise FileNotFoundError(2, "folder not found")
            return ssl.create_default_context(capath=path)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            why = (
                "it holds no certificates"
                if isinstance(error, ssl.SSLError)
                else getattr(error, "strerror", "") or error
            )
            raise BadNetworkSettings(
                f"{name}: {path} cannot be used: {why}. It must name certificates in PEM form; unset it to "
                "use the system's certificates"
            ) from None
    try:
        return httpx2.create_ssl_context(trust_env=False)
    except (OSError, ValueError) as error:
        raise BadNetworkSettings(
            f"the system's certificates cannot be read: {error}. Set SSL_CERT_FILE to a file of certificates"
        ) from None


def _no_certificates() -> ssl.SSLContext:
    """Return a context for connections that are not secure: nothing is read for it, and it trusts no certificate."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _no_answer(request: httpx2.Request) -> httpx2.Response:
    raise Refused(f"{request.url.host} is not asked this way")


def _checked_proxy(written: str, source: str) -> Proxy:
    text = written if "://" in written else f"http://{written}"
    if text.lower().startswith("socks://"):  # as desktops write it
        text = f"socks5{text[5:]}"
    try:
        url = httpx2.URL(text)
        port = url.port
        bad = not url.host or "%" in url.host or (port is not None and not 0 < port < 65536)
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        bad = True
    # Neither the address nor the error is shown: a password may be anywhere in what cannot be read.
    if bad:
        raise BadNetworkSettings(f"{source} is not a valid proxy address; expected http://host:port")
    if url.scheme not in PROXY_SCHEMES:
        raise BadNetworkSettings(
            f"{source} has the unknown proxy type {url.scheme}://; supported: "
            f"{', '.join(f'{scheme}://' for scheme in PROXY_SCHEMES)}"
        )
    shown = f"{url.scheme}://{url.host}" + (f":{port}" if port else "")
    return Proxy(text, shown, source)


def _source(kind: str) -> str:
    """Return the variable that names the proxy of a scheme, as it is written in the environment."""
    found = [name for name in (f"{kind}_proxy", f"{kind}_proxy".upper()) if os.environ.get(name)]
    return found[0] if found else "the system's settings"


def _is_excepted(url: httpx2.URL, known: dict[str, str]) -> bool:
    """Whether NO_PROXY, or what the system has in its place, names *url*'s host."""
    if "no" not in known:
        return bool(urllib.request.proxy_bypass(url.host))
    return any(_covers(entry.strip().lower(), url) for entry in known["no"].split(","))


def _covers(entry: str, url: httpx2.URL) -> bool:
    """Whether one *entry* of NO_PROXY means *url*: a star, a name and all below it, an address or a network; a port
    may follow."""
    if entry in ("", "*"):
        return entry == "*"
    entry = entry.rpartition("://")[2]
    host = url.host.rstrip(".").lower()
    number = address(host)
    if number is not None and "/" in entry:
        try:
            return number in ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
        except ValueError:
            return False
    name, colon, port = entry.rpartition(":")
    if colon and port.isdigit() and (":" not in name or name.endswith("]")):
        if int(port) != _origin(url)[2]:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*").lstrip(".")
    if number is not None:
        return address(entry) == number
    return bool(entry) and (host == entry or host.endswith(f".{entry}"))


def _parsed(base_url: str) -> httpx2.URL:
    try:
        url = httpx2.URL(base_url)
        usable = url.scheme in ("http", "https") and url.host and "%" not in url.host
        if usable and (url.port is None or 0 < url.port < 65536):
            return url
    except (httpx2.InvalidURL, UnicodeError):
        pass
    raise BadNetworkSettings(f"base_url: {base_url} is not the address of a server; expected https://host:port")


def _origin(url: httpx2.URL) -> Origin:
    return url.scheme, url.host.lower(), url.port or {"http": 80, "https": 443}.get(url.scheme)


def _named(origin: Origin) -> str:
    scheme, host, port = origin
    usual = {"http": 80, "https": 443}.get(scheme)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}" + (f":{port}" if port != usual else "")
