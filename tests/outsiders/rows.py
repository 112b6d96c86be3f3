"""Rows to import: `python rows.py COUNT WORD` prints good practices as JSON Lines."""

import json
import sys

for number in range(int(sys.argv[1])):
    print(json.dumps({
        "kind": "good-practice",
        "id": f"row-{number}",
        "title": f"Práctica número {number}, {sys.argv[2]} 😀",
        "summary": "Resumen de la práctica. " * (1 + number % 40),
        "language": "es",
        "basis": "own-statement",
        "reuse": "CC-BY-4.0",
        "capacities": ["coordination"],
        "states": ["XA"],
    }))
