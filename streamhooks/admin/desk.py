"""What the API works with: the worker that it belongs to, and the configuration in force."""

import structlog
from aiohttp import web
from msgspec.structs import replace
from redis.asyncio import Redis

from streamhooks.admin.answers import AdminError
from streamhooks.files import Loaded
from streamhooks.flow.worker import Worker
from streamhooks.handlers.handler import Handler
from streamhooks.operations.standing import Standings
from streamhooks.sender import Sender
from streamhooks.settings import Settings

log = structlog.get_logger("streamhooks")


class Desk:
    """One worker's, for as long as it lives."""

    def __init__(self, loaded: Loaded, worker: Worker, sender: Sender) -> None:
        self._loaded = loaded
        self.worker = worker
        self.sender = sender

    @property
    def client(self) -> Redis:
        return self.worker.client

    @property
    def settings(self) -> Settings:
        return self._loaded.settings

    @property
    def loaded(self) -> Loaded:
        """The configuration, with the handlers that are in force since the last reload."""
        return replace(self._loaded, handlers=tuple(lane.handler for lane in self.worker.lanes))

    @property
    def standings(self) -> Standings:
        return Standings(self.client, self.settings, [lane.handler.id for lane in self.worker.lanes])

    def handler(self, id: str) -> Handler:
        """Raises AdminError (`no_such_handler`)."""
        lane = self.worker.lanes.get(id)
        if lane is None:
            raise self.no_such_handler()
        return lane.handler

    def no_such_handler(self) -> AdminError:
        known = ", ".join(lane.handler.id for lane in self.worker.lanes) or "none"
        return AdminError(404, "no_such_handler", f"there is no handler of this id; the configuration has {known}")

    def audit(self, request: web.Request, did: str, **what: object) -> None:
        """One line for each change that somebody made by the API."""
        log.info("admin_change", did=did, **what, by=request.remote or "")
