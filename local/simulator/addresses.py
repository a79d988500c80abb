"""
Addresses of a subnet: which are free, who holds the others.

Azure keeps five addresses of every subnet for itself: the first four and the last (Microsoft Learn, "Virtual network
FAQ"). Allocation takes the lowest free address, in constant time however large the subnet is.
"""

import heapq
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

RESERVED_FIRST = 4
RESERVED = 5


class AddressPool:
    """The addresses of one IPv4 prefix."""

    def __init__(self, prefix: str) -> None:
        network = ip_network(prefix, strict=False)
        if not isinstance(network, IPv4Network):
            raise TypeError(f"'{prefix}' is not an IPv4 prefix")
        self._network = network
        self._base = int(network.network_address)
        self._next = RESERVED_FIRST
        self._freed: list[int] = []
        self.held: dict[str, str] = {}
        """Address to holder (an ip configuration's id)."""

    @property
    def size(self) -> int:
        """How many addresses the subnet offers."""
        return max(self._network.num_addresses - RESERVED, 0)

    @property
    def free(self) -> int:
        return self.size - len(self.held)

    def take(self, holder: str) -> str | None:
        """The lowest free address, now held; `None` when the subnet is full."""
        while self._freed:
            address = str(IPv4Address(self._base + heapq.heappop(self._freed)))
            if address not in self.held:
                self.held[address] = holder
                return address
        while self._next < self._network.num_addresses - 1:
            address = str(IPv4Address(self._base + self._next))
            self._next += 1
            if address not in self.held:
                self.held[address] = holder
                return address
        return None

    def covers(self, address: str) -> bool:
        """Whether a client may ask for this address at all; for a text that is none it may not."""
        try:
            wanted = ip_address(address)
        except ValueError:
            return False
        offset = int(wanted) - self._base
        return wanted in self._network and RESERVED_FIRST <= offset < self._network.num_addresses - 1

    def claim(self, address: str, holder: str) -> bool:
        """Take that very address; `False` when somebody holds it."""
        if self.held.get(address, holder) != holder:
            return False
        self.held[address] = holder
        return True

    def release(self, address: str) -> None:
        if self.held.pop(address, None) is not None:
            offset = int(ip_address(address)) - self._base
            if offset < self._next:
                heapq.heappush(self._freed, offset)
