"""Promises of loading a config: every error at once, with its place and cure, and never a value."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from fleetpulse.alerting.condition import ConditionKind
from fleetpulse.durations import parse_duration
from fleetpulse.service.catalogue import VENDORS
from fleetpulse.service.config import ConfigError, find_config, load, load_plain
from fleetpulse.service.settings import Settings
from fleetpulse.web.address import Address

SECRET = "hush-7261-hush"
SOURCE = """
[[sources]]
name = "edge"
vendor = "jfrog-connect"
project_key = "yard"
token = "hush-7261-hush"
"""
RECEIVER = """
[[receivers]]
name = "ops"
kind = "webhook"
url = "https://hooks.example.com/fleet"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def loaded(tmp_path: Path, text: str, **environ: str) -> Settings:
    return load(written(tmp_path, text), environ)


def errors(tmp_path: Path, text: str, **environ: str) -> list[str]:
    """The lines of the error, without the directory."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, **environ)
    return [line.removeprefix(f"{tmp_path}/") for line in caught.value.lines]


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "")

    assert settings.http.listen == "127.0.0.1:9720"
    assert settings.http.address == Address("127.0.0.1", 9720)
    assert settings.journal.url == f"sqlite:///{tmp_path}/fleetpulse.db"
    assert settings.journal.retention == parse_duration("30d")
    assert settings.log.format == "logfmt"
    assert settings.sources == ()
    assert settings.route is None


def test_a_whole_file_is_read_into_its_classes(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        SOURCE
        + RECEIVER
        + """
[[rules]]
name = "FleetDeviceOffline"
for = "10m"
matchers = ['group=~"Lyon.*"']

[route]
receiver = "ops"

[[route.routes]]
matchers = ['severity="info"']
continue = true

[[route.routes.routes]]
group_by = ["..."]
""",
    )

    assert settings.sources[0].vendor == "jfrog-connect"
    assert type(settings.sources[0]).__name__ == "JFrogConnectSettings"
    assert type(settings.receivers[0]).__name__ == "WebhookSettings"
    assert settings.rules[0].for_ == parse_duration("10m")
    assert settings.rules[0].enabled is None
    assert settings.route is not None
    assert settings.route.routes[0].continue_
    assert settings.route.routes[0].routes[0].group_by == ("...",)


def test_an_error_reads_as_promised(tmp_path: Path) -> None:
    lines = errors(tmp_path, '\n[[sources]]\nname = "edge-prod"\nvendor = "hologram"\nintervall = "5s"\n')

    assert lines == ["config.toml:5 sources 'edge-prod': unknown key 'intervall', did you mean 'interval'?"]


def test_all_errors_of_shape_come_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    lines = errors(
        tmp_path,
        """[http]
listne = "127.0.0.1:1"
timezone = 5
[log]
level = "inof"
[journal]
retention = 30
max_events = 5
[metrics]
per_device = ["up", "cpus"]
max_device_series = "many"
[route]
group_wait = "5 minutes"
[[route.routes]]
matcher = ["a"]
[[route.routes.routes]]
continue = "perhaps"
[[sources]]
name = "edge"
vendor = "jfrog-conect"
[[sources]]
name = "edge"
vendor = "jfrog-connect"
labels = { a = 1 }
sweep = "5m"
enabled = "perhaps"
request_rate = "fast"
[[sources]]
vendor = "hologram"
org_id = 0
[[sources]]
[[rules]]
name = ""
when = "device_offlin"
ratio = 2.0
count = 1.5
[[receivers]]
name = "ops"
kind = "slak"
[heartbeat]
url = "x"
""",
    )

    vendors = ", ".join(sorted(VENDORS))
    assert lines == [
        "config.toml:2 http: unknown key 'listne', did you mean 'listen'?",
        "config.toml:3 http: 'timezone' must be a text in quotes",
        "config.toml:5 log: 'level' must be one of debug, info, warning, error, did you mean 'info'?",
        "config.toml:7 journal: 'retention' is not a duration: write it as text like 90s, 5m, 1h30m or 7d",
        "config.toml:8 journal: 'max_events' must be 1000 at least",
        (
            "config.toml:10 metrics: 'per_device' #2 must be one of up, info, last_seen, cpu, memory, disk, "
            "updates_blocked, traffic, did you mean 'cpu'?"
        ),
        "config.toml:11 metrics: 'max_device_series' must be a whole number",
        "config.toml:13 route: 'group_wait' is not a duration: write it like 90s, 5m, 1h30m or 7d",
        "config.toml:15 route.routes #1: unknown key 'matcher', did you mean 'matchers'?",
        "config.toml:17 route.routes #1.routes #1: 'continue' must be true or false",
        f"config.toml:20 sources 'edge': 'vendor' must be one of {vendors}, did you mean 'jfrog-connect'?",
        "config.toml:21 sources 'edge': 'project_key' is missing",
        "config.toml:24 sources 'edge': 'labels.a' must be a text in quotes",
        "config.toml:25 sources 'edge': 'sweep' must be a table, like { key = \"value\" }",
        "config.toml:26 sources 'edge': 'enabled' must be true or false",
        "config.toml:27 sources 'edge': 'request_rate' is not a rate: write it like 10/s, 3/m or 100/h",
        "config.toml:28 sources #3: 'name' is missing",
        "config.toml:30 sources #3: 'org_id' must be more than 0",
        f"config.toml:31 sources #4: 'vendor' is missing: it is one of {vendors}",
        "config.toml:33 rules #1: 'name' must not be empty",
        f"config.toml:34 rules #1: 'when' must be one of {', '.join(ConditionKind)}, did you mean 'device_offline'?",
        "config.toml:35 rules #1: 'ratio' must be 1 at most",
        "config.toml:36 rules #1: 'count' must be a whole number",
        "config.toml:39 receivers 'ops': 'kind' must be one of slack, webhook, did you mean 'slack'?",
        "config.toml:40 unknown table 'heartbeat'",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("http = 5", "config.toml:1 http: must be a table: write [http] above its keys"),
        ("[[http]]", "config.toml:1 http: must be a table: write [http] above its keys"),
        ("[sources]\nname = 1", "config.toml:1 'sources' must be a list of tables: write [[sources]] above each"),
        ('sources = ["x"]', "config.toml:1 sources #1: must be a table"),
        ('receivers = "x"', "config.toml:1 'receivers' must be a list of tables: write [[receivers]] above each"),
        (
            "[route]\nroutes = 5",
            "config.toml:2 route: 'routes' must be a list of tables: write [[route.routes]] above each",
        ),
        ("_env_file = 'x'", "config.toml:1 unknown table '_env_file'"),
        ("http.listen.a = 1", "config.toml:1 http: 'listen' must be a text in quotes"),
        ('"a\\u001bb" = 1', "config.toml:1 unknown table 'a?b'"),
    ],
)
def test_a_table_of_the_wrong_kind_says_how_it_is_written(tmp_path: Path, text: str, line: str) -> None:
    assert errors(tmp_path, text) == [line]


def test_errors_of_meaning_come_at_once_after_those_of_shape(tmp_path: Path) -> None:
    text = (
        SOURCE
        + SOURCE.replace("token =", 'token_file = "absent"\ntoken =')
        + RECEIVER
        + RECEIVER
        + """
[http]
listen = "localhost"
external_url = "ftp://x"
timezone = "Mars/Base"
[journal]
url = "postgres://x"
retention = "5m"
[[rules]]
name = "Mine"
matchers = ["a=b", 'x=~"("']
[[rules]]
name = "FleetSourceDown"
count = 3
labels = { job = "x", severity = "y", "a b" = "z" }
annotations = { summary = "{{ name", description = "{{ name }}" }
[[rules]]
name = "FleetDeploymentFailed"
count = 3
ratio = 0.5
[[rules]]
name = "Mine"
when = "job_failed"
[route]
receiver = "opps"
matchers = ["a=b"]
repeat_interval = "0s"
[[route.routes]]
receiver = "nobody"
group_by = ["...", "source"]
matchers = ["!"]
"""
    )

    lines = errors(tmp_path, text)

    assert [line.removeprefix("config.toml:").partition(" ")[2] for line in lines] == [
        "sources 'edge': 'name' is taken by an entry above",
        "sources 'edge': 'token_file' cannot be used: cannot read it: No such file or directory",
        "sources 'edge': 'token' is given twice: as token and as token_file",
        "receivers 'ops': 'name' is taken by an entry above",
        "http: 'listen' must be an address and a port, like 127.0.0.1:9720, [::1]:9720 or :9720",
        "http: 'external_url' must be a URL like https://fleetpulse.example.com, without user, query or fragment",
        "http: 'timezone' must be a zone this machine knows, like UTC or Europe/Paris",
        "journal: 'url' must be sqlite:///PATH, the path of a file",
        "journal: 'retention' must be 1h at least",
        f"rules 'Mine': 'when' is missing: a rule that is no default one needs it, one of {', '.join(ConditionKind)}",
        "rules 'Mine': 'matchers' #2 has a pattern that is no regular expression: missing ), unterminated subpattern",
        "rules 'FleetSourceDown': 'count' is a parameter of deployment_failed, not of source_down",
        (
            "rules 'FleetSourceDown': 'labels.a b' is no label name: letters, digits and underscores, not beginning "
            "with a digit"
        ),
        (
            "rules 'FleetSourceDown': 'labels.job' is a label that Prometheus sets or renames when it scrapes: choose "
            "another name"
        ),
        "rules 'FleetSourceDown': 'labels.severity' is given by the key 'severity'",
        (
            "rules 'FleetSourceDown': 'annotations.summary' is no Jinja2 template: line 1 of it has unexpected end of "
            "template, expected"
        ),
        "rules 'FleetDeploymentFailed': 'ratio' and 'count' are both given: keep one",
        "rules 'Mine': 'name' is taken by an entry above",
        "route: 'receiver' names no entry of [[receivers]]: there are 'ops', 'ops', did you mean 'ops'?",
        "route: 'matchers' belongs into [[route.routes]]: [route] takes every alert",
        "route: 'repeat_interval' must be longer than nothing",
        "route.routes #1: 'receiver' names no entry of [[receivers]]: there are 'ops', 'ops'",
        "route.routes #1: 'group_by' holds \"...\", which means every label, beside others",
        'route.routes #1: \'matchers\' #1 is not a matcher: write it like severity="critical" or group=~"Lyon.*"',
    ]


@pytest.mark.parametrize("header", ["", "[http]\n"])
def test_a_file_of_something_else_is_not_told_in_full(tmp_path: Path, header: str) -> None:
    lines = errors(tmp_path, header + "".join(f"listen{number} = 1\n" for number in range(20_000)))

    assert len(lines) == 200


def test_meaning_is_not_told_while_the_shape_is_wrong(tmp_path: Path) -> None:
    lines = errors(tmp_path, '[http]\nlisten = "nowhere"\n[log]\nlevel = 1\n')

    assert lines == ["config.toml:4 log: 'level' must be one of debug, info, warning, error"]


def test_with_several_receivers_someone_must_say_which(tmp_path: Path) -> None:
    two = RECEIVER + RECEIVER.replace("ops", "night")

    without = errors(tmp_path, two)
    unnamed = errors(tmp_path, two + '[route]\ngroup_wait = "1m"\n')

    assert without == ["config.toml:2 there are 2 receivers, so [route] must name the 'receiver' that is told"]
    assert unnamed == ["config.toml:11 route: 'receiver' is missing: there are 2 to choose from"]


def test_one_receiver_needs_no_route(tmp_path: Path) -> None:
    assert loaded(tmp_path, RECEIVER + '[route]\ngroup_wait = "1m"\n').route is not None
    assert loaded(tmp_path, RECEIVER).route is None


def test_a_misspelt_default_rule_is_recognised(tmp_path: Path) -> None:
    (line,) = errors(tmp_path, '[[rules]]\nname = "FleetDeviceOfline"\nfor = "1m"\n')

    assert line.endswith("or did you mean the rule 'FleetDeviceOffline'?")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = b", "config.toml:1 has a value that is no TOML: texts and durations need quotes"),
        ("\n[http]\ninterval = 5m", "config.toml:3 has something left over after the value: texts need quotes"),
        ('\nlisten = "x', "config.toml:2 has a text whose closing quotes are missing"),
        ('\nlisten = "x\n', "config.toml:2 has a text whose closing quote is not on its line"),
        ("listen", "config.toml:1 has a key without = and a value"),
        ("[http", "config.toml:1 has a table name whose ] is missing"),
        ("[[sources]", "config.toml:1 has a table name whose ]] is missing"),
        ("[http]\n[http]", "config.toml:2 begins a table that is there already; lists of tables are written [[name]]"),
        ("a = 1\na = 2", "config.toml:2 sets a key, or a table, that is set already above"),
        ("a = [1,\n2\nb = 1", "config.toml:3 has a list whose ] is missing"),
        ("a = {b = 1\n}", "config.toml:1 has a table in braces whose } is missing, or a line break within the braces"),
        ('a = "C:\\path"', "config.toml:1 has a \\ in a text: double it, or put the text into single quotes"),
        ("a. = 1", "config.toml:1 has a key that is no TOML: letters, digits, _ and -"),
        ("?", "config.toml:1 is neither a [table] nor key = value"),
        ("a = 2026-02-31", "config.toml:1 has a date or time that does not exist"),
        ("a = 'x", "config.toml:1 has a text whose closing quotes are missing"),
        ("a = " + "9" * 5000, "config.toml:1 holds a number that is far too long"),
        ("a = " + "[" * 20_000, "config.toml:1 is nested too deep"),
        ("[" + ".".join("a" * 40) + "]", "config.toml:1 is nested deeper than 32 tables"),
    ],
)
def test_what_is_no_toml_is_told_with_line_and_cure(tmp_path: Path, text: str, line: str) -> None:
    assert errors(tmp_path, text) == [line]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[http]\nlisten = "127.0.0.1:1"\ntimezone = "UTC"\n',
        FLEETPULSE_HTTP__LISTEN="127.0.0.1:2",
        FLEETPULSE_JOURNAL__MAX_EVENTS="5000",
        FLEETPULSE_METRICS__PER_DEVICE='["up"]',
        FLEETPULSE_LOG__LEVEL="debug",
    )

    assert settings.http.listen == "127.0.0.1:2"
    assert settings.journal.max_events == 5000
    assert settings.metrics.per_device == ("up",)
    assert settings.log.level == "debug"


def test_the_environment_heals_what_the_file_lacks(tmp_path: Path) -> None:
    settings = loaded(tmp_path, '[http]\nlisten = "${MISSING}"\n', FLEETPULSE_HTTP__LISTEN="127.0.0.1:2")

    assert settings.http.listen == "127.0.0.1:2"


def test_errors_of_the_environment_name_the_variable_and_not_its_value(tmp_path: Path) -> None:
    shape = errors(
        tmp_path,
        "",
        FLEETPULSE_HTTP__LISTNE=SECRET,
        FLEETPULSE_JOURNAL__MAX_EVENTS=SECRET,
        FLEETPULSE_METRICS__PER_DEVICE=SECRET,
        FLEETPULSE_SOURCES__0__TOKEN=SECRET,
        FLEETPULSE_XYZ__ABC=SECRET,
    )
    meaning = errors(tmp_path, "", FLEETPULSE_HTTP__LISTEN=SECRET)

    assert shape == [
        "environment FLEETPULSE_JOURNAL__MAX_EVENTS: 'max_events' must be a whole number",
        "environment: FLEETPULSE_HTTP__LISTNE names no setting, did you mean FLEETPULSE_HTTP__LISTEN?",
        'environment FLEETPULSE_METRICS__PER_DEVICE: must be a list in JSON, like ["up", "info"]',
        (
            "environment: FLEETPULSE_SOURCES__0__TOKEN names no setting: sources, rules, route and receivers come from "
            "the file alone"
        ),
        "environment: FLEETPULSE_XYZ__ABC names no setting",
    ]
    assert meaning == [
        (
            "environment FLEETPULSE_HTTP__LISTEN: 'listen' must be an address and a port, like 127.0.0.1:9720, "
            "[::1]:9720 or :9720"
        )
    ]


def test_variables_of_kubernetes_and_of_the_command_line_are_passed_over(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        "",
        FLEETPULSE_PORT="tcp://10.0.0.1:9720",
        FLEETPULSE_HTTP="tcp://10.0.0.1:9720",
        FLEETPULSE_SOURCES="[]",
        FLEETPULSE_CONFIG="x",
        OTHER__THING="x",
    )

    assert settings == loaded(tmp_path, "")


def test_settings_built_directly_do_not_look_at_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEETPULSE_HTTP__LISTEN", "127.0.0.1:1")

    assert Settings().http.listen == "127.0.0.1:9720"


def test_placeholders_are_filled_wherever_a_text_is(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        SOURCE.replace("hush-7261-hush", "${TOKEN}")
        + 'labels = { team = "${TEAM:-edge}" }\ngroups = ["${GROUP}", "$${GROUP}"]\n'
        + '[journal]\nmax_events = "${MAX}"\n',
        TOKEN=SECRET,
        GROUP="Lyon",
        MAX="5000",
    )

    assert settings.sources[0].labels == {"team": "edge"}
    assert settings.sources[0].model_dump()["groups"] == ["Lyon", "${GROUP}"]
    assert settings.sources[0].model_dump()["token"].get_secret_value() == SECRET
    assert settings.journal.max_events == 5000


def test_missing_variables_are_told_with_their_place_and_beside_other_errors(tmp_path: Path) -> None:
    lines = errors(
        tmp_path,
        '[http]\nlisten = "${HOST}:80"\n'
        + SOURCE.replace("hush-7261-hush", "${TOKEN}")
        + 'interval = "${EVERY}"\ngroups = ["a", "${"]\nlabels = { team = "${TEAM}" }\nenabled = 5\n',
    )

    assert lines == [
        "config.toml:2 http: 'listen' needs the environment variable HOST, which is not set",
        "config.toml:8 sources 'edge': 'token' needs the environment variable TOKEN, which is not set",
        "config.toml:9 sources 'edge': 'interval' needs the environment variable EVERY, which is not set",
        (
            "config.toml:10 sources 'edge': 'groups' #2 holds a '${' that is neither ${NAME} nor ${NAME:-default}; "
            "a literal one is $${"
        ),
        "config.toml:11 sources 'edge': 'labels.team' needs the environment variable TEAM, which is not set",
        "config.toml:12 sources 'edge': 'enabled' must be true or false",
    ]


def test_a_place_shows_a_placeholder_as_it_is_written(tmp_path: Path) -> None:
    (line,) = errors(tmp_path, '[[sources]]\nname = "${NAME}"\nvendor = "hologram"\nx = 1\n', NAME=SECRET)

    assert line.startswith("config.toml:4 sources '${NAME}': unknown key 'x'")


def test_a_relative_path_lies_beside_the_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "keys" / "token").write_text(SECRET)
    (tmp_path / "hook").write_text("https://hooks.example.com/x")
    path = written(
        tmp_path,
        SOURCE.replace(f'token = "{SECRET}"', 'token_file = "keys/token"')
        + RECEIVER.replace('url = "https://hooks.example.com/fleet"', f'url_file = "{tmp_path}/hook"')
        + '[journal]\nurl = "sqlite:///data/f.db"\n',
    )
    monkeypatch.chdir(tmp_path)

    settings = load(Path("config.toml"), {})

    assert path.exists()
    assert settings.sources[0].model_dump()["token_file"] == tmp_path / "keys" / "token"
    assert settings.receivers[0].model_dump()["url_file"] == tmp_path / "hook"
    assert settings.journal.url == f"sqlite:///{tmp_path}/data/f.db"


def test_an_absolute_journal_stays_where_it_is(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[journal]\nurl = "sqlite:////tmp/f.db"\n').journal.url == "sqlite:////tmp/f.db"


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda _file: None, "cannot be used: cannot read it: No such file or directory"),
        (lambda file: file.mkdir(), "cannot be used: cannot read it: Is a directory"),
        (lambda file: file.write_text("\n"), "cannot be used: it is empty: it should hold one secret and nothing else"),
        (lambda file: file.write_bytes(b"\xff" + SECRET.encode()), "cannot be used: it is not text"),
    ],
)
def test_a_secret_file_that_does_not_serve_is_told_without_its_path(
    tmp_path: Path, prepare: Callable[[Path], object], why: str
) -> None:
    prepare(tmp_path / SECRET)
    lines = errors(tmp_path, SOURCE.replace("token =", "token_file ="))

    assert lines == [f"config.toml:6 sources 'edge': 'token_file' {why}"]


def test_a_ca_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    lines = errors(tmp_path, SOURCE + 'ca_file = "absent.pem"\n')

    assert lines == [
        "config.toml:7 sources 'edge': 'ca_file' cannot be used: cannot read it: No such file or directory"
    ]


def test_a_ca_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    lines = errors(tmp_path, SOURCE + 'ca_file = "ca.pem"\n')

    assert lines == ["config.toml:7 sources 'edge': 'ca_file' cannot be used: what it holds are no certificates in PEM"]


def test_a_ca_file_of_a_whole_system_is_taken(tmp_path: Path) -> None:
    authorities = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not authorities:
        pytest.skip("this machine has no store of authorities")
    (tmp_path / "ca.pem").write_text("# of the caf\u00e9\n" + "".join(map(ssl.DER_cert_to_PEM_cert, authorities)))

    assert loaded(tmp_path, SOURCE + 'ca_file = "ca.pem"\n').sources[0].ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("receiver", "line"),
    [
        ('kind = "slack"\nwebhook_url_file = "held"', "'webhook_url_file' cannot be used: what it holds is not a URL"),
        ('kind = "webhook"\nurl_file = "held"', "'url_file' cannot be used: what it holds is not a URL"),
        (
            'kind = "webhook"\nurl = "https://hooks.example.com"\nsecret_file = "held"',
            "'secret_file' cannot be used: what it holds is no signing secret",
        ),
    ],
)
def test_what_a_receiver_s_file_holds_is_checked_and_not_told(tmp_path: Path, receiver: str, line: str) -> None:
    (tmp_path / "held").write_text(SECRET)
    (told,) = errors(tmp_path, f'[[receivers]]\nname = "ops"\n{receiver}\n')

    assert line in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda _file: None, "its directory does not exist; create it"),
        (lambda file: file.parent.write_text(""), "its directory does not exist; create it"),
        (lambda file: file.mkdir(parents=True), "it is a directory; name a file in it"),
    ],
)
def test_a_journal_that_cannot_be_there_is_told(tmp_path: Path, prepare: Callable[[Path], object], why: str) -> None:
    prepare(tmp_path / "data" / "f.db")
    lines = errors(tmp_path, '[journal]\nurl = "sqlite:///data/f.db"\n')

    assert lines == [f"config.toml:2 journal: 'url' cannot be used: {why}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_journal_where_this_user_may_not_write_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    lines = errors(tmp_path, '[journal]\nurl = "sqlite:///data/f.db"\n')

    assert lines == [
        "config.toml:2 journal: 'url' cannot be used: give the user of this process the right to write in its directory"
    ]


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    absent, directory, large, latin = (tmp_path / name for name in ("absent", "directory", "large", "latin"))
    directory.mkdir()
    large.write_bytes(b"#" * (1024 * 1024 + 1))
    latin.write_bytes(b"\n# caf\xe9")

    said = []
    for path in (absent, directory, large, latin, tmp_path / "a\0b"):
        with pytest.raises(ConfigError) as caught:
            load(path, {})
        said.append(str(caught.value).removeprefix(f"{tmp_path}/"))

    assert said == [
        "absent: there is no such file",
        f"directory: is a directory; name the file in it, like {directory}/config.toml",
        "large: is larger than 1 MiB, so it is no config",
        "latin:2 is not UTF-8: save the file in that encoding",
        "a\0b: cannot be read: no valid name",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.chmod(0)

    with pytest.raises(ConfigError, match="this user may not read it"):
        load(path, {})


def test_a_mark_of_windows_editors_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes('\ufeff[log]\r\nlevel = "debug"\r\n'.encode())

    assert load(path, {}).log.level == "debug"


def test_a_piece_of_a_password_in_a_library_s_words_does_not_pass(tmp_path: Path) -> None:
    lines = errors(tmp_path, SOURCE + f'proxy = "http://user:a@b:{SECRET}"\nbase_url = "https://h:{SECRET}"\n')

    assert not any("hush" in line for line in lines)
    assert len(lines) == 2


def test_without_a_name_the_config_is_looked_for_in_three_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_config({}, tmp_path)
    here = written(tmp_path, "")

    assert find_config({}, tmp_path) == here
    assert find_config({"FLEETPULSE_CONFIG": "/elsewhere.toml"}, tmp_path) == Path("/elsewhere.toml")
    for place in ("FLEETPULSE_CONFIG", "config.toml", "/etc/fleetpulse/config.toml"):
        assert place in str(caught.value)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("short", "has fewer than 16 characters: make one with `openssl rand -hex 32`"),
        ("two words make no token", "is no token: one line of letters and digits"),
        ("two-lines-make\nno-token-either", "is no token: one line of letters and digits"),
        ("t\u00f6ken-that-no-header-may-hold", "is no token: one line of letters and digits"),
    ],
)
def test_a_token_that_protects_nothing_is_refused(tmp_path: Path, token: str, why: str) -> None:
    (tmp_path / "token").write_text(token)

    lines = errors(tmp_path, '[http]\ntoken_file = "token"\n')

    assert lines == [f"config.toml:2 http: 'token_file' cannot be used: what it holds {why}"]


def test_who_may_read_may_not_change(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("an-invented-token")

    lines = errors(tmp_path, '[http]\ntoken_file = "token"\nread_token_file = "token"\n')

    assert lines == [
        "config.toml:3 http: 'read_token_file' must be another file than token_file: who may read may not change"
    ]


def test_who_asks_a_service_need_not_read_its_secrets(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[http]\nlisten = ":9999"\n[[sources]]\nname = "edge"\ntoken = "${ABSENT}"\n')

    settings = load_plain(path, {"FLEETPULSE_JOURNAL__URL": "sqlite:///other.db"})

    assert settings.http.address.port == 9999
    assert settings.journal.url == f"sqlite:///{tmp_path / 'other.db'}"
    assert settings.sources == ()


def test_who_needs_a_few_of_the_files_does_not_look_at_them_all(tmp_path: Path) -> None:
    text = SOURCE.replace('token = "hush-7261-hush"', 'token_file = "absent"')

    told = errors(tmp_path, text)
    settings = load(written(tmp_path, text), {}, with_files=False)

    assert [line.partition(":")[0] for line in told] == ["config.toml"]
    assert settings.sources[0].name == "edge"
