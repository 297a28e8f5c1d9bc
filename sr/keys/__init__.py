"""Edge: private keys, in files and on tokens. The only code that meets one.

Importing this package loads no token library; the adapters come in when a key URI asks for them.
"""

from sr.keys.importing import import_onto_token
from sr.keys.inventory import TokenInfo, describe_token, list_tokens
from sr.keys.secrets import Secrets
from sr.keys.signer import Signer, open_signer

__all__ = [
    "Secrets",
    "Signer",
    "TokenInfo",
    "describe_token",
    "import_onto_token",
    "list_tokens",
    "open_signer",
]
