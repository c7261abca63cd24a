"""A small web server for one user: a page, and the pictures that it requests."""

import html
import ipaddress
import string
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from urllib.parse import parse_qsl, urlsplit

from autogan.core.errors import AutoGANError, ConfigError
from autogan.play.player import MOST_IMAGES, MOST_STEPS, Player

_SECONDS = 20.0  # for a whole request to arrive
_MOST_FIELDS = 2000  # of a request
_ALLOWED = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'"
_CLASSES = "One class, or a mixture of several. None: as in the training set."
_ATTRIBUTES = "Each slider sets one attribute, from 0 to 1."
_HEADERS = {
    "Content-Security-Policy": _ALLOWED,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def serve(player: Player, title: str, address: str, port: int, tell: Callable[[str], None]) -> None:
    """Answer requests until the process is interrupted.

    Args:
        player: makes the pictures.
        title: of the page.
        address: to listen on.
        port: to listen on; 0 for any free port.
        tell: called with the page's address, once the page can be opened.

    Raises:
        ConfigError: if the address or port is not available.
    """
    try:
        server = _Server((address, port), player, title)
    except (OSError, OverflowError) as error:
        raise ConfigError(
            "port", f"{address}:{port} is not available ({error}); give another"
        ) from None
    with server:
        tell(f"http://{_shown(address)}:{server.server_address[1]}/")
        server.serve_forever()


def page(player: Player, title: str) -> bytes:
    """The page as HTML; all names from the run are escaped."""
    text = resources.files("autogan.play").joinpath("page.html").read_text()
    rows = "".join(
        f'<label><span>{html.escape(name)}</span><input type="range" name="class{number}" min="0" '
        'max="1" step="0.05" value="0"></label>'
        for number, name in enumerate(player.classes)
    )
    filled = string.Template(text).substitute(
        title=html.escape(title),
        classes=rows,
        hidden="" if player.classes else "hidden",
        legend="Attributes" if player.attributes else "Classes",
        hint=_ATTRIBUTES if player.attributes else _CLASSES,
        images=MOST_IMAGES,
        steps=MOST_STEPS,
    )
    return filled.encode()


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], player: Player, title: str) -> None:
        self.player, self.title = player, title
        super().__init__(place, _Handler)

    def is_for_us(self, host: str) -> bool:
        """Whether a request names this server: a foreign page may point its own name here."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or ipaddress.ip_address(name) is not None
        except ValueError:
            return False


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS
    server_version = "AutoGAN"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the page, one of its files, or a picture."""
        asked = urlsplit(self.path)
        if not self.server.is_for_us(self.headers.get("Host", "")):
            self._answer(403, b"wrong host name; open the address AutoGAN printed", "text/plain")
        elif asked.path == "/":
            self._answer(200, page(self.server.player, self.server.title), "text/html")
        elif asked.path in ("/play.js", "/play.css"):
            file = resources.files("autogan.play").joinpath(asked.path[1:])
            kind = "text/javascript" if asked.path.endswith("js") else "text/css"
            self._answer(200, file.read_bytes(), kind)
        elif asked.path == "/images.png":
            self._picture(asked.query)
        else:
            self._answer(404, b"page not found", "text/plain")

    def _picture(self, query: str) -> None:
        try:
            fields = dict(parse_qsl(query, max_num_fields=_MOST_FIELDS))
            self._answer(200, self.server.player.picture(fields), "image/png")
        except (AutoGANError, ValueError) as error:
            self._answer(400, str(error).encode(), "text/plain")

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        charset = "; charset=utf-8" if kind.startswith("text") else ""
        for name, value in {**_HEADERS, "Content-Type": kind + charset}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing."""
