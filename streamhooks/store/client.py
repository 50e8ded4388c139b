"""redis-py's client and pool, without what they do around a command for others than us.

redis-py measures each command for observers, wraps it in its own retry, which is forbidden here (connecting/aio.py),
and takes a lock and a timer for a connection that lies there: together more than the command itself. Where a step is
not the ordinary one, because no connection is free or a command has options, redis-py's own way is taken.
tests/store/test_client.py says so, clearly, of a release that changes what is stood on.
"""

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as LostError
from redis.exceptions import TimeoutError as LateError


class Pool(BlockingConnectionPool):
    """A pool that hands out what is free at once; who finds nothing free waits in redis-py's line."""

    async def get_connection(self, *names: Any, **options: Any) -> AbstractConnection:
        if not self._available_connections:
            made: AbstractConnection = await super().get_connection(*names, **options)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            return made
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]  # as above
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        self._in_use_connections.remove(connection)
        if connection.should_reconnect():  # type: ignore[no-untyped-call]  # as above
            await connection.disconnect()
        self._available_connections.append(connection)
        async with self._condition:
            self._condition.notify()


class Client(Redis):
    """A client whose commands are sent once."""

    async def execute_command(self, *words: Any, **options: Any) -> Any:
        if options:
            return await super().execute_command(*words, **options)  # type: ignore[no-untyped-call]  # as above
        connection = await self.connection_pool.get_connection()  # type: ignore[no-untyped-call]  # as above
        try:
            await connection.send_command(*words)
            answer = await connection.read_response()
        except (LostError, LateError, OSError, RuntimeError):  # the last is uvloop's word for a reset connection
            await connection.disconnect()
            raise
        finally:
            await self.connection_pool.release(connection)
        shape = self.response_callbacks.get(words[0])
        return answer if shape is None else shape(answer)
