"""What the MAC of an instance costs, beside the hash alone and beside other programs.

Run by ``python -m benchmarks``; nothing in the package ``sr`` depends on it.
"""
