import pytest

from shared.core.clouds import CLOUDS
from shared.core.outcome_topics import topic_problem

PUBLIC, CHINA = CLOUDS["AzureCloud"], CLOUDS["AzureChinaCloud"]
SIMULATED = "https://127.0.0.1:8443"


@pytest.mark.parametrize(
    "address",
    [
        "https://outcomes.westeurope-1.eventgrid.azure.net/api/events",
        "https://Outcomes.WestEurope-1.EventGrid.Azure.net:443/api/events",
    ],
)
def test_a_topic_of_the_cloud_is_taken(address: str) -> None:
    assert topic_problem(address, PUBLIC, "") == ""
    assert "eventgrid.azure.cn" in topic_problem(address, CHINA, "")


@pytest.mark.parametrize(
    "address",
    [
        "http://outcomes.westeurope-1.eventgrid.azure.net/api/events",
        "https://eventgrid.azure.net.evil.example/api/events",
        "https://evil.example/api/events?x=.eventgrid.azure.net",
        "https://evil.example#.eventgrid.azure.net/api/events",
        "https://eventgrid.azure.net/api/events",
        "https://a@outcomes.westeurope-1.eventgrid.azure.net/api/events",
        "https://outcomes.westeurope-1.eventgrid.azure.net:8443/api/events",
        "https://outcomes.westeurope-1.eventgrid.azure.net/elsewhere",
        "https://outcomes.westeurope-1.eventgrid.azure.net/api/events?aeg-sas-key=c2VjcmV0",
        "https://[::1",
        "https://host:99999/api/events",
        "https://outcomes\u3002eventgrid.azure.net/api/events",
        "https://outcome\u0455.eventgrid.azure.net/api/events",
        "outcomes",
    ],
)
def test_anything_else_is_refused_without_being_shown(address: str) -> None:
    problem = topic_problem(address, PUBLIC, "")

    assert problem
    assert "c2VjcmV0" not in problem
    assert "evil" not in problem


def test_beside_a_simulated_azure_only_its_own_topics_are_taken() -> None:
    assert topic_problem(f"{SIMULATED}/topics/outcomes/api/events", PUBLIC, SIMULATED) == ""
    for address in (
        "https://outcomes.westeurope-1.eventgrid.azure.net/api/events",
        "https://127.0.0.1:9999/topics/outcomes/api/events",
        f"{SIMULATED}/elsewhere",
    ):
        assert "simulated" in topic_problem(address, PUBLIC, SIMULATED)
