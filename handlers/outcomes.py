"""Queue door of the outcome events: one message, one delivery."""

import azure.functions as func

from handlers.invocation import invocation

blueprint = func.Blueprint()


@blueprint.function_name("deliver_outcomes")
@blueprint.queue_trigger(
    arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%-outcomes", connection="AzureWebJobsStorage"
)
async def deliver_outcomes(message: func.QueueMessage, context: func.Context) -> None:
    """Bring what waits for one registry to the topic; a topic that fails is tried again later, not here."""
    async with invocation(context, "outcomes") as app:
        await app.deliverer.deliver(message.get_body())
