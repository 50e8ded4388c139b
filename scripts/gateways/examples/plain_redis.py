"""python plain_redis.py redis://127.0.0.1:6379/0 [PARTITIONS]"""

import json
import sys
import zlib

import redis

META = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}


def publish(client: redis.Redis, type: str, meta: dict, api_id: str = "", partitions: int = 1) -> str:
    stream = "gateway:events"
    if partitions > 1:
        stream += f":{zlib.crc32(f'{type}{chr(10)}{api_id}'.encode()) % partitions}"
    return client.xadd(stream, {"d": json.dumps({"type": type, "meta": meta, "api_id": api_id})})


with redis.Redis.from_url(sys.argv[1], decode_responses=True) as client:
    print(publish(client, "AuthFailure", META, "payments", int(sys.argv[2]) if len(sys.argv) > 2 else 1))
