"""Templates that fail or try to take the worker with them: a dead letter each, and the event loop is not held up."""

from collections import Counter

from tests.faults.checker import Verdict
from tests.faults.experiments import experiment
from tests.faults.gauges import Memory, Pulse
from tests.faults.lab import Lab
from tests.faults.stand import stand

EACH = 8
PER_SECOND = 100
SECONDS = 1.5
"""How long the loop is watched after the bombs."""
TEXT = "x" * 200_000
LIST = list(range(3000))
BOMBS = {
    "loop in a loop": "{{range .Meta.l}}{{range $.Meta.l}}{{.}}{{end}}{{end}}",
    "a hundred million turns": "{{range 100000000}}{{.}}{{end}}",
    "empty turns": "{{range $i := 99999}}{{range 99999}}{{end}}{{end}}",
    "printf in a loop": '{{range .Meta.l}}{{if printf "%s" $.Meta.s}}{{end}}{{end}}',
    "sorting in a loop": "{{range .Meta.l}}{{if sortAlpha $.Meta.l}}{{end}}{{end}}",
    "searching in a loop": '{{range .Meta.l}}{{if contains "y" $.Meta.s}}{{end}}{{end}}',
    "encoding in a loop": "{{range .Meta.l}}{{if toJson $.Meta.l}}{{end}}{{end}}",
    "much output": "{{range .Meta.l}}{{$.Meta.s}}{{end}}",
    "a text that doubles": "{{$x := .Meta.s}}{{range 40}}{{$x = print $x $x}}{{end}}{{$x}}",
    "a template that calls itself": '{{template "self" .}}',
    "a wide printf": '{{printf "%*d" 100000 1}}',
    "a long repeat": '{{repeat 300000000 "x"}}',
    "a long list": "{{until 300000000}}",
    "a replacement that grows": '{{replace "x" .Meta.s .Meta.s}}',
    "an index that is not there": "{{index .Meta.l 5000}}",
    "a field of a text": "{{.Meta.s.x}}",
    "the length of a number": "{{len .Meta.seq}}",
    "no JSON": '{"seq": ',
}


def _template() -> str:
    """One body for them all: the event says which it is."""
    branches = (f'{{{{else if eq .Meta.end "{end}"}}}}{source}' for end, source in BOMBS.items())
    good = '{{if eq .Meta.end "ok"}}{"seq": {{.Meta.seq}}, "end": "ok"}'
    return '{{define "self"}}{{template "self" .}}{{end}}' + good + "".join(branches) + "{{end}}"


@experiment("templates that fail and template bombs", smoke=True)
async def _bombs(lab: Lab) -> Verdict:
    at = await stand(lab, hang={"template_path": "bombs.json", "escape": "json"}, in_flight=64)
    (lab.folder / "workers" / "bombs.json").write_text(_template())
    each, good = lab.scaled(EACH), lab.scaled(int(PER_SECOND * SECONDS))
    for number, end in enumerate(BOMBS):
        await at.load.publish(range(number * each, (number + 1) * each), type_="Hang", end=end, s=TEXT, l=LIST)
    worker = await at.worker()
    memory = Memory(worker.pid)
    async with Pulse(at.admin) as during:
        await at.have_ended(len(BOMBS) * each)
    async with Pulse(at.admin) as after:
        await at.load.stream(range(len(BOMBS) * each, len(BOMBS) * each + good), per_second=PER_SECOND)
    await at.have_ended(len(BOMBS) * each + good)
    took = memory.law()
    await at.stop(worker)
    letters = Counter(letter.origin for letter in await at.letters())
    assert set(letters.values()) == {1}
    assert len(letters) == len(BOMBS) * each, f"{len(letters)} of {len(BOMBS) * each} bombs are dead"
    assert {letter.reason for letter in await at.letters()} == {"template"}
    return await at.verdict(
        notes=f"{len(letters)} dead of {len(BOMBS)} kinds; the worker answered within {1000 * during.longest:.0f} ms "
        f"(after them {1000 * after.longest:.0f} ms); {took}"
    )
