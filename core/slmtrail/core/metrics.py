"""Every metric of every process, with its unit in its name. Labels are closed sets, so that cardinality is bounded."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# collect, frame, spool, ship
EVENTS_ACCEPTED = Counter("slm_events_accepted_total", "Events committed to the spool.")
EVENTS_REFUSED = Counter(
    "slm_events_refused_total", "Events refused at the edge, with a reason to the caller.", ["reason"]
)
EVENTS_DROPPED = Counter(
    "slm_events_dropped_total",
    "Events dropped, as the spool was full or they waited too long; signed for in the next frame.",
)
EVENTS_SAMPLED_OUT = Counter(
    "slm_events_sampled_out_total", "Events left out by the policy's sampling; signed for in the next frame."
)
SIGNALS_PASSED_OVER = Counter(
    "slm_signals_passed_over_total", "Spans and log records that have nothing to do with models.", ["signal"]
)
SENDERS_REFUSED = Counter("slm_senders_refused_total", "Requests of senders who did not show who they are.", ["reason"])
REQUESTS_PUT_OFF = Counter("slm_requests_put_off_total", "Requests told to come again later.", ["reason"])
FRAMES_SPOOLED = Counter("slm_frames_spooled_total", "Frames committed to the spool.")
FRAMES_SHIPPED = Counter("slm_frames_shipped_total", "Frames acknowledged by the bus.")
FRAMES_RELAYED = Counter("slm_frames_relayed_total", "Frames of other collectors passed on to the bus.")
SHIP_FAILURES = Counter("slm_ship_failures_total", "Attempts to ship that failed and were tried again.")
SPOOL_BYTES = Gauge("slm_spool_bytes", "Bytes of frames waiting in the spool.")
SPOOL_LIMIT_BYTES = Gauge("slm_spool_limit_bytes", "Bytes that the spool may hold.")
SPOOL_COMMIT_SECONDS = Histogram("slm_spool_commit_seconds", "Time of one spool commit.", buckets=SECONDS)

# open, redact, judge
FRAMES_OPENED = Counter("slm_frames_opened_total", "Frames verified and decrypted.")
FRAMES_REDELIVERED = Counter("slm_frames_redelivered_total", "Frames seen before and passed over.")
DEADLETTERS = Counter("slm_deadletters_total", "Frames or events sent to the dead letters.", ["reason"])
RECORDS_MADE = Counter("slm_records_made_total", "Records written by the stream.", ["kind"])
FINDINGS = Counter("slm_findings_total", "Findings redacted.", ["type"])
ALERTS_RAISED = Counter("slm_alerts_raised_total", "Alerts raised.", ["rule"])
SIGNAL_FRAMES = Counter("slm_signal_frames_total", "Frames of signals that the windows have looked at.")
STREAM_LAG = Gauge("slm_stream_lag", "Messages of a topic that the stream has not acknowledged.", ["topic"])
WORKER_RESTARTS = Counter("slm_worker_restarts_total", "Workers of the stream that were started again.", ["reason"])
PROCESS_SECONDS = Histogram("slm_process_seconds", "Time to open, redact and judge one batch.", buckets=SECONDS)

ALERTS_DELIVERED = Counter("slm_alerts_delivered_total", "Alerts taken to a route, or given up.", ["result"])
HOOKS_ACTED = Counter("slm_hooks_acted_total", "Actions that alerts set off, or would have.", ["result"])

# seal, store
RECORDS_SEALED = Counter("slm_records_sealed_total", "Records made leaves of a ledger.")
RECORDS_DUPLICATE = Counter("slm_records_duplicate_total", "Records seen before and passed over.")
RECORDS_STORED = Counter("slm_records_stored_total", "Records acknowledged by the store.")
RETAINED = Counter("slm_retained_total", "Records over their time, summarised or removed.", ["action"])
RETENTION_FAILURES = Counter("slm_retention_failures_total", "Hourly runs of retention that failed.")
RETENTION_DONE = Gauge(
    "slm_retention_done_timestamp_seconds",
    "When retention last ended well here, or began; 0 where it is done elsewhere.",
)
STORE_FAILURES = Counter("slm_store_failures_total", "Attempts to store that failed and were tried again.")
INDEX_LAG = Gauge("slm_index_lag", "Records on the bus that are not stored yet.", ["ledger"])
UNSTORED_AGE_SECONDS = Gauge(
    "slm_unstored_age_seconds", "Age of the oldest event that an indexer has taken and not stored yet.", ["ledger"]
)
LEDGER_SIZE = Gauge("slm_ledger_size", "Leaves in a ledger.", ["ledger"])
FRESHNESS_SECONDS = Histogram(
    "slm_freshness_seconds", "From an event to its record in the store.", buckets=(*SECONDS, 30, 60, 300, 3600)
)
