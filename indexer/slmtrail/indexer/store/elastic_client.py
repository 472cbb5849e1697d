"""Requests to Elasticsearch, with its errors as ours. Error texts never quote a document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from elastic_transport import SerializationError, TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch.serializer import NdjsonSerializer, OrjsonSerializer

from slmtrail.core.errors import SettingsError, StoreError

PAGE = 200
_PIT_LIFE = "5m"
_JSON = "application/vnd.elasticsearch+json"
_NDJSON = "application/vnd.elasticsearch+x-ndjson"
_VERSION = "; compatible-with=8"
_BUSY = (429, 503)
_BUSY_WAITS_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
_NOT_KNOWN = (401, 403)
CLOSED_TOO = {"expand_wildcards": "open,closed"}
"""For a refresh before all records are looked at: it fails where an index is closed, which a search passes over."""


class _Json(OrjsonSerializer):
    mimetype = _JSON


class _Ndjson(NdjsonSerializer):
    mimetype = _NDJSON

    def dumps(self, data: bytes) -> bytes:
        """As it is: the client's own would copy megabytes, twice, to see to the last newline."""
        return data


class NotAllowed(StoreError):
    """The cluster knows nobody by these credentials, or they don't suffice."""


class ElasticClient:
    """One cluster. Its methods raise StoreError for what no retry and no other request would change."""

    def __init__(self, url: str, *, api_key: str | None = None, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 9200)
            options: dict[str, Any] = {"ca_certs": str(ca_file)} if ca_file else {}
            self._client = Elasticsearch(
                f"{parts.scheme}://{parts.hostname}:{port}{parts.path}",
                basic_auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
                api_key=api_key,
                serializers={OrjsonSerializer.mimetype: OrjsonSerializer(), _JSON: _Json(), _NDJSON: _Ndjson()},
                max_retries=0,
                request_timeout=60,
                **options,
            )
        except ValueError:
            # What is wrong with it may quote a password.
            text = "store.url: is no address of Elasticsearch: write http(s)://host:port, and / of a password as %2F"
            raise SettingsError(text) from None
        self.place = f"{parts.hostname}:{port}"

    def ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The answer to one request; None where there is no such thing (404).

        Asks again for a few seconds while the cluster is busy, or an index was made so newly that its shards
        have not started.
        """
        for wait_s in (*_BUSY_WAITS_S, None):
            try:
                answer = self.raw(method, path, body, **params)
                if wait_s is None or not (path.endswith("/_search") and _partial(answer)):
                    return answer
                time.sleep(wait_s)
            except ApiError as error:
                if error.status_code == 404:
                    return None
                if error.status_code not in _BUSY or wait_s is None:
                    raise self.refused(error) from error
                time.sleep(wait_s)
            except TransportError as error:
                raise self.unreachable(error) from error
        return None

    def raw(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        """The answer to one request, with the client's own errors."""
        kind = _NDJSON if isinstance(body, bytes) else _JSON
        headers = {"accept": _JSON + _VERSION}
        if body is not None:
            headers["content-type"] = kind + _VERSION
        return self._client.perform_request(method, path, params=params or None, headers=headers, body=body).body

    def refresh(self, pattern: str) -> None:
        """Lets searches find all that was written to indices of these names before. Raises StoreError where one is
        closed."""
        self.ask("POST", f"/{pattern}/_refresh", **CLOSED_TOO)

    def refused(self, error: ApiError) -> StoreError:
        """What to say of a request that the cluster refused."""
        told = _type(error)
        if not isinstance(error.body, dict) and error.status_code not in _NOT_KNOWN:
            return self.strange(f"{error.status_code} and nothing of its own")
        advice = {
            401: "; give it the user or API key that may",
            403: "; give it the role of what it does (slmtrail setup elasticsearch-roles)",
        }.get(error.status_code, "")
        kind = NotAllowed if advice else StoreError
        if told == "index_closed_exception":
            advice = "; an index of records is closed, so what it holds can be neither seen nor erased: open it"
        return kind(f"Elasticsearch at {self.place} refused: {error.status_code} {told}{advice}")

    def unreachable(self, error: TransportError) -> StoreError:
        """What to say when there is no answer, or none that can be read."""
        what = type(error).__name__
        if isinstance(error, SerializationError):
            return self.strange("what can't be read")
        return StoreError(
            f"Elasticsearch at {self.place} does not answer ({what}); start it, or look at the setting `store`"
        )

    def strange(self, what: str) -> StoreError:
        """What to say of an answer that is none of Elasticsearch's."""
        return StoreError(f"Elasticsearch at {self.place} answers {what}; look at what stands between")

    def hits(
        self,
        pattern: str,
        query: dict[str, Any],
        sort: list[Any],
        source: bool | list[str] = True,
        page: int = PAGE,
    ) -> Iterator[Any]:
        """All documents that fit, in order, as they stood when the first was asked for; in flat memory."""
        opened = self.ask("POST", f"/{pattern}/_pit", keep_alive=_PIT_LIFE, ignore_unavailable="true")
        if opened is None:
            return
        pit, after = opened["id"], None
        try:
            while True:
                body = {
                    "pit": {"id": pit, "keep_alive": _PIT_LIFE},
                    "query": query,
                    "sort": sort,
                    "size": page,
                    "_source": source,
                    "track_total_hits": False,
                }
                if after is not None:
                    body["search_after"] = after
                answer = self.ask("POST", "/_search", body)
                if answer is None:
                    raise StoreError(f"Elasticsearch at {self.place} forgot where a scan stood; start it again")
                found = answer["hits"]["hits"]
                yield from found
                if len(found) < page:
                    return
                pit, after = answer["pit_id"], found[-1]["sort"]
        finally:
            self.ask("DELETE", "/_pit", {"id": pit})

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


def _partial(answer: Any) -> bool:
    """Whether some shards had no answer, though there was time."""
    return bool(answer["_shards"]["failed"]) and not answer["timed_out"]


def _type(error: ApiError) -> str:
    body = error.body if isinstance(error.body, dict) else {}
    cause = body.get("error")
    return str(cause.get("type", "")) if isinstance(cause, dict) else ""
