#!/bin/sh
# ./publish.sh -h 127.0.0.1 -p 6379: the same event in each of the three forms.
set -eu
redis-cli "$@" XADD gateway:events '*' \
  type AuthFailure api_id payments message "Auth Failure" path /orders/7 origin 203.0.113.7 key abc
redis-cli "$@" XADD gateway:events '*' \
  type AuthFailure api_id payments \
  meta '{"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}'
redis-cli "$@" XADD gateway:events '*' \
  d '{"type": "AuthFailure", "api_id": "payments", "meta": {"Message": "Auth Failure", "Path": "/orders/7", "Origin": "203.0.113.7", "Key": "abc"}}'
