"""Queue door: one message, one pass. And the poison queue, so that what failed five times is not forgotten."""

import azure.functions as func

from handlers.invocation import invocation

blueprint = func.Blueprint()


@blueprint.function_name("reconcile_registry")
@blueprint.queue_trigger(arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%", connection="AzureWebJobsStorage")
async def reconcile_registry(message: func.QueueMessage, context: func.Context) -> None:
    """Do one pass; an exception makes the host deliver the message again, five times in all."""
    async with invocation(context, "queue") as app:
        await app.worker.work(message.get_body())


@blueprint.function_name("keep_poison")
@blueprint.queue_trigger(
    arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%-poison", connection="AzureWebJobsStorage"
)
async def keep_poison(message: func.QueueMessage, context: func.Context) -> None:
    """Record a message that failed five times."""
    async with invocation(context, "poison") as app:
        await app.worker.keep_poison(message.get_body())
