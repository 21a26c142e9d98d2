"""Write what follows from the catalogue: JSON Schema, AsyncAPI, TypeScript and the protocol's page.

python tools/generate.py            write the files
python tools/generate.py --check    exit with 1 if one of them is not what the catalogue says
"""

import sys
from pathlib import Path

from generator import asyncapi, markdown, schema, typescript

ROOT = Path(__file__).resolve().parent.parent


def outputs() -> dict[Path, str]:
    """Each generated file with its text."""
    return {
        ROOT / "protocol/schema.json": schema.render(),
        ROOT / "protocol/asyncapi.yaml": asyncapi.render(),
        ROOT / "docs/protocol.md": markdown.render(),
        ROOT / "packages/frontend/src/lib/types/socket.ts": typescript.render_socket(),
        ROOT / "packages/frontend/src/lib/types/rest.ts": typescript.render_rest(),
    }


def main(arguments: list[str]) -> int:
    """Write or compare; the exit code."""
    check = "--check" in arguments
    stale = [
        (path, text)
        for path, text in outputs().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        name = path.relative_to(ROOT)
        if check:
            print(
                f"{name} is not what the catalogue says: run `make generate`",
                file=sys.stderr,
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
