"""As much of a Kubernetes API server as helm asks for: it stores, tells watchers, and says that all is ready.

Discovery, create, read, replace, server-side apply and delete of the kinds below, and watches that begin with what is
there. No admission, no controllers, no field owners. Readiness is played: what is stored has the status of an object
whose controller has done its work, and a pod has ended well.
"""

import asyncio
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TypeAlias

import yaml
from aiohttp import web

from tests.helm.protobuf import secret

Object: TypeAlias = dict[str, Any]
KINDS = {
    ("", "v1"): {"configmaps": "ConfigMap", "pods": "Pod", "secrets": "Secret", "serviceaccounts": "ServiceAccount"},
    ("apps", "v1"): {"deployments": "Deployment", "replicasets": "ReplicaSet"},
    ("policy", "v1"): {"poddisruptionbudgets": "PodDisruptionBudget"},
}
BOOKMARK = {"k8s.io/initial-events-end": "true"}


class Cluster:
    """`async with Cluster() as cluster:`; `cluster.url` is its address, `cluster.objects` what it stores."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        """By the plural of the kind, and the name; there is one namespace."""
        self.changes: list[tuple[str, str, str]] = []
        """Verb, plural and name of everything that was changed, but for helm's own records."""
        self.url = ""
        self._version = 0
        self._watchers: set[asyncio.Queue[tuple[str, str, Object]]] = set()
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_get("/version", _version)
        app.router.add_get("/api", _core)
        app.router.add_get("/apis", _groups)
        app.router.add_get("/openapi/v2", _openapi)
        for (group, version), kinds in KINDS.items():
            root = f"/apis/{group}/{version}" if group else f"/api/{version}"
            app.router.add_get(root, _resources(group, version))
            for plural in kinds:
                at = f"{root}/namespaces/{{namespace}}/{{plural:{plural}}}"
                app.router.add_get(at, self._list)
                app.router.add_post(at, self._create)
                app.router.add_get(f"{at}/{{name}}", self._read)
                app.router.add_put(f"{at}/{{name}}", self._replace)
                app.router.add_patch(f"{at}/{{name}}", self._apply)
                app.router.add_delete(f"{at}/{{name}}", self._delete)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def __aenter__(self) -> "Cluster":
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def names(self) -> set[tuple[str, str]]:
        """What is there, but for helm's own records."""
        return {key for key in self.objects if key[0] != "secrets"}

    # Reading.

    async def _read(self, request: web.Request) -> web.Response:
        found = self.objects.get(_key(request))
        return web.json_response(found) if found else _missing(request)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        plural = request.match_info["plural"]
        if request.query.get("watch") in ("true", "1"):
            return await self._watch(request)
        items = [found for (kind, _), found in self.objects.items() if kind == plural and _is_meant(request, found)]
        kind, version = _kind(plural)
        metadata = {"resourceVersion": str(self._version)}
        return web.json_response({"kind": f"{kind}List", "apiVersion": version, "metadata": metadata, "items": items})

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        plural = request.match_info["plural"]
        events: asyncio.Queue[tuple[str, str, Object]] = asyncio.Queue()
        self._watchers.add(events)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            if request.query.get("sendInitialEvents") == "true":
                for event in self._beginning(request, plural):
                    await response.write(event)
            while True:
                type_, of, found = await events.get()
                if of == plural and _is_meant(request, found):
                    await response.write(_event(type_, found))
        except ConnectionError:
            return response
        finally:
            self._watchers.discard(events)

    def _beginning(self, request: web.Request, plural: str) -> Iterator[bytes]:
        for (kind, _), found in self.objects.items():
            if kind == plural and _is_meant(request, found):
                yield _event("ADDED", found)
        kind_name, version = _kind(plural)
        metadata = {"resourceVersion": str(self._version), "annotations": BOOKMARK}
        yield _event("BOOKMARK", {"kind": kind_name, "apiVersion": version, "metadata": metadata})

    # Writing.

    async def _create(self, request: web.Request) -> web.Response:
        made = await _body(request)
        key = (request.match_info["plural"], made["metadata"]["name"])
        if key in self.objects:
            return _status(request, 409, "AlreadyExists", key[1])
        return web.json_response(self._store("create", key, made), status=201)

    async def _replace(self, request: web.Request) -> web.Response:
        if _key(request) not in self.objects:
            return _missing(request)
        return web.json_response(self._store("replace", _key(request), await _body(request)))

    async def _apply(self, request: web.Request) -> web.Response:
        """Server-side apply by the one owner that there is: what he no longer says is gone."""
        if request.content_type != "application/apply-patch+yaml":
            return _status(request, 415, "UnsupportedMediaType", request.content_type)
        status = 200 if _key(request) in self.objects else 201
        return web.json_response(self._store("apply", _key(request), await _body(request)), status=status)

    async def _delete(self, request: web.Request) -> web.Response:
        found = self.objects.pop(_key(request), None)
        if found is None:
            return _missing(request)
        self._tell("delete", "DELETED", *_key(request), found)
        return web.json_response(found)

    def _store(self, verb: str, key: tuple[str, str], given: Object) -> Object:
        before = self.objects.get(key)
        self._version += 1
        kind, version = _kind(key[0])
        old = before["metadata"] if before else {}
        metadata = {
            **given["metadata"],
            "namespace": "default",
            "uid": old.get("uid", f"uid-{self._version}"),
            "resourceVersion": str(self._version),
            "generation": old.get("generation", 0) + 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        made = {**given, "kind": kind, "apiVersion": version, "metadata": metadata}
        status = _played(made)
        self.objects[key] = made | {"status": status} if status else made
        self._tell(verb, "MODIFIED" if before else "ADDED", *key, self.objects[key])
        return self.objects[key]

    def _tell(self, verb: str, event: str, plural: str, name: str, found: Object) -> None:
        if plural != "secrets":
            self.changes.append((verb, plural, name))
        for watcher in self._watchers:
            watcher.put_nowait((event, plural, found))


def _played(made: Object) -> Object:
    """The status that its controller would have written by now."""
    generation = made["metadata"]["generation"]
    if made["kind"] == "Deployment":
        count = made["spec"].get("replicas", 1)
        counted = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
        conditions = [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ]
        return {"observedGeneration": generation, "conditions": conditions, **counted}
    if made["kind"] == "Pod":
        return {"phase": "Succeeded"}
    if made["kind"] == "PodDisruptionBudget":
        healthy = {"currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2, "disruptionsAllowed": 1}
        return {"observedGeneration": generation, **healthy}
    return {}


async def _body(request: web.Request) -> Object:
    data = await request.read()
    if request.content_type == "application/vnd.kubernetes.protobuf":
        return secret(data)
    made: Object = yaml.safe_load(data)
    return made


def _key(request: web.Request) -> tuple[str, str]:
    return request.match_info["plural"], request.match_info["name"]


def _kind(plural: str) -> tuple[str, str]:
    """Kind and apiVersion."""
    for (group, version), kinds in KINDS.items():
        if plural in kinds:
            return kinds[plural], f"{group}/{version}" if group else version
    raise KeyError(plural)


def _is_meant(request: web.Request, found: Object) -> bool:
    """Whether the selectors of the request mean it; equality is all that helm asks for."""
    metadata = found["metadata"]
    labels = [part.split("=", 1) for part in request.query.get("labelSelector", "").split(",") if part]
    fields = [part.split("=", 1) for part in request.query.get("fieldSelector", "").split(",") if part]
    return all(metadata.get("labels", {}).get(name) == value for name, value in labels) and all(
        metadata[name.removeprefix("metadata.")] == value for name, value in fields
    )


def _event(type_: str, found: Object) -> bytes:
    return json.dumps({"type": type_, "object": found}).encode() + b"\n"


def _missing(request: web.Request) -> web.Response:
    return _status(request, 404, "NotFound", request.match_info["name"])


def _status(request: web.Request, code: int, reason: str, name: str) -> web.Response:
    plural = request.match_info["plural"]
    said = {"reason": reason, "message": f'{plural} "{name}": {reason}', "details": {"name": name, "kind": plural}}
    return web.json_response(
        {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, **said}, status=code
    )


# Discovery.


async def _version(_request: web.Request) -> web.Response:
    return web.json_response({"major": "1", "minor": "37", "gitVersion": "v1.37.0"})


async def _core(_request: web.Request) -> web.Response:
    return web.json_response({"kind": "APIVersions", "versions": ["v1"]})


async def _groups(_request: web.Request) -> web.Response:
    groups = []
    for group, version in KINDS:
        if group:
            served = {"groupVersion": f"{group}/{version}", "version": version}
            groups.append({"name": group, "versions": [served], "preferredVersion": served})
    return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})


def _resources(group: str, version: str) -> Any:
    async def answer(_request: web.Request) -> web.Response:
        verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
        resources = [
            {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
            for plural, kind in KINDS[group, version].items()
        ]
        named = f"{group}/{version}" if group else version
        return web.json_response({"kind": "APIResourceList", "groupVersion": named, "resources": resources})

    return answer


async def _openapi(_request: web.Request) -> web.Response:
    """No schemas at all: in protobuf that is an empty document. What manifests may hold is checked by checking.py."""
    return web.Response(body=b"", content_type="application/octet-stream")
