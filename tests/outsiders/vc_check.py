"""`eddsa-jcs-2022` from the W3C's text, over RFC 8785 by a public library and Ed25519 by
`cryptography`; and what Jopói says beyond it: the entry commits to the body, and the key spoke for
the node at that index.

`python vc_check.py FILE` checks one body by its own key alone.
"""

import hashlib
import json
import sys

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from served import Refused, check, get

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58(text):
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\x00" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def did_key(did):
    check(did.startswith("did:key:z"), f"`{did}` is not a did:key in base58")
    raw = base58(did[len("did:key:z") :])
    check(raw[:2] == b"\xed\x01" and len(raw) == 34, f"`{did}` is not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(raw[2:])


def no_twins(pairs):
    names = [name for name, _ in pairs]
    check(len(names) == len(set(names)), "a member stands twice")
    return dict(pairs)


def parse(body):
    document = json.loads(body, object_pairs_hook=no_twins)
    check(rfc8785.dumps(document) == body, "the bytes are not the canonical ones")
    return document


def verify_body(document):
    """The proof, by the key the document names."""
    plain = {name: value for name, value in document.items() if name != "proof"}
    proof = document["proof"]
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    check(proof["type"] == "DataIntegrityProof", "another type of proof")
    check(proof["cryptosuite"] == "eddsa-jcs-2022", "another cryptosuite")
    check(proof["proofPurpose"] == "assertionMethod", "another purpose")
    check(proof["@context"] == document["@context"], "the proof has another context")
    issuer = document["issuer"]["id"]
    fragment = issuer.removeprefix("did:key:")
    check(proof["verificationMethod"] == f"{issuer}#{fragment}", "the proof is by another than the issuer")
    check(proof["proofValue"][0] == "z", "the signature is not base58")
    digest = hashlib.sha256(rfc8785.dumps(config)).digest()
    digest += hashlib.sha256(rfc8785.dumps(plain)).digest()
    try:
        did_key(issuer).verify(base58(proof["proofValue"][1:]), digest)
    except InvalidSignature:
        raise Refused("the signature is false") from None


def record_key(node_record):
    """The record key in force after a node record: the highest generation."""
    keys = [key for key in node_record["credentialSubject"]["keys"] if key["use"] == "record"]
    return max(keys, key=lambda key: key["generation"])["key"]


def check_agreement(statement, document, origin):
    for member in ("id", "version"):
        check(statement[member] == document[member], f"entry and body differ in `{member}`")
    kind = "".join(part.capitalize() for part in statement["kind"].split("-"))
    check(document["type"] == ["VerifiableCredential", kind], "entry and body differ in kind")
    check(document["issuer"]["node"] == origin.split("/")[0], "the issuer is another node")
    check(statement["time"] == document["validFrom"], "entry and body differ in time")
    if statement["kind"] != "node":
        check(document["feed"] == origin, "the body was written for another feed")


def read_bodies(base, origin, entries):
    """Checks every body of a feed; returns (the bodies, words)."""
    bodies, erased, key, root = [], 0, None, None
    for index, entry in enumerate(entries):
        statement = json.loads(entry, object_pairs_hook=no_twins)
        check(rfc8785.dumps(statement) == entry, f"entry {index} is not canonical")
        body = get(f"{base}/body/{index}") if statement["op"] == "publish" else None
        if body is None:
            check(index > 0, "the node record of entry 0 is not there")
            erased += statement["op"] == "publish"
            continue
        check(statement["body"] == "sha256:" + hashlib.sha256(body).hexdigest(),
              f"the body of entry {index} is not the one it commits to")
        document = parse(body)
        verify_body(document)
        check_agreement(statement, document, origin)
        issuer = document["issuer"]["id"]
        if statement["kind"] == "node":
            root = root or document["credentialSubject"]["root"]
            check(issuer == root, f"the node record of entry {index} is not by the root")
            key = record_key(document)
        else:
            check(issuer == key, f"entry {index} is by a key that did not speak for the node there")
        bodies.append((f"{origin} entry {index}", body))
    check(root is not None, "entry 0 is no node record")
    words = f"{len(bodies)} bodies verified"
    return bodies, words + (f", {erased} erased" if erased else "")


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        verify_body(parse(file.read()))
    print("the proof is good")
