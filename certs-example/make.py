"""Makes the example PKI in this folder anew: ``python certs-example/make.py``."""

from datetime import UTC, datetime
from pathlib import Path

from sr.app.demonstration.certificates import make_demo_pki

if __name__ == "__main__":
    pki = make_demo_pki(Path(__file__).resolve().parent, now=datetime.now(UTC), replace=True)
    print(f"example PKI written to {pki.folder}")
