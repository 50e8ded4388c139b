"""`init`: a starter configuration with its template, commented, that `check` takes as it stands."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from streamhooks.cli.opening import wrong
from streamhooks.cli.output import complain, say

EXAMPLE = "streamhooks init ."

CONFIGURATION = """\
# streamhooks: a starter configuration. What is commented out shows the default.
# After a change: streamhooks check

redis:
  url: redis://127.0.0.1:6379/0      # rediss:// for TLS, unix:///path for a socket, or env://NAME
  # password: env://REDIS_PASSWORD   # a reference: the secret itself stands elsewhere

stream:
  key: gateway:events                # the stream that the gateways write to
  group: streamhooks                 # workers of one group share the work
  # retention: {age: 24h, entries: 100000}

# defaults:                          # for every handler that does not say otherwise
#   timeout: 15s
#   retry: {delays: [5s, 30s, 2m, 10m, 30m, 1h, 3h, 6h, 12h]}
#   allow_cidrs: []                  # private targets are closed unless opened here, such as 10.0.0.0/8

handlers:
  - id: security                     # names the handler in logs, metrics and commands
    on: [AuthFailure, KeyExpired]    # event types; "Breaker*" stands for all that begin so
    target_path: https://example.com/hooks/security
    method: POST
    template_path: templates/security.json
    header_map:
      X-Team: security
      # Authorization: env://HOOK_TOKEN
    event_timeout: 10                # the cool-down: equal requests within 10 s are sent once
    # sign: {secrets: [file:///run/secrets/hook]}
"""

TEMPLATE = """\
{{- /* Go's template language. In a .json file every value is escaped, so none can break out of its place. */ -}}
{
  "event": "{{ .Type }}",
  "api": "{{ .APIID }}",
  "message": "{{ .Meta.Message }}",
  "origin": "{{ .Meta.Origin }}",
  "key": "{{ mask .Meta.Key }}"
}
"""

FILES = {"streamhooks.yaml": CONFIGURATION, "templates/security.json": TEMPLATE}


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("dir", nargs="?", type=Path, default=Path(), metavar="DIR", help="where to (default: here)")


def run(args: Namespace) -> int:
    there = [name for name in FILES if (args.dir / name).exists()]
    if there:
        for name in there:
            complain(f"{args.dir / name} is there already: move it away, or name another folder")
        complain("nothing was written")
        return 1
    for name, text in FILES.items():
        path = args.dir / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except OSError as error:
            raise wrong("DIR", f"{path} cannot be written: {error.strerror}") from None
        say(str(path))
    complain(f"now: streamhooks check --config {args.dir / 'streamhooks.yaml'}")
    return 0
