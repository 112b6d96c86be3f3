"""Other people's software, and a client written from the specifications, read what a federation
serves. Input: the lines of `jopoi demo --json`. Output: one line a feed; exit code 1 at a failure.
"""

import json
import pathlib
import select
import subprocess
import sys

import others
import tlog_client
import vc_check
from served import Refused, check, need

HERE = pathlib.Path(__file__).parent
QUIET_SECONDS = 3
FIRST_LINE_SECONDS = 60


def nodes(stream):
    """The lines of `demo --json`: until the stream ends, or is silent for a while after a line."""
    wait = FIRST_LINE_SECONDS
    while select.select([stream], [], [], wait)[0]:
        line = stream.readline()
        if not line:
            return
        if line.strip():
            yield json.loads(line)
            wait = QUIET_SECONDS


def digital_bazaar(context, bodies):
    """The libraries of tests/outsiders/vc, in one process for all bodies."""
    if not (HERE / "vc/node_modules").is_dir():
        return "@digitalbazaar/vc skipped (needs node and npm)"
    lines = [{"context": context.decode()}]
    lines += [{"name": name, "body": body.decode()} for name, body in bodies]
    lines = "".join(json.dumps(line) + "\n" for line in lines)
    done = subprocess.run(["node", HERE / "vc/check.mjs"], input=lines, capture_output=True, text=True)
    check(done.returncode == 0, done.stderr.strip())
    check(int(done.stdout) == len(bodies), "@digitalbazaar/vc saw another number of bodies")
    return f"@digitalbazaar/vc and jsonld agree on {len(bodies)} bodies"


def read_feed(node, feed):
    base, origin = f"{node['url'].rstrip('/')}/feeds/{feed['origin']}", feed["origin"]
    entries, log = tlog_client.read_log(base, origin, feed["vkey"])
    bodies, vc = vc_check.read_bodies(base, origin, entries)
    return bodies, "; ".join([log, vc, others.audit_log(base, feed["vkey"]), others.verify_bodies(bodies)])


def main():
    context, bodies, passed, failed = None, [], 0, 0
    for node in nodes(sys.stdin):
        for feed in node["feeds"]:
            name = f"{node['role']} {node['name']}: {feed['origin']}"
            try:
                context = context or need(f"{node['url'].rstrip('/')}/ns/v1")
                read, words = read_feed(node, feed)
                bodies += read
                passed += 1
                print(f"ok    {name}: {words}", flush=True)
            except (Refused, ValueError, KeyError) as error:
                failed += 1
                print(f"FAIL  {name}: {error!r}", flush=True)
    try:
        check(passed, "no feed was read")
        print(f"ok    {digital_bazaar(context, bodies)}")
    except Refused as error:
        failed += 1
        print(f"FAIL  {error}")
    print(f"outsiders: {passed} feeds passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
