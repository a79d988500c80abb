"""Event Grid door: hand the event over and acknowledge within milliseconds."""

import azure.functions as func

from handlers.invocation import invocation

blueprint = func.Blueprint()


@blueprint.function_name("registry_events")
@blueprint.event_grid_trigger(arg_name="event")
async def registry_events(event: func.EventGridEvent, context: func.Context) -> None:
    """Receive one event; the host calls once for each element of a delivery, in either schema."""
    async with invocation(context, "event") as app:
        await app.reception.receive(as_document(event))


def as_document(event: object) -> dict[str, object]:
    """
    The event as JSON again.

    azure-functions gives a CloudEvent for anything with a `specversion`, whatever the annotation says, and an
    EventGridEvent otherwise; both keep `data` behind `get_json`.
    """
    if hasattr(event, "specversion"):
        names = {"id": "id", "source": "source", "type": "type", "specversion": "specversion", "subject": "subject"}
    else:
        names = {"id": "id", "topic": "topic", "eventType": "event_type", "subject": "subject"}
    document: dict[str, object] = {wire: getattr(event, attribute, None) for wire, attribute in names.items()}
    document["data"] = event.get_json() if hasattr(event, "get_json") else None
    return document
