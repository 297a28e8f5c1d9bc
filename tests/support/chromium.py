"""Debian's Chromium without a window: what axe-core finds on a page that a browser has laid out."""

from __future__ import annotations

import json
import re
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.support.peers import CHROMIUM, run_peer

__all__ = ["accessibility_faults"]

_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_RESULT = re.compile(r'<pre id="axe">(.*?)</pre>', re.DOTALL)
_RUN = """
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}).then(
  found => {
    const shown = document.createElement("pre");
    shown.id = "axe";
    shown.textContent = JSON.stringify({violations: found.violations, passes: found.passes.length});
    document.body.append(shown);
  });
"""


def accessibility_faults(page: str, folder: Path, *, width: int, dark: bool) -> list[str]:
    """Return the rules that a page breaks, each with the first element that does.

    Args:
        page: HTML; its policy is taken out, for it forbids the script that looks at it.
        folder: For the browser's own files.
        width: Of the window, in pixels.
        dark: Whether the reader prefers a dark scheme.
    """
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    probe = folder / "probe.html"
    script = f"<script>{axe}</script><script>{_RUN}</script>"
    probe.write_text(_POLICY.sub("", page).replace("</body>", f"{script}</body>"), "utf-8")
    run = run_peer(
        CHROMIUM,
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},2000",
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        *("--virtual-time-budget=20000", "--dump-dom", probe.as_uri()),
    )
    shown = _RESULT.search(run.output)
    assert shown is not None, run.output[-2000:]
    found: dict[str, Any] = json.loads(unescape(shown[1]))
    assert found["passes"], "nothing was looked at"
    return [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found["violations"]]
