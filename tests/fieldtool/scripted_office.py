"""A web server that behaves as badly as a test asks: it answers, loses answers, fails, redirects, talks nonsense.

Real sockets; what it stored is what it heard. The real headend stands in test_live_sync.py and beside it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class Reply(NamedTuple):
    """`lost`: what was asked is done, but the connection ends before the answer."""

    status: int
    body: Any = None
    lost: bool = False
    location: str = ""


Script = Callable[[Heard], Reply]


class ScriptedOffice:
    """`script(heard)` says what becomes of a request; `heard` are all of them."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heard: list[Heard] = []
        office = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def _serve(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                request = Heard(self.command, self.path, dict(self.headers), json.loads(data) if data else None)
                office.heard.append(request)
                reply = office.script(request)
                if reply.lost:
                    self.close_connection = True
                    return
                body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                if reply.location:
                    self.send_header("Location", reply.location)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
