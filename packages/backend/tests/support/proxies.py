"""nginx and HAProxy in front of servers, with the configurations of the documents."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Self

from tests.support.ports import free_port, until_open
from tests.support.process import ServerProcess

DOCS = Path(__file__).parents[4] / "docs" / "proxy"
START_SECONDS = 10.0
SBIN = "/usr/sbin:/usr/local/sbin:/usr/bin"


class ProxyProcess:
    """A proxy of that kind, before two servers."""

    def __init__(self, kind: str, folder: Path, servers: list[ServerProcess]) -> None:
        self.folder = folder
        self.port = free_port()
        # By a name, since clients keep cookies of names only.
        self.url = f"http://localhost:{self.port}"
        found = shutil.which(kind) or shutil.which(kind, path=SBIN)
        assert found is not None, f"there is no {kind}: `make setup STAGE=test` installs it"
        self._program = found
        self._kind = kind
        self._config = folder / "config"
        folder.mkdir(parents=True, exist_ok=True)
        text = (DOCS / {"nginx": "nginx.conf", "haproxy": "haproxy.cfg"}[kind]).read_text()
        ports = {8080: self.port, **{8001 + at: port_of(each) for at, each in enumerate(servers)}}
        text = re.sub(r"127\.0\.0\.1:(80\d\d)", lambda m: f"127.0.0.1:{ports[int(m[1])]}", text)
        if kind == "nginx":
            text = "daemon off;\nmaster_process off;\npid pid;\nerror_log error.log;\n" + text
            paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            own = "".join(f"    {name}_temp_path {name};\n" for name in paths)
            text = text.replace("http {\n", "http {\n    access_log off;\n" + own, 1)
            text = text.replace("worker_rlimit_nofile 65536;\n", "")
            text = text.replace("worker_connections 32768", "worker_connections 512")
        text = text.replace("maxconn 60000", "maxconn 500")
        self._config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        flags = (
            ["-p", str(self.folder), "-c", str(self._config)]
            if self._kind == "nginx"
            else ["-f", str(self._config), "-db"]
        )
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [self._program, *flags], stdout=output, stderr=output, start_new_session=True
            )
        until_open(self.port, self._process, self.folder / "output", START_SECONDS)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(START_SECONDS)


def port_of(server: ServerProcess) -> int:
    return int(server.url.rsplit(":", 1)[1])
