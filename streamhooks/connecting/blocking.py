"""The same as aio.py for threads: one connection, which its owner makes anew after any trouble."""

import socket
import time
from typing import Any, Protocol

from redis.backoff import NoBackoff
from redis.connection import Connection, UnixDomainSocketConnection
from redis.exceptions import AuthenticationError, NoPermissionError
from redis.exceptions import ConnectionError as LostError
from redis.retry import Retry

from streamhooks.connecting.address import Address, Node
from streamhooks.connecting.options import credentials_for_sentinels, of_sentinel, of_server
from streamhooks.connecting.sentinels import Search, Sentinels, is_replica, question
from streamhooks.connecting.tls import Tls
from streamhooks.connecting.troubles import FAULTS
from streamhooks.connecting.unreached import unreached
from streamhooks.secret import Secret


class Blocking(Protocol):
    """What is used of redis-py's connection, which leaves it untyped."""

    def connect(self) -> None: ...
    def disconnect(self) -> None: ...
    def send_command(self, *words: str, check_health: bool = True) -> None: ...
    def send_packed_command(self, command: list[bytes]) -> None: ...
    def read_response(self) -> Any: ...


def connection(address: Address, password: Secret, tls: Tls | None, *, timeout: float) -> Blocking:
    """A connection to an address that is no cluster, made when it is first used; see aio.ways for the arguments."""
    given = of_server(address, password, timeout=timeout) | {"retry": Retry(NoBackoff(), 0)}
    made: Blocking
    if address.form == "unix":
        made = _Unix(**given)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    elif address.form == "server":
        made = _Tcp(tls=tls, **given)
    else:
        made = _Led(address=address, password_for_sentinels=password, tls=tls, **given)
    return made


class _Unix(UnixDomainSocketConnection):
    host = ""
    """Which redis-py asks every connection for."""

    def _error_message(self, exception: OSError) -> str:
        return f"{self.path}: {unreached(exception)}"


class _Tcp(Connection):
    """By TLS where it is given one."""

    def __init__(self, *, tls: Tls | None, **given: Any) -> None:
        self._tls = tls
        self._answered = False
        super().__init__(**given)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped

    def _connect(self) -> socket.socket:
        self._answered = False
        made: socket.socket = super()._connect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        if self._tls is None:
            return made
        try:
            return self._tls.context().wrap_socket(made, server_hostname=self.host)
        except OSError:
            made.close()
            raise

    def send_packed_command(self, *args: Any, **options: Any) -> None:
        try:
            super().send_packed_command(*args, **options)  # type: ignore[no-untyped-call]  # as above
        except LostError as error:
            self._heed(error)
            raise

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            answer = super().read_response(*args, **options)
        except LostError as error:
            self._heed(error)
            raise
        self._answered = True
        return answer

    def _heed(self, error: LostError) -> None:
        """Raises another error where what it failed for can be said better."""
        said = self._said(error)
        if said:
            raise LostError(said) from None

    def _error_message(self, exception: OSError) -> str:
        said = self._tls.said(exception) if self._tls else ""
        return self._here(said or unreached(exception))

    def _said(self, error: LostError) -> str:
        if self._tls is None:
            return ""
        return self._here(self._tls.lost(error, answered=self._answered))

    def _here(self, said: str) -> str:
        return f"{Node(self.host, self.port)}: {said}" if said else ""


class _Led(_Tcp):
    """To the primary that the sentinels name when it connects."""

    def __init__(self, *, address: Address, password_for_sentinels: Secret, **given: Any) -> None:
        self._sentinels = Sentinels(address.nodes, address.service)
        self._credentials = credentials_for_sentinels(address, password_for_sentinels)
        super().__init__(**given)

    def connect(self) -> None:
        if self.is_connected and self._sentinels.due(time.monotonic()) and self._is_led_elsewhere():
            me: Blocking = self
            me.disconnect()
        super().connect()  # type: ignore[no-untyped-call]  # as above

    def _is_led_elsewhere(self) -> bool:
        search = Search(self._sentinels)
        for sentinel in search.sentinels:
            server = self._named(search, sentinel)
            if server is not None:
                return server != (self.host, self.port)
        return False

    def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:
        if self.is_connected:
            return
        search = Search(self._sentinels)
        for sentinel in search.sentinels:
            server = self._named(search, sentinel)
            if server is not None and self._leads(search, sentinel, server, check_health, retry_socket_connect):
                self._sentinels.was_right(sentinel, time.monotonic())
                return
        raise search.trouble()

    def _named(self, search: Search, sentinel: Node) -> Node | None:
        error: Exception = AuthenticationError()
        for credentials in self._credentials:
            try:
                return search.named(sentinel, self._ask(sentinel, credentials))
            except AuthenticationError as denied:
                error = denied
            except FAULTS as fault:
                error = fault
                break
        search.silent(sentinel, error)
        return None

    def _ask(self, sentinel: Node, credentials: dict[str, Any]) -> Any:
        options = of_sentinel() | {"retry": Retry(NoBackoff(), 0)} | credentials
        asked: Blocking = _Tcp(tls=self._tls, host=sentinel.host, port=sentinel.port, **options)
        try:
            asked.connect()
            asked.send_command(*question(self._sentinels.service))
            return asked.read_response()
        finally:
            asked.disconnect()

    def _leads(self, search: Search, sentinel: Node, server: Node, *how: bool) -> bool:
        """Connects to the server, `how` as redis-py has it. Raises AuthenticationError: the next knows us no better."""
        self.host, self.port = server
        try:
            super().connect_check_health(*how)
            if not self._is_replica():
                return True
            search.replica(sentinel, server)
        except AuthenticationError:
            raise
        except FAULTS as error:
            search.unreached(sentinel, server, error)
        me: Blocking = self
        me.disconnect()
        return False

    def _is_replica(self) -> bool:
        me: Blocking = self
        me.send_command("INFO", "replication", check_health=False)
        try:
            return is_replica(me.read_response())
        except NoPermissionError:  # a gateway's user, who only adds: to a replica it cannot
            return False
