"""Signed requests (RFC 9421), made and checked by `http-message-signatures`, which nobody here wrote.

    python signatures.py feed URL ORIGIN DATA-OF-AN-ENTITLED-NODE     a restricted feed, asked for in all ways
    python signatures.py catch PORTFILE URL DATA-OF-A-NODE            stands before a node; all that the other node asks
                                                                     must be signed, until it has handed over a receipt

The keys of a node are derived here once more from its online secret, by the words of docs/protocol.md.
"""

import datetime
import http.server
import json
import pathlib
import re
import sys
import threading
import time
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from http_message_signatures import HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms

from served import OPENER, Refused, check

COVERED = ("@method", "@target-uri")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def did_key(public):
    number, text = int.from_bytes(b"\xed\x01" + public, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return f"did:key:z{text}"


def http_key(data):
    """The first generation of a node's `http` key."""
    secret = bytes.fromhex((pathlib.Path(data) / "keys" / "online").read_text().split()[-1])
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=b"", info=b"jopoi/v1 http 1")
    return Ed25519PrivateKey.from_private_bytes(derive.derive(secret))


class Keys(HTTPSignatureKeyResolver):
    def __init__(self, private):
        self.private = private
        self.did = did_key(private.public_key().public_bytes_raw())

    def resolve_private_key(self, key_id):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def resolve_public_key(self, key_id):
        check(key_id == self.did, f"signed by {key_id}, not by {self.did}")
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class Message:
    def __init__(self, method, url, headers):
        self.method, self.url, self.headers = method, url, headers


def signed(keys, url, nonce, seconds=0, method="GET", covered=COVERED, label="jopoi", tag="jopoi", lasts=60):
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    message = Message(method, url, {})
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=keys).sign(
        message, key_id=keys.did, created=now, expires=now + datetime.timedelta(seconds=lasts), nonce=nonce,
        label=label, tag=tag, include_alg=False, covered_component_ids=covered,
    )
    return message.headers


def ask(url, headers):
    try:
        with OPENER.open(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def feed(base, origin, data):
    keys, url, tried = Keys(http_key(data)), f"{base}feeds/{origin}/checkpoint", 0
    status, text = ask(url, signed(keys, url, "one"))
    check(status == 200 and text.decode().startswith(f"{origin}\n"), f"the entitled node got {status}: {text[:200]!r}")
    heads = f"{base}heads"
    status, text = ask(heads, signed(keys, heads, "two"))
    listed = [head["origin"] for head in json.loads(text)]
    check(origin in listed, f"/heads shows the entitled node {listed}")
    unknown = url.replace(origin.split("/")[1], "r-" + "a" * 26)
    _, nothing = ask(unknown, {})
    stranger = Keys(Ed25519PrivateKey.generate())
    refused = {
        "not signed": {},
        "a stranger": signed(stranger, url, "three"),
        "replayed": signed(keys, url, "one"),
        "for another address": signed(keys, heads, "four"),
        "for another method": signed(keys, url, "five", method="POST"),
        "stale": signed(keys, url, "six", seconds=-600),
        "from the future": signed(keys, url, "seven", seconds=600),
        "valid for an hour": signed(keys, url, "eight", lasts=3600),
        "without the method": signed(keys, url, "nine", covered=("@target-uri",)),
        "without the address": signed(keys, url, "ten", covered=("@method",)),
        "with more than the profile": signed(keys, url, "eleven", covered=("@method", "@target-uri", "@authority")),
        "another label": signed(keys, url, "twelve", label="sig1"),
        "another tag": signed(keys, url, "thirteen", tag="other"),
    }
    for name, headers in refused.items():
        status, text = ask(url, headers)
        check(status == 404, f"{name}: {status} instead of 404")
        check(text.replace(origin.encode(), b"") .count(b"r-") <= nothing.count(b"r-"), f"{name}: the answer names it")
        tried += 1
    status, text = ask(heads, {})
    check(origin not in text.decode(), "/heads shows a restricted feed to a stranger")
    print(f"ok    {origin}: read with a foreign library's signature; {tried} other requests got 404")


def catch(portfile, upstream, data):
    keys, seen, wrong = Keys(http_key(data)), [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            what = f"{self.command} {self.path.replace(upstream, '')}"
            # Who somebody is may be asked before one knows him: the only request without a signature.
            if self.path != "/.well-known/jopoi" or "Signature" in self.headers:
                try:
                    message = Message(self.command, f"http://{self.headers['Host']}{self.path}", dict(self.headers.items()))
                    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=keys)
                    verifier.verify(
                        message, expect_tag="jopoi", expect_label="jopoi", require_components=COVERED,
                        max_age=datetime.timedelta(seconds=300), body=body or None,
                    )
                    seen.append(what)
                except Exception as error:  # whatever it says, it did not verify
                    wrong.append(f"{what}: {error!r}")
            # Nobody is kept waiting for news here.
            headers = {name: self.headers[name] for name in ("Content-Type", "Accept") if name in self.headers}
            request = urllib.request.Request(upstream.rstrip("/") + self.path, body or None, headers, method=self.command)
            try:
                with OPENER.open(request, timeout=30) as answer:
                    status, kind, text = answer.status, answer.headers.get("Content-Type", ""), answer.read()
            except urllib.error.HTTPError as refusal:
                status, kind, text = refusal.code, refusal.headers.get("Content-Type", ""), refusal.read()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status != 204:
                self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pathlib.Path(portfile).write_text(str(server.server_port))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(240):
        if wrong or any(what.startswith("POST") for what in seen):
            break
        time.sleep(0.25)
    check(not wrong, f"not signed as promised: {wrong}")
    kinds = sorted({re.sub(r"\d+$", "N", what) for what in seen})
    check(any(kind.startswith("POST") for kind in kinds), f"no request with a body came, only {kinds}")
    print(f"ok    {len(seen)} requests of a node verify with a foreign library: {', '.join(kinds)}")


if __name__ == "__main__":
    try:
        {"feed": feed, "catch": catch}[sys.argv[1]](*sys.argv[2:])
    except Refused as error:
        sys.exit(f"FAIL  {error}")
