"""Publishing from Python: `streamhooks.Publisher` for asyncio, `streamhooks.sync.Publisher` for everybody else.

Strategy: what is decided (buffer.py, request.py, trouble.py) knows no socket and no clock, and is shared; the twins
(aio.py, blocking.py) send bytes, read answers, and wait. The room knows the wire contract and nothing of workers.
"""
