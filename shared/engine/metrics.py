"""
Every number that the app measures: its name, its unit, and the few attributes that it is told apart by.

This is the one table: the exporter makes its instruments from it, the documentation is held to it, and alerts may only ask
for what is in it. Attributes are of low cardinality; no name, id or address is ever one, because each value is a series.
Names follow OpenTelemetry's conventions: dots between words that narrow, units in UCUM, no unit in a name.
"""

from dataclasses import dataclass
from enum import StrEnum


class MetricKind(StrEnum):
    """How values come together."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    One instrument.

    Attributes:
        unit: In UCUM; an annotation in braces says what is counted.
        attributes: Names of its attributes; each value comes from a closed set.
        bounds: Upper bounds of a histogram's buckets, in its unit.
    """

    name: str
    kind: MetricKind
    unit: str
    about: str
    attributes: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


_SHORT = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_LONG = (30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)

EVENTS = Metric(
    name="isolation.events",
    kind=MetricKind.COUNTER,
    unit="{event}",
    about="Events that arrived, by what became of them: a request, planned already, why they were ignored, or rejected as "
    "are messages that nobody can read.",
    attributes=("result",),
)
REQUESTS = Metric(
    name="isolation.requests",
    kind=MetricKind.COUNTER,
    unit="{request}",
    about="Requests to look at a registry, by the door that made them.",
    attributes=("reason",),
)
PASSES = Metric(
    name="isolation.passes",
    kind=MetricKind.COUNTER,
    unit="{pass}",
    about="Passes that came to their end, by outcome and by the door that asked.",
    attributes=("outcome", "reason"),
)
PASS_DURATION = Metric(
    name="isolation.pass.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    about="From the beginning of a pass to its end.",
    attributes=("outcome",),
    bounds=_SHORT,
)
PASS_LATENESS = Metric(
    name="isolation.pass.lateness",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    about="How long after it was due a pass began: the age of the backlog.",
    bounds=(1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600),
)
MISHAPS = Metric(
    name="isolation.mishaps",
    kind=MetricKind.COUNTER,
    unit="{pass}",
    about="Passes that an error ended, by what becomes of their message.",
    attributes=("fate",),
)
POISON = Metric(
    name="isolation.poison",
    kind=MetricKind.COUNTER,
    unit="{message}",
    about="Messages that failed five times, by what became of them: retried or failed.",
    attributes=("result",),
)
CHANGES = Metric(
    name="isolation.changes",
    kind=MetricKind.COUNTER,
    unit="{change}",
    about="What became of changes, by kind: done at once, or started and later succeeded or failed; skipped behind another.",
    attributes=("change", "result"),
)
TIME_TO_ISOLATED = Metric(
    name="isolation.time_to_isolated",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    about="From the first request to the pass that found a registry isolated that was not, however many asked meanwhile.",
    attributes=("reason",),
    bounds=_LONG,
)
REGISTRIES = Metric(
    name="isolation.registries",
    kind=MetricKind.GAUGE,
    unit="{registry}",
    about="Registries by phase, as the last sweep counted them.",
    attributes=("phase",),
)
SWEEPS = Metric(
    name="isolation.sweeps",
    kind=MetricKind.COUNTER,
    unit="{sweep}",
    about="Sweeps that ended, by state: done or failed.",
    attributes=("state",),
)
SWEEP_DURATION = Metric(
    name="isolation.sweep.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    about="From the beginning of a sweep to its end.",
    bounds=_LONG,
)
SWEEP_FOUND = Metric(
    name="isolation.sweep.found",
    kind=MetricKind.COUNTER,
    unit="{registry}",
    about="Registries that finished sweeps saw in the inventory.",
)
SWEEP_ENQUEUED = Metric(
    name="isolation.sweep.enqueued",
    kind=MetricKind.COUNTER,
    unit="{registry}",
    about="Registries that finished sweeps asked a pass for.",
)
OUTCOME_EVENTS = Metric(
    name="isolation.outcome_events",
    kind=MetricKind.COUNTER,
    unit="{event}",
    about="Outcome events that were delivered, and deliveries that failed.",
    attributes=("result",),
)
ARM_REQUESTS = Metric(
    name="isolation.arm.requests",
    kind=MetricKind.COUNTER,
    unit="{request}",
    about="Requests to Azure Resource Manager; the status is a class such as 2xx, or none where no answer came.",
    attributes=("verb", "provider", "status"),
)
ARM_THROTTLES = Metric(
    name="isolation.arm.throttles",
    kind=MetricKind.COUNTER,
    unit="{request}",
    about="Requests that Azure Resource Manager answered with 429.",
    attributes=("provider",),
)
ARM_DURATION = Metric(
    name="isolation.arm.duration",
    kind=MetricKind.HISTOGRAM,
    unit="s",
    about="From sending a request to Azure Resource Manager to the end of its answer.",
    attributes=("verb", "provider"),
    bounds=_SHORT,
)

METRICS = tuple(one for one in tuple(globals().values()) if isinstance(one, Metric))
"""All of them, in the order of this page."""
