"""The route table of REST and the biller API, whole. The bearer `/v1/uplinks` and the page are not REST."""

from aiohttp import web

from headend.api import (
    active_points,
    audit,
    cases,
    explained,
    field_grants,
    field_jobs,
    field_records,
    field_seals,
    field_settings,
    field_tools,
    health,
    key_management,
    ledger,
    meter_details,
    meters,
    new_meters,
    orders,
    payments,
    plans,
    policies,
    radios,
    recovery,
    releases,
    renewals,
    slots,
    statement_lines,
    suspense,
    swaps,
    tariff_knowledge,
    tariffs,
)
from headend.api.dispatch import serve
from headend.api.endpoint import BY_SIGNATURE, Endpoint
from headend.payments import routes as biller

REST: tuple[Endpoint, ...] = (
    *health.ENDPOINTS,
    *meters.ENDPOINTS,
    *meter_details.ENDPOINTS,
    *new_meters.ENDPOINTS,
    *orders.ENDPOINTS,
    *renewals.ENDPOINTS,
    *swaps.ENDPOINTS,
    *releases.ENDPOINTS,
    *slots.ENDPOINTS,
    *active_points.ENDPOINTS,
    *statement_lines.ENDPOINTS,
    *explained.ENDPOINTS,
    *tariffs.ENDPOINTS,
    *tariff_knowledge.ENDPOINTS,
    *plans.ENDPOINTS,
    *policies.ENDPOINTS,
    *radios.ENDPOINTS,
    *payments.ENDPOINTS,
    *suspense.ENDPOINTS,
    *cases.ENDPOINTS,
    *field_tools.ENDPOINTS,
    *field_jobs.ENDPOINTS,
    *field_records.ENDPOINTS,
    *field_grants.ENDPOINTS,
    *field_seals.ENDPOINTS,
    *field_settings.ENDPOINTS,
    *ledger.ENDPOINTS,
    *audit.ENDPOINTS,
    *recovery.ENDPOINTS,
    *key_management.ENDPOINTS,
)
ENDPOINTS: tuple[Endpoint, ...] = (*REST, *biller.ENDPOINTS)


def add_routes(app: web.Application) -> None:
    """Register every row, and the document made of them."""
    for endpoint in REST:
        assert endpoint.security != BY_SIGNATURE
        app.router.add_route(endpoint.method, endpoint.path, serve(endpoint))
    biller.add_routes(app)
