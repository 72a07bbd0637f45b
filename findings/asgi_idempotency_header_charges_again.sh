#!/bin/sh
# asgi-idempotency-header 0.2.0 (PyPI) with Starlette 1.10.0: a middleware made after Stripe's idempotent requests, to have each
# mutating request carried out once. A charge and its repetition with one key, and a refund that has the charge's key.
# Guess: the second charge is the answer of the first again; the refund is carried out or refused, as Stripe refuses a key that
# comes back with other parameters.
# Seen: with the answer's type as application/json it is so for the charge. With application/json; charset=utf-8, which is JSON
# as well and what many servers name it, nothing is kept and the repetition charges again, without a word. The refund is answered
# with 201 and the charge, and not carried out, since neither the path nor the body counts.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "asgi-idempotency-header==0.2.0" "starlette==1.10.0" "fastapi==0.165.0" "redis==8.1.0" "httpx==0.28.1"
cat > charges.py <<'END'
import asyncio

import httpx
from idempotency_header_middleware import IdempotencyHeaderMiddleware
from idempotency_header_middleware.backends import MemoryBackend
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

done = []


async def carry_out(request):
    done.append(request.url.path)
    return Response(f'{{"done":"{len(done)} {request.url.path}"}}', 201, media_type=request.headers["type"])


paths = [Route(path, carry_out, methods=["POST"]) for path in ("/charges", "/refunds")]
app = IdempotencyHeaderMiddleware(Starlette(routes=paths), backend=MemoryBackend())


async def main():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://school") as client:
        for path, key, kind in (
            ("/charges", "a", "application/json"),
            ("/charges", "a", "application/json"),
            ("/refunds", "a", "application/json"),
            ("/charges", "b", "application/json; charset=utf-8"),
            ("/charges", "b", "application/json; charset=utf-8"),
        ):
            answer = await client.post(path, headers={"Idempotency-Key": key, "type": kind})
            print(path, key, kind, answer.status_code, answer.json()["done"])


asyncio.run(main())
END
cat > wanted <<'END'
/charges a application/json 201 1 /charges
/charges a application/json 201 1 /charges
/refunds a application/json 201 1 /charges
/charges b application/json; charset=utf-8 201 2 /charges
/charges b application/json; charset=utf-8 201 3 /charges
END
venv/bin/python -W ignore charges.py > seen
cat seen
cmp -s seen wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a repeated charge is charged again, and a refund is answered with the charge"
