"""The closed door: what gets past it, and what does not."""

from __future__ import annotations

import re
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web

from spinescrew.viewer.door import REFUSAL, Door
from spinescrew.viewer.downloads import Downloads
from spinescrew.viewer.serving import Listening

PLACES = ["/", "/index.html", "/start.js", "/vue.global.js", "/ws", "/download/token/plan.json", "/no/such/page"]
REFUSED = -32000  # of the socket's protocol: not authenticated


def refused(answer) -> bool:
    return answer.status == 403 and answer.text == REFUSAL and not answer.cookies


def knocked_in_vain(planner, path="/ws", **options) -> bool:
    """Whether the socket was refused before it was one."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        planner.hello(path=path, **options)
    return caught.value.status == 403


@pytest.mark.parametrize("place", PLACES)
def test_without_a_key_there_is_nothing(planner, place):
    assert refused(planner.get(place))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", ["wslink-secret", "", "A" * 43, "Ключ", "\x00"], ids=repr)
def test_a_wrong_key_is_refused_even_with_the_right_cookie(planner, place, key):
    path = f"{place}?secret={quote(key)}"
    assert refused(planner.get(path))
    assert refused(planner.get(path, headers={"Cookie": planner.cookie()}))


@pytest.mark.parametrize("query", ["secret=%FF", "secret", "SECRET={key}", "secret={key}&secret=x", "key={key}"])
def test_a_key_that_is_almost_given_is_not_given(planner, query):
    assert refused(planner.get(f"/index.html?{query.format(key=planner.key)}"))


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_no_other_method_gets_around_the_door(planner, method):
    assert planner.get("/index.html", method=method).status == 403


def test_the_key_and_the_pass_of_an_earlier_start_open_nothing(planner, tools):
    with tools.running(Listening(port=0)) as earlier:
        cookie = earlier.cookie()
        assert earlier.get("/index.html", headers={"Cookie": cookie}).status == 200
    name = planner.cookie().partition("=")[0]
    replayed = {"Cookie": f"{name}={cookie.partition('=')[2]}"}
    assert refused(planner.get(f"/?secret={earlier.key}"))
    assert refused(planner.get("/index.html", headers=replayed))
    assert knocked_in_vain(planner, headers=replayed)
    assert knocked_in_vain(planner, path=f"/ws?secret={earlier.key}")


def test_two_doors_share_nothing():
    first, second = Door(), Door()
    assert first.key != second.key
    assert len(first.key) >= 43


def test_the_printed_address_opens_the_page(planner):
    root = planner.get(f"/?secret={planner.key}")
    assert root.status == 302
    assert root.headers["Location"] == f"index.html?secret={planner.key}"
    page = planner.get(f"/index.html?secret={planner.key}")
    assert page.status == 200
    assert '<div id="app">' in page.text


def test_the_cookie_opens_what_the_page_loads_and_is_not_the_key(planner):
    (cookie,) = planner.get(f"/?secret={planner.key}").cookies.values()
    name, _, value = planner.cookie().partition("=")
    assert name == f"spinescrew-{planner.root.port}"
    assert value != planner.key
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(re.split(r";\s*", cookie))
    for place in ("/index.html", "/start.js", "/vue.global.js"):
        assert refused(planner.get(place))
        answer = planner.get(place, headers={"Cookie": f"{name}={value}"})
        assert answer.status == 200
        assert not answer.cookies


@pytest.mark.parametrize("value", ["", "x", "{key}", "{value}x"])
def test_a_cookie_that_the_door_did_not_give_opens_nothing(planner, value):
    name, _, right = planner.cookie().partition("=")
    cookie = f"{name}={value.format(key=planner.key, value=right)}"
    assert refused(planner.get("/index.html", headers={"Cookie": cookie}))


ORIGINS = [
    "https://elsewhere.example",
    "null",
    "http://127.0.0.1",
    "https://{own}",
    "http://{own}.elsewhere.example",
    "http://127.0.0.1:1",
    "http://localhost:{port}",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_another_origin_is_refused_with_key_and_cookie(planner, origin):
    origin = origin.format(own=planner.root.authority, port=planner.root.port)
    headers = {"Origin": origin, "Cookie": planner.cookie()}
    assert refused(planner.get(f"/index.html?secret={planner.key}", headers=headers))
    assert refused(planner.get("/vue.global.js", headers=headers))
    assert knocked_in_vain(planner, headers=headers)
    assert knocked_in_vain(planner, path=f"/ws?secret={planner.key}", headers=headers)


def test_its_own_origin_is_let_in(planner):
    headers = {"Origin": str(planner.root), "Cookie": planner.cookie()}
    assert planner.get("/index.html", headers=headers).status == 200


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1.elsewhere.example:80", "localhost@x", "0.0.0.0", ""])
def test_a_foreign_name_for_this_machine_is_refused(planner, host):
    headers = {"Host": host, "Cookie": planner.cookie()}
    assert refused(planner.get(f"/index.html?secret={planner.key}", headers=headers))
    assert knocked_in_vain(planner, headers=headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST:8080", "localhost:{port}"])
def test_every_name_of_loopback_is_its_own(planner, host):
    headers = {"Host": host.format(port=planner.root.port)}
    assert planner.get(f"/index.html?secret={planner.key}", headers=headers).status == 200


def test_a_name_that_a_proxy_would_forward_is_not_believed_without_one(planner):
    headers = {"X-Forwarded-Host": "planner.example", "Origin": "http://planner.example", "Cookie": planner.cookie()}
    assert refused(planner.get("/index.html", headers=headers))


def test_behind_a_proxy_its_name_is_the_origin_and_the_cookie_is_secure(tools):
    with tools.running(Listening(behind_proxy=True)) as planner:
        path = f"/index.html?secret={planner.key}"
        forwarded = {"Origin": "https://planner.example", "X-Forwarded-Host": "planner.example:443"}
        kept = {"Origin": "https://planner.example", "Host": "planner.example"}
        for headers in (forwarded, kept):
            answer = planner.get(path, headers=headers)
            assert answer.status == 200
            assert all("Secure" in cookie for cookie in answer.cookies.values())
            assert refused(planner.get("/index.html", headers=headers))
            assert refused(planner.get(path, headers={**headers, "Origin": "https://elsewhere.example"}))
            assert refused(planner.get(path, headers={**headers, "Origin": "http://planner.example"}))


def test_the_socket_opens_by_cookie_and_speaks_by_key(planner, tools):
    headers = {"Cookie": planner.cookie(), "Origin": str(planner.root)}
    hello, state = planner.hello(tools.greeting(planner.key), tools.question(), headers=headers)
    assert hello["result"]["clientID"]
    assert "trame__title" in state["result"]["state"]


def test_the_socket_opens_by_key_for_a_program_without_a_browser(planner, tools):
    (hello,) = planner.hello(tools.greeting(planner.key), path=f"/ws?secret={planner.key}")
    assert hello["result"]["clientID"]


@pytest.mark.parametrize("secret", ["wslink-secret", "", None, "A" * 43, 0, ["wslink-secret"]], ids=repr)
def test_a_socket_that_says_the_wrong_word_learns_nothing(planner, tools, secret):
    headers = {"Cookie": planner.cookie()}
    hello, state = planner.hello(tools.greeting(secret), tools.question(), headers=headers)
    assert hello["error"]["code"] == REFUSED
    assert state["error"]["code"] == REFUSED
    assert "result" not in hello
    assert "result" not in state


def test_the_word_of_the_socket_is_not_the_cookie(planner, tools):
    cookie = planner.cookie()
    (hello,) = planner.hello(tools.greeting(cookie.partition("=")[2]), headers={"Cookie": cookie})
    assert hello["error"]["code"] == REFUSED


@pytest.mark.parametrize("path", ["/ws", "/ws?secret=wslink-secret", "/ws?secret="])
def test_the_socket_is_refused_before_it_opens(planner, path):
    assert knocked_in_vain(planner, path=path)
    assert knocked_in_vain(planner, path=path, headers={"Origin": str(planner.root)})


def test_a_download_needs_the_key_as_well(planner, tmp_path):
    file = tmp_path / "anything"
    file.write_text("the plan")
    address = planner.door.downloads.offer(file, "Plan für L4.json")
    assert refused(planner.get(address))
    assert refused(planner.get(f"{address}?secret=wrong"))
    assert refused(planner.get(address, headers={"Cookie": planner.cookie(), "Origin": "https://elsewhere.example"}))
    answer = planner.get(address, headers={"Cookie": planner.cookie()})
    assert (answer.status, answer.text) == (200, "the plan")
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''Plan%20f%C3%BCr%20L4.json" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert planner.get(f"{address}?secret={planner.key}").text == "the plan"


WAYS_OUT = [
    "{t}/..%2F..%2Fetc%2Fpasswd",
    "{t}/../../etc/passwd",
    "..%2f..%2f/passwd",
    "{t}/other",
    "{t}/",
    "{t}",
    "",
    "x/a",
]


@pytest.mark.parametrize("way", WAYS_OUT)
def test_no_path_of_a_request_is_followed(planner, tmp_path, way):
    file = tmp_path / "plan.json"
    file.write_text("the plan")
    (tmp_path / "other").write_text("not offered")
    token = planner.door.downloads.offer(file, "plan.json").split("/")[2]
    answer = planner.get(f"/download/{way.format(t=token)}", headers={"Cookie": planner.cookie()})
    assert answer.status == 404


@pytest.mark.parametrize("path", ["/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "//etc/passwd", "/assets/"])
def test_static_files_end_at_their_folder(planner, path):
    assert refused(planner.get(path))
    assert planner.get(path, headers={"Cookie": planner.cookie()}).status in (403, 404)


def test_every_answer_is_sealed(planner):
    cookie = {"Cookie": planner.cookie()}
    answers = [planner.get(place, headers=headers) for place in PLACES for headers in ({}, cookie)]
    assert {answer.status for answer in answers} >= {200, 302, 403, 404}
    for answer in answers:
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_policy_lets_a_page_load_from_its_own_server_only(planner):
    text = planner.get(f"/index.html?secret={planner.key}").headers["Content-Security-Policy"]
    policy = {rule.split()[0]: rule.split()[1:] for rule in text.split(";")}
    assert policy["script-src"] == ["'self'", "'unsafe-eval'"]
    assert policy["connect-src"] == ["'self'", f"ws://{planner.root.authority}", f"wss://{planner.root.authority}"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert not re.search(r"https?:|\*", text)


def test_the_page_needs_no_inline_script(planner):
    page = planner.get(f"/index.html?secret={planner.key}").text
    assert not re.search(r"<script>|\son\w+=", page)
    assert '<script src="start.js">' in page
    assert planner.key not in page


def test_a_refusal_says_what_to_do_and_nothing_of_the_case(planner):
    answer = planner.get("/")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "terminal printed" in answer.text
    assert planner.key not in str(answer)


@pytest.mark.parametrize(
    ("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("planner.example", "planner.example")]
)
def test_the_address_holds_the_key(host, shown):
    door = Door()
    assert door.address("https", host, 8443) == f"https://{shown}:8443/?secret={door.key}"


def test_a_door_stands_before_what_is_in_the_way_already():
    @web.middleware
    async def careless(request, handler):
        return web.Response(text="everything")

    app, downloads = web.Application(middlewares=[careless]), Downloads()
    Door(downloads).attach(app)
    assert app.middlewares[-1] is careless
    assert len(app.middlewares) == 2
