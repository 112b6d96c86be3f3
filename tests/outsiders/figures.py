"""Reads the figures of a node, on standard input, with the parser of those who wrote OpenMetrics."""

import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families

# What a node that holds one feed or more always says.
WANTED = {
    "jopoi_build": "info",
    "jopoi_feed_size": "gauge",
    "jopoi_entries": "counter",
    "jopoi_peer_state": "gauge",
    "jopoi_key_expiry_timestamp_seconds": "gauge",
    "jopoi_sync_duration_seconds": "histogram",
    "process_cpu_seconds": "counter",
}

families = {family.name: family for family in text_string_to_metric_families(sys.stdin.read())}
for name, kind in WANTED.items():
    assert name in families, f"no {name} in {sorted(families)}"
    assert families[name].type == kind, f"{name} is a {families[name].type}"
for family in families.values():
    assert family.documentation, f"{family.name} has no help"
samples = sum(len(family.samples) for family in families.values())
print(f"ok    {sys.argv[1]}: {len(families)} figures in {samples} lines")
