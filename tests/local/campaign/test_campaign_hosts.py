"""Two hosts of the app whose clocks differ share one queue: every promise is kept all the same."""

import itertools
import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from local.campaign.cases import Case
from local.campaign.house import StormHouse
from local.campaign.trial import attempt
from shared.cloud.arm_client import ArmClient
from shared.cloud.control_plane import ArmControlPlane
from shared.engine.mishaps import Mishaps
from shared.engine.ports import Clock
from shared.engine.reconcile import Reconciler, Services
from shared.engine.worker import Worker


class WrongClock:
    """A host's clock that is *wrong* by as much."""

    def __init__(self, clock: Clock, wrong: timedelta) -> None:
        self._clock = clock
        self._wrong = wrong

    def now(self) -> datetime:
        return self._clock.now() + self._wrong

    async def sleep(self, duration: timedelta) -> None:
        await self._clock.sleep(duration)


class TwoHosts(StormHouse):
    """Messages go to one host and the other in turn; what they share is Azure and the app's storage."""

    wrong = timedelta()

    def begin_process(self) -> None:
        super().begin_process()
        clock = WrongClock(self.clock, self.wrong)
        self._hosts = itertools.cycle((self.worker, self._second(clock)))

    def _second(self, clock: Clock) -> Worker:
        arm = ArmClient(credential=self.credential(), cloud=self.cloud, transport=self.transport)
        plane = ArmControlPlane(arm=arm, now=clock.now)
        services: Services = replace(self.services, plane=plane, clock=clock, throttle=arm.throttle)
        reconciler = Reconciler(services)
        return Worker(
            make_reconciler=lambda: reconciler,
            reception=self.reception,
            poison=self.poison,
            mishaps=Mishaps(self.ledger, self.queue, clock, random.Random(1)),
        )

    async def _function(self, text: str) -> None:
        await next(self._hosts).work(text.encode())


class Ahead(TwoHosts):
    wrong = timedelta(minutes=5)


class Behind(TwoHosts):
    wrong = -timedelta(minutes=5)


@pytest.mark.parametrize("hosts", [Ahead, Behind])
@pytest.mark.parametrize("line", ["create:1:message-twice@5x60+slow@30x50", "delete:0:lost@8x1"])
def test_hosts_whose_clocks_differ_by_minutes_do_no_harm(line: str, hosts: type[StormHouse]) -> None:
    assert attempt(Case.parse(line), hosts).problems == ()
