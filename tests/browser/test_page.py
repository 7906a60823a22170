"""What holds of the page whatever it shows: it comes through the gateway whole, guarded, small and cached."""

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
    """The path of one of the page's own scripts."""
    (entry, *_) = re.findall(r"_app/immutable/entry/start\.[\w-]+\.js", html)
    return f"/{entry}"


def test_it_loads_through_the_gateway_without_a_complaint(page: Page) -> None:
    answer = page.goto("/")
    assert answer is not None
    assert answer.status == 200
    started(page)


def test_a_script_that_somebody_put_in_is_not_run(page: Page, watch: Watch) -> None:
    watch.expect("violates the following Content Security Policy directive")
    page.route("/", _with_a_script)
    page.goto("/")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"window.byHandler = true\">')")
    started(page)
    assert page.evaluate("[window.byTag, window.byHandler]") == [None, None]
    assert len(watch.seen("script-src")) >= 2


def _with_a_script(route: Route) -> None:
    answer = route.fetch()
    html = answer.text().replace("</body>", "<script>window.byTag = true</script></body>")
    route.fulfill(response=answer, body=html)


def test_nothing_is_inline_but_what_the_policy_knows(http: httpx.Client) -> None:
    for path in ("/", "/some/where"):
        answer = http.get(path)
        (policy,) = re.findall(r'http-equiv="content-security-policy" content="([^"]*)"', answer.text)
        assert "default-src 'none'" in policy
        assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy.replace(";", " ").split())
        assert answer.headers["Content-Security-Policy"].startswith("frame-ancestors 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers.get("Server", "").find("nginx") == -1


def test_pages_are_asked_for_each_time_and_cost_nothing_when_they_are_the_same(http: httpx.Client) -> None:
    for path in ("/", "/some/where", "/favicon.svg", "/_app/version.json"):
        first = http.get(path)
        assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
        again = http.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_what_never_changes_is_kept_for_a_year(http: httpx.Client) -> None:
    for path in {_script(http.get("/").text), *re.findall(r"/_app/immutable/assets/[^\"]+", http.get("/x").text)}:
        answer = http.get(path)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_all_that_is_text_comes_compressed_to_whoever_takes_that(http: httpx.Client) -> None:
    html = http.get("/")
    for path in ("/", _script(html.text), *re.findall(r"_app/immutable/assets/[^\"]+css", html.text)):
        small, plain = http.get(path), http.get(path, headers={"Accept-Encoding": "identity"})
        assert small.headers["Content-Encoding"] == "gzip"
        assert small.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert "Content-Encoding" not in plain.headers
        assert small.text == plain.text
        assert small.headers["Content-Type"].endswith("; charset=utf-8")


def test_what_a_browser_loads_at_first_is_little(
    signed_in: Page, record_property: Callable[[str, object], None]
) -> None:
    signed_in.goto("/")
    started(signed_in)
    loaded = signed_in.evaluate(
        "performance.getEntriesByType('resource').map(each => [each.name, each.encodedBodySize])"
    )
    size = sum(bytes for name, bytes in loaded if name.endswith(".js"))
    record_property("page", f"first load, signed in, seen by a browser: {size / 1000:.1f} kB of compressed JavaScript")
    assert 0 < size <= MOST_BYTES


def test_a_route_of_the_page_is_no_file_and_no_error(http: httpx.Client) -> None:
    fallback = (built_page() / "fallback.html").read_text()
    for path in ("/some/where", "/tasks/01M87Y3FCRGBHCFMM6ABAEMFC6", "/_apple"):
        answer = http.get(path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert answer.text == fallback


def test_a_file_that_is_no_more_is_missing_and_no_page(http: httpx.Client) -> None:
    for path in ("/_app/immutable/entry/start.gone.js", "/_app/immutable/", "/_app/gone.json", "/_app/immutable"):
        answer = http.get(path)
        assert answer.status_code == 404
        assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_nobody_writes_and_nobody_gets_out_of_the_folder(http: httpx.Client, site: Site) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert httpx.request(method, f"http://127.0.0.1:{site.web_port}/", trust_env=False).status_code == 405
    for path in ("/../web/package.json", "/%2e%2e/package.json", "/..%2fpackage.json"):
        assert "taskmesh-web" not in http.get(path).text


def test_it_is_the_same_page_by_a_deep_link(new_page: NewPage) -> None:
    page = new_page()
    page.goto("/some/where")
    started(page)
    assert page.evaluate("document.documentElement.lang") == "en"
