"""The Kubernetes manifests, as far as they can be tried without a cluster: they agree with settings and image."""

from __future__ import annotations

import re

import pytest
import yaml

from config import Settings
from tests.architecture.source import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
DOCUMENTS = [
    document
    for path in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
]
TEMPLATED = [document for document in DOCUMENTS if "template" in document.get("spec", {})]
DEFAULTS = {name: field.default for name, field in Settings.model_fields.items()}


def one(kind, name):
    (found,) = [d for d in DOCUMENTS if (d["kind"], d["metadata"]["name"]) == (kind, name)]
    return found


def pod(document):
    return document["spec"]["template"]["spec"]


def names(document):
    return f"{document['kind']} {document['metadata']['name']}"


def test_everything_is_in_the_one_namespace():
    assert one("Namespace", "evergreen")
    assert {d["metadata"].get("namespace") for d in DOCUMENTS if d["kind"] != "Namespace"} == {"evergreen"}


def test_every_variable_is_a_setting_or_temporals_own():
    given = {**one("ConfigMap", "evergreen")["data"], **one("Secret", "evergreen")["stringData"]}
    ours = {name for name in given if name.startswith("EVERGREEN_")}

    assert ours <= {f"EVERGREEN_{name.upper()}" for name in Settings.model_fields}
    assert all(name.startswith("TEMPORAL_") for name in given.keys() - ours)
    assert all(isinstance(value, str) for value in given.values())


def test_what_is_required_is_given_and_what_is_secret_is_in_the_secret_only():
    settings, secrets = one("ConfigMap", "evergreen")["data"], one("Secret", "evergreen")["stringData"]
    secret = {
        f"EVERGREEN_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    required = {
        f"EVERGREEN_{name.upper()}" for name, field in Settings.model_fields.items() if field.is_required()
    }

    assert required <= settings.keys() | secrets.keys()
    assert not secret & settings.keys()
    assert not any(secrets.values()), "the example holds none"


def test_the_settings_are_ones_that_the_programs_take():
    given = one("ConfigMap", "evergreen")["data"]
    ours = {k.removeprefix("EVERGREEN_").lower(): v for k, v in given.items() if k.startswith("EVERGREEN_")}
    ring = f"k:{'A' * 43}="
    secrets = {
        "database_url": "postgresql://x/y",
        "secret_keys": ring,
        "codec_keys": ring,
        "fingerprint_pepper": "p",
    }

    assert Settings(_env_file=None, **secrets, **ours).drain_seconds == int(ours["drain_seconds"])


@pytest.mark.parametrize("document", TEMPLATED, ids=names)
def test_each_program_is_confined_and_runs_as_the_images_user(document):
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (uid,) = re.findall(r"--uid (\d+)", dockerfile)
    spec = pod(document)

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == int(uid)
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"].keys() == {"requests", "limits"}
        assert re.search(r":\d+\.\d+\.\d+$", container["image"]), "one version"


@pytest.mark.parametrize("document", TEMPLATED, ids=names)
def test_each_program_is_one_that_the_image_holds(document):
    for container in pod(document)["containers"]:
        program = container.get("command", ["python", "worker.py"])[1:]
        path = program[1] if program[0] == "-m" else program[0]
        assert (ROOT / path).exists(), program


@pytest.mark.parametrize("name", ["worker", "portal"])
def test_ports_and_probes_are_those_of_the_programs(name):
    (container,) = pod(one("Deployment", name))["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    settings = {"worker": ("metrics_port", "health_port"), "portal": ("portal_metrics_port", "portal_port")}[
        name
    ]

    assert {DEFAULTS[setting] for setting in settings} == set(ports.values())
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
        assert container[probe]["httpGet"]["path"] in ("/healthz", "/readyz")
    annotations = one("Deployment", name)["spec"]["template"]["metadata"]["annotations"]
    assert int(annotations["prometheus.io/port"]) == ports["metrics"]


def test_a_worker_is_given_longer_to_end_than_it_takes_to_drain():
    drain_seconds = int(one("ConfigMap", "evergreen")["data"]["EVERGREEN_DRAIN_SECONDS"])

    assert pod(one("Deployment", "worker"))["terminationGracePeriodSeconds"] > drain_seconds + 10


def test_workers_are_scaled_by_how_long_tasks_wait():
    scaled = one("ScaledObject", "worker")["spec"]
    queries = [trigger["metadata"].get("query", "") for trigger in scaled["triggers"]]

    assert scaled["scaleTargetRef"] == {"name": "worker"}
    assert "replicas" not in one("Deployment", "worker")["spec"], "two would fight over the number"
    assert any(
        "temporal_workflow_task_schedule_to_start_latency_seconds_bucket" in query for query in queries
    )
    assert 2 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"]


@pytest.mark.parametrize("name", ["worker", "portal"])
def test_a_node_that_is_emptied_takes_one_at_a_time(name):
    budget = one("PodDisruptionBudget", name)["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["selector"]["matchLabels"] == one("Deployment", name)["spec"]["selector"]["matchLabels"]
