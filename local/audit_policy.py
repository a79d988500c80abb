"""
By which policy an audit looks.

With a policy file: by that one, in `mode: audit`, so that the plan is what the app would do. Without: nobody has said where
endpoints could go, so nothing is planned; open doors and everything else that can be seen are judged all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.core.policy import IsolationPolicy
from shared.policy_file import load_policy

_KINDS = ("registry", "storage", "acr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """
    What is looked at, and how it is judged.

    Attributes:
        observe: The policy that the engine looks and plans by.
        judge: The policy that findings are made by.
        plans: What would be changed is told.
    """

    observe: IsolationPolicy
    judge: IsolationPolicy
    plans: bool


def by_file(file: Path, subscriptions: Sequence[str]) -> Yardstick:
    """The policy at *file*, over *subscriptions* if any are given instead of its own; raises InvalidPolicy."""
    policy = load_policy(file).model_copy(update={"mode": "audit"})
    if subscriptions:
        scope = policy.scope.model_copy(update={"subscriptions": tuple(each.lower() for each in subscriptions)})
        policy = policy.model_copy(update={"scope": scope})
    return Yardstick(observe=policy, judge=policy, plans=True)


def without_file(subscriptions: Sequence[str]) -> Yardstick:
    """Every registry of *subscriptions*; nothing is planned, everything open counts."""

    def policy(access: str) -> IsolationPolicy:
        targets = {kind: {"endpoint": False, "public_access": access} for kind in _KINDS}
        scope = {"subscriptions": list(subscriptions)}
        return IsolationPolicy.from_document({"version": 1, "mode": "audit", "scope": scope, "targets": targets})

    return Yardstick(observe=policy("keep"), judge=policy("disabled"), plans=False)
