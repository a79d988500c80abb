"""The functions of the app, as Azure sees them."""

import runpy
from functools import cache

import azure.functions as func

from tests.infra.bicep import INFRA


@cache
def triggers() -> dict[str, str]:
    """Name of each function to the type of its trigger; of an app of its own, because one app lists them only once."""
    app: func.FunctionApp = runpy.run_path(str(INFRA.parent / "function_app.py"))["app"]
    found = {str(one.get_function_name()): one.get_trigger() for one in app.get_functions()}
    return {name: str(trigger.type) for name, trigger in found.items() if trigger is not None}
