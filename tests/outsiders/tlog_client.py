"""A C2SP tlog-tiles client, written from the specifications: signed-note, tlog-checkpoint,
tlog-tiles and tlog-proof. It shares no code and no library with Jopói.

`python tlog_client.py BASE-URL ORIGIN VKEY` reads a whole log and recomputes everything in it.
"""

import base64
import hashlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from served import Refused, check, get, need

TILE = 256
PROOFS_TRIED = 24


def leaf_hash(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(hashes):
    """RFC 6962, 2.1, over what are leaf hashes already."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(tree_root(hashes[:split]), tree_root(hashes[split:]))


class Verifier:
    """A verifier key as signed-note writes it: NAME+KEYID+BASE64(0x01 || PUBLIC KEY)."""

    def __init__(self, vkey):
        self.name, key_id, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        check(raw[0] == 1 and len(raw) == 33, f"`{vkey}` is not an Ed25519 verifier key")
        wanted = hashlib.sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        check(bytes.fromhex(key_id) == wanted, f"`{vkey}`: the key id is not that of name and key")
        self.key_id, self.key = wanted, Ed25519PublicKey.from_public_bytes(raw[1:])

    def open(self, note):
        """The text of a note this key signed. A false line by this key refuses the whole note."""
        check("\n\n" in note and note.endswith("\n"), "a note has a text, an empty line and signatures")
        text, lines = note.rsplit("\n\n", 1)
        text += "\n"
        good = 0
        for line in lines.splitlines():
            check(line.startswith("\u2014 "), f"`{line}` is not a signature line")
            name, encoded = line[2:].split(" ")
            signature = base64.b64decode(encoded, validate=True)
            if name != self.name or signature[:4] != self.key_id:
                continue
            try:
                self.key.verify(signature[4:], text.encode())
            except InvalidSignature:
                raise Refused(f"the signature by {name} is false") from None
            good += 1
        check(good > 0, f"no signature by {self.name}")
        return text


def open_checkpoint(note, verifier, origin):
    """(size, root) of a checkpoint."""
    lines = verifier.open(note).split("\n")
    check(lines[0] == origin, f"the checkpoint is of `{lines[0]}`, not of `{origin}`")
    check(lines[1] == str(int(lines[1])), f"`{lines[1]}` is not a size")
    check(lines[3:] == [""], "the checkpoint has extension lines")
    root = base64.b64decode(lines[2], validate=True)
    check(len(root) == 32, "the root is not 32 bytes")
    return int(lines[1]), root


def tile_path(number):
    parts = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        parts.append(f"x{number % 1000:03}")
    return "/".join(reversed(parts))


def widths(count):
    """(tile number, width) of all tiles over `count` hashes."""
    full = [(number, TILE) for number in range(count // TILE)]
    return full + ([(count // TILE, count % TILE)] if count % TILE else [])


def url(base, level, number, width):
    partial = "" if width == TILE else f".p/{width}"
    return f"{base}/tile/{level}/{tile_path(number)}{partial}"


def split_bundle(bundle, count, where):
    entries, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        entries.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    check(at == len(bundle) and len(entries) == count, f"{where}: not {count} whole entries")
    return entries


def check_levels(base, leaves):
    """Every hash tile of every level, recomputed from the leaves."""
    hashes, level, tiles = leaves, 0, 0
    while hashes:
        above = []
        for number, width in widths(len(hashes)):
            where = url(base, level, number, width)
            wanted = hashes[number * TILE : number * TILE + width]
            check(need(where) == b"".join(wanted), f"{where}: other hashes than the entries give")
            tiles += 1
            if width == TILE:
                above.append(tree_root(wanted))
        hashes, level = above, level + 1
    return tiles


def check_proof(text, index, leaf, verifier, origin, known):
    """One `.tlog-proof`, judged by nothing but the verifier key and the leaf. `known` are roots we
    computed ourselves, by size."""
    head, note = text.split("\n\n", 1)
    lines = head.split("\n")
    check(lines[0] == "c2sp.org/tlog-proof@v1", "the proof's first line")
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    check(lines[0] == f"index {index}", f"the proof is for `{lines[0]}`")
    path = [base64.b64decode(line, validate=True) for line in lines[1:]]
    size, root = open_checkpoint(note, verifier, origin)
    check(index < size, "the proof's checkpoint does not reach its index")
    at, last, computed = index, size - 1, leaf
    for sibling in path:  # RFC 9162, 2.1.3.2
        check(last > 0, "the proof is too long")
        if at & 1 or at == last:
            computed = node_hash(sibling, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        at, last = at >> 1, last >> 1
    check(last == 0 and computed == root, f"the proof of entry {index} does not reach its root")
    check(known.get(size, root) == root, "the proof's checkpoint has another root")


def some(size):
    """First, last, both sides of every power of two and of a tile, evenly between: a bounded set."""
    wanted = {0, size - 1, 255, 256, 257}
    for power in range(size.bit_length()):
        wanted |= {(1 << power) - 1, 1 << power}
    wanted |= set(range(0, size, max(1, size // PROOFS_TRIED)))
    return sorted(index for index in wanted if 0 <= index < size)


def read_log(base, origin, vkey):
    """Reads and checks a whole log; returns (entries, words)."""
    verifier = Verifier(vkey)
    check(verifier.name == origin, f"the verifier key is called `{verifier.name}`")
    size, root = open_checkpoint(need(f"{base}/checkpoint").decode(), verifier, origin)
    entries = []
    for number, width in widths(size):
        where = url(base, "entries", number, width)
        entries += split_bundle(need(where), width, where)
    leaves = [leaf_hash(entry) for entry in entries]
    check(tree_root(leaves) == root, f"{base}: the entries give another root than the checkpoint")
    tiles = check_levels(base, leaves)
    for width in {1, size % TILE // 2, size % TILE - 1} if size % TILE > 1 else set():
        if width > 0:  # a client that holds an older checkpoint asks for narrower tiles
            first = size // TILE * TILE
            where = url(base, 0, size // TILE, width)
            wanted = b"".join(leaves[first : first + width])
            check(need(where) == wanted, f"{where}: other hashes than the entries give")
    check(get(url(base, 0, size // TILE + 1, TILE)) is None, f"{base}: a tile beyond its size")
    proved = some(size)
    for index in proved:
        text = need(f"{base}/proof/{index}").decode()
        check_proof(text, index, leaves[index], verifier, origin, {size: root})
    return entries, f"{size} entries, root recomputed, {tiles} hash tiles, {len(proved)} proofs"


if __name__ == "__main__":
    _, base_url, log_origin, log_vkey = sys.argv
    print(read_log(f"{base_url.rstrip('/')}/feeds/{log_origin}", log_origin, log_vkey)[1])
