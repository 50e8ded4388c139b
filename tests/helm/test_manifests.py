"""Every set of values under ci/, by helm 4 and helm 3, for three versions of Kubernetes: what comes out is right."""

import pytest
import yaml

from streamhooks import __version__
from tests.helm.chart import CASES, HELMS, VERSIONS, Helm, documents, file_of, of_kind, pods, rendered, run, the
from tests.helm.checking import faults
from tests.helm.generated import CHART


@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("case", CASES)
def test_helm_finds_nothing_to_complain_of(case: str, helm: Helm) -> None:
    linted = run(helm, "lint", "--strict", str(CHART), "--values", str(file_of(case)))
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("helm", HELMS)
@pytest.mark.parametrize("case", CASES)
def test_every_document_is_one_that_kubernetes_takes(case: str, helm: Helm, version: str) -> None:
    made = documents(case, helm, version)
    assert [said for document in made if (said := faults(document, version))] == []
    names = [(document["kind"], document["metadata"]["name"]) for document in made]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES)
def test_both_helms_give_the_same_and_twice_the_same(case: str) -> None:
    first, second = (sorted(documents(case, helm), key=str) for helm in HELMS)
    assert first == second
    assert rendered(case) == rendered.__wrapped__(case)


def test_the_defaults_and_one_handler_are_complete() -> None:
    kinds = sorted(document["kind"] for document in documents("default"))
    assert kinds == ["ConfigMap", "Deployment", "Pod", "PodDisruptionBudget", "ServiceAccount"]


def test_a_slip_of_the_pen_would_be_found() -> None:
    """The checks themselves: each kind of document with one wrong key or type is refused."""
    seen = set()
    for case in CASES:
        for document in documents(case):
            spec = next((document[key] for key in ("spec", "data", "metadata") if key in document), None)
            assert faults({**document, "metdata": {}} if spec is None else _spoiled(document), "1.37"), document["kind"]
            seen.add(document["kind"])
    assert len(seen) == 14


def _spoiled(document: dict[str, object]) -> dict[str, object]:
    place = "spec" if "spec" in document else "metadata"
    held = document[place]
    assert isinstance(held, dict)
    return {**document, place: {**held, "nmae": "x"}}


def test_the_chart_is_of_the_applications_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == __version__
    (image,) = yaml.safe_load(chart["annotations"]["artifacthub.io/images"])
    assert image["image"] == f"streamhooks:{__version__}"
    assert pods(documents("default"))[0]["containers"][0]["image"] == f"streamhooks:{__version__}"
    changes = yaml.safe_load(chart["annotations"]["artifacthub.io/changes"])
    assert all(change["kind"] in {"added", "changed", "fixed", "removed", "security"} for change in changes)


def test_the_package_holds_the_files_that_it_ships(tmp_path: object) -> None:
    packed = run("helm4", "package", str(CHART), "--destination", str(tmp_path))
    assert packed.returncode == 0, packed.stderr
    shown = run(
        "helm4", "template", "r", f"{tmp_path}/streamhooks-{__version__}.tgz", "--set", "dashboard.enabled=true"
    )
    made = [document for document in yaml.safe_load_all(shown.stdout) if document]
    dashboard = next(one for one in of_kind(made, "ConfigMap") if one["metadata"]["name"].endswith("-dashboard"))
    assert dashboard["data"]["streamhooks.json"] == (CHART / "files/dashboard.json").read_text()


def test_what_is_added_stands_in_the_place_of_ours() -> None:
    made = documents("extras")
    pod = pods(made)[0]
    container = pod["containers"][0]
    assert {one["name"]: one.get("value") for one in container["env"]} == {
        "HTTPS_PROXY": "http://proxy.example.com:3128",
        "NO": "1",
        "NODE": None,
        "POD_NAME": "fixed",
        "PYTHONDONTWRITEBYTECODE": "1",
        "STREAMHOOKS_REDIS_URL": "redis://redis:6379/0",
    }
    assert container["command"] == ["python", "-m", "streamhooks"]
    assert container["image"].startswith("registry.example.com/team/streamhooks@sha256:0123")
    assert [one["name"] for one in pod["containers"]] == ["streamhooks", "proxy"]
    template = the(made, "Deployment")["spec"]["template"]["metadata"]
    assert (template["labels"]["app.kubernetes.io/name"], template["labels"]["cost"]) == ("streamhooks", "007")
    assert (template["labels"]["app.kubernetes.io/component"], template["labels"]["team"]) == ("worker", "1")
    assert template["annotations"]["example.com/note"] == "true"
    assert template["annotations"]["checksum/config"] != "mine"
    names = {document["metadata"]["name"] for document in of_kind(made, "ConfigMap")}
    assert {"r-more", "hooks-text", "hooks", "hooks-templates"} == names
