"""Connections for asyncio: plain, by TLS, over a socket of this machine, or to whoever the sentinels name.

Laws: nothing is ever sent twice, for redis-py's own retry is unsafe for XREADGROUP (the first reply's entries stay in
our pending list, unseen) and for XADD (it adds twice). Where a server says that it takes no writes any more, or is
lost, every connection of the pool is made anew before it is used again: behind the name, or the sentinels, another
server may be the primary now.
"""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as LostError
from redis.typing import EncodableT

from streamhooks.connecting.address import Address, Node
from streamhooks.connecting.options import credentials_for_sentinels, of_sentinel, of_server
from streamhooks.connecting.sentinels import Search, Sentinels, is_replica, question
from streamhooks.connecting.tls import Tls
from streamhooks.connecting.troubles import DOUBTFUL, FAULTS
from streamhooks.connecting.unreached import unreached
from streamhooks.secret import Secret

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Doubt:
    """Shared by the connections of one pool: a connection made before the last doubt is not used again."""

    def __init__(self) -> None:
        self.times = 0


def ways(
    address: Address, password: Secret, tls: Tls | None, *, timeout: float, beside: Mapping[str, Any] = NOTHING
) -> tuple[type[AbstractConnection], dict[str, Any]]:
    """The class of connection for an address that is no cluster, and what each connection is made with.

    `timeout`: seconds that an answer may take; `password` wins over that of the address. `beside`: what others of the
    same address were made with, whose doubts and sentinels are shared.
    """
    ours = {"retry": Retry(NoBackoff(), 0), "doubt": Doubt()}
    given = of_server(address, password, timeout=timeout) | ours
    if address.form == "unix":
        return _Unix, given
    if address.form == "server":
        return _Tcp, given | {"tls": tls}
    known = {name: beside[name] for name in ("doubt", "sentinels") if name in beside}
    asking = Asking(of_sentinel() | ours | {"tls": tls}, credentials_for_sentinels(address, password))
    sentinels = Sentinels(address.nodes, address.service)
    return _Led, given | {"tls": tls, "sentinels": sentinels, "asking": asking} | known


class Asking(NamedTuple):
    """How sentinels are asked."""

    options: dict[str, Any]
    credentials: tuple[dict[str, Any], ...]


class _Doubting(AbstractConnection):
    """Makes itself anew after a doubt, and writes commands by hiredis, as redis-py does where it has no event loop; its
    own way costs as much as a delivery does otherwise.
    """

    def __init__(self, *, doubt: Doubt, **given: Any) -> None:
        self._doubt = doubt
        self._made_after = 0
        self._answered = False
        """Since it was connected."""
        super().__init__(**given)

    async def connect(self) -> None:
        if self._made_after != self._doubt.times:
            await self.disconnect(nowait=True)
            self._made_after = self._doubt.times
        await super().connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped

    async def send_packed_command(self, command: Any, *args: Any, **options: Any) -> None:
        writer = self._writer
        # Where all before it has been sent, the kernel or the transport takes it at once: there is nothing to wait for,
        # and redis-py makes a task to wait in.
        idle = self.is_connected and writer is not None and not writer.transport.get_write_buffer_size()
        if idle and writer is not None and isinstance(command, list):
            writer.writelines(command)
            return
        try:
            await super().send_packed_command(command, *args, **options)
        except DOUBTFUL as error:
            self._heed(error)
            raise

    async def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            answer = await super().read_response(*args, **options)
        except DOUBTFUL as error:
            self._heed(error)
            raise
        self._answered = True
        return answer

    def _heed(self, error: RedisError) -> None:
        """Raises another error where what it failed for can be said better."""
        self._doubt.times += 1
        said = self._said(error)
        if said:
            raise LostError(said) from None

    def _said(self, _error: RedisError) -> str:
        return ""

    def _error_message(self, exception: BaseException) -> str:
        if not isinstance(exception, OSError):
            return str(super()._error_message(exception))
        return f"{self._host_error()}: {unreached(exception)}"

    def pack_command(self, *args: EncodableT) -> list[bytes]:
        name = args[0]
        if isinstance(name, str) and " " in name:  # CONFIG GET, as redis-py lets it be written
            args = (*name.split(), *args[1:])
        return [pack_command(args)]  # type: ignore[arg-type]  # its stub knows tuples of one word


class _Unix(_Doubting, UnixDomainSocketConnection):
    pass


class _Tcp(_Doubting, Connection):
    """By TLS where it is given one."""

    def __init__(self, *, tls: Tls | None, **given: Any) -> None:
        self._tls = tls
        super().__init__(**given)

    async def _connect(self) -> None:
        self._answered = False
        await super()._connect()  # type: ignore[no-untyped-call]  # as above

    def _connection_arguments(self) -> dict[str, Any]:
        given = {"host": self.host, "port": self.port}
        return given | {"ssl": self._tls.context()} if self._tls else given

    def _error_message(self, exception: BaseException) -> str:
        said = self._tls.said(exception) if self._tls else ""
        return self._here(said) or str(super()._error_message(exception))

    def _said(self, error: RedisError) -> str:
        if self._tls is None:
            return ""
        return self._here(self._tls.lost(error, answered=self._answered))

    def _here(self, said: str) -> str:
        return f"{Node(self.host, self.port)}: {said}" if said else ""


class _Led(_Tcp):
    """To the primary that the sentinels name when it connects."""

    def __init__(self, *, sentinels: Sentinels, asking: Asking, **given: Any) -> None:
        self._sentinels = sentinels
        self._asking = asking
        super().__init__(**given)

    async def connect(self) -> None:
        if self.is_connected and self._sentinels.due(time.monotonic()) and await self._is_led_elsewhere():
            self._doubt.times += 1
        await super().connect()

    async def _is_led_elsewhere(self) -> bool:
        search = Search(self._sentinels)
        for sentinel in search.sentinels:
            server = await self._named(search, sentinel)
            if server is not None:
                return server != (self.host, self.port)
        return False

    async def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        if self.is_connected:
            return
        search = Search(self._sentinels)
        for sentinel in search.sentinels:
            server = await self._named(search, sentinel)
            if server is not None and await self._leads(search, sentinel, server, check_health, retry_socket_connect):
                self._sentinels.was_right(sentinel, time.monotonic())
                return
        raise search.trouble()

    async def _named(self, search: Search, sentinel: Node) -> Node | None:
        error: Exception = AuthenticationError()
        for credentials in self._asking.credentials:
            try:
                return search.named(sentinel, await self._ask(sentinel, credentials))
            except AuthenticationError as denied:
                error = denied
            except FAULTS as fault:
                error = fault
                break
        search.silent(sentinel, error)
        return None

    async def _ask(self, sentinel: Node, credentials: dict[str, Any]) -> Any:
        connection = _Tcp(host=sentinel.host, port=sentinel.port, **self._asking.options, **credentials)
        try:
            await connection.connect()
            await connection.send_command(*question(self._sentinels.service))
            return await connection.read_response()
        finally:
            await connection.disconnect()

    async def _leads(self, search: Search, sentinel: Node, server: Node, *how: bool) -> bool:
        """Connects to the server, `how` as redis-py has it. Raises AuthenticationError: the next knows us no better."""
        self.host, self.port = server
        try:
            await super().connect_check_health(*how)
            if not await self._is_replica():
                return True
            search.replica(sentinel, server)
        except AuthenticationError:
            raise
        except FAULTS as error:
            search.unreached(sentinel, server, error)
        await self.disconnect(nowait=True)
        return False

    async def _is_replica(self) -> bool:
        await self.send_command("INFO", "replication", check_health=False)
        try:
            return is_replica(await self.read_response())
        except NoPermissionError:  # a gateway's user, who only adds: to a replica it cannot
            return False
