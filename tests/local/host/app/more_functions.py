"""A blueprint of the test app: its poison queue and its timers."""

import json
import os
from pathlib import Path

import azure.functions as func

blueprint = func.Blueprint()


def record(function: str, **seen: object) -> None:
    line = json.dumps({"function": function} | seen)
    with Path(os.environ["RECORD_FILE"]).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


@blueprint.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%-poison", connection="AzureWebJobsStorage")
@blueprint.queue_output(arg_name="$return", queue_name="%WORK_QUEUE%-seen", connection="AzureWebJobsStorage")
def poisoned(message: str) -> str:
    record("poisoned", text=message)
    return f"seen {message}"


@blueprint.timer_trigger(arg_name="timer", schedule="%SCHEDULE%", run_on_startup=True)
async def tick(timer: func.TimerRequest) -> None:
    record("tick", past_due=timer.past_due, next=timer.to_dict()["schedule_status"]["Next"])
