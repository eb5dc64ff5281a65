"""For those who operate a server: health, readiness, metrics, the API's description."""

from html import escape
from typing import Any

from litestar import Request, Response, get
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from segue.services.application import Application
from segue.web.errors import problem_response


@get("/healthz", include_in_schema=False, sync_to_thread=False)
def healthz() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False, sync_to_thread=False)
def readyz(application: Application) -> Response[Any]:
    """Tell whether events are taken, decided about and sent."""
    problem = application.runtime.problem()
    if problem is not None:
        return problem_response(503, problem)
    return Response({"status": "ready"})


class RuntimeCollector(Collector):
    """Reads the runtime's numbers when they are asked for: nothing is counted twice."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def collect(self) -> list[Metric]:
        """Return every metric."""
        runtime, tracking = self._application.runtime, self._application.tracking
        counters = {
            "segue_events": ("Events accepted since start.", runtime.ingest.event_count),
            "segue_decisions": ("Decisions made since start.", runtime.outcomes.verdict_count),
            "segue_forged_links": ("Links followed that do not exist.", tracking.forged_count),
            "segue_forged_sms_calls": (
                "Calls about text messages that did not prove to be the provider's.",
                self._application.sms_replies.forged_count,
            ),
        }
        gauges = {
            "segue_backlog_entries": (
                "Entries durable and not decided about yet.",
                runtime.processor.backlog_entries,
            ),
            "segue_outbox_messages": (
                "Messages waiting for a sender.",
                len(runtime.outcomes.outbox),
            ),
            "segue_dead_letters": (
                "Messages that failed and may be tried again.",
                len(runtime.outcomes.outbox.letters),
            ),
            "segue_log_writable": (
                "Whether the log can be written: 0 on a full disk.",
                runtime.commits.trouble is None,
            ),
            "segue_log_blocks": ("Number of the newest block.", runtime.commits.last_seq),
            "segue_log_bytes": ("Bytes of the log's blocks.", runtime.journal.log_bytes()),
            "segue_active_campaigns": (
                "Campaigns that are active.",
                sum(one.status == "active" for one in runtime.plan.campaigns.values()),
            ),
        }
        return [
            self._reports(),
            *(CounterMetricFamily(name, text, value=n) for name, (text, n) in counters.items()),
            *(GaugeMetricFamily(name, text, value=n) for name, (text, n) in gauges.items()),
        ]

    def _reports(self) -> Metric:
        reports = CounterMetricFamily(
            "segue_message_reports",
            "What others reported of messages, and what became of it.",
            labels=["source", "result"],
        )
        for (source, result), count in sorted(self._application.receipts.counts.items()):
            reports.add_metric([source, result], count)
        return reports


@get("/metrics", include_in_schema=False, sync_to_thread=False)
def metrics(application: Application) -> Response[bytes]:
    """Show the numbers of this process, for Prometheus."""
    registry = CollectorRegistry()
    registry.register(RuntimeCollector(application))
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")


@get("/schema", include_in_schema=False, sync_to_thread=False)
def schema(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Describe the API (OpenAPI 3.1)."""
    return request.app.openapi_schema.to_schema()


@get("/docs", include_in_schema=False, sync_to_thread=False)
def docs(request: Request[Any, Any, Any]) -> Response[str]:
    """Describe the API for people: a plain page, made from the same description."""
    rows = []
    for path, item in request.app.openapi_schema.to_schema()["paths"].items():
        for method, operation in item.items():
            summary = escape(operation.get("description") or operation.get("summary") or "")
            rows.append(f"<dt><code>{method.upper()} {escape(path)}</code></dt><dd>{summary}</dd>")
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Segue API</title>'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" '
        'content="light dark"><h1>Segue API</h1><p>The whole description is at '
        f'<a href="/schema">/schema</a> (OpenAPI 3.1).</p><dl>{"".join(rows)}</dl></html>'
    )
    return Response(page, media_type="text/html")


HANDLERS = [healthz, readyz, metrics, schema, docs]
