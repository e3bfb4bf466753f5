"""Pictures a second and epochs a second of the playground, with a page that draws every frame.

The server runs in a process of its own on one core; the page's side (this process) takes each
frame, acknowledges it, and counts. 250 training points, batches of 10, network 2-4-2-1; or images
of digits with the settings that the page gives them: 30 000 of MNIST, batches of 100, 784-20-10.

    python benchmarks/playground.py [--dataset circle|digits|mnist] [--seconds 5] [--core 0]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import time
from multiprocessing.connection import Connection

import websockets

from chainrule.server.frames import FRAME_HEADER
from chainrule.server.images import IMAGE_SETS
from chainrule.server.launch import Playground
from chainrule.server.protocol import SUBPROTOCOL

PICTURES_WANTED = {"circle": 30, "digits": 5, "mnist": 5}
EPOCHS_WANTED = {"circle": 30_000}
SETTLED = {"circle": 1000}
"""Epochs before which nothing is counted."""


def serve(pipe: Connection, core: int) -> None:
    """The server, on one core if the system can hold it there."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    with Playground() as playground:
        pipe.send((playground.port, playground.token))
        while pipe.recv() == "time":
            pipe.send(time.process_time())


async def measure(
    port: int, token: str, dataset: str, seconds: float, pipe: Connection
) -> dict[str, float]:
    """What was counted, the seconds it took, and the processor time that the server had of them."""
    protocols = [SUBPROTOCOL, f"token.{token}"]
    async with websockets.connect(
        f"ws://127.0.0.1:{port}/ws", subprotocols=protocols, max_size=None, compression=None
    ) as socket:
        start = IMAGE_SETS[dataset].start if dataset in IMAGE_SETS else {}
        settings = {**start, "dataset": dataset}
        await socket.send(json.dumps({"type": "hello", "settings": settings}))
        await socket.send(json.dumps({"type": "play"}))
        seen: list[tuple[float, float]] = []
        size, busy, end = 0, 0.0, None
        while end is None or time.perf_counter() < end:
            data = await socket.recv()
            if isinstance(data, str) or data[:4] != b"CRF1":
                continue
            header = FRAME_HEADER.unpack_from(data)
            await socket.send(json.dumps({"type": "drawn", "frame": header[1]}))
            if header[3] & 1 and header[5] > SETTLED.get(dataset, 0):
                seen.append((time.perf_counter(), header[5]))
                size = len(data)
                if end is None:
                    busy = processor_time(pipe)
                    end = time.perf_counter() + seconds
        busy = processor_time(pipe) - busy
    return {
        "seconds": seen[-1][0] - seen[0][0],
        "busy": busy,
        "pictures": len(seen) - 1,
        "epochs": seen[-1][1] - seen[0][1],
        "bytes": size,
    }


def processor_time(pipe: Connection) -> float:
    """Seconds of processor time that the server has used."""
    pipe.send("time")
    return pipe.recv()


def main() -> None:
    """Print both rates; where others use the core too, those of the server's share of it count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--dataset", choices=sorted(PICTURES_WANTED), default="circle")
    parser.add_argument("--core", type=int, default=0)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, options.core), daemon=True)
    process.start()
    port, token = ours.recv()
    found = asyncio.run(measure(port, token, options.dataset, options.seconds, ours))
    ours.send("done")
    process.join(10)
    share = found["busy"] / found["seconds"]
    print(f"the server had {share:.0%} of a core, a picture is {found['bytes']:,.0f} bytes\n")
    print(f"{'':10} {'a second':>12} {'a second of a core':>20} {'wanted':>10}")
    for name, all_wanted in (("pictures", PICTURES_WANTED), ("epochs", EPOCHS_WANTED)):
        wanted = all_wanted.get(options.dataset, 0)
        count = found[name]
        print(
            f"{name:10} {count / found['seconds']:12,.1f} {count / found['busy']:20,.1f} "
            f"{wanted:10,}"
        )


if __name__ == "__main__":
    main()
