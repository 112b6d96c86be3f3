"""One foreign log, two witnesses: what they must answer by C2SP tlog-witness, request by request.

    python witness.py log KEYFILE                                  the log's vkey (the key is made if absent)
    python witness.py ask KEYFILE NAME SUBMIT MONITOR VKEY          asks one witness; exit code 1 at a failure
    python witness.py feed URL ORIGIN                              the vkey of a feed, as its node shows it
    python witness.py cosigner URL NODE                            the vkey of a node as a witness, from its node record
    python witness.py line ORIGIN LOGVKEY CHECKPOINT-URL VKEY       the checkpoint bears a good line of this witness

Written from the specification, on `aics-tlog`, which nobody here wrote; nothing of Jopói's is used.
"""

import base64
import hashlib
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

from aics_tlog.checkpoint import Checkpoint, serialise_checkpoint, sign_checkpoint
from aics_tlog.cosign import cosignature_vkey, verify_cosignature
from aics_tlog.note import format_vkey, parse_note, parse_vkey, sign_note, vkey_from_ed25519, verify_note_signature
from aics_tlog.tree import MerkleTree
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from served import OPENER, Refused, check, need

ORIGIN = "log.example/foreign"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SIZES = (1, 2, 3, 8, 13, 40)


def log_key(path):
    path = pathlib.Path(path)
    if not path.exists():
        path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


def tree_of(count, branch=""):
    tree = MerkleTree()
    tree.extend(f"{branch}entry {number}".encode() for number in range(count))
    return tree


def note_of(key, tree, size, origin=ORIGIN, signers=None):
    checkpoint = Checkpoint(origin=origin, size=size, root=tree.root(size))
    note = sign_checkpoint(checkpoint, key, origin).serialise()
    for extra in signers or []:
        text = serialise_checkpoint(checkpoint)
        line = sign_note(text, extra, origin)
        blob = base64.b64encode(line.key_id + line.signature).decode()
        note += f"\u2014 {line.name} {blob}\n"
    return note


def body(old, proof, note):
    lines = [f"old {old}"] + [base64.b64encode(node).decode() for node in proof]
    return ("\n".join(lines) + "\n\n" + note).encode()


def post(url, data):
    request = urllib.request.Request(url, data=data, method="POST")
    try:
        with OPENER.open(request, timeout=30) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers.get("Content-Type", ""), refusal.read()


def expect(cases, name, answer, statuses, size=None):
    status, kind, text = answer
    check(status in statuses, f"{name}: {status} instead of {statuses}: {text[:200]!r}")
    if status == 409:
        check(kind.split(";")[0] == "text/x.tlog.size", f"{name}: 409 as {kind}")
        check(text == f"{size}\n".encode(), f"{name}: 409 says {text!r} instead of {size}")
    cases.append(f"{status} {name}")


def cosigned(text, size, root, vkey):
    """The answer of a witness that agreed: one or more lines, one by its key."""
    key = parse_vkey(vkey)
    for line in text.decode().splitlines():
        _, name, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if name == key.name and blob[:4] == key.key_id:
            good = verify_cosignature(
                blob[4:], name, key.public_key, ORIGIN, size, root,
                max_age_seconds=300, max_future_seconds=60,
            )
            check(good, f"the cosignature of {name} does not verify")
            return
    raise Refused(f"no line by {key.name} in {text!r}")


def ask(key, submit, monitor, vkey):
    url, cases, tree, held = f"{submit.rstrip('/')}/add-checkpoint", [], tree_of(64), 0

    def send(name, data, statuses):
        expect(cases, name, post(url, data), statuses, held)

    stranger = Ed25519PrivateKey.generate()
    first = note_of(key, tree, 1)
    send("nothing at all", b"", (400,))
    send("no `old` line", b"\n" + first.encode(), (400,))
    send("`old` with a leading zero", b"old 00\n\n" + first.encode(), (400,))
    send("`old` below zero", b"old -1\n\n" + first.encode(), (400,))
    send("no empty line", b"old 0\n" + first.encode(), (400,))
    send("no checkpoint", b"old 0\n\n", (400,))
    send("a proof line that is no base64", b"old 0\n!!\n\n" + first.encode(), (400,))
    send("a proof line of 31 bytes", body(0, [b"x" * 31], first), (400,))
    send("64 proof lines", body(0, [b"x" * 32] * 64, first), (400,))
    send("old size above the new one", body(2, [], first), (400,))
    send("a log nobody configured", body(0, [], note_of(stranger, tree, 1, "log.example/other")), (404,))
    send("no signature by a known key", body(0, [], note_of(stranger, tree, 1)), (403,))
    send("another text under a good signature", body(0, [], first.replace("\n1\n", "\n2\n")), (403,))
    send("an old size it never saw", body(1, [], note_of(key, tree, 2)), (409,))
    for size in SIZES:
        proof = tree.consistency_proof(held, size) if held else []
        note = note_of(key, tree, size)
        if held:
            send(f"{held} to {size}: no proof", body(held, [], note), (422,))
            send(f"{held} to {size}: one node too many", body(held, [*proof, b"x" * 32], note), (422,))
            wrong = [b"y" * 32, *proof[1:]]
            send(f"{held} to {size}: a wrong node", body(held, wrong, note), (422,))
            other = note_of(key, tree_of(64, "another "), size)
            send(f"{held} to {size}: another history", body(held, proof, other), (422,))
            send(f"{held} to {size}: from the beginning", body(0, [], note), (409,))
        answer = post(url, body(held, proof, note_of(key, tree, size, signers=[stranger])))
        expect(cases, f"{held} to {size}", answer, (200,))
        cosigned(answer[2], size, tree.root(size), vkey)
        before, held = held, size
        answer = post(url, body(held, [], note))
        expect(cases, f"{size} again", answer, (200,))
        cosigned(answer[2], size, tree.root(size), vkey)
        send(f"{size} again, from {before}", body(before, proof, note), (409,))
        # v1.0.0 has 409 for it, v1.1.0 has 422; what matters is that nobody signs it.
        split = note_of(key, tree_of(64, "another "), size)
        expect(cases, f"{size} with another root", post(url, body(held, [], split)), (409, 422), held)
    digest = hashlib.sha256(ORIGIN.encode()).hexdigest()
    with OPENER.open(f"{monitor.rstrip('/')}/{digest}/checkpoint", timeout=30) as answer:
        latest = parse_note(answer.read())
    check(latest.text.splitlines()[1] == str(held), "the monitoring endpoint shows another size")
    return cases


def line(origin, log, url, vkey):
    """Waits until the checkpoint at `url` bears a line of the witness over this very text."""
    key, log = parse_vkey(vkey), parse_vkey(log)
    for _ in range(240):
        with OPENER.open(url, timeout=30) as answer:
            note = parse_note(answer.read())
        check(any(verify_note_signature(note, sig, log) for sig in note.signatures), "not signed by its log")
        name, size, root = note.text.splitlines()[:3]
        check(name == origin, f"it is the checkpoint of {name}")
        for sig in note.signatures:
            if sig.name == key.name and sig.key_id == key.key_id:
                root = base64.b64decode(root)
                check(
                    verify_cosignature(sig.signature, sig.name, key.public_key, origin, int(size), root),
                    f"the line of {key.name} does not verify",
                )
                return size
        time.sleep(0.25)
    raise Refused(f"no line by {key.name} at {url}")


def feed_vkey(url, origin):
    feeds = json.loads(need(f"{url}api/v1/feeds"))["feeds"]
    return next(feed["vkey"] for feed in feeds if feed["origin"] == origin)


def cosigner_vkey(url, node):
    keys = json.loads(need(f"{url}.well-known/jopoi"))["credentialSubject"]["keys"]
    newest = max((key for key in keys if key["use"] == "witness"), key=lambda key: key["generation"])
    number = 0
    for letter in newest["key"].removeprefix("did:key:z"):
        number = number * 58 + BASE58.index(letter)
    return format_vkey(cosignature_vkey(f"{node}/witness", number.to_bytes(34, "big")[2:]))


def main():
    command, *rest = sys.argv[1:]
    if command == "log":
        print(format_vkey(vkey_from_ed25519(ORIGIN, log_key(rest[0]).public_key().public_bytes_raw())))
    elif command == "ask":
        path, name, submit, monitor, vkey = rest
        cases = ask(log_key(path), submit, monitor, vkey)
        print(f"ok    {name}: {len(cases)} requests to add-checkpoint answered as the specification says")
    elif command == "feed":
        print(feed_vkey(*rest))
    elif command == "cosigner":
        print(cosigner_vkey(*rest))
    elif command == "line":
        origin, log, url, vkey = rest
        print(f"ok    {parse_vkey(vkey).name} cosigned {origin} at {line(origin, log, url, vkey)} entries")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except Refused as error:
        sys.exit(f"FAIL  {error}")
