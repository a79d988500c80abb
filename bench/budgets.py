"""The product's budgets, each of which has a row in every table, measured or not."""

from enum import StrEnum


class Budget(StrEnum):
    """What is promised; the value says it as the table does."""

    LATENCY = "event to isolated / longest unavoidable chain <= 1.15"
    REQUESTS = "ARM requests of one registry, creation to isolated <= 50, writes = the necessary ones"
    AGAIN = "second reconcile: 0 writes, <= 12 reads"
    SWEEP = "sweep of 10,000: <= 10 Resource Graph queries per 1,000, no ARM GET beyond the rolling share"
    THROTTLED = "1,000 registries at once / the throttling limits' own lower bound <= 1.15, none lost"
    IRRELEVANT = "irrelevant event < 1 ms, nothing written"
    COLD_START = "import function_app beyond azure.functions <= 100 ms, no azure.mgmt"


LATENCY_RATIO = 1.15
THROTTLED_RATIO = 1.15
MOST_REQUESTS = 50
MOST_READS_AGAIN = 12
IRRELEVANT_MILLISECONDS = 1.0
COLD_START_MILLISECONDS = 100.0
