"""Counters in Prometheus's text format."""

import threading
import time

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    def __init__(self, service, version):
        self._labels = f'service="{service}",version="{version}"'
        self._started = time.time()
        self._lock = threading.Lock()
        self._requests = {}
        self._buckets = [0] * (len(BUCKETS_S) + 1)
        self._seconds = 0.0

    def count(self, method, route, status, seconds):
        with self._lock:
            key = (method, route, status)
            self._requests[key] = self._requests.get(key, 0) + 1
            self._seconds += seconds
            self._buckets[next((i for i, limit in enumerate(BUCKETS_S) if seconds <= limit), len(BUCKETS_S))] += 1

    def render(self):
        with self._lock:
            requests, buckets, seconds = dict(self._requests), list(self._buckets), self._seconds
        lines = [
            "# TYPE bank_info gauge",
            f"bank_info{{{self._labels}}} 1",
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self._started:.3f}",
            "# TYPE bank_requests_total counter",
        ]
        for (method, route, status), number in sorted(requests.items()):
            lines.append(f'bank_requests_total{{{self._labels},method="{method}",route="{route}",status="{status}"}} {number}')
        lines.append("# TYPE bank_request_seconds histogram")
        total = 0
        for limit, number in zip((*map(str, BUCKETS_S), "+Inf"), buckets):
            total += number
            lines.append(f'bank_request_seconds_bucket{{{self._labels},le="{limit}"}} {total}')
        lines.append(f"bank_request_seconds_sum{{{self._labels}}} {seconds:.6f}")
        lines.append(f"bank_request_seconds_count{{{self._labels}}} {total}")
        return "\n".join(lines) + "\n"
