import re
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from fleetpulse.service import config
from fleetpulse.web.address import Address

ROOT: Final = Path(__file__).resolve().parents[2]
MANIFEST: Final = ROOT / "deploy/kubernetes.yaml"
DOCUMENTS: Final[list[dict[str, Any]]] = list(yaml.safe_load_all(MANIFEST.read_text()))
OF_KIND: Final = {document["kind"]: document for document in DOCUMENTS}
SET: Final = OF_KIND["StatefulSet"]["spec"]
POD: Final = SET["template"]["spec"]
(CONTAINER,) = POD["containers"]
MOUNTS: Final = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
CONFIG: Final = OF_KIND["ConfigMap"]["data"]["config.toml"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["kind"])
def test_it_fits_kubernetes_own_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.31", strict=True)


def test_its_config_is_one_that_fleetpulse_takes(tmp_path: Path) -> None:
    secrets = re.findall(re.escape(MOUNTS["secrets"]) + r"/([\w-]+)", CONFIG)
    values = {"jfrog-token": "invented-token", "slack-webhook-url": "https://hooks.example.com/services/invented"}
    for name in secrets:
        (tmp_path / name).write_text(values[name])
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace(MOUNTS["secrets"], str(tmp_path)).replace(MOUNTS["journal"], str(tmp_path)))

    settings = config.load(path, {})

    assert [source.name for source in settings.sources] == ["edge-prod"]
    assert settings.http.address == Address("", CONTAINER["ports"][0]["containerPort"])
    assert settings.journal.url == f"sqlite:///{tmp_path}/fleetpulse.db"


def test_each_secret_of_the_config_is_named_in_the_command_that_makes_it() -> None:
    named = re.findall(r"--from-file=([\w-]+)=", MANIFEST.read_text())

    assert re.findall(re.escape(MOUNTS["secrets"]) + r"/([\w-]+)", CONFIG) == named


def test_no_key_stands_in_it() -> None:
    assert "Secret" not in OF_KIND
    assert not re.search(r"^\s*(token|api_key|secret|webhook_url)\s*=", CONFIG, re.MULTILINE)
    assert not re.search(r"secretKeyRef|envFrom", MANIFEST.read_text())  # a variable can't be replaced while it runs


def test_never_two_at_once() -> None:
    (claim,) = SET["volumeClaimTemplates"]

    assert SET["replicas"] == 1
    assert claim["metadata"]["name"] in MOUNTS
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_every_mount_has_its_volume() -> None:
    claims = [claim["metadata"]["name"] for claim in SET["volumeClaimTemplates"]]

    assert set(MOUNTS) == {volume["name"] for volume in POD["volumes"]} | set(claims)


def test_it_runs_with_no_right_it_does_not_need() -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["automountServiceAccountToken"] is False
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_its_user_is_the_images() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", (ROOT / "deploy/Dockerfile").read_text(), re.MULTILINE)

    assert user is not None
    rights = POD["securityContext"]
    assert (int(user[1]), int(user[2])) == (rights["runAsUser"], rights["runAsGroup"])
    assert rights["fsGroup"] == rights["runAsGroup"]


def test_the_probes_ask_what_the_service_answers() -> None:
    asked = {probe: CONTAINER[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}

    assert asked == {
        "startup": {"path": "/-/healthy", "port": "http"},
        "liveness": {"path": "/-/healthy", "port": "http"},
        "readiness": {"path": "/-/ready", "port": "http"},
    }


def test_prometheus_finds_it() -> None:
    service = OF_KIND["Service"]
    port = str(service["spec"]["ports"][0]["port"])

    assert service["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": port,
        "prometheus.io/path": "/metrics",
    }
    assert service["spec"]["selector"].items() <= SET["template"]["metadata"]["labels"].items()
    assert SET["serviceName"] == service["metadata"]["name"]
