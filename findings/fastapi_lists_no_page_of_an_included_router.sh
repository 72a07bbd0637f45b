#!/bin/sh
# FastAPI 0.165.0 (PyPI): the usual check that every page asks who is there, by going through the routes of the application.
# Guess: app.routes lists the pages of routers that were included, each as an APIRoute, as it did for years.
# Seen: it lists one object for each included router, and no APIRoute: a check over APIRoutes goes through nothing and
# passes, though the page answers whoever asks. What the OpenAPI document lists is whole.
# Exit 0 while this is so; 1 when it changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q "fastapi==0.165.0" "httpx==0.28.1"
cat > pages.py <<'END'
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

router = APIRouter()


@router.get("/wages")
def wages() -> str:
    return "of everybody"


app = FastAPI()
app.include_router(router)
listed = [route for route in app.routes if isinstance(route, APIRoute)]
print("routes without a guard:", [route.path for route in listed if not route.dependant.dependencies])
print("the page answers", TestClient(app).get("/wages").json())
print("OpenAPI lists", list(app.openapi()["paths"]))
END
cat > wanted <<'END'
routes without a guard: []
the page answers of everybody
OpenAPI lists ['/wages']
END
venv/bin/python -W ignore pages.py > told
cat told
cmp -s told wanted || { echo "changed: wanted as above in the script"; exit 1; }
echo "as stated: a check of all routes sees none"
