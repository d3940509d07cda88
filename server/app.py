"""Composition root: makes every part from the settings, starts them in order, stops them back."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog

from actors import Rate
from actors.claims import Claims
from actors.errors import ActorError
from actors.host import Budget, Host, HttpCalls, NamedCalls
from actors.module import Module, ObjectStore
from actors.operations import MODULE as OPERATIONS_MODULE
from persistence.errors import StoreError
from persistence.folder import DataFolder
from persistence.locator import open_store
from persistence.retention import RetentionPolicy
from persistence.store import Store, StoreDescription
from persistence.sweep import sweep_history
from protocol.messages import Wires
from protocol.upgrade import SUPPORTED
from server import __version__
from server.admin.bans import Bans
from server.admin.composition import Surroundings, bind_admin, open_admin
from server.build import Build, running_build
from server.canary import Canary
from server.clock import now_micros
from server.databases import Database, Databases, database_identity
from server.effects.composition import provide
from server.errors import StartError
from server.http.cors import Origins
from server.http.facade import Facade
from server.http.function_routes import FunctionRoutes
from server.http.health import HealthProbe
from server.http.listening import Listener, bind_port, is_loopback
from server.http.log_routes import LogRoutes
from server.http.site import build_site
from server.identity.issuers import TrustedIssuers
from server.identity.keys import load_cluster_secret
from server.identity.policy import TokenPolicy
from server.identity.role_rules import read_role_rules
from server.identity.signing_keys import SigningKeys
from server.identity.tokens import Authenticator
from server.limits import HOST_STOP_SECONDS_MAX, STOP_SECONDS_MAX
from server.log_ring import LogRing
from server.logs import count_logs, in_context
from server.metrics import Metrics
from server.ownership import watch_ownership
from server.rates import TokenBuckets
from server.reset import empty_data_folder
from server.settings import Settings
from server.telemetry.families import Sources
from server.telemetry.loop_lag import measure_loop_lag
from server.transport.connection import bound_socket
from server.transport.gateway import Admission, Gateway
from server.transport.wheel import TimerWheel
from server.turn_context import turn_context

if TYPE_CHECKING:
    from server.telemetry.tracing import Traces

__all__ = ["Ready", "Server"]

log = structlog.get_logger(__name__)

_UNLIMITED_ROLES = frozenset({"service", "admin"})
"""Effect workers and operators act for many users on one connection."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What the ready line says. ``str()`` is that line."""

    host: str
    port: int
    database: str
    module: str
    store: StoreDescription
    build: Build

    @property
    def address(self) -> str:
        """Address that clients are given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __str__(self) -> str:
        protocols = ",".join(protocol.value for protocol in SUPPORTED)
        return (
            f"ready {self.address} database={self.database} module={self.module}"
            f' store={self.store.kind} durability="{self.store.durability}"'
            f" location={self.store.location} server={__version__}"
            f" python={platform.python_version()} build={self.build.value} protocols={protocols}"
        )


def rate_admission(settings: Settings, metrics: Metrics) -> Admission | None:
    """Make the rate limits of settings and module (domain 1.9); None when they are off."""
    if not settings.rate_limits:
        return None
    every_call = TokenBuckets(per_minute=60 * settings.rate_per_second, burst=settings.rate_burst)
    buckets: dict[Rate | None, TokenBuckets] = {None: every_call}

    def admit(claims: Claims, now: int, rate: Rate | None) -> bool:
        if claims.roles & _UNLIMITED_ROLES:
            return True
        if rate is not None and rate not in buckets:
            buckets[rate] = TokenBuckets(per_minute=rate.per_minute, burst=rate.burst)
        if buckets[rate].take(claims.identity, now):
            return True
        metrics.requests_limited += 1
        return False

    return admit


def token_policy(settings: Settings) -> TokenPolicy:
    """What the settings ask of tokens."""
    return TokenPolicy(
        role_rules=read_role_rules(
            settings.trusted_issuers, settings.role_claims, settings.role_names
        ),
        audiences=frozenset(settings.accepted_audiences),
        skew_seconds=settings.clock_skew_seconds,
        websocket_seconds=settings.websocket_token_seconds,
        lets_anonymous_in=settings.anonymous,
    )


async def turn_wheel(wheel: TimerWheel) -> None:
    """Advance a wheel for ever; one entry's failure stops nobody else's deadline."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(wheel.tick_seconds)
        try:
            wheel.advance(loop.time())
        except Exception:
            log.exception("a deadline failed")


class Server:
    """One process's parts, for one running loop.

    ``start`` either ends with everything running or undoes what it did; ``stop`` takes no longer
    than ``STOP_SECONDS_MAX``. Both are called once.

    Attributes:
        metrics: counters of this process.
        ended: set when the server should be stopped, by whoever wants that or by ``failure``.
        canary: says whether all of it works; there once it is started.
        failure: why the store cannot go on, for good; None while it can.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        reset: bool = False,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Make a server; ``sources`` says of each setting where its value came from."""
        self._settings = settings
        self._sources = sources or {}
        self._reset = reset
        self._bans = Bans(now_micros)
        self._ring = LogRing()
        self._parts = AsyncExitStack()
        self.metrics = Metrics()
        self.ended = asyncio.Event()
        self.canary: Canary
        self.failure: StoreError | None = None

    async def start(self) -> Ready:
        """Start everything; connections are accepted when it returns.

        Raises:
            StartError, FolderLockedError: the surroundings do not allow it.
            StoreError: the store cannot be opened, or is lost meanwhile.
            ActorError: the module cannot be served, or not on this store.
        """
        async with AsyncExitStack() as parts:
            try:
                ready = await self._start(parts)
            except ActorError as error:
                raise self.failure or error from None  # a lost store is the better reason
            if self.failure is not None:
                raise self.failure
            self._parts = parts.pop_all()
        return ready

    async def stop(self) -> bool:
        """Stop in reverse: no new connections, turns end and are stored, sockets close (1012).

        Returns:
            Whether everything ended in time; if not, what is left is abandoned as it is.

        Raises:
            StoreError: the store could not be closed properly.
        """
        ending = asyncio.get_running_loop().create_task(self._parts.aclose())
        await asyncio.wait((ending,), timeout=STOP_SECONDS_MAX)
        if not ending.done():
            log.warning("stopping took too long and was cut short")
            return False
        ending.result()
        return True

    async def _start(self, parts: AsyncExitStack) -> Ready:
        settings = self._settings
        folder = DataFolder(settings.data_dir)
        folder.acquire()
        parts.callback(folder.release)
        sock = bind_port(settings.host, settings.port, allow_public=settings.allow_public_bind)
        parts.callback(sock.close)
        admin_sock = bind_admin(settings, parts, sock.getsockname()[1])
        if self._reset:
            empty_data_folder(settings.data_dir)
        module = Module.load(
            settings.module, fixtures=settings.dev_fixtures, beside=[OPERATIONS_MODULE]
        )
        _check_retention(settings.retention, module)
        secret = load_cluster_secret(settings.data_dir)
        store, description = await self._open_store(parts)
        host = Host(
            module,
            store,
            secret=secret,
            clock=now_micros,
            failed=self._store_failed,
            providers=provide(settings, parts, self.metrics.models),
            budget=Budget(memory_bytes=settings.memory_budget),
            identity=database_identity(settings.database, secret),
        )
        self.canary = Canary(host, now_micros)
        issuers = self._issuers()
        gateway = self._gateway(host, secret, issuers)
        gateway.tracer = host.tracer = traces = _open_traces(settings, parts)
        facade = self._facade(gateway, host)
        listener = self._listener(sock, gateway, host, store, facade, traces)
        parts.push_async_callback(_settle, gateway, host)
        parts.callback(facade.visits.end_all)
        parts.push_async_callback(listener.stop)
        parts.callback(in_context(turn_context(host)))
        parts.callback(count_logs(self.metrics.log_records))
        parts.callback(self._ring.attach())
        await host.start()
        parts.push_async_callback(_stop_host, host)
        for work in (
            turn_wheel(gateway.wheel),
            measure_loop_lag(self.metrics.loop_lag_seconds),
            watch_ownership(store, self._store_failed),
            sweep_history(store),
            self.canary.run(),
        ):
            task = asyncio.get_running_loop().create_task(work)
            parts.push_async_callback(_cancel, task)
        surroundings = Surroundings(
            settings=settings,
            sources=self._sources,
            host=host,
            store=store,
            store_description=description,
            gateway=gateway,
            issuers=issuers,
            metrics=self.metrics,
            bans=self._bans,
            clock=now_micros,
            end=self.ended.set,
        )
        await open_admin(admin_sock, parts, surroundings)
        await listener.start()
        parts.callback(_refuse_newcomers, gateway, listener, facade, self._ring)
        host_name, port = listener.address
        return Ready(host_name, port, settings.database, settings.module, description, _build())

    async def _open_store(self, parts: AsyncExitStack) -> tuple[Store, StoreDescription]:
        settings = self._settings
        store = open_store(
            settings.store,
            settings.data_dir,
            name=settings.database,
            redis_password=settings.redis_password.get_secret_value() or None,
            retention=settings.retention,
        )
        description = await store.open()
        parts.push_async_callback(store.close)
        if description.risk:
            log.warning(
                "acknowledged writes can be lost",
                store=description.location,
                durability=description.durability,
                lost=description.risk,
            )
        return store, description

    def _store_failed(self, error: StoreError) -> None:
        if self.failure is not None:
            return
        log.error("the store is lost", error=str(error))
        self.failure = error
        self.ended.set()

    def _issuers(self) -> TrustedIssuers:
        settings = self._settings
        return TrustedIssuers(
            settings.trusted_issuers,
            asyncio.get_running_loop().time,
            accepted=settings.accepted_issuers,
        )

    def _gateway(self, host: Host, secret: bytes, issuers: TrustedIssuers) -> Gateway:
        settings = self._settings
        loop = asyncio.get_running_loop()
        name = settings.database
        return Gateway(
            sessions=host,
            authenticator=Authenticator(
                SigningKeys.load(settings.data_dir),
                issuers,
                clock=now_micros,
                is_banned=self._bans,
                policy=token_policy(settings),
            ),
            databases=Databases(Database(name, database_identity(name, secret))),
            wheel=TimerWheel(loop.time()),
            metrics=self.metrics,
            admission=rate_admission(settings, self.metrics),
            message_bytes_max=settings.message_bytes_max,
            wires=Wires(host.module.schema, loop.time),
            deflate=settings.deflate,
            is_access_logged=settings.access_log,
        )

    def _facade(self, gateway: Gateway, host: Host) -> Facade:
        settings = self._settings
        return Facade(
            host.module.routes.values(),
            HttpCalls(host),
            gateway,
            Origins(settings.cors_origins, loopback=is_loopback(settings.host)),
            cast("ObjectStore | None", host.providers.get(ObjectStore)),
        )

    def _listener(
        self,
        sock: socket.socket,
        gateway: Gateway,
        host: Host,
        store: Store,
        facade: Facade,
        traces: Traces | None,
    ) -> Listener:
        site = build_site(
            authenticator=gateway.authenticator,
            databases=gateway.databases,
            schema=host.module.schema,
            probe=HealthProbe(
                store,
                asyncio.get_running_loop().time,
                lambda: host.seconds_since_refusal,
                lambda: gateway.is_draining,
            ),
            canary=lambda: self.canary.state,
            tally=self.metrics.http,
            metrics=(
                Sources(self.metrics, host, store, self.canary) if self._settings.metrics else None
            ),
            clock=now_micros,
            facade=facade,
            functions=FunctionRoutes(gateway, host, NamedCalls(host)),
            logs=LogRoutes(self._ring),
            traces=traces,
            access_log=self._settings.access_log,
        )
        return Listener(sock, site, bound_socket(gateway))


def _open_traces(settings: Settings, parts: AsyncExitStack) -> Traces | None:
    """What follows calls and requests, when the settings want that; it is closed after them."""
    if not settings.tracing:
        return None
    try:
        from server.telemetry.tracing import Traces, open_provider  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise StartError(f"tracing: install genarrative-server[tracing] ({error})") from None
    provider = open_provider(settings.trace_exporter)
    parts.push_async_callback(asyncio.to_thread, provider.shutdown)
    return Traces(provider, settings.trace_share)


def _check_retention(retention: RetentionPolicy, module: Module) -> None:
    """A misspelt kind would silently lose what was to be kept."""
    unknown = sorted(retention.kinds.keys() - module.kinds.keys())
    if unknown:
        known = ", ".join(sorted(module.kinds))
        raise StartError(f"retention: the module has no actors of kind {unknown[0]}, but {known}")


def _build() -> Build:
    build = running_build()
    if build is Build.STALE:
        log.warning("sources have changed since they were compiled: it is not they that run")
    return build


def _refuse_newcomers(gateway: Gateway, listener: Listener, facade: Facade, ring: LogRing) -> None:
    gateway.accepting = False
    facade.close()
    ring.end_followers()
    listener.stop_accepting()


async def _stop_host(host: Host) -> None:
    try:
        async with asyncio.timeout(HOST_STOP_SECONDS_MAX):
            await host.stop()
    except TimeoutError:
        log.warning("the actors did not finish in time")


async def _settle(gateway: Gateway, host: Host) -> None:
    """Wait until sessions whose sockets have just been closed have ended, durably."""
    if gateway.tasks:
        while gateway.tasks:
            await asyncio.wait(gateway.tasks)
        await host.durable()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
