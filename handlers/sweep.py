"""
Timer door: begin a sweep on a schedule, and do its steps one message at a time.

A timer that failed is not brought again by its trigger, as a message is, so it has a retry policy: storage that is away
for a moment costs seconds, and not the hour until the next occurrence.

Nothing listens to the sweep's poison queue: a step that failed five times leaves its sweep silent, and the timer's next
call takes a silent sweep up where it was, or records why it was given up. The message itself holds nothing but its number.
"""

import azure.functions as func

from handlers.invocation import invocation

blueprint = func.Blueprint()


@blueprint.function_name("sweep_timer")
@blueprint.timer_trigger(arg_name="timer", schedule="%ISOLATION_SWEEP_SCHEDULE%")
@blueprint.retry(  # 10, 20, 30, 50, 90, 170 s, then 5 minutes: all of them before the next occurrence of an hourly schedule
    strategy="exponential_backoff",
    max_retry_count="10",
    minimum_interval="00:00:10",
    maximum_interval="00:05:00",
)
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
