"""Attacks on a running server: each row of the list of what a loopback page must stand."""

from __future__ import annotations

import http.client
import json
import socket
import sys

import pytest

from chainrule.server import tables
from chainrule.server.protocol import SUBPROTOCOL

from .wire import TYPES, Page, Playground, httpx, run, websockets


def ask(playground, path, method="GET", token=True, **headers):
    """A request with exactly these headers and this path, nothing tidied up on the way."""
    connection = http.client.HTTPConnection("127.0.0.1", playground.port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    given = {"host": f"127.0.0.1:{playground.port}", **headers}
    if token:
        given.setdefault("authorization", f"Bearer {playground.token}")
    for name, value in given.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    try:
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def test_it_listens_on_this_machine_only(playground):
    assert playground._socket.getsockname()[0] == "127.0.0.1"
    with socket.socket() as outside:
        outside.settimeout(2)
        address = next(
            (a[4][0] for a in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), ""
        )
        if address and not address.startswith("127."):
            with pytest.raises(OSError, match=r".*"):
                outside.connect((address, playground.port))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "0.0.0.0:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost:{port}.evil.example",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/settings.json", "/api/script"])
def test_a_wrong_host_is_refused(playground, host, path):
    status, _, _ = ask(playground, path, host=host.format(port=playground.port))
    assert status in (400, 421)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:1", "localhost.evil.example:{port}"])
def test_a_wrong_host_gets_no_socket(playground, host):
    """DNS rebinding: the name is the attacker's, the token is known, no Origin gives it away."""
    handshake = "\r\n".join(
        [
            "GET /ws HTTP/1.1",
            f"Host: {host.format(port=playground.port)}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}, token.{playground.token}",
            "\r\n",
        ]
    )
    before = len(playground.sessions)
    with socket.create_connection(("127.0.0.1", playground.port), timeout=10) as raw:
        raw.sendall(handshake.encode())
        assert raw.recv(4096).split(b"\r\n")[0].split()[1] == b"403"
    assert len(playground.sessions) == before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_its_own_names_are_let_in(playground, host):
    assert ask(playground, "/", host=f"{host}:{playground.port}")[0] == 200


ORIGINS = [
    "http://evil.example",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1:1",
    "null",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_origin_is_refused(playground, origin):
    origin = origin.format(port=playground.port)
    assert ask(playground, "/settings.json", origin=origin)[0] == 403
    assert ask(playground, "/api/script", origin=origin)[0] == 403


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_origin_gets_no_socket(playground, origin):
    origin = origin.format(port=playground.port)

    async def attack():
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await Page(playground, origin=origin).__aenter__()
        assert refusal.value.response.status_code == 403

    run(attack())


@pytest.mark.parametrize("token", ["", "wrong", "{token}x", "{half}", "Bearer", "ünïcode"])
def test_a_wrong_token_opens_nothing(playground, token):
    token = token.format(token=playground.token, half=playground.token[:10])
    header = f"Bearer {token}".encode().decode("latin-1")
    for path in ("/api/script", "/api/model"):
        assert ask(playground, path, authorization=header)[0] == 401
    assert ask(playground, "/api/script", token=False)[0] == 401
    assert ask(playground, "/api/table", "POST", authorization=header, content_length="0")[0] == 401


@pytest.mark.parametrize("subprotocols", [[SUBPROTOCOL], [SUBPROTOCOL, "token.wrong"], ["token."]])
def test_a_socket_needs_the_token(playground, subprotocols):
    async def attack():
        with pytest.raises(websockets.InvalidStatus) as refusal:
            await Page(playground, subprotocols=subprotocols).__aenter__()
        assert refusal.value.response.status_code == 403

    run(attack())


def test_the_token_is_compared_in_constant_time(playground, monkeypatch):
    compared = []

    def compare(a, b):
        compared.append((a, b))
        return a == b

    monkeypatch.setattr("chainrule.server.security.hmac.compare_digest", compare)
    assert ask(playground, "/api/script", authorization="Bearer guess")[0] == 401
    assert (b"guess", playground.token.encode()) in compared


def test_each_launch_has_its_own_token(playground):
    with Playground() as other:
        assert other.token != playground.token
        assert len(other.token) >= 32


PATHS = [
    "/../pyproject.toml",
    "/..%2f..%2f__init__.py",
    "/%2e%2e/app.py",
    "/page/../app.py",
    "//etc/passwd",
    "/....//app.py",
    "/index.html/../../app.py",
    "/app.py",
    "/main.js%00.css",
    "/..\\app.py",
    "/C:/windows/win.ini",
    "/.",
    "/..",
    "/index.html/",
    "/~root",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out_of_the_page(playground, path):
    status, body, _ = ask(playground, path)
    assert status in (404, 307)
    assert b"import" not in body
    assert b"root:" not in body


def test_every_file_of_the_page_is_served_with_its_type(playground):
    for name, kind in (
        ("/", "html"),
        ("/main.js", "js"),
        ("/base.css", "css"),
        ("/fa.json", "json"),
    ):
        status, body, headers = ask(playground, name)
        assert status == 200
        assert body
        assert headers["content-type"] == TYPES[kind]
        assert headers["x-content-type-options"] == "nosniff"


def test_the_policy_lets_nothing_in_from_elsewhere(playground):
    _, body, headers = ask(playground, "/")
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == f"'self' ws://127.0.0.1:{playground.port}"
    assert policy["require-trusted-types-for"] == "'script'"
    assert not any("unsafe" in value or "https:" in value for value in policy.values())
    assert b"http://" not in body.replace(b"http://www.w3.org", b"")
    assert b"style=" not in body
    assert b"onclick" not in body


@pytest.mark.parametrize("framed", [False, True])
def test_only_a_notebook_on_this_machine_may_frame_it(framed):
    with Playground(framed=framed) as playground:
        headers = ask(playground, "/")[2]
    ancestors = headers["content-security-policy"].split("frame-ancestors ")[1].split(";")[0]
    expected = "http://localhost:* http://127.0.0.1:*" if framed else "'none'"
    assert ancestors == expected
    assert ("x-frame-options" in headers) == (not framed)


async def session_of(playground):
    caller = Page(playground)
    await caller.__aenter__()
    await caller.hello()
    return caller


def test_an_upload_that_announces_too_much_is_refused(playground, caller):
    async def attack():
        visitor = await session_of(playground)
        status, body, _ = ask(
            playground,
            "/api/table",
            "POST",
            content_length=str(tables.MAX_BYTES + 1),
            x_session=visitor.session,
        )
        assert status == 413
        assert b"at most" in body
        await visitor.__aexit__()

    run(attack())


def test_an_upload_that_lies_about_its_size_is_cut_off(playground, caller):
    def endless():
        for _ in range(200):
            yield b"1,2,3\n" * 8000

    async def attack():
        visitor = await session_of(playground)
        headers = {"authorization": f"Bearer {playground.token}", "x-session": visitor.session}
        url = f"http://127.0.0.1:{playground.port}/api/table"
        try:
            status = httpx.post(url, headers=headers, content=endless()).status_code
        except httpx.HTTPError:  # cut off while still sending
            status = 413
        assert status == 413
        assert playground.sessions.get(visitor.session).upload == b""
        await visitor.__aexit__()

    run(attack())


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (b"[" * 40_000, 422, "JSON"),
        (b" " * 70_000, 413, "at most 65536 bytes"),
        (b'{"chainrule_lesson": 1, "id": "<b>"}', 422, "id: expected 1 to 40 small letters"),
    ],
)
def test_a_hostile_lesson_is_refused_over_the_wire(playground, caller, content, status, reason):
    async def attack():
        visitor = await session_of(playground)
        headers = {"authorization": f"Bearer {playground.token}", "x-session": visitor.session}
        url = f"http://127.0.0.1:{playground.port}/api/lesson"
        answer = httpx.post(url, headers=headers, content=content)
        assert answer.status_code == status
        assert reason in answer.json()["error"]
        assert playground.sessions.get(visitor.session).lesson is None
        await visitor.__aexit__()

    run(attack())
    assert ask(playground, "/api/lesson", "POST", token=False, content_length="0")[0] == 401
    assert ask(playground, "/api/lessons", token=False)[0] == 401


def test_an_upload_without_a_session_is_refused(playground):
    assert ask(playground, "/api/table", "POST", content_length="0", x_session="x")[0] == 404


ROWS = b"a,b,c\n" + b"1,2,x\n3,4,y\n5,6,x\n7,8,y\n"
HEADERS = {
    "UTF-16": b"\xff\xfea\x00",
    "Latin-1": "ä,b,c\n1,2,3\n".encode("latin-1"),
    "NUL bytes": b"a,b,c\n1,2,\x00\n",
    "two columns": b"a,b\n1,2\n",
    "empty": b"",
    "many rows": b"a,b,c\n" + b"\n" * 40_000,
    "100,000 columns": b",".join([b"c"] * 100_000),
    "an endless cell": b"a,b," + b"c" * 300_000,
}
CELLS = {
    "ragged": ROWS + b"1,2\n",
    "a formula": ROWS + b"=1+1,2,x\n",
    "a command": ROWS + b'"=cmd|calc!A1",2,x\n',
    "NaN": ROWS + b"nan,2,x\n",
    "infinity": ROWS + b"1e999,2,x\n",
    "text": ROWS + b"<script>alert(1)</script>,2,x\n",
    "one class": b"a,b,c\n" + b"1,2,x\n" * 9,
    "all different": b"a,b,c\n" + b"".join(b"%d,%d,c%d\n" % (i, i, i) for i in range(40)),
}


@pytest.mark.parametrize("content", CELLS.values(), ids=list(CELLS))
def test_a_hostile_table_is_refused_over_the_wire_and_the_run_goes_on(playground, caller, content):
    async def attack():
        visitor = await session_of(playground)
        headers = {"authorization": f"Bearer {playground.token}", "x-session": visitor.session}
        url = f"http://127.0.0.1:{playground.port}/api/table"
        assert httpx.post(url, headers=headers, content=content).status_code == 200
        await visitor.say(type="own", columns=["a", "b"], target="c", reading="direct")
        answer = await visitor.until(lambda message: message["type"] == "error")
        assert "expected" in answer["message"]
        await visitor.say(type="step")
        await visitor.frame(lambda frame: frame["epochs"] == 1)
        await visitor.__aexit__()

    run(attack())


@pytest.mark.parametrize("content", HEADERS.values(), ids=list(HEADERS))
def test_a_hostile_upload_is_refused_with_a_reason(playground, caller, content):
    async def attack():
        visitor = await session_of(playground)
        headers = {"authorization": f"Bearer {playground.token}", "x-session": visitor.session}
        url = f"http://127.0.0.1:{playground.port}/api/table"
        answer = httpx.post(url, headers=headers, content=content)
        assert answer.status_code == 422
        assert "expected" in answer.json()["error"]
        await visitor.__aexit__()

    run(attack())


def test_an_oversized_message_ends_the_connection_and_nothing_else(playground, caller):
    async def attack():
        visitor, other = await session_of(playground), await session_of(playground)
        await visitor.socket.send(json.dumps({"type": "set", "settings": {"x": "y" * 200_000}}))
        with pytest.raises(websockets.ConnectionClosed):
            await visitor.drain()
        assert visitor.socket.close_code in (1009, 1006)
        await other.say(type="step")
        await other.frame(lambda frame: frame["epochs"] == 1)
        await other.__aexit__()

    run(attack())


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01",
        b"",
        "",
        "{",
        '{"type": "hello"}',
        '{"type": 1}',
        '{"type": "edit"}',
        '{"type": "_loop"}',
        '{"type": "wake"}',
    ],
)
def test_a_malformed_message_is_answered_and_the_session_lives(playground, caller, sent):
    async def attack():
        visitor = await session_of(playground)
        await visitor.socket.send(sent)
        answer = await visitor.until(lambda message: message["type"] == "error")
        assert "expected" in answer["message"]
        await visitor.say(type="step")
        await visitor.frame(lambda frame: frame["epochs"] == 1)
        await visitor.__aexit__()

    run(attack())


@pytest.mark.parametrize(
    "hello",
    [
        "[]",
        "{}",
        "no",
        '{"type": "play"}',
        b"\x00",
        '{"type": "hello", "settings": {"batch_size": -1}}',
        '{"type": "hello", "settings": []}',
    ],
)
def test_a_malformed_hello_gets_no_session(playground, caller, hello):
    async def attack():
        before = len(playground.sessions)
        async with caller:
            await caller.socket.send(hello)
            with pytest.raises(websockets.ConnectionClosed):
                await caller.drain()
        assert len(playground.sessions) == before

    run(attack())


def test_garbage_on_the_wire_harms_nobody(playground, caller):
    for bytes_sent in (b"\x16\x03\x01" + b"\x00" * 200, b"GET / HTTP/9.9\r\n\r\n", b"\r\n" * 500):
        with socket.create_connection(("127.0.0.1", playground.port), timeout=5) as raw:
            raw.sendall(bytes_sent)
    assert ask(playground, "/")[0] == 200


def test_too_many_sessions_are_refused_and_a_left_one_makes_room(playground, caller, monkeypatch):
    async def attack():
        pages = [await session_of(playground) for _ in range(playground.sessions.limit)]
        async with Page(playground) as one_more:
            answer = await one_more.hello()
            assert answer["type"] == "error"
            assert "limit" in answer["message"]
            with pytest.raises(websockets.ConnectionClosed):
                await one_more.socket.recv()
            assert one_more.socket.close_code == 4001
        await pages[0].say(type="step")
        await pages[0].frame(lambda frame: frame["epochs"] == 1)
        await pages.pop().__aexit__()
        monkeypatch.setattr("chainrule.server.sessions.SPARE_SECONDS", 0.0)
        for _ in range(50):
            async with Page(playground) as again:
                if (await again.hello())["type"] == "welcome":
                    break
        else:
            raise AssertionError("no place became free")
        for left in pages:
            await left.__aexit__()

    run(attack())


def test_nothing_here_can_run_what_it_reads():
    from importlib import resources

    with resources.as_file(resources.files("chainrule.server")) as folder:
        files = list(folder.rglob("*.py"))
    assert len(files) > 20
    for entry in files:
        text = entry.read_text(encoding="utf-8")
        for word in ("eval(", "exec(", "pickle", "yaml.load", "__import__", "os.system"):
            assert word not in text, f"{entry.name}: {word}"
    assert "pickle" not in sys.modules["chainrule.server.app"].__dict__
