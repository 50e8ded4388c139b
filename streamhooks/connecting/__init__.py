"""How a Redis is reached: its address, TLS, and the sentinels that know which server is the primary.

Below the edges, because the store and the publishers need the same: `address.py`, `sentinels.py` and `troubles.py` are
rules, `tls.py` reads files, `aio.py` and `blocking.py` are the twins that connect, for asyncio and for threads.
"""
