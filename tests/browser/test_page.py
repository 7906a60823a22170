"""Delivery of the page through the gateway: security headers, caching, compression and size."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, Route

from tests.browser.conftest import NewPage
from tests.browser.harness.system import Site
from tests.browser.harness.watch import Watch, started
from tests.support.stack.page import MOST_BYTES, built_page


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=site.url, trust_env=False, headers={"Accept-Encoding": "gzip"}) as client:
        yield client


def _script(html: str) -> str:
    """Return the path of one of the page's scripts."""
    (entry, *_) = re.findall(r"_app/immutable/entry/start\.[\w-]+\.js", html)
    return f"/{entry}"


def test_it_loads_through_the_gateway_without_problems(page: Page) -> None:
    response = page.goto("/")
    assert response is not None
    assert response.status == 200
    started(page)


def test_an_injected_script_is_not_run(page: Page, watch: Watch) -> None:
    watch.expect("violates the following Content Security Policy directive")
    page.route("/", _with_a_script)
    page.goto("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"window.byHandler = true\">')")
    started(page)
    assert page.evaluate("[window.byTag, window.byHandler]") == [None, None]
    assert len(watch.seen("script-src")) >= 2


def _with_a_script(route: Route) -> None:
    response = route.fetch()
    html = response.text().replace("</body>", "<script>window.byTag = true</script></body>")
    route.fulfill(response=response, body=html)


def test_the_policy_forbids_unlisted_inline_code(http: httpx.Client) -> None:
    for path in ("/", "/some/where"):
        response = http.get(path)
        (policy,) = re.findall(r'http-equiv="content-security-policy" content="([^"]*)"', response.text)
        assert "default-src 'none'" in policy
        assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy.replace(";", " ").split())
        assert response.headers["Content-Security-Policy"].startswith("frame-ancestors 'none'")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers.get("Server", "").find("nginx") == -1


def test_pages_are_revalidated_and_unchanged_ones_are_not_sent_again(http: httpx.Client) -> None:
    for path in ("/", "/some/where", "/favicon.svg", "/_app/version.json"):
        first = http.get(path)
        assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
        again = http.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_immutable_files_are_cached_for_a_year(http: httpx.Client) -> None:
    for path in {_script(http.get("/").text), *re.findall(r"/_app/immutable/assets/[^\"]+", http.get("/x").text)}:
        response = http.get(path)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_text_is_compressed_for_clients_that_accept_it(http: httpx.Client) -> None:
    html = http.get("/")
    for path in ("/", _script(html.text), *re.findall(r"_app/immutable/assets/[^\"]+css", html.text)):
        small, plain = http.get(path), http.get(path, headers={"Accept-Encoding": "identity"})
        assert small.headers["Content-Encoding"] == "gzip"
        assert small.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in plain.headers
        assert small.text == plain.text
        assert small.headers["Content-Type"].endswith("; charset=utf-8")


def test_the_first_load_is_small(signed_in: Page, record_property: Callable[[str, object], None]) -> None:
    signed_in.goto("/")
    started(signed_in)
    loaded = signed_in.evaluate(
        "performance.getEntriesByType('resource').map(each => [each.name, each.encodedBodySize])"
    )
    size = sum(bytes for name, bytes in loaded if name.endswith(".js"))
    record_property(
        "page", f"first load, signed in, as seen by a browser: {size / 1000:.1f} kB of compressed JavaScript"
    )
    assert 0 < size <= MOST_BYTES


def test_a_path_without_a_file_returns_the_page(http: httpx.Client) -> None:
    fallback = (built_page() / "fallback.html").read_text()
    for path in ("/some/where", "/tasks/01M87Y3FCRGBHCFMM6ABAEMFC6", "/_apple"):
        response = http.get(path)
        assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert response.text == fallback


def test_a_missing_asset_is_404(http: httpx.Client) -> None:
    for path in ("/_app/immutable/entry/start.gone.js", "/_app/immutable/", "/_app/gone.json", "/_app/immutable"):
        response = http.get(path)
        assert response.status_code == 404
        assert "immutable" not in response.headers.get("Cache-Control", "")


def test_write_methods_and_path_traversal_are_rejected(http: httpx.Client, site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert httpx.request(method, f"http://127.0.0.1:{site.web_port}/", trust_env=False).status_code == 405
    for path in ("/../web/package.json", "/%2e%2e/package.json", "/..%2fpackage.json"):
        assert "taskmesh-web" not in http.get(path).text


def test_a_deep_link_opens_the_page(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/some/where")
    started(page)
    assert page.evaluate("document.documentElement.lang") == "en"
