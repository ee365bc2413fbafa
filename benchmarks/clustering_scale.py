"""Time and memory of fits on a table larger than memory, beside scikit-learn's own on the same file.

    python benchmarks/clustering_scale.py                # 1 million rows of 128 features; some four minutes
    python benchmarks/clustering_scale.py --rows 100000
    python benchmarks/clustering_scale.py --neighbours   # graph of the 10 nearest of 100,000 x 64 alone
    ... --neighbours --faiss /venv/with/faiss-cpu/bin/python

Each fit runs in a process of its own, which tells its wall time, from opening the file to the last label
or place, its CPU time, for a machine that does other things as well, and its peak memory. scikit-learn's
`MiniBatchKMeans.fit` and `IncrementalPCA.fit` take the array mapped from disk, with the same clusters,
starts and batches; the labels of the first and the places (`transform`) of the second are counted. The file
is read once before, so that it lies in the cache of the disk for all.

Rows are made: 20 Gaussians with a common covariance of rank 32.

The graph is compared with faiss-cpu's on one thread: an HNSW index (M 16, efConstruction 60, efSearch 40),
which reached a recall of .95 on such rows (IVF with 300 lists found .79 with 16 of them), and its exact
search. faiss-cpu is not a dependency and may clash with others: give the Python of an
environment that has it. Recall is that of the 10 neighbours of every hundredth row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CLUSTERS, STARTS, BATCH, COMPONENTS = 20, 3, 8_192, 10
FITS = ("kmeans ours", "kmeans sklearn", "pca ours", "pca sklearn")


def make(path: Path, n: int, d: int) -> None:
    """Write rows (n, d) float32 as an array and as Parquet."""
    import pyarrow as arrow
    import pyarrow.parquet

    rng = np.random.default_rng(0)
    centres, mixing = 2 * rng.normal(size=(CLUSTERS, d)), rng.normal(size=(32, d)) / 4
    rows = np.lib.format.open_memmap(path / "rows.npy", "w+", np.float32, (n, d))
    names = [f"f/{k:03d}" for k in range(d)]
    schema = arrow.schema([(name, arrow.float32()) for name in names])
    with arrow.parquet.ParquetWriter(path / "rows.parquet", schema, compression="none") as file:
        for start in range(0, n, 1 << 16):
            m = min(1 << 16, n - start)
            of = centres[rng.integers(CLUSTERS, size=m)]
            part = (of + rng.normal(size=(m, 32)) @ mixing + rng.normal(size=(m, d))).astype(np.float32)
            rows[start : start + m] = part
            file.write_table(arrow.table(list(part.T), schema=schema), row_group_size=1 << 16)
    rows.flush()


def fit(what: str, path: Path) -> float:
    """Return a figure of merit: the inertia, or the variance explained."""
    method, whose = what.split()
    if whose == "ours":
        from medunsup.clustering import MiniBatchKMeans
        from medunsup.cohort.feature_table.stream import open_stream
        from medunsup.reduction import PCA

        stream = open_stream(path, batch_rows=BATCH)
        if method == "kmeans":
            made = MiniBatchKMeans(n_clusters=CLUSTERS, n_init=STARTS, batch_size=BATCH)
            return made.fit_stream(stream.batches).inertia_
        return float(
            PCA(n_components=COMPONENTS, standardize=False).fit_stream(stream.batches).explained_.sum()
        )
    from sklearn.cluster import MiniBatchKMeans as Theirs
    from sklearn.decomposition import IncrementalPCA

    rows = np.load(path, mmap_mode="r")
    if method == "kmeans":
        return Theirs(CLUSTERS, n_init=STARTS, batch_size=BATCH, random_state=0).fit(rows).inertia_
    fitted = IncrementalPCA(COMPONENTS, batch_size=BATCH).fit(rows)
    for start in range(0, len(rows), BATCH):
        fitted.transform(rows[start : start + BATCH])
    return float(fitted.explained_variance_ratio_.sum())


def measured(what: str, path: Path, python: str = sys.executable) -> dict:
    """Run one fit in a process of its own."""
    command = [python, __file__, "--fit", what, "--file", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def one_fit(what: str, path: Path) -> None:
    if what.startswith("neighbours"):
        one_graph(what, path)
        return
    start, cpu = time.perf_counter(), time.process_time()
    merit = fit(what, path)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak_gib": peak_gib(), "merit": merit}))


def peak_gib() -> float:
    """Return the peak memory of this process; that of its parent does not count."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**20


def streams(folder: Path, n: int, d: int) -> None:
    make(folder, n, d)
    for name in ("rows.npy", "rows.parquet"):
        with (folder / name).open("rb") as file:
            while file.read(1 << 24):
                pass
    found = {what: measured(what, folder / "rows.npy") for what in FITS}
    parquet = {what: measured(what, folder / "rows.parquet") for what in FITS if "ours" in what}
    for method, merit in (("kmeans", "inertia"), ("pca", "variance explained")):
        ours, theirs = found[f"{method} ours"], found[f"{method} sklearn"]
        print(
            f"{method}: {against(ours, theirs)}; {merit} {ours['merit'] / theirs['merit']:.4f} of its; "
            f"peak memory {ours['peak_gib']:.2f} GiB, its {theirs['peak_gib']:.2f}   {n} x {d}, .npy"
        )
        ours = parquet[f"{method} ours"]
        print(f"  of Parquet: {against(ours, theirs)}; peak memory {ours['peak_gib']:.2f} GiB", flush=True)


def against(ours: dict, theirs: dict) -> str:
    """Say how long ours took beside theirs."""
    wall, cpu = (ours[one] / theirs[one] for one in ("seconds", "cpu"))
    return (
        f"{wall:.2f} x scikit-learn's time ({ours['seconds']:.1f} s of {theirs['seconds']:.1f} s), "
        f"{cpu:.2f} x by CPU time"
    )


def make_neighbours(path: Path) -> None:
    """Write 100,000 rows of 64 features: 200 Gaussians of rank 16 and some noise."""
    rng = np.random.default_rng(0)
    n, d = 100_000, 64
    centres, mixing = rng.normal(size=(200, d)), rng.normal(size=(16, d)) / 2
    rows = centres[rng.integers(200, size=n)] + rng.normal(size=(n, 16)) @ mixing
    np.save(path, (rows + 0.3 * rng.normal(size=(n, d))).astype(np.float32))


def one_graph(what: str, path: Path) -> None:
    """Print time and memory of one graph, and keep the neighbours of every hundredth row."""
    rows, whose = np.load(path), what.split()[1]
    first = 0.0
    if whose == "ours":
        from medunsup.clustering.neighbour_graph import neighbour_graph

        start = time.process_time()
        neighbour_graph(rows[:3000], 10, exact=False)  # compiles
        first = time.process_time() - start
    start, cpu = time.perf_counter(), time.process_time()
    found = neighbour_graph(rows, 10).indices if whose == "ours" else by_faiss(rows, whose)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    np.save(path.with_name(f"{whose}.npy"), found[::100])
    print(json.dumps({"seconds": seconds, "cpu": cpu, "first": first, "peak_gib": peak_gib()}))


def by_faiss(rows: np.ndarray, whose: str) -> np.ndarray:
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatL2(rows.shape[1]) if whose == "flat" else faiss.IndexHNSWFlat(rows.shape[1], 16)
    if whose == "hnsw":
        index.hnsw.efConstruction, index.hnsw.efSearch = 60, 40
    index.add(rows)
    return index.search(rows, 11)[1][:, 1:]


def graphs(folder: Path, python: str) -> None:
    rows = folder / "graph.npy"
    make_neighbours(rows)
    ours = measured("neighbours ours", rows)
    theirs = {one: measured(f"neighbours {one}", rows, python) for one in ("hnsw", "flat")}
    truth = np.load(folder / "flat.npy")
    found = {one: np.load(folder / f"{one}.npy") for one in ("ours", "hnsw")}
    hits = {
        name: np.mean([len(set(a) & set(b)) / 10 for a, b in zip(one, truth, strict=True)])
        for name, one in found.items()
    }
    for name, other in theirs.items():
        wall, cpu = (ours[one] / other[one] for one in ("seconds", "cpu"))
        print(
            f"graph: {wall:.2f} x the time of faiss-cpu {name} ({ours['seconds']:.1f} s of "
            f"{other['seconds']:.1f} s), {cpu:.2f} x by CPU time"
        )
    with_first = (ours["cpu"] + ours["first"]) / theirs["hnsw"]["cpu"]
    print(
        f"  with what is compiled once a process, {with_first:.2f} x hnsw by CPU time; "
        f"recall {hits['ours']:.3f}, hnsw {hits['hnsw']:.3f}; peak memory {ours['peak_gib']:.2f} GiB"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--neighbours", action="store_true")
    parser.add_argument("--faiss", default=sys.executable, help="Python that has faiss-cpu")
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fit:
        one_fit(given.fit, given.file)
    else:
        with tempfile.TemporaryDirectory() as folder:
            if given.neighbours:
                graphs(Path(folder), given.faiss)
            else:
                streams(Path(folder), given.rows, given.features)
