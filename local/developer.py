"""Whoever sits at this terminal, or runs this pipeline, as Azure knows them."""

import argparse
import os
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError

from shared.core.clouds import CLOUDS, Cloud
from shared.core.errors import MissingPermission

_CLI_SECONDS = 60
"""Longest that a command-line tool may take to give a token; a cold start of the Azure CLI takes seconds."""
_SHOWN = 400


def add_cloud(parser: argparse.ArgumentParser) -> None:
    """Let a command be asked which Azure is meant; the environment is asked as the app asks it, and refused as it refuses."""
    told = os.environ.get("AZURE_CLOUD") or "AzureCloud"
    parser.add_argument(
        "--cloud", type=_cloud, default=told, metavar="NAME", help=f"one of {', '.join(CLOUDS)}; default: AZURE_CLOUD"
    )


def _cloud(name: str) -> str:
    """Called for what the environment says as well, which `choices` would take unseen."""
    if name not in CLOUDS:
        raise argparse.ArgumentTypeError(f"{name!r} is no cloud; known clouds are {', '.join(CLOUDS)}")
    return name


class DeveloperCredential:
    """
    A service principal of the environment, or else a sign-in of `az` or `azd`.

    Managed identities are left out on purpose: an audit is made by somebody, with that somebody's rights.
    """

    def __init__(self, cloud: Cloud) -> None:
        from azure.identity.aio import (  # noqa: PLC0415 -- a quarter of a second that `--help` need not take
            AzureCliCredential,
            AzureDeveloperCliCredential,
            ChainedTokenCredential,
            EnvironmentCredential,
        )

        self._inner = ChainedTokenCredential(
            EnvironmentCredential(authority=cloud.authority),
            AzureCliCredential(process_timeout=_CLI_SECONDS),
            AzureDeveloperCliCredential(process_timeout=_CLI_SECONDS),
        )

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """
        Get a token.

        Raises:
            MissingPermission: Nobody is signed in.
        """
        try:
            token: AccessToken = await self._inner.get_token(*scopes, **options)
        except AzureError as error:
            said = " ".join(str(error).split())[:_SHOWN]
            raise MissingPermission(
                f"Nobody is signed in to Azure here. Run `az login`, then try again. ({said})", operation="sign in"
            ) from error
        return token

    async def close(self) -> None:
        """Close the connections."""
        await self._inner.close()
