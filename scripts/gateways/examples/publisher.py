"""python publisher.py redis://127.0.0.1:6379/0"""

import asyncio
import sys

from streamhooks import Publisher

META = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}


async def main(url: str) -> None:
    async with Publisher(url) as publisher:  # one for the whole program
        print(await publisher.publish("AuthFailure", META, api_id="payments"))


asyncio.run(main(sys.argv[1]))
