#!/usr/bin/env bash
# A new scan is judged alone: one row of features against a detector that was fitted on healthy ones.
# Guess: decision_function compares it with the rows of fit, and a row far from all of them scores high.
# Seen: ROD, LOCI and LMDD compare only the rows that are judged together. One row alone gets the same score
# whatever it holds, and below the threshold. QMCD does compare with fit, and ranks the furthest row lowest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check pyod==3.6.7 numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
env/bin/python -W ignore - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from pyod.models.knn import KNN
from pyod.models.lmdd import LMDD
from pyod.models.loci import LOCI
from pyod.models.qmcd import QMCD
from pyod.models.rod import ROD

print("pyod", version("pyod"), "numpy", np.__version__, "scikit-learn", version("scikit-learn"))
healthy = np.random.default_rng(0).normal(size=(60, 5))
alone = {}
for kind in (KNN, ROD, LOCI, LMDD, QMCD):
    detector = kind().fit(healthy.copy())
    scores = [float(np.ravel(detector.decision_function(np.full((1, 5), far)))[0]) for far in (0.0, 1.0, 5.0, 100.0)]
    alone[kind.__name__] = scores
    shown = ", ".join(f"{score:.4g}" for score in scores)
    print(f"{kind.__name__}: rows at 0, 1, 5 and 100 SD, each judged alone: {shown} (threshold {detector.threshold_:.4g})")
    if kind in (ROD, LOCI, LMDD):
        assert len(set(scores)) == 1 and scores[0] < detector.threshold_
assert alone["KNN"] == sorted(alone["KNN"])
assert alone["QMCD"][3] == min(alone["QMCD"])
PYTHON
