"""python publisher_sync.py redis://127.0.0.1:6379/0"""

import sys

from streamhooks.sync import Publisher

META = {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}

with Publisher(sys.argv[1]) as publisher:  # one for the whole program, from any thread
    print(publisher.publish("AuthFailure", META, api_id="payments"))
