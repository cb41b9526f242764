"""A small imitation on loopback of the five services that `ldrt fetch` asks: PMC's bucket with its inventory, Europe
PMC's search and full text, NCBI's ESearch and ID converter. What it knows of them is what their documentation says.

    with PmcServer() as server:
        server.add("PMC1", 1, {"PMC1.1.xml": b"<article/>"}, license_code="CC BY")
        server.faults.append(Fault(r"PMC1\\.1\\.xml", status=503))
"""

from tests.pmc_server.faults import Fault
from tests.pmc_server.server import PmcServer

__all__ = ["Fault", "PmcServer"]
