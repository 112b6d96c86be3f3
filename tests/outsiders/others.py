"""Libraries that nobody here wrote, used as their authors publish them: `aics-tlog` (C2SP logs) and
`openvc-core` (W3C Verifiable Credentials). What is not installed is skipped, and said."""

import json

from served import Refused, check

try:
    from aics_tlog.checkpoint import verify_checkpoint
    from aics_tlog.note import parse_note, parse_vkey
    from aics_tlog.remote import HttpTileReader
    from aics_tlog.verified import audit_tiles
except ImportError:
    audit_tiles = None

try:
    from openvc.proof.di_jcs import EddsaJcsProofSuite
except ImportError:
    EddsaJcsProofSuite = None


def audit_log(base, vkey):
    """aics-tlog reads checkpoint, tiles and bundles by itself and recomputes the root."""
    if audit_tiles is None:
        return "aics-tlog skipped (needs Python 3.12)"
    key = parse_vkey(vkey)
    reader = HttpTileReader(f"{base}/", proxies={})
    note = parse_note(reader.read_checkpoint().decode())
    verdict = verify_checkpoint(note, key)
    check(verdict.ok, f"aics-tlog: {verdict.error}")
    try:
        report = audit_tiles(reader, verdict.size, verdict.root)
    except Exception as error:  # whatever it says, it did not agree
        raise Refused(f"aics-tlog: {base}: {error}") from error
    check(report.size == verdict.size, "aics-tlog read another size")
    return "aics-tlog agrees"


def verify_bodies(bodies):
    """openvc verifies each body with nothing but its bytes."""
    if EddsaJcsProofSuite is None:
        return "openvc-core skipped (not installed)"
    suite = EddsaJcsProofSuite()
    for name, body in bodies:
        try:
            suite.verify(json.loads(body))
        except Exception as error:  # whatever it says, it did not verify
            raise Refused(f"openvc-core: {name}: {error}") from error
    return "openvc-core agrees"
