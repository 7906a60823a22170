"""uvicorn's HTTP parser, but what it cannot read is answered with a problem like every other error."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis import identity
from edge_api.problems import Problem


class Http(HttpToolsProtocol):
    """One connection of a client."""

    def send_400_response(self, msg: str) -> None:
        """Answers what is not HTTP, and hangs up: nobody knows where the next request would begin."""
        request_id = identity.set_request_id(None)
        response = Problem(400, "MALFORMED_HTTP", msg).response()
        response.headers["X-Request-ID"] = request_id
        response.headers["Connection"] = "close"
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", bytes(response.body)]))
        self.transport.close()
