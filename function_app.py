"""Registers the doors with Azure Functions; nothing else."""

import azure.functions as func

from handlers import dashboard, events, outcomes, reconcile, remediation, sweep

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(dashboard.blueprint)
app.register_functions(events.blueprint)
app.register_functions(outcomes.blueprint)
app.register_functions(reconcile.blueprint)
app.register_functions(remediation.blueprint)
app.register_functions(sweep.blueprint)
