"""One event's way, as README.md shows it: from the gateway through the stream and a worker to one of its ends.

Places are pixels. Arrows go along the axes and begin and end at the edge of a station, or leave another arrow: a test
holds it. The one long arrow from "Settle" is the one script that stores an end and acknowledges the entry.
"""

from tests.pictures.drawing import Arrow, Band, Box, Label, Picture, Station

GATEWAY = Station("Your gateway", "notices something", Box(28, 36, 140, 58))
STREAM = Station("Stream", "keeps the event", Box(40, 392, 200, 58))
RETRIES = Station("Stored retries", "each with its due time", Box(264, 392, 172, 58))
COOL_DOWNS = Station("Cool-downs", "one for equal requests", Box(496, 392, 166, 58))
DEAD = Station("Dead letters", "to look at and replay", Box(702, 392, 170, 58))
READ = Station("Read", "select handlers", Box(206, 174, 122, 58), ours=True)
RENDER = Station("Render", "your template", Box(370, 174, 112, 58), ours=True)
CLAIM = Station("Claim", "the cool-down", Box(524, 174, 112, 58), ours=True)
SEND = Station("Send", "one attempt", Box(678, 174, 112, 58), ours=True)
SETTLE = Station("Settle", "one script", Box(836, 174, 108, 58), ours=True)
ENDPOINT = Station("Your endpoint", "gets the webhook", Box(660, 36, 148, 58))
ROW, TOP, FLOOR, BUS = 203, 392, 450, 488
"""The height of the worker's row; the edges of what Redis keeps; the height of what the script writes along."""

WAY = Picture(
    width=980,
    height=540,
    title="One event's way",
    told=(
        "A gateway adds an event to a Redis stream. A worker reads it, selects its handlers, renders the webhook, "
        "claims its cool-down, sends it, and settles it by one script: it is delivered, stored for a retry, or a dead "
        "letter, and the entry is acknowledged in the same step. A duplicate inside the cool-down is not sent. A "
        "stored retry is read again when it is due."
    ),
    bands=(
        Band("Workers", "as many as you like; each handler goes this way by itself",
             Box(190, 130, 770, 188), (206, 154)),
        Band("Redis", "What is not acknowledged is read again: a worker that is killed at any moment loses nothing.",
             Box(20, 354, 940, 172), (40, 513)),
    ),
    stations=(GATEWAY, STREAM, RETRIES, COOL_DOWNS, DEAD, READ, RENDER, CLAIM, SEND, SETTLE, ENDPOINT),
    arrows=(
        Arrow(((98, GATEWAY.box.bottom), (98, TOP))),
        Arrow(((223, TOP), (223, READ.box.bottom))),
        Arrow(((300, TOP), (300, READ.box.bottom))),
        Arrow(((READ.box.right, ROW), (RENDER.box.x, ROW))),
        Arrow(((RENDER.box.right, ROW), (CLAIM.box.x, ROW))),
        Arrow(((560, CLAIM.box.bottom), (560, TOP)), both=True),
        Arrow(((CLAIM.box.right, ROW), (SEND.box.x, ROW))),
        Arrow(((716, SEND.box.y), (716, ENDPOINT.box.bottom))),
        Arrow(((752, ENDPOINT.box.bottom), (752, SEND.box.y))),
        Arrow(((SEND.box.right, ROW), (SETTLE.box.x, ROW))),
        Arrow(((612, CLAIM.box.bottom), (612, 278), (866, 278), (866, SETTLE.box.bottom))),
        Arrow(((916, SETTLE.box.bottom), (916, BUS), (140, BUS), (140, FLOOR))),
        Arrow(((350, BUS), (350, FLOOR))),
        Arrow(((579, BUS), (579, FLOOR))),
        Arrow(((787, BUS), (787, FLOOR))),
    ),
    labels=(
        Label("XADD", (106, 248)),
        Label("XREADGROUP", (215, 341), "end"),
        Label("when due", (308, 341)),
        Label("delivered before?", (568, 341)),
        Label("a duplicate is not sent", (739, 270), "middle"),
        Label("request", (708, 118), "end"),
        Label("2xx, another status, or nothing", (760, 118)),
        Label("acknowledged", (148, 474)),
        Label("to be tried again", (358, 474), tone="wait"),
        Label("delivered", (587, 474), tone="good"),
        Label("given up", (795, 474), tone="bad"),
        Label("in one step", (908, 341), "end"),
    ),
)  # fmt: skip
