"""A whole row from its entity, where one that cannot be read must not hide the others."""

from collections.abc import Mapping

from shared.cloud.ledger_entities import from_row_entity, from_summary_entity
from shared.core.errors import Refused
from shared.engine.postures import Known


def to_known(entity: Mapping[str, object]) -> Known:
    """What *entity* says of its registry."""
    summary = from_summary_entity(entity)
    try:
        row = from_row_entity(entity, summary.registry)
    except Refused as error:
        return Known(registry=summary.registry, phase=summary.phase, row=None, problem=error.sentence)
    return Known(registry=summary.registry, phase=summary.phase, row=row)
