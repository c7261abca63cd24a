"""The page to play with a generator: what a request may ask, who may ask, and how it looks."""

import http.client
import io
import threading

import numpy as np
import pytest
from browser import opened
from PIL import Image
from sessions import SessionEngine

import autogan
from autogan.config import TrainConfig, load_saved
from autogan.core.errors import ConfigError
from autogan.data.grids import grid
from autogan.play.player import Player
from autogan.play.server import _Server, page

PARAMS = {"width": 8, "dense_width": 16, "batch_size": 8}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root, engine = tmp_path_factory.mktemp("runs"), SessionEngine()
    common = {"dataset": "digits", "criterion": "ms_ssim", "eval_samples": 50, "steps": 2,
              "params": PARAMS}  # fmt: skip
    for kind in ("cgan", "dcgan"):
        autogan.train({**common, "gan_type": kind, "run_dir": root / kind}, engine=engine)
    return root, engine


def player_of(runs, kind, tmp_path):
    root, engine = runs
    config = load_saved(TrainConfig, root / kind / "config.yaml").resolved().as_dict()
    return Player(config, root / kind, "best", engine, tmp_path)


@pytest.fixture
def player(runs, tmp_path):
    return player_of(runs, "cgan", tmp_path)


@pytest.fixture
def server(player):
    with _Server(("127.0.0.1", 0), player, "a <b> & 'c'") as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def asked(server, path, host=None, verb="GET"):
    port = server.server_address[1]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(verb, path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def pixels(picture):
    with Image.open(io.BytesIO(picture)) as image:
        return np.asarray(image)


@pytest.mark.usefixtures("in_process")
class TestPictures:
    @pytest.mark.parametrize(
        ("fields", "same"),
        [({}, {"count": 16}), ({"seed": "7", "count": "4"}, {"seed": 7, "count": 4}),
         ({"class3": "1"}, {"classes": [3], "count": 16}),
         ({"class3": "0.5", "class8": "1", "class1": "0"},
          {"mix": {"3": 0.5, "8": 1}, "count": 16}),
         ({"truncation": "0.5", "count": "2"}, {"truncation": 0.5, "count": 2}),
         ({"interpolate": "5", "count": "3"}, {"interpolate": 5, "count": 3})],
    )  # fmt: skip
    def test_they_are_those_of_sample(self, runs, player, fields, same):
        images = autogan.sample(runs[0] / "cgan", **same)
        expected = grid(images, same.get("interpolate", 0))[..., 0]
        assert np.array_equal(pixels(player.picture(fields)), expected)

    @pytest.mark.parametrize(
        ("field", "text"),
        [("seed", "-1"), ("seed", "x"), ("seed", str(2**31)), ("count", "0"), ("count", "65"),
         ("interpolate", "1"), ("interpolate", "17"), ("truncation", "no"), ("truncation", "0"),
         ("truncation", "nan"), ("class10", "1"), ("class3", "-1"), ("class3", "inf"),
         ("folder", "/etc"), ("classes", "3"), ("class" + "9" * 40, "1")],
    )  # fmt: skip
    def test_what_cannot_be_asked_for(self, player, field, text):
        with pytest.raises(ConfigError, match=f"^{field[:5]}"):
            player.picture({field: text})

    def test_without_classes(self, runs, tmp_path):
        plain = player_of(runs, "dcgan", tmp_path)
        assert plain.classes == []
        with pytest.raises(ConfigError, match="^class0|^classes"):
            plain.picture({"class0": "1"})
        assert b'id="classes" hidden' in page(plain, "t")


class TestServer:
    def test_a_page_its_files_and_a_picture(self, server):
        for path, kind in {
            "/": "text/html", "/play.js": "text/javascript", "/play.css": "text/css",
            "/images.png?count=1": "image/png",
        }.items():  # fmt: skip
            answer, body = asked(server, path)
            assert answer.status == 200
            assert answer.headers["Content-Type"].startswith(kind)
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
            assert int(answer.headers["Content-Length"]) == len(body)

    def test_names_are_escaped(self, server, player):
        player.classes[0] = '"><script>alert(1)</script>'
        _, body = asked(server, "/")
        assert b"<title>a &lt;b&gt; &amp; &#x27;c&#x27;</title>" in body
        assert b"<script>" not in body

    def test_a_refusal_is_one_line(self, server):
        answer, body = asked(server, "/images.png?count=x")
        assert (answer.status, body) == (400, b"count: 'x'; give a whole number from 1 to 64")
        answer, _ = asked(server, "/images.png?" + "&".join(f"a{n}=1" for n in range(3000)))
        assert answer.status == 400

    @pytest.mark.parametrize("path", ["/../setup.py", "/server.py", "/play.js/..", "//etc/passwd"])
    def test_nothing_else_is_there(self, server, path):
        assert asked(server, path)[0].status == 404

    def test_only_who_calls_it_by_its_address(self, server):
        for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "["):
            assert asked(server, "/images.png", host=host or "x y")[0].status == 403, host
        for host in ("localhost", "localhost:8770", "[::1]:1", "127.0.0.1"):
            assert asked(server, "/", host=host)[0].status == 200, host

    def test_it_only_reads(self, server):
        assert asked(server, "/", verb="POST")[0].status == 501

    def test_a_port_that_is_taken(self, server, runs, command):
        port = server.server_address[1]
        code, out, err = command("play", runs[0] / "cgan", "--port", str(port))
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"autogan: port: 127.0.0.1:{port} is not available (")

    @pytest.mark.usefixtures("in_process")
    def test_the_command_says_where(self, runs, command, monkeypatch):
        monkeypatch.setattr("autogan.play.server._Server.serve_forever", lambda self: None)
        code, out, _ = command("play", runs[0] / "cgan", "--port", "0")
        assert code == 0
        assert out.startswith("http://127.0.0.1:")

    @pytest.mark.slow
    @pytest.mark.parametrize("width", [1100, 420])
    def test_in_a_browser(self, server, width):
        with opened() as browser:
            shown = browser.new_page(viewport={"width": width, "height": 800})
            said = []
            shown.on("console", lambda message: said.append(message.text))
            shown.on("pageerror", lambda error: said.append(str(error)))
            asked_for = []
            for act in (
                lambda: shown.goto(f"http://127.0.0.1:{server.server_address[1]}/"),
                lambda: shown.click("#another"),
                lambda: shown.select_option("select", "4"),
                lambda: shown.check("#way"),
                lambda: shown.locator("input[name=class3]").fill("1"),
                lambda: shown.click("#none"),
            ):
                with shown.expect_response("**/images.png*") as answer:
                    act()
                assert answer.value.status == 200
                asked_for.append(answer.value.url.partition("?")[2])
            assert asked_for[0] == "seed=0&count=16"
            assert "count=4" in asked_for[2]
            assert "interpolate=8" in asked_for[3]
            assert "class3=1" in asked_for[4]
            assert "class3" not in asked_for[5]
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            assert said == []
            assert shown.inner_text("#problem") == ""
