"""Renders the chart by the real helm: each set of values once for each helm and version of Kubernetes."""

import functools
import json
import subprocess
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from tests.helm.generated import CHART

ROOT = CHART.parents[1]
Helm: TypeAlias = Literal["helm4", "helm3"]
HELMS: tuple[Helm, ...] = ("helm4", "helm3")
VERSIONS = ("1.27", "1.31", "1.37")
CASES = sorted(path.stem.removesuffix("-values") for path in (CHART / "ci").glob("*-values.yaml"))
Document: TypeAlias = dict[str, Any]


def run(helm: Helm, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`helm WORDS...`; nothing of the user's own helm is looked at."""
    cache = ROOT / ".cache/helm"
    clean = {"HOME": str(cache), "PATH": "/usr/bin:/bin", **environ}
    return subprocess.run([cache / helm, *words], env=clean, capture_output=True, text=True, check=False)


def file_of(case: str) -> Path:
    return CHART / f"ci/{case}-values.yaml"


@functools.cache
def rendered(case: str, helm: Helm = "helm4", version: str = VERSIONS[-1], *words: str) -> str:
    """What `helm template` gives."""
    came = run(
        helm, "template", "r", str(CHART), "--namespace", "gateway", "--values", str(file_of(case)),
        "--kube-version", f"{version}.0", *words,
    )  # fmt: skip
    assert came.returncode == 0, came.stderr
    return came.stdout


def documents(case: str, helm: Helm = "helm4", version: str = VERSIONS[-1], *words: str) -> list[Document]:
    """The same as values. A key that stands twice is a fault of the chart: YAML readers silently take one of them."""
    return list(_parsed(rendered(case, helm, version, *words)))


@functools.cache
def _parsed(text: str) -> tuple[Document, ...]:
    return tuple(document for document in yaml.load_all(text, _Once) if document)


class _Once(yaml.CSafeLoader):
    """Refuses a key that stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), f"a key stands twice: {keys}"
        return super().construct_mapping(node, deep)


def setting(values: dict[str, Any]) -> list[str]:
    """Words that set values: `--set-json a.b=...`."""
    return [word for name, value in values.items() for word in ("--set-json", f"{name}={json.dumps(value)}")]


def of_kind(documents: list[Document], kind: str) -> list[Document]:
    return [document for document in documents if document["kind"] == kind]


def the(documents: list[Document], kind: str) -> Document:
    """The only one of a kind."""
    (document,) = of_kind(documents, kind)
    return document


def pods(documents: list[Document]) -> list[Document]:
    """The specifications of the worker's pods and of the pod of `helm test`."""
    return [the(documents, "Deployment")["spec"]["template"]["spec"], the(documents, "Pod")["spec"]]


def worker(documents: list[Document]) -> Document:
    """The worker's container."""
    container: Document = pods(documents)[0]["containers"][0]
    return container


def configuration(documents: list[Document]) -> Document:
    """What config.json says."""
    maps = [document for document in of_kind(documents, "ConfigMap") if "config.json" in document.get("data", {})]
    (found,) = maps
    config: Document = json.loads(found["data"]["config.json"])
    return config
