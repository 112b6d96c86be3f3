"""The lines that `jopoi demo --json` prints, for nodes that run: `python nodes.py URL…`. Waits until the
last one holds every feed of the others in the same size."""

import json
import sys
import time

from served import need


def feeds(url):
    return json.loads(need(f"{url}api/v1/feeds"))["feeds"]


urls = sys.argv[1:]
for _ in range(240):
    own = {feed["origin"]: feed["size"] for url in urls for feed in feeds(url) if feed["own"]}
    if own == {feed["origin"]: feed["size"] for feed in feeds(urls[-1])}:
        break
    time.sleep(0.25)
for url in urls:
    shown = [{"origin": feed["origin"], "vkey": feed["vkey"]} for feed in feeds(url)]
    name = next(feed["origin"].split("/")[0] for feed in feeds(url) if feed["own"])
    print(json.dumps({"role": "node", "name": name, "url": url, "feeds": shown}))
