"""How `make run` serves the shop: two workers of four threads, reachable only from this machine.

Put a web server with https in front of it. gunicorn's command line overrides every setting here.
"""

import os
from pathlib import Path

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"

# Threads, not sync workers: a slow visitor then holds a thread and never a whole worker.
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
keepalive = 5

# The slowest request waits for Stripe, at most 15 s. A worker silent for twice that long is stuck.
timeout = 30
graceful_timeout = 30
# No recycling: a worker that grows is a fault to mend, and restarts would hide it.
max_requests = 0

# Workers prove that they live by touching a file, which must not wait for a busy disk.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None

# The shop's longest address is a search and its largest header is a signed cookie: far below these.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# No header of a request changes what gunicorn believes. TRUSTED_PROXIES decides that, in the app.
forwarded_allow_ips = ""
proxy_allow_ips = ""

# The app logs each request itself; gunicorn only says when it starts, stops or loses a worker.
accesslog = None
errorlog = "-"
control_socket_disable = True
