"""A session over the wire: learning, drawing, stalling, failing, coming back."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from chainrule.server.drawing import FIRST_DRAWING
from chainrule.server.frames import FRAME_HEADER
from chainrule.server.speed import Speed

from .steering import do, open_session
from .wire import Page, floats, httpx, read_frame, run, websockets


def test_a_run_over_the_wire_is_the_run(playground, caller):
    async def story():
        async with caller:
            await caller.hello(settings={"dataset": "xor", "stop_epoch": 40})
            await caller.say(type="play")
            frame = await caller.frame(lambda one: one["flags"] & 2)
            run_here = playground.sessions.get(caller.session).run
            assert frame["epochs"] == 40
            assert frame["steps"] == 1000
            theta = floats(caller.frames[-1], FRAME_HEADER.size, frame["parameters"])
            assert np.array_equal(np.float32(theta), run_here.theta)

    run(story())


def test_the_same_settings_give_the_same_fingerprint(playground, caller):
    async def once():
        async with Page(playground) as visitor:
            await visitor.hello(settings={"dataset": "spiral", "solver": "adam", "stop_epoch": 30})
            await visitor.say(type="play")
            return (await visitor.frame(lambda one: one["flags"] & 2))["fingerprint"]

    assert run(once()) == run(once())


def test_reset_comes_back_to_the_same_start(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            first = (await caller.frame())["fingerprint"]
            await caller.say(type="step")
            moved = (await caller.frame(lambda one: one["epochs"] == 1))["fingerprint"]
            await caller.say(type="reset")
            again = (await caller.frame(lambda one: one["epochs"] == 0))["fingerprint"]
            assert moved != first == again

    run(story())


def test_a_page_that_reads_nothing_costs_two_frames(playground, caller):
    async def story():
        async with caller:
            await caller.hello(settings={"hidden_layer_sizes": [64] * 4})
            caller.acknowledge = False
            await caller.say(type="play")
            await caller.frame()
            session = playground.sessions.get(caller.session)
            await asyncio.sleep(2.5)
            before = session.run.steps
            sent = session._easel.sequence
            await asyncio.sleep(1.0)
            assert session.run.steps > before
            assert session._easel.sequence == sent
            assert len(session.listener._undrawn) <= 2
            assert len(session.listener._messages) == 0

    run(story())


def test_a_hidden_page_gets_no_frames_but_goes_on_learning(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            await caller.say(type="play")
            await caller.frame()
            await caller.say(type="visible", visible=False)
            session = playground.sessions.get(caller.session)
            await asyncio.sleep(0.5)
            sent, steps = session._easel.sequence, session.run.steps
            await asyncio.sleep(0.7)
            assert session._easel.sequence == sent
            assert session.run.steps > steps
            await caller.say(type="visible", visible=True)
            await caller.frame(lambda one: one["sequence"] > sent)

    run(story())


def test_reconnecting_finds_the_run_as_it_was(playground, caller):
    async def story():
        settings = {"dataset": "gauss", "seed": 5}
        async with caller:
            await caller.hello(settings=settings)
            await caller.say(type="step")
            frame = await caller.frame(lambda one: one["epochs"] == 1)
        async with Page(playground) as again:
            again.session = caller.session
            welcome = await again.hello(settings=settings)
            assert welcome["resumed"]
            later = await again.frame()
            assert later["fingerprint"] == frame["fingerprint"]

    run(story())


def test_a_second_tab_takes_the_session_over(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            async with Page(playground) as second:
                second.session = caller.session
                await second.hello()
                await second.frame()
                with pytest.raises(websockets.ConnectionClosed, match="4002"):
                    await caller.drain()

    run(story())


def test_a_failed_run_says_why_and_can_be_reset_while_others_go_on(playground, caller):
    async def story():
        bad = {
            "dataset": "plane",
            "loss": "squared_error",
            "learning_rate": 100.0,
            "activations": ["relu", "relu"],
        }
        async with caller, Page(playground) as other:
            await caller.hello(settings=bad)
            await other.hello()
            await other.say(type="play")
            await caller.say(type="play")
            failed = await caller.until(lambda message: message["type"] == "failed")
            assert failed["message"]
            await caller.frame(lambda one: one["flags"] & 4)
            steps = (await other.frame())["steps"]
            await other.frame(lambda one: one["steps"] > steps)
            await caller.say(type="set", settings={"learning_rate": 0.01})
            await caller.say(type="reset")
            await caller.say(type="play")
            frame = await caller.frame(lambda one: one["epochs"] > 3)
            assert not frame["flags"] & 4

    run(story())


def test_a_mistake_of_ours_ends_the_run_and_not_the_session(
    playground, caller, monkeypatch, caplog
):
    async def story():
        async with caller:
            await caller.hello()
            await caller.frame()
            broken = playground.sessions.get(caller.session).run
            monkeypatch.setattr(broken, "advance", lambda steps: 1 / 0)
            await caller.say(type="play")
            failed = await caller.until(lambda message: message["type"] == "failed")
            assert "ZeroDivisionError" in failed["message"]
            await caller.say(type="reset")
            await caller.say(type="step")
            await caller.frame(lambda one: one["epochs"] == 1)

    run(story())
    assert "the run stopped" in caplog.text


def test_speed_is_kept(playground, caller):
    """With a clock of the test's own: so many steps as its seconds hold, and then no more."""

    async def story():
        now = 0.0
        async with caller:
            await caller.hello(settings={"speed": 30})
            session = playground.sessions.get(caller.session)
            session._speed = Speed(lambda: now)
            await caller.say(type="play")
            await caller.frame(lambda one: one["steps"] == 1)
            for moved in range(1, 6):
                now = 0.2 * moved + 0.01
                await caller.frame(lambda one, want=6 * moved + 1: one["steps"] == want)
            await asyncio.sleep(0.3)
            assert session.run.steps == 31

    run(story())


def test_own_points_over_the_wire(playground, caller):
    rows = [f"{i % 10},{i // 10},{'yes' if i % 10 > 4 else 'no'}" for i in range(100)]
    content = "\n".join(["left,up,answer", *rows]).encode()

    async def story():
        async with caller:
            await caller.hello(settings={"dataset": "plane", "loss": "huber"})
            headers = {"authorization": f"Bearer {playground.token}", "x-session": caller.session}
            url = f"http://127.0.0.1:{playground.port}/api/table"
            answer = await asyncio.to_thread(httpx.post, url, headers=headers, content=content)
            assert answer.json()["columns"] == ["left", "up", "answer"]
            await caller.say(type="own", columns=["left", "up"], target="answer", reading="direct")
            told = await caller.until(lambda m: m["type"] == "run" and m["own"])
            assert told["classes"] == ["no", "yes"]
            assert told["settings"]["loss"] == "cross_entropy"
            await caller.say(
                type="own", columns=["left", "left"], target="answer", reading="direct"
            )
            error = await caller.until(lambda m: m["type"] == "error")
            assert "two different columns" in error["message"]
            await caller.say(type="step")
            assert (await caller.frame(lambda one: one["epochs"] == 1))["train_score"] >= 0

    run(story())


def test_a_slow_full_batch_session_holds_no_other_up(playground, caller):
    """Each iteration sees 8000 rows through 64 × 64; files are asked for meanwhile over HTTP."""
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{int(a * b > 0)}" for a, b in rng.normal(size=(9000, 2))]
    content = "\n".join(["a,b,c", *rows]).encode()

    async def story():
        async with caller, Page(playground) as other:
            slow = {"solver": "lbfgs", "hidden_layer_sizes": [64, 64, 64], "train_percent": 90}
            await caller.hello(settings=slow)
            headers = {"authorization": f"Bearer {playground.token}", "x-session": caller.session}
            url = f"http://127.0.0.1:{playground.port}/api/"
            await asyncio.to_thread(httpx.post, f"{url}table", headers=headers, content=content)
            await caller.say(type="own", columns=["a", "b"], target="c", reading="direct")
            await caller.until(lambda m: m["type"] == "run" and m["own"])
            await caller.say(type="play")
            asking = asyncio.create_task(
                asyncio.to_thread(httpx.get, f"{url}script", headers=headers, timeout=30)
            )
            await other.hello()
            await other.say(type="play")
            begun, frames = time.monotonic(), 0
            while time.monotonic() - begun < 1.5:
                await asyncio.wait_for(other.frame(), 5)
                frames += 1
            assert frames >= 8
            assert (await asyncio.to_thread(httpx.get, url[:-4])).status_code == 200
            assert "points_of_csv" in (await asking).text

    run(story())


def test_step_inside_over_the_wire(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            await caller.say(type="inside", position=0, row=0)
            told = await caller.until(lambda m: m["type"] == "inside")
            await caller.say(type="inside", position=told["last"], row=None)
            told = await caller.until(lambda m: m["type"] == "inside")
            assert told["phase"] == "update"
            await caller.say(type="explain", name="W1", index=[0, 0])
            explained = await caller.until(lambda m: m["type"] == "explained")
            assert explained["relative_error"] < 1e-4
            await caller.say(type="update")
            await caller.until(lambda m: m["type"] == "inside" and m["position"] == 0)
            assert playground.sessions.get(caller.session).run.steps == 1

    run(story())


def test_a_flood_of_commands_ends_the_connection_not_the_server(playground, caller):
    async def story():
        async with caller:
            await caller.hello(settings={"hidden_layer_sizes": [64] * 8})
            with pytest.raises(websockets.ConnectionClosed):
                await caller.flood(type="explain", name="W1", index=[0, 0])
        async with Page(playground) as other:
            await other.hello()
            await other.frame()

    run(story())


def test_frames_are_not_compressed(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            await caller.frame()
            assert "sec-websocket-extensions" not in caller.socket.response.headers
            assert read_frame(caller.frames[0])["side"] == 100

    run(story())


def test_every_message_tells_how_many_commands_are_known(playground, caller):
    async def story():
        async with caller:
            await caller.hello()
            began = await caller.until(lambda one: one["type"] == "run")
            assert began["heard"] == 0
            await caller.say(type="look", unit=1)
            await caller.say(type="set", settings={"learning_rate": 0.01})
            await caller.say(type="visible", visible=True)  # the connection's own
            await caller.say(type="set", settings={"noise": "loud"})
            status = await caller.until(lambda one: one["type"] == "status")
            assert status["heard"] == 2
            assert status["settings"]["learning_rate"] == 0.01
            refused = await caller.until(lambda one: one["type"] == "error")
            assert refused["heard"] == 3
            await caller.say(type="no such command")
            unknown = await caller.until(lambda one: one["type"] == "error" and one != refused)
            assert unknown["heard"] == 4
        async with caller:  # another socket counts anew
            await caller.hello()
            again = await caller.until(lambda one: one["type"] == "run" and one != began)
            assert again["heard"] == 0

    run(story())


@pytest.mark.parametrize("playing", [False, True])
def test_a_stroke_more_neither_stops_nor_starts_the_run(playing):
    session = open_session(dataset="drawn")
    try:
        if playing:
            do(session, "play")
        do(session, "set", settings={"drawing": FIRST_DRAWING + "AAAA"})
        with session.lock:
            assert session.run.settings["drawing"] == FIRST_DRAWING + "AAAA"
            assert session.playing == playing
        do(session, "set", settings={"dataset": "drawn", "seed": 3})
        assert not session.playing
    finally:
        session.close()
