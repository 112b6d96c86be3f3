"""What a node serves, over HTTP, with nothing of Jopói's: standard library only."""

import urllib.error
import urllib.request

BYTES_MAX = 40 * 1024 * 1024
SECONDS_MAX = 30


class Refused(Exception):
    """A check failed; the words say which."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


# Straight to the node: a proxy meant for the outside has no business on loopback.
OPENER = urllib.request.build_opener(NoRedirect(), urllib.request.ProxyHandler({}))


def get(url):
    """The bytes at `url`, or None where the node answers 404 or 410."""
    try:
        with OPENER.open(url, timeout=SECONDS_MAX) as answer:
            body = answer.read(BYTES_MAX + 1)
    except urllib.error.HTTPError as refusal:
        if refusal.code in (404, 410):
            return None
        raise Refused(f"{url}: HTTP {refusal.code}") from None
    except OSError as failure:
        raise Refused(f"{url}: {failure}") from None
    if len(body) > BYTES_MAX:
        raise Refused(f"{url}: over {BYTES_MAX} bytes")
    return body


def need(url):
    """The bytes at `url`; absence is a failure."""
    body = get(url)
    if body is None:
        raise Refused(f"{url}: not there")
    return body


def check(condition, words):
    if not condition:
        raise Refused(words)
