#!/usr/bin/env python3
"""A bad line between two network namespaces: packets are kept for a while, pass one after the other at a rate,
and some are lost.

    line.py NEAR FAR RATE_BITS DELAY_MS LOSS_PERCENT SEED

Opens a tun device in each namespace and passes packets between them. A round trip takes twice the delay.
Commands on standard input, each answered with a line: `count` (packets and bytes carried to NEAR, to FAR, and
how many were lost), `cut`, `mend`, `open` (no rate, delay and loss), `bad` (as begun). Linux, root; nothing but
the standard library.
"""
import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI = 0x0001, 0x1000
CLONE_NEWNET = 0x40000000
# What waits to be sent at the most: a second of such a line, as a modem keeps it.
QUEUE_S = 1.0

libc = ctypes.CDLL(None, use_errno=True)


def open_tun(namespace, name):
    """A tun device in a namespace, as a file."""
    with open(f"/run/netns/{namespace}") as target:
        if libc.setns(target.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    return tun


class Way:
    """One direction."""

    def __init__(self, to):
        self.to, self.free_at, self.packets, self.bytes, self.lost = to, 0.0, 0, 0, 0


def main():
    near, far, rate, delay, loss, seed = sys.argv[1:]
    rate, delay, loss = int(rate), int(delay) / 1000, float(loss) / 100
    chance = random.Random(seed)
    tun_near, tun_far = open_tun(near, "line"), open_tun(far, "line")
    ways = {tun_near: Way(tun_far), tun_far: Way(tun_near)}
    under_way, number = [], 0
    cut = opened = False
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while under_way and under_way[0][0] <= now:
            _, _, to, packet = heapq.heappop(under_way)
            try:
                os.write(to, packet)
            except OSError:
                pass  # The device is not up yet, or no longer.
        patience = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select([tun_near, tun_far, sys.stdin], [], [], patience)
        for source in ready:
            if source is sys.stdin:
                command = sys.stdin.readline().strip()
                if not command:
                    return
                to_far, to_near = ways[tun_near], ways[tun_far]
                if command == "count":
                    lost = to_near.lost + to_far.lost
                    print(to_near.packets, to_near.bytes, to_far.packets, to_far.bytes, lost, flush=True)
                    continue
                cut = {"cut": True, "mend": False}.get(command, cut)
                opened = {"open": True, "bad": False}.get(command, opened)
                print(command, flush=True)
                continue
            way = ways[source]
            for _ in range(64):
                try:
                    packet = os.read(source, 65536)
                except BlockingIOError:
                    break
                now = time.monotonic()
                waits = max(0.0, way.free_at - now)
                if cut or (not opened and (waits > QUEUE_S or chance.random() < loss)):
                    way.lost += 1
                    continue
                way.packets += 1
                way.bytes += len(packet)
                at = now
                if not opened:
                    way.free_at = now + waits + len(packet) * 8 / rate
                    at = way.free_at + delay
                number += 1
                heapq.heappush(under_way, (at, number, way.to, packet))


main()
