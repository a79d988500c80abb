"""
What a platform team does before the first registry: groups, a hub network, and the app subscribed to events.

Done by a user through Azure Resource Manager, as in a real subscription; the ids and bodies are the scene's.
"""

from local.arm_user import ArmUser
from local.stage import Stage
from local.stage_scene import (
    API_VERSIONS,
    LOCATION,
    event_subscription_body,
    network_body,
    outcome_topic_body,
    topic_body,
)


async def lay_out(user: ArmUser, stage: Stage) -> None:
    """
    Make everything that registries need around them; returns when the app's webhook has proved itself.

    Raises:
        ArmRefused: Azure refused something.
    """
    scene = stage.azure.scene
    for group in scene.groups:
        await user.put(group, {"location": LOCATION}, API_VERSIONS["groups"])
    await user.put(scene.network, network_body(), API_VERSIONS["network"])
    await user.put(scene.topic, topic_body(scene), API_VERSIONS["event-grid"])
    await user.put(scene.outcome_topic, outcome_topic_body(), API_VERSIONS["event-grid"])
    subscription = event_subscription_body(stage.host.webhook)
    await user.put(scene.event_subscription, subscription, API_VERSIONS["event-grid"])
