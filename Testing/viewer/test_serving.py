"""Where the planner listens: what is refused, what is printed, what is left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from yarl import URL

from spinescrew.errors import InputError
from spinescrew.viewer.door import Door
from spinescrew.viewer.serving import Listening, serve_async


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A self-signed certificate of localhost and its key, the key encrypted, and another key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command")
    folder = tmp_path_factory.mktemp("tls")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("key", "other"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.pem")
    openssl("req", "-x509", "-key", "key.pem", "-out", "with, comma.pem", "-days", "2", "-subj", "/CN=localhost")
    openssl("ec", "-in", "key.pem", "-aes256", "-passout", "pass:locked", "-out", "locked.pem")
    return folder


def refusal(**listening) -> str:
    with pytest.raises(InputError) as caught:
        Listening(**listening).check()
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_default_is_loopback_and_any_port():
    Listening().check()
    assert Listening().is_loopback
    assert Listening().doorway.names == {"127.0.0.1", "localhost", "[::1]"}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.0.0.5", "127.1"])
def test_names_of_this_machine_alone_are_loopback(host):
    listening = Listening(host)
    listening.check()
    assert listening.is_loopback
    assert listening.address.startswith("127.")
    assert listening.address in listening.doorway.names


def test_loopback_of_ipv6_goes_by_its_name_in_brackets():
    assert Listening("::1").is_loopback
    assert Listening("::1").doorway.names == {"127.0.0.1", "localhost", "[::1]"}


@pytest.mark.parametrize("host", ["0.0.0.0", "", "0", "::", "192.0.2.7", "::ffff:192.0.2.7"])
def test_the_network_needs_tls_or_a_proxy(host):
    assert not Listening(host).is_loopback
    message = refusal(host=host)
    assert "--tls-certificate" in message
    assert "--tls-key" in message
    assert "--behind-proxy" in message
    Listening(host, behind_proxy=True).check()


def test_the_network_is_served_with_tls(tls):
    listening = Listening("0.0.0.0", certificate=tls / "with, comma.pem", private_key=tls / "key.pem")
    listening.check()
    assert listening.scheme == "https"
    assert listening.doorway.names is None
    assert listening.shown_host == socket.gethostname()


def test_a_host_nobody_knows_is_refused():
    assert "not known" in refusal(host="no-such-host.invalid")


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_does_not_exist_is_refused(port):
    assert str(port) in refusal(port=port)


def test_half_of_tls_is_refused(tls):
    assert "key.pem" in refusal(private_key=tls / "key.pem")
    assert "with, comma.pem" in refusal(certificate=tls / "with, comma.pem")


@pytest.mark.parametrize(
    ("certificate", "key", "named"),
    [
        ("missing.pem", "key.pem", "missing.pem"),
        ("with, comma.pem", "missing.pem", "missing.pem"),
        ("key.pem", "key.pem", "key.pem"),
        ("with, comma.pem", "with, comma.pem", "with, comma.pem"),
        ("with, comma.pem", "other.pem", "other.pem"),
        ("with, comma.pem", "locked.pem", "locked.pem"),
    ],
)
def test_a_file_that_tls_cannot_use_is_named(tls, certificate, key, named):
    assert refusal(certificate=tls / certificate, private_key=tls / key).startswith(str(tls / named))


def test_what_the_check_refuses_is_not_served(tools):
    with pytest.raises(InputError, match="--tls-certificate"):
        asyncio.run(serve_async(tools.small_page(), Door(), Listening("0.0.0.0"), print))


def test_a_port_in_use_is_said(planner, tools):
    with pytest.raises(InputError, match=f"port {planner.root.port} .*--port"):
        asyncio.run(serve_async(tools.small_page(), Door(), Listening(port=planner.root.port), print))


def test_it_listens_on_loopback_only(planner):
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", planner.root.port), timeout=5).close()


def test_the_cookie_of_tls_is_secure_and_plain_http_gets_nothing(tls, tools):
    listening = Listening("localhost", certificate=tls / "with, comma.pem", private_key=tls / "key.pem")
    trusted = ssl.create_default_context(cafile=tls / "with, comma.pem")
    trusted.check_hostname = False
    with tools.running(listening) as planner:
        assert planner.root.scheme == "https"
        answer = planner.get(f"/index.html?secret={planner.key}", ssl=trusted)
        assert answer.status == 200
        assert all("Secure" in cookie for cookie in answer.cookies.values())
        assert planner.get("/index.html", ssl=trusted).status == 403
        (hello,) = planner.hello(tools.greeting(planner.key), path=f"/ws?secret={planner.key}", ssl=trusted)
        assert hello["result"]["clientID"]
        with socket.create_connection((planner.root.host, planner.root.port), timeout=10) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"HTTP" not in plain.recv(100)


def test_the_key_is_in_no_log_and_nothing_is_printed(tools, caplog, capfd):
    with caplog.at_level(logging.DEBUG), tools.running(Listening()) as planner:
        planner.get(f"/?secret={planner.key}")
        planner.get("/?secret=wrong")
        planner.hello(tools.greeting(planner.key), tools.question(), path=f"/ws?secret={planner.key}")
    assert planner.key not in caplog.text
    assert "aiohttp.access" not in caplog.text
    assert capfd.readouterr() == ("", "")


def test_the_socket_of_a_server_that_ends_is_closed_and_its_files_are_gone(tools):
    door = Door()
    folder = door.downloads.folder
    with tools.running(Listening(), door) as planner:
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(OSError):
        socket.create_connection((planner.root.host, planner.root.port), timeout=5)


def test_a_server_stopped_from_within_ends_serving(tools):
    server, door = tools.small_page(), Door()

    async def live():
        loop = asyncio.get_running_loop()
        await serve_async(server, door, Listening(), lambda _: loop.create_task(server.stop()))

    asyncio.run(asyncio.wait_for(live(), 30))


PROGRAM = """
import sys
from trame.app import get_server
from trame.ui.html import DivLayout
from spinescrew.viewer.door import Door
from spinescrew.viewer.serving import Listening, run_until_terminated, serve_async

server, door = get_server("alone"), Door()
with DivLayout(server):
    pass
print(door.downloads.folder, flush=True)
run_until_terminated(serve_async(server, door, Listening(), lambda address: print(address, flush=True)))
print("ended", flush=True)
"""
FOREIGN = "--host 0.0.0.0 --port 1 --authKey guess --timeout 1 --banner --no-http"


@pytest.mark.parametrize(
    ("arguments", "variables", "ending"),
    [
        (FOREIGN.split(), {"TRAME_DEFAULT_HOST": "0.0.0.0"}, signal.SIGTERM),
        ([], {"TRAME_ARGS": FOREIGN}, signal.SIGINT),
    ],
    ids=["command line", "environment"],
)
def test_alone_it_reads_nobodys_options_prints_one_address_and_ends_clean(tools, arguments, variables, ending):
    command = [sys.executable, "-c", PROGRAM, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, **variables}, **pipes) as process:
        try:
            folder, address = Path(process.stdout.readline().strip()), URL(process.stdout.readline().strip())
            client = tools.Client(str(address), SimpleNamespace(key=address.query["secret"]))
            existed, cookie = folder.is_dir(), {"Cookie": client.cookie()}
            page = client.get("/index.html", headers=cookie)
            (wrong,) = client.hello(tools.greeting("guess"), headers=cookie)
            (right,) = client.hello(tools.greeting(client.key), headers=cookie)
            process.send_signal(ending)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (out, err, process.returncode) == ("ended\n", "", 0)
    assert existed
    assert not folder.exists()
    assert address.host == "127.0.0.1"
    assert page.status == 200
    assert "error" in wrong
    assert "result" in right
