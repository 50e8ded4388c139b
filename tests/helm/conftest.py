"""helm itself, fetched once; where there is none for this machine, the tests of the chart are skipped by name."""

import platform
import subprocess

import pytest

from tests.helm.chart import ROOT


@pytest.fixture(scope="session", autouse=True)
def fetched() -> None:
    """helm 4 and helm 3 in .cache/helm."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("helm is packaged for Linux on x86-64 only")
    subprocess.run([ROOT / "scripts/get-helm"], check=True)
