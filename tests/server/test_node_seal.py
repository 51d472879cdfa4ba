"""An application with node-seal alone: raw keys and ciphertexts over HTTP, and sums that its own SEAL loads."""

from __future__ import annotations

import json

import pytest

from tests.support.browser import NEEDS_NODE_SEAL, run
from tests.support.contract import BASES
from tests.support.process import RunningServer

pytestmark = NEEDS_NODE_SEAL


def test_an_application_with_node_seal_registers_uploads_and_decrypts_its_sums(server: RunningServer) -> None:
    for line in run("reflective.js", *(server.url + base for base in BASES)):
        told = json.loads(line)

        assert told["registered"] == [201, "local_only"]
        assert told["secret"] == [422, "secret_key_received"]
        assert told["halfKey"] == [422, "invalid_he_public_key", "seeded"]
        assert told["half"] == [422, "invalid_ciphertext", 3, "seeded"]
        assert told["raised"] == [200, "full_sync", False, "2024-01-01T00:00:00Z"]
        assert told["early"] == [409, "he_key_required"]
        assert told["keyed"] == [200, "full_sync", True]
        assert told["uploaded"] == [201, True, 3]
        assert told["sum"] == [3, 1, pytest.approx(1219.25, abs=1e-4)]
        assert told["average"] == [3, 1, pytest.approx(1219.25 / 3, abs=1e-4)]
        assert told["recent"] == [2, 1, pytest.approx(719.25, abs=1e-4)]
        assert told["months"] == pytest.approx([500, -12.25, 731.5], abs=1e-4)
