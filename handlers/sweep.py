"""
Timer door: begin a sweep on a schedule, and do its steps one message at a time.

Nothing listens to the sweep's poison queue: a step that failed five times leaves its sweep silent, and the timer's next
call takes a silent sweep up where it was, or records why it was given up. The message itself holds nothing but its number.
"""

import azure.functions as func

from handlers.invocation import invocation

blueprint = func.Blueprint()


@blueprint.function_name("sweep_timer")
@blueprint.timer_trigger(arg_name="timer", schedule="%ISOLATION_SWEEP_SCHEDULE%")
async def sweep_timer(timer: func.TimerRequest, context: func.Context) -> None:
    """Begin a sweep unless one is running; an occurrence that was missed is made up for by one sweep like any other."""
    origin = "timer, late" if timer.past_due else "timer"
    async with invocation(context, "timer") as app:
        await app.sweeper.begin("timer", origin)


@blueprint.function_name("sweep_step")
@blueprint.queue_trigger(
    arg_name="message", queue_name="%ISOLATION_WORK_QUEUE%-sweep", connection="AzureWebJobsStorage"
)
async def sweep_step(message: func.QueueMessage, context: func.Context) -> None:
    """Do one step of a sweep; an exception makes the host deliver the message again, five times in all."""
    async with invocation(context, "sweep") as app:
        await app.sweeper.work(message.get_body())
