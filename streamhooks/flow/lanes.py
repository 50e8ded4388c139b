"""The lanes of the configuration in force, and who of them wants an event.

A reload puts new lanes in; what is being delivered ends in the old ones, which nobody else is offered to.
"""

import random
from collections.abc import Iterator

from streamhooks.delivery.request import RequestMaker, view
from streamhooks.errors import TemplateError
from streamhooks.flow.health import Health
from streamhooks.flow.lane import Lane, Said, Spawn
from streamhooks.flow.pausing import Standing
from streamhooks.flow.telling import Telling
from streamhooks.flow.turns import Turns
from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler
from streamhooks.model import Event
from streamhooks.observe.figures import Figures
from streamhooks.sender import Sender
from streamhooks.store.rate import Rates


class Lanes:
    """The handlers of a catalogue at work."""

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        partitions: int,
        sender: Sender,
        spawn: Spawn,
        queue: int,
        figures: Figures,
        rng: random.Random,
        rates: Rates,
        health: Health,
        said: Said,
        telling: Telling,
    ) -> None:
        self._partitions = partitions
        self._sender = sender
        self._spawn = spawn
        self._queue = queue
        self._figures = figures
        self._rng = rng
        self._rates = rates
        self._health = health
        self._said = said
        self._telling = telling
        self._lanes: dict[str, Lane] = {}
        self.replace(catalogue)

    def replace(self, catalogue: Catalogue) -> None:
        """Puts another catalogue in force; a handler that is paused stays so."""
        standings = self.standings
        self._lanes = {h.id: self._open(h, standings.get(h.id) or Standing()) for h in catalogue.handlers}
        self._catalogue = catalogue

    @property
    def standings(self) -> dict[str, Standing]:
        """Who is paused, by handler."""
        return {id: lane.standing for id, lane in self._lanes.items()}

    def _open(self, handler: Handler, standing: Standing) -> Lane:
        limit = handler.rate_limit
        return Lane(
            handler,
            makers=tuple(RequestMaker(handler, number) for number in range(self._partitions)),
            sender=self._sender,
            spawn=self._spawn,
            queue=self._queue,
            figures=self._figures.of(handler.id),
            rng=self._rng,
            standing=standing,
            turns=Turns(handler.id, limit, self._rates, self._health) if limit > 0 else None,
            said=self._said,
            telling=self._telling,
        )

    def __getitem__(self, handler: str) -> Lane:
        return self._lanes[handler]

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def get(self, handler: str) -> Lane | None:
        return self._lanes.get(handler)

    def select(self, event: Event) -> list[Lane]:
        """The lanes whose handlers want this event; one whose condition fails is among them, to be told so."""
        return [
            self._lanes[handler.id]
            for handler in self._catalogue.select(event)
            if handler.when is None or wants(handler, event)
        ]

    def fires(self, event: Event) -> bool:
        """Whether any handler is fired by the event, conditions apart."""
        return bool(self._catalogue.select(event))

    def close(self) -> None:
        for lane in self:
            lane.close()


def holds(handler: Handler, event: Event) -> bool:
    """Whether the handler's condition renders "true". Raises TemplateError."""
    return handler.when is None or handler.when.render(view(event)).strip() == "true"


def wants(handler: Handler, event: Event) -> bool:
    """Whether a handler that was selected fires; also where its condition fails, to be told so."""
    try:
        return holds(handler, event)
    except TemplateError:
        return True  # its request cannot be made either: a dead letter says why, where a "no" would be silent
