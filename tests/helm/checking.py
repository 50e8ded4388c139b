"""Whether Kubernetes, and the operators beside it, would take a document: strictly, so that a slip of the pen shows."""

import functools
import json
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
from cloudcoil.models.keda.v1alpha1 import ScaledObject, TriggerAuthentication
from cloudcoil.models.prometheus_operator.v1 import PodMonitor, PrometheusRule
from jsonschema import Draft7Validator

OPERATORS: dict[str, Any] = {
    "keda.sh/v1alpha1 ScaledObject": ScaledObject,
    "keda.sh/v1alpha1 TriggerAuthentication": TriggerAuthentication,
    "monitoring.coreos.com/v1 PodMonitor": PodMonitor,
    "monitoring.coreos.com/v1 PrometheusRule": PrometheusRule,
}
_TEXT = {"type": "string", "minLength": 1}


def _closed(required: tuple[str, ...], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(required)}


_PARENT = _closed(("name",), name=_TEXT, namespace=_TEXT, sectionName=_TEXT)
_PATH = _closed(("type", "value"), type={"enum": ["Exact", "PathPrefix"]}, value={"pattern": "^/"})
_RULE = _closed(
    ("matches", "backendRefs"),
    matches={"type": "array", "items": _closed(("path",), path=_PATH)},
    backendRefs={"type": "array", "items": _closed(("name", "port"), name=_TEXT, port={"type": "integer"})},
)
ROUTE = _closed(
    ("parentRefs", "rules"),
    parentRefs={"type": "array", "items": _PARENT, "minItems": 1},
    hostnames={"type": "array", "items": _TEXT},
    rules={"type": "array", "items": _RULE},
)
"""What of the Gateway API's HTTPRoute the chart uses; no package has its models."""


def faults(document: dict[str, Any], version: str) -> str:
    """What is wrong with a document; empty: nothing."""
    return _faults(json.dumps(document, sort_keys=True), version)


@functools.cache
def _faults(text: str, version: str) -> str:
    """Most documents are the same from both helms: each is looked at once."""
    document = json.loads(text)
    name = f"{document['apiVersion']} {document['kind']}"
    if name in OPERATORS:
        return _operators_faults(OPERATORS[name], document)
    if name == "gateway.networking.k8s.io/v1 HTTPRoute":
        return "; ".join(error.message for error in Draft7Validator(ROUTE).iter_errors(document["spec"]))
    try:
        kubernetes_validate.validate(document, version, strict=True)
    except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
        return str(error)
    return ""


def _operators_faults(model: Any, document: dict[str, Any]) -> str:
    """The models drop what they do not know and turn types into others: what comes out must be what went in."""
    made = model.model_validate(document).model_dump(mode="json", by_alias=True, exclude_unset=True)
    return "" if made == document else f"{document} is taken for {made}"
