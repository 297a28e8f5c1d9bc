"""``python -m benchmarks``: make the files, measure, print."""

from __future__ import annotations

import argparse
import json
import os
import platform
import ssl
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from benchmarks.documents import Office, office
from benchmarks.measure import Timing, compare
from benchmarks.memory import peak_memory
from benchmarks.scaling import growth, speedup
from benchmarks.service import service_load
from benchmarks.signing import software_rates, token_rate
from benchmarks.subjects import DCMSIGN, all_subjects
from benchmarks.workloads import DATA, WORKLOADS, Workload
from sr.errors import ConfigurationError

Say = Callable[[str], None]


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    say: Say = (lambda _: None) if options.json else print
    say(f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, {os.cpu_count()} cores")
    results: dict[str, Any] = {
        "python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION, "cores": os.cpu_count()
    }  # fmt: skip
    if options.service:
        results["service"] = _service(options.service, say)
    else:
        results |= _files(options, say)
    if options.json:
        print(json.dumps(results, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure what MACs, documents and the service cost.",
    )
    parser.add_argument("--quick", action="store_true", help="less than a minute, less precise")
    parser.add_argument("--large", action="store_true", help="the 1.5 GB multi-frame as well")
    parser.add_argument(
        "--only", action="append", choices=[w.name for w in WORKLOADS], help="this workload alone"
    )
    parser.add_argument(
        "--service", type=float, metavar="SECONDS", help="the service alone, under load for so long"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def _files(options: argparse.Namespace, say: Say) -> dict[str, Any]:
    with office("archive") as archive:
        chosen = [w for w in WORKLOADS if _is_chosen(w, options)]
        say(_HEAD)
        results: dict[str, Any] = {
            "workloads": [_workload(w, archive, options, say) for w in chosen]
        }
        return results if options.only else results | _documents(archive, options, say)


def _service(seconds: float, say: Say) -> dict[str, Any]:
    load = service_load(seconds=seconds, drafts=int(1000 + 120 * seconds))
    average = os.getloadavg()[0]
    say(
        f"\n{load.clients} clients for {load.seconds:.0f} s, {load.errors} errors, "
        f"load average {average:.1f}\n"
        f"the key alone: {load.raw:.0f} a second, {load.raw_processor:.2f} ms of a processor\n"
        f"sessions of one document, beside checks and lists: {load.signed:.1f} a second, "
        f"{load.signed / load.raw:.3f} of the key alone\n"
        f"sessions of 50 documents, alone: {load.stacked:.1f} documents a second, "
        f"{load.stacked / load.raw:.3f}; {load.stacked_processor:.1f} ms of the server's processor "
        f"for one, {load.raw_processor / load.stacked_processor:.3f}\n"
        f"an exchange of the load: {load.mixed_processor:.1f} ms of the server's processor\n"
        f"memory: {load.megabytes_first:.0f} MB after a tenth of the time, "
        f"{load.megabytes_last:.0f} MB at the end\n\n"
        "milliseconds      count      p50      p95      p99"
    )
    for kind, each in load.latencies.items():
        say(f"{kind:<15} {each.count:>7} {each.p50:>8.1f} {each.p95:>8.1f} {each.p99:>8.1f}")
    return asdict(load) | {"load_average": average}


def _is_chosen(workload: Workload, options: argparse.Namespace) -> bool:
    if options.only:
        return workload.name in options.only
    return options.large or not workload.is_large


_HEAD = """
Processor time for one file, in milliseconds, medians of interleaved passes; ratios to reading and
hashing in process, in brackets those of the best passes. Peak memory is that of the process.

workload                     bytes     hash   srsign        ratio  target  sha256sum  dcmsign  \
pydicom  peak MB"""


def _workload(
    workload: Workload, archive: Office, options: argparse.Namespace, say: Say
) -> dict[str, Any]:
    paths = workload.make()
    size = paths[0].stat().st_size
    signed = DATA / workload.name / "signed"
    if DCMSIGN.exists() and not signed.exists():
        archive.sign_file(paths[0], signed)
    subjects = all_subjects(signed if signed.exists() else None)
    seconds, rounds = (3.0, 5) if options.quick else (25.0, 40)
    timings = {t.subject: t for t in compare(subjects, paths, seconds=seconds, rounds=rounds)}
    peak = peak_memory(paths)
    ours, reference = timings["srsign"], timings["hash"]
    target = f"{workload.target:.2f}" if workload.target else "-"
    say(
        f"{workload.title:<23} {size:>10} {1e3 * reference.median:>8.3f} {1e3 * ours.median:>8.3f} "
        f"{ours.ratio:>5.2f} ({ours.best_ratio:.2f}) {target:>7} "
        f"{_times(timings, 'sha256sum'):>10} {_times(timings, 'dcmsign'):>8} "
        f"{_times(timings, 'pydicom'):>8} {peak / 1e6:>8.0f}"
    )
    return {
        "name": workload.name, "bytes": size, "target": workload.target, "peak_bytes": peak,
        "timings": [asdict(t) for t in timings.values()],
    }  # fmt: skip


def _times(timings: dict[str, Timing], subject: str) -> str:
    return f"{timings[subject].ratio:.1f}x" if subject in timings else "-"


def _documents(archive: Office, options: argparse.Namespace, say: Say) -> dict[str, Any]:
    by_name = {w.name: w for w in WORKLOADS}
    quick = options.quick
    rates = archive.rates(by_name["report"].make(), DATA, seconds=1.0 if quick else 5.0)
    say(
        f"\nReports in a second of one core: {rates.sign:.0f} signed (the RSA key alone "
        f"{rates.raw_sign:.0f}), {rates.check:.0f} checked (one RSA signature alone "
        f"{rates.raw_verify:.0f})"
    )
    drafts = [path.read_bytes() for path in by_name["report"].make()]
    software = software_rates(drafts, seconds=1.0 if quick else 5.0)
    say("\nWhole reports, prepared to written, against signatures by the key alone\n")
    for made in software:
        say(
            f"RSA-{made.bits}: {made.documents:.0f} to {made.raw:.0f} in a second of one core, "
            f"{made.ratio:.2f}; fsync adds {made.fsync_milliseconds:.2f} ms"
        )
    token = _token(drafts, 40 if quick else 200, say)
    cores = speedup(
        by_name["ct-explicit"].make(), files=200 if quick else 2000, rounds=1 if quick else 3
    )
    say(
        f"{cores.files} CT images: {cores.one:.2f} s with one process, {cores.two:.2f} s with two, "
        f"{cores.factor:.2f} times as fast, start included"
    )
    say("\nMilliseconds an instance, in series of small images\n")
    say("instances      mac     seal    check")
    grown = []
    for step in growth((50, 200) if quick else (100, 1000, 4000), archive):
        grown.append(asdict(step))
        say(
            f"{step.instances:>9} {1e3 * step.mac:>8.3f} {1e3 * step.seal:>8.3f} "
            f"{1e3 * step.check:>8.3f}"
        )
    return {
        "rates": asdict(rates),
        "software": [asdict(made) for made in software],
        "token": token,
        "cores": asdict(cores),
        "growth": grown,
    }


def _token(drafts: list[bytes], documents: int, say: Say) -> dict[str, float] | None:
    try:
        rate = token_rate(drafts, documents=documents)
    except ConfigurationError as error:
        say(f"no token: {error}")
        return None
    say(
        f"SoftHSM, RSA-3072: {rate.documents:.0f} reports a second by eight callers of one stack, "
        f"{rate.single:.0f} with a login each; the token alone {rate.raw:.0f} "
        f"({rate.documents / rate.raw:.2f})"
    )
    return asdict(rate)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
