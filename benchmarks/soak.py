"""Many pages at once: pictures a second of the slowest, and whether the server's memory grows.

Prints these as the time goes by, and how much of the processors the server and the pages had.

The server runs in a process of its own; the pages' side (this process) takes each picture,
acknowledges it, and counts. Every session plays as fast as it goes; some have a panel open.

    python -m benchmarks.soak [--sessions 20] [--minutes 5]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any

import websockets

from chainrule.engine.threads import default_threads
from chainrule.server.frames import FRAME_HEADER
from chainrule.server.launch import Playground
from chainrule.server.protocol import SUBPROTOCOL

PICTURES_WANTED = 5.0
GROWTH_ALLOWED = 0.1
WARM_SHARE = 0.2
"""Of the time, before memory is compared: moments, curves and pools fill at first."""

KINDS: tuple[dict[str, Any], ...] = (
    {"dataset": "circle"},
    {"dataset": "spiral", "hidden_layer_sizes": [8, 6], "solver": "adam"},
    {"dataset": "arms", "hidden_layer_sizes": [16, 16], "solver": "momentum"},
    {"dataset": "peaks", "loss": "squared_error", "hidden_layer_sizes": [8, 8], "solver": "lbfgs"},
    {"dataset": "xor", "fork": 1000, "fork_solver": "adam"},
)
PANELS = ("", "timeline", "surface", "histograms", "space")


def serve(pipe: Connection, sessions: int) -> None:
    """The server, until the pages are done; answers with its memory and processor time."""
    with Playground(limit=sessions) as playground:
        pipe.send((playground.port, playground.token))
        while pipe.recv() == "how":
            pipe.send((resident_bytes(), time.process_time()))


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def page(
    port: int, token: str, settings: dict[str, Any], panel: str, until: float
) -> list[float]:
    """One page: when each picture came."""
    protocols = [SUBPROTOCOL, f"token.{token}"]
    times: list[float] = []
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/ws", subprotocols=protocols, max_size=None, compression=None
    ) as socket:
        await socket.send(json.dumps({"type": "hello", "settings": settings}))
        await socket.send(json.dumps({"type": "watch", "panel": panel}))
        await socket.send(json.dumps({"type": "play"}))
        while (left := until - time.monotonic()) > 0:
            try:
                data = await asyncio.wait_for(socket.recv(), left)
            except TimeoutError:
                break
            if isinstance(data, str):
                for again in wanted(json.loads(data)):
                    await socket.send(json.dumps({"type": again}))
                continue
            if data[:4] == b"CRF1":
                times.append(time.monotonic())
                sequence = FRAME_HEADER.unpack_from(data)[1]
                await socket.send(json.dumps({"type": "drawn", "frame": sequence}))
    return times


def wanted(message: dict[str, Any]) -> tuple[str, ...]:
    """What a page says to a run that has stopped: a soak goes on."""
    if message["type"] != "status" or message["playing"]:
        return ()
    return ("play",) if message["settings"]["fork"] >= 0 else ("reset", "play")


async def soak(
    port: int, token: str, sessions: int, seconds: float, pipe: Connection
) -> tuple[list[list[float]], list[tuple[float, int, float]]]:
    """The times of every page's pictures; of the server (time, memory, processor time)."""
    begun = time.monotonic()
    until = begun + seconds
    kinds = list(islice(cycle(KINDS), sessions))
    panels = [PANELS[(i // len(KINDS)) % len(PANELS)] for i in range(sessions)]
    pages = [
        asyncio.create_task(page(port, token, kind, panel, until))
        for kind, panel in zip(kinds, panels, strict=True)
    ]
    seen = []
    while time.monotonic() < until:
        await asyncio.sleep(min(1.0, seconds / 40, max(0.05, until - time.monotonic())))
        pipe.send("how")
        memory, busy = await asyncio.to_thread(pipe.recv)
        seen.append((time.monotonic() - begun, memory, busy))
    return await asyncio.gather(*pages), seen


def rates(times: list[list[float]], seconds: float) -> list[tuple[float, float]]:
    """Of every page: pictures a second on the whole, and in its worst ten seconds."""
    found = []
    for one in times:
        if not one:
            found.append((0.0, 0.0))
            continue
        window = min(10.0, seconds / 2)
        starts = [one[0] + window * k for k in range(max(1, int((one[-1] - one[0]) / window)))]
        worst = min(sum(start <= t < start + window for t in one) / window for start in starts)
        found.append((len(one) / seconds, worst))
    return found


def main() -> None:
    """Print the slowest page's pictures and the server's memory; fail if they fall short."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5.0)
    options = parser.parse_args()
    seconds = 60 * options.minutes
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, options.sessions), daemon=True)
    process.start()
    port, token = ours.recv()
    begun, before = time.perf_counter(), time.process_time()
    times, seen = asyncio.run(soak(port, token, options.sessions, seconds, ours))
    ours.send("done")
    process.join(20)
    pages = (time.process_time() - before) / (time.perf_counter() - begun)
    course(times, seen, seconds)
    if not report(rates(times, seconds), seen, seconds, pages):
        raise SystemExit(1)


def course(times: list[list[float]], seen: list[tuple[float, int, float]], seconds: float) -> None:
    """Print tenth after tenth: memory, the server's processor time, the slowest page's pictures."""
    begun = min(one[0] for one in times if one)
    print(f"{'seconds':>15} {'memory, MiB':>12} {'cores':>7} {'slowest':>9} {'all pages':>11}")
    for k in range(10):
        start, end = k * seconds / 10, (k + 1) * seconds / 10
        inside = [one for one in seen if start <= one[0] < end]
        counts = [sum(start <= t - begun < end for t in one) for one in times]
        if len(inside) < 2:
            continue
        cores = (inside[-1][2] - inside[0][2]) / (inside[-1][0] - inside[0][0])
        print(
            f"{start:6.0f} –{end:7.0f} {inside[-1][1] / 2**20:12.1f} {cores:7.2f}"
            f" {min(counts) / (end - start):9.1f} {sum(counts) / (end - start):11.1f}"
        )
    print()


def report(
    found: list[tuple[float, float]],
    seen: list[tuple[float, int, float]],
    seconds: float,
    pages: float,
) -> bool:
    """Print what was found; whether it is as wanted."""
    whole, worst = min(one for one, _ in found), min(one for _, one in found)
    settled = [memory for at, memory, _ in seen if at > WARM_SHARE * seconds]
    first, last = settled[0], settled[-1]
    growth = max(settled) / first - 1
    busy = (seen[-1][2] - seen[0][2]) / (seen[-1][0] - seen[0][0])
    mib = 2**20
    print(f"{len(found)} sessions for {seconds:.0f} s; the server had {busy:.2f} cores,")
    print(f"the pages {pages:.2f}, of {default_threads()}\n")
    print(f"pictures a second, slowest session   {whole:8.1f}   wanted ≥ {PICTURES_WANTED:g}")
    print(f"  in its worst ten seconds           {worst:8.1f}")
    print(f"memory after {WARM_SHARE:.0%} of the time        {first / mib:8.1f} MiB")
    print(f"  at the end                         {last / mib:8.1f} MiB")
    print(
        f"  most since, in % more              {100 * growth:8.1f}   wanted ≤ {GROWTH_ALLOWED:.0%}"
    )
    return whole >= PICTURES_WANTED and growth <= GROWTH_ALLOWED


if __name__ == "__main__":
    main()
