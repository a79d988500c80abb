import signal
from datetime import timedelta
from pathlib import Path

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.azurite import AzuriteMissing, AzuritePorts, start_azurite
from local.processes import ChildFailed

pytestmark = pytest.mark.slow


def test_blobs_queues_and_tables_answer_and_survive_a_restart_on_the_same_ports(tmp_path: Path) -> None:
    with start_azurite(tmp_path) as azurite:
        connection = azurite.connection_string
        with (
            QueueServiceClient.from_connection_string(connection) as queues,
            TableServiceClient.from_connection_string(connection) as tables,
            BlobServiceClient.from_connection_string(connection) as blobs,
        ):
            queues.create_queue("kept").send_message("still here")
            tables.create_table("kept").upsert_entity({"PartitionKey": "p", "RowKey": "r", "value": 5})
            blobs.create_container("kept").upload_blob("blob", b"bytes")

    with start_azurite(tmp_path, ports=azurite.ports) as again:
        assert again.connection_string == connection
        with (
            QueueServiceClient.from_connection_string(connection) as queues,
            TableServiceClient.from_connection_string(connection) as tables,
            BlobServiceClient.from_connection_string(connection) as blobs,
        ):
            [message] = queues.get_queue_client("kept").receive_messages()
            assert message.content == "still here"
            assert tables.get_table_client("kept").get_entity("p", "r")["value"] == 5
            assert blobs.get_blob_client("kept", "blob").download_blob().readall() == b"bytes"


def test_two_azurites_choose_ports_of_their_own_and_keep_to_their_folders(tmp_path: Path) -> None:
    with start_azurite(tmp_path / "one") as one, start_azurite(tmp_path / "two") as two:
        ports = [one.ports.blob, one.ports.queue, one.ports.table, two.ports.blob, two.ports.queue, two.ports.table]
        assert len(set(ports)) == 6
        assert (tmp_path / "one" / "data").is_dir()
        assert (tmp_path / "two" / "data").is_dir()


def test_it_ends_promptly_when_asked_to_although_a_client_is_connected(tmp_path: Path) -> None:
    with start_azurite(tmp_path) as azurite:
        with QueueServiceClient.from_connection_string(azurite.connection_string) as queues:
            queues.create_queue("connected")
            exit_status = azurite.child.stop(patience=timedelta(seconds=60))

        assert exit_status != -signal.SIGKILL


def test_a_taken_port_is_reported_with_azurites_own_words(tmp_path: Path) -> None:
    with start_azurite(tmp_path / "one") as one:
        ports = AzuritePorts(blob=one.ports.blob)
        with pytest.raises(ChildFailed, match="EADDRINUSE"):
            start_azurite(tmp_path / "two", ports=ports)


def test_a_missing_installation_is_named_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(AzuriteMissing, match="run `npm ci`"):
        start_azurite(tmp_path, repository=tmp_path)


def test_the_shared_fixture_is_a_working_account(azurite: str) -> None:
    with QueueServiceClient.from_connection_string(azurite) as queues:
        queues.create_queue("fixture")

        assert "fixture" in [queue.name for queue in queues.list_queues()]
