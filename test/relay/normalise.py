"""Normalises events as Sentry does: the package sentry-relay of PyPI, and nothing of ours.

Standard input is {"received": "2026-…Z", "events": [...]}, standard output a list with what became of each: the event, its `errors`, and
`_meta`, which says what was cut or removed.
"""

import json
import sys

from sentry_relay.processing import StoreNormalizer

given = json.load(sys.stdin)
normalizer = StoreNormalizer(
    project_id=1,
    protocol_version="7",
    received_at=given["received"],
    max_secs_in_future=60,
    max_secs_in_past=30 * 86400,
    enable_trimming=True,
    is_renormalize=False,
    remove_other=False,
    normalize_user_agent=False,
)
json.dump([normalizer.normalize_event(event) for event in given["events"]], sys.stdout)
