"""The HTTP door: `POST /v1/events` for gateways that cannot speak Redis.

Bytes become events in rules that know nothing of HTTP's machinery (kinds, bodies, cloud_events, forms); door.py is the
address, its limits and its answers; taking.py is where events become entries.
"""
