"""Where a configuration comes from: files, folders, the environment, references; and what is watched."""

from pathlib import Path

import pytest

from streamhooks.errors import ConfigError
from streamhooks.files import Loaded, load, load_mapping
from streamhooks.secret import Secret
from streamhooks.settings import Settings

HANDLER = """
  - id: {id}
    on: [AuthFailure]
    target_path: https://hooks.example.com/{id}
    template_path: body.json
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "body.json").write_text('{"event": "{{.Type}}"}')
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def faults(*paths: Path, search: tuple[Path, ...] = ()) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(list(paths), {}, search=search)
    return [str(fault) for fault in raised.value.faults]


def one(text: str, folder: Path, environ: dict[str, str] | None = None) -> Loaded:
    return load([write(folder / "a.yaml", text)], environ or {})


def test_an_empty_file_gives_every_default(folder: Path) -> None:
    loaded = one("", folder)
    assert loaded.settings == Settings()
    assert loaded.handlers == ()
    assert loaded.given == frozenset()
    assert [str(warning) for warning in loaded.warnings] == [
        "configuration: handlers: there is none: every event will count as unmatched"
    ]


def test_the_whole_example_of_the_design_is_the_defaults(folder: Path) -> None:
    text = """
redis: {url: "redis://127.0.0.1:6379/0", tls: {ca_file: "", cert_file: "", key_file: ""}}
stream: {key: "gateway:events", group: streamhooks, start: "0", partitions: 1, retention: {age: 24h, entries: 100000}}
worker:
  in_flight: 512
  batch: 128
  lease: 30s
  max_deliveries: 5
  max_event_bytes: 262144
  max_parked: 1000000
  drain_timeout: 20s
  journal: problems
  journal_entries: 100000
dead: {max_entries: 100000, max_age: 30d}
cool: {share_with_tyk: false}
defaults:
  timeout: 15s
  concurrency: 32
  rate_limit: ""
  retry: {delays: [5s, 30s, 2m, 10m, 30m, 1h, 3h, 6h, 12h], jitter: 0.2, max_age: 24h, permanent_statuses: [410]}
  breaker: {consecutive: 20, ratio: 0.7, window: 5m, min_calls: 10, open: 30s, open_cap: 10m}
  allow_cidrs: []
  proxy: ""
  tls: {ca_file: "", cert_file: "", key_file: "", insecure_skip_verify: false}
admin: {listen: "127.0.0.1:8080"}
ingest: {listen: "", token: ""}
log: {level: info, format: auto}
reload: true
"""
    loaded = one(text, folder)
    assert loaded.settings == Settings()
    assert "admin.listen" in loaded.given


def test_files_are_joined_list_by_list_and_event_by_event(folder: Path) -> None:
    first = "handlers:" + HANDLER.format(id="one") + "defaults: {allow_cidrs: [10.0.0.0/8]}"
    meta = "handler_meta: {target_path: 'http://x.example.com/%s', template_path: body.json}"
    events = "event_handlers: {events: {AuthFailure: [{handler_name: eh_web_hook_handler, %s}]}}"
    second = "handlers:" + HANDLER.format(id="two") + "defaults: {allow_cidrs: [fd00::/8]}\n" + events % (meta % "a")
    third = events % (meta % "b")
    paths = [write(folder / f"{i}.yaml", text) for i, text in enumerate((first, second, third))]
    loaded = load(paths, {})
    assert [handler.target.rpartition("/")[2] for handler in loaded.handlers] == ["one", "two", "a", "b"]
    assert loaded.settings.defaults.allow_cidrs == ("10.0.0.0/8", "fd00::/8")


def test_a_scalar_given_in_two_files_is_a_fault(folder: Path) -> None:
    a, b = write(folder / "a.yaml", "reload: true"), write(folder / "b.json", '{"reload": true}')
    assert faults(a, b) == [f"{b}: reload: is given in {a} too; keep one of them"]


def test_a_folder_gives_its_files_by_name_and_no_hidden_ones(folder: Path) -> None:
    write(folder / "conf/b.toml", '[log]\nlevel = "error"')
    write(folder / "conf/a.json", '{"stream": {"group": "g"}}')
    write(folder / "conf/.c.yaml", "nonsense")
    write(folder / "conf/deeper/d.yaml", "nonsense")
    write(folder / "conf/notes.txt", "nonsense")
    loaded = load([folder / "conf"], {})
    assert (loaded.settings.stream.group, loaded.settings.log.level) == ("g", "error")
    assert loaded.sources == (folder / "conf/a.json", folder / "conf/b.toml")


def test_without_a_name_the_first_that_exists_is_taken(folder: Path) -> None:
    write(folder / "etc/a.yaml", "log: {level: error}")
    assert load(None, {}, search=(folder / "streamhooks.yaml", folder / "etc")).settings.log.level == "error"
    write(folder / "streamhooks.yaml", "log: {level: debug}")
    assert load(None, {}, search=(folder / "streamhooks.yaml", folder / "etc")).settings.log.level == "debug"


def test_files_that_cannot_be_used_are_all_named(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "latin.yaml").write_bytes(b"a: \xe4")
    write(folder / "list.yaml", "[1]")
    write(folder / "big.json", " " * (4 * 1024 * 1024 + 1))
    write(folder / "tyk.conf", "{}")
    names = ("empty", "no.yaml", "tyk.conf", "latin.yaml", "list.yaml", "big.json")
    assert faults(*(folder / name for name in names)) == [
        f"{folder}/empty: holds no file that ends in .yaml, .yml, .json, .toml",
        f"{folder}/no.yaml: is not there; name another, or write one by streamhooks init",
        f"{folder}/tyk.conf: must end in .yaml, .yml, .json, .toml, which says how to read it",
        f"{folder}/latin.yaml: is not UTF-8 at byte 3",
        f"{folder}/list.yaml: must be a section of keys and values",
        f"{folder}/big.json: is larger than 4194304 bytes",
    ]


def test_no_configuration_at_all_says_what_to_do(folder: Path) -> None:
    a, b = folder / "streamhooks.yaml", folder / "etc"
    assert faults(search=(a, b)) == [
        f"configuration: there is neither {a} nor {b}; name a file by --config, or write one by streamhooks init"
    ]


def test_the_environment_overrides_single_settings(folder: Path) -> None:
    environ = {
        "STREAMHOOKS_REDIS__URL": "rediss://elsewhere:6380/1",
        "STREAMHOOKS_WORKER__LEASE": "1m",
        "STREAMHOOKS_WORKER__BATCH": "7",
        "STREAMHOOKS_RELOAD": "false",
        "STREAMHOOKS_ADMIN__TOKEN": "0123",
        "STREAMHOOKS_DEFAULTS__ALLOW_CIDRS": "[10.0.0.0/8, 127.0.0.1/32]",
        "STREAMHOOKS_SERVICE_HOST": "10.1.2.3",
        "PATH": "/bin",
    }
    loaded = one("redis: {url: 'redis://here'}", folder, environ)
    assert loaded.settings.redis.url.reveal() == "rediss://elsewhere:6380/1"
    assert (loaded.settings.worker.lease, loaded.settings.worker.batch) == (60.0, 7)
    assert loaded.settings.reload is False
    assert loaded.settings.admin.token.reveal() == "0123"
    assert loaded.settings.defaults.allow_cidrs == ("10.0.0.0/8", "127.0.0.1/32")
    assert "worker.batch" in loaded.given


def test_secrets_may_lie_in_the_environment_or_in_a_file_which_is_watched(folder: Path) -> None:
    secret = write(folder / "secret", "s3cret\n\n")
    text = f"redis: {{url: env://REDIS, password: 'file://{secret}'}}"
    loaded = one(text, folder, {"REDIS": "redis://r"})
    assert (loaded.settings.redis.url, loaded.settings.redis.password) == (Secret("redis://r"), Secret("s3cret\n"))
    assert (loaded.sources, loaded.secrets) == ((folder / "a.yaml",), (secret,))
    assert "s3cret" not in repr(loaded.settings)


def test_the_admin_token_is_taken_from_its_usual_variable_only_where_no_file_says_otherwise(folder: Path) -> None:
    environ = {"STREAMHOOKS_ADMIN_TOKEN": "usual"}
    assert one("", folder, environ).settings.admin.token.reveal() == "usual"
    assert one("admin: {token: other}", folder, environ).settings.admin.token.reveal() == "other"
    assert one("", folder).settings.admin.token.reveal() == ""


def test_a_tls_file_keeps_its_path_and_a_variable_gives_the_text(folder: Path) -> None:
    pem = write(folder / "tls/ca.pem", "-----BEGIN CERTIFICATE-----\n")
    tls = f"{{ca_file: tls/ca.pem, cert_file: env://CERT, key_file: 'file://{pem}'}}"
    text = f"redis: {{url: 'rediss://localhost', tls: {tls}}}"
    loaded = one(text, folder, {"CERT": "-----BEGIN CERTIFICATE-----\nabc\n"})
    assert loaded.settings.redis.tls.ca_file == str(pem)
    assert loaded.settings.redis.tls.cert_file == Secret("-----BEGIN CERTIFICATE-----\nabc")
    assert loaded.settings.redis.tls.key_file == str(pem)
    assert loaded.secrets == (pem,)


def test_paths_are_relative_to_the_file_that_says_them(folder: Path) -> None:
    path = write(folder / "conf/a.yaml", "templates: {path: bodies}\ntyk: {apis: 'apps/*.json'}")
    loaded = load([path], {})
    assert loaded.settings.templates.path == str(folder / "conf/bodies")
    assert loaded.settings.tyk.apis == str(folder / "conf/apps/*.json")
    said = f"matches no file: {path.parent / 'apps/*.json'}"
    assert f"{path}: tyk.apis: {said}" in [str(warning) for warning in loaded.warnings]


def test_templates_that_were_read_are_watched(folder: Path) -> None:
    loaded = one("handlers:" + HANDLER.format(id="one"), folder)
    assert loaded.sources == (folder / "a.yaml", folder / "body.json")


def test_a_mapping_is_loaded_like_a_file(folder: Path) -> None:
    handler = {"on": ["*"], "target_path": "https://a.example.com", "template_path": "body.json", "id": "x"}
    loaded = load_mapping({"handlers": [handler], "worker": {"lease": 5}}, folder)
    assert loaded.settings.worker.lease == 5.0
    assert loaded.handlers[0].id == "x"
    assert loaded.sources == (folder / "body.json",)


@pytest.mark.parametrize(
    ("start", "expected"), [("0", "0"), ("'0'", "0"), ("$", "$"), ("1700000000000-5", "1700000000000-5")]
)
def test_a_group_starts_at_the_oldest_the_newest_or_an_id(start: str, expected: str, folder: Path) -> None:
    assert one(f"stream: {{start: {start}}}", folder).settings.stream.start == expected


@pytest.mark.parametrize(("rate", "expected"), [("10/s", 10.0), ("30/m", 0.5), ("3600/h", 1.0), ("''", 0.0)])
def test_a_rate_is_requests_a_second(rate: str, expected: float, folder: Path) -> None:
    assert one(f"defaults: {{rate_limit: {rate}}}", folder).settings.defaults.rate_limit == expected


@pytest.mark.parametrize("key", ["events", "a:{x}:b", "{all}", "a.b-c/d"])
def test_a_stream_key_may_hold_one_hash_tag(key: str, folder: Path) -> None:
    assert one(f"stream: {{key: '{key}'}}", folder).settings.stream.key == key
