"""Queue door: one message, one pass. And the poison queue, so that what failed five times is not forgotten."""

import azure.functions as func

from handlers.runtime import runtime

blueprint = func.Blueprint()


@blueprint.function_name("reconcile_registry")
@blueprint.queue_trigger(arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%", connection="AzureWebJobsStorage")
async def reconcile_registry(message: func.QueueMessage) -> None:
    """Do one pass; an exception makes the host deliver the message again, five times in all."""
    await (await runtime()).worker.work(message.get_body())


@blueprint.function_name("keep_poison")
@blueprint.queue_trigger(
    arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%-poison", connection="AzureWebJobsStorage"
)
async def keep_poison(message: func.QueueMessage) -> None:
    """Record a message that failed five times."""
    await (await runtime()).worker.keep_poison(message.get_body())
