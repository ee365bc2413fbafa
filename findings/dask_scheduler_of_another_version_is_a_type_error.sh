#!/usr/bin/env bash
# A cohort is sent to a Dask cluster whose scheduler was started in last year's environment.
# Guess: the client connects and warns of the versions that differ (VersionMismatchWarning), or its error names them.
# Seen: Client(...) ends in a TypeError about an argument of a method that no user calls; no version is named anywhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$scheduler" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv new && new/bin/pip install -q --disable-pip-version-check distributed==2026.8.0
python3 -m venv old && old/bin/pip install -q --disable-pip-version-check distributed==2025.1.0
old/bin/dask scheduler --host 127.0.0.1 --port 28786 --no-dashboard >scheduler.log 2>&1 &
scheduler=$!
for _ in $(seq 100); do grep -q "tcp://127.0.0.1:28786" scheduler.log && break; sleep 0.2; done
cat >client.py <<'PYTHON'
import distributed

print("client", distributed.__version__)
try:
    distributed.Client("tcp://127.0.0.1:28786", timeout=20)
except TypeError as error:
    print("TypeError:", error)
    assert "n_workers" in str(error) and "2025" not in str(error)
else:
    raise SystemExit("the client connected: this has changed")
PYTHON
new/bin/python client.py 2>&1 | tee seen.log
if grep -q VersionMismatch seen.log; then echo "a warning names the versions: this has changed"; exit 1; fi
echo "warnings that name versions: 0"
