"""Skips are said at the end, and only those that are expected pass: a test that is quietly left out proves nothing."""

from collections.abc import Iterable

import pytest

ALLOWED = {
    "promtool is not installed": "the alert rules are checked by Prometheus' own tool",
    "faketime is not installed": "clocks that jump while a process runs are made with libfaketime",
    "go is not installed": "the real Go answers the templates of the oracle tests",
    "curl is not installed": "the commands of docs/ingest.md are run; on Debian: apt-get install curl",
    "node is not installed": "Tyk's event handler is JavaScript; on Debian: apt-get install nodejs",
    "lua5.1 is not installed": "Kong's fields are Lua; on Debian: apt-get install lua5.1",
    "nginx with Lua is not installed": "on Debian: apt-get install nginx-light libnginx-mod-http-lua lua-nginx-redis",
    "chromium is not installed": "a real browser looks at the console; on Debian: apt-get install chromium",
    "buildah is not installed": "the image is built and run without an engine; on Debian: apt-get install buildah",
    "go-redis is not in Go's module cache": "tests ask no network; scripts/gateways/examples/go has its go.mod",
    "redis-server is not installed": "it is tried beside the others; on Debian: apt-get install redis-server",
    "redis-server with TLS is not installed": "Valkey's package speaks none; on Debian: apt-get install redis-server",
    "this experiment does something to one server": "and so is not for a cluster, sentinels and TLS; see --server",
    "no Unix socket leads to this server": "a file that comes and goes stands for a server that does; see --server",
    "helm is packaged for Linux on x86-64 only": "the chart is rendered by the real helm, see scripts/get-helm",
}
"""The reasons for which a test may be skipped, and why."""


def socket_of(url: str) -> str:
    """The path of a server's Unix socket; skips the test where the server has none."""
    if not url.startswith("unix://"):
        pytest.skip("no Unix socket leads to this server")
    return url.removeprefix("unix://")


def unexpected(reports: Iterable[pytest.TestReport]) -> list[str]:
    """The tests that were skipped for a reason that is not on the list."""
    return [f"{report.nodeid}: {reason_of(report)}" for report in reports if reason_of(report) not in ALLOWED]


def reason_of(report: pytest.TestReport) -> str:
    """Why a test was skipped."""
    told = report.longrepr
    return str(told[2]).removeprefix("Skipped: ") if isinstance(told, tuple) else str(told)
