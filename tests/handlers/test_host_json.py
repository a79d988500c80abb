"""What host.json says of the queues is what the queue extension reads, and what simulations take for granted."""

import json
from pathlib import Path
from typing import Any

from local.host.host_json import read_host_json
from local.memory import CONCURRENCY

HOST_JSON = Path(__file__).parents[2] / "host.json"
KNOWN = {
    "batchSize",
    "maxDequeueCount",
    "maxPollingInterval",
    "messageEncoding",
    "newBatchThreshold",
    "visibilityTimeout",
}
"""The host ignores any other name without a word (documentation of host.json settings of the queue storage extension)."""


def queues() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(HOST_JSON.read_text())["extensions"]["queues"]
    return found


def test_every_setting_of_the_queues_is_one_that_the_extension_reads() -> None:
    assert set(queues()) == KNOWN


def test_so_many_passes_run_at_once_in_a_host_as_simulations_say() -> None:
    options = read_host_json(HOST_JSON).queues

    assert options.batch_size + options.new_batch_threshold == CONCURRENCY == 24
